//! The server of instance metadata: one per router.

use std::collections::BTreeSet;
use std::path::Path;

use crate::metadata::server::{MetadataServerConfiguration, START_MODE, ServedTier};
use crate::model::InterfaceName;
use crate::plan::{ChangeNotice, CommandLine, ConfigFile, Daemon, DaemonAccount, DaemonPlan, HealthQuestion};

/// Says which build runs, so that another build starts its own server.
const BUILD_FILE: &str = "build";

/// A guest network whose instances are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataTier {
    /// The router's interface in it.
    pub interface: InterfaceName,
    /// The address that the server listens on, and the folder of the instances' data.
    pub served: ServedTier,
}

/// The server with the tiers that it serves.
pub fn metadata_server(daemon: Daemon, executable: &Path, build: &str, tiers: &[MetadataTier]) -> DaemonPlan {
    let configuration = MetadataServerConfiguration {
        tiers: tiers.iter().map(|tier| tier.served.clone()).collect(),
        log: None,
    };
    let content = serde_json::to_string_pretty(&configuration).expect("paths of this extension are texts");
    let file = |name: &str| daemon.folder.join(name).display().to_string();
    DaemonPlan {
        start: CommandLine {
            program: executable.display().to_string(),
            arguments: vec![
                START_MODE.to_owned(),
                file(MetadataServerConfiguration::FILE),
                file(&daemon.pid_file),
            ],
            package: "netext-namespace",
        },
        files: vec![
            ConfigFile { name: MetadataServerConfiguration::FILE, content, on_change: ChangeNotice::Reload },
            ConfigFile { name: BUILD_FILE, content: build.to_owned(), on_change: ChangeNotice::Restart },
        ],
        successor: None,
        // It rewrites documents that are root's, so that an acknowledged password leaves the disk.
        account: DaemonAccount { user: "root".to_owned(), group: "root".to_owned(), group_id: 0 },
        health: HealthQuestion::Http(tiers.iter().map(|tier| tier.served.address).collect()),
        interfaces: tiers.iter().map(|tier| tier.interface.clone()).collect::<BTreeSet<_>>(),
        daemon,
    }
}
