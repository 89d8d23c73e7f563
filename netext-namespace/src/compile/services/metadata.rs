//! The server that tells instances about themselves: one per router.

use std::collections::BTreeSet;
use std::path::Path;

use crate::metadata::server::{MetadataServerConfiguration, MetadataServerStart, ServedTier};
use crate::model::InterfaceName;
use crate::plan::{Account, CommandLine, ConfigFile, Daemon, DaemonPlan, OnChange};

const PID_FILE: &str = "server.pid";
/// Says which build runs, so that another one starts a server of its own.
const BUILD_FILE: &str = "build";

/// A guest network whose instances ask for data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataTier {
    /// The router's interface in it.
    pub interface: InterfaceName,
    /// What the server listens on and where the instances' data lie.
    pub served: ServedTier,
}

/// The server of a router. It is a mode of this executable, which bears several names; its process bears one.
pub fn metadata_daemon(what: &str, folder: &Path) -> Daemon {
    Daemon {
        what: format!("metadata server of {what}"),
        program: MetadataServerStart::PROCESS.to_owned(),
        folder: folder.join("metadata-server"),
        pid_file: PID_FILE.to_owned(),
    }
}

/// The server with the tiers that it serves; none if there is none to serve.
pub fn metadata_server(
    daemon: Daemon,
    executable: &Path,
    build: &str,
    tiers: &[MetadataTier],
) -> Option<DaemonPlan> {
    if tiers.is_empty() {
        return None;
    }
    let configuration = MetadataServerConfiguration {
        tiers: tiers.iter().map(|tier| tier.served.clone()).collect(),
        log: None,
    };
    let content = serde_json::to_string_pretty(&configuration).expect("paths of this extension are texts");
    let file = |name: &str| daemon.folder.join(name).display().to_string();
    Some(DaemonPlan {
        start: CommandLine {
            program: executable.display().to_string(),
            arguments: vec![
                MetadataServerStart::MODE.to_owned(),
                file(MetadataServerConfiguration::FILE),
                file(PID_FILE),
            ],
            package: "netext-namespace",
        },
        files: vec![
            ConfigFile { name: MetadataServerConfiguration::FILE, content, on_change: OnChange::Reload },
            ConfigFile { name: BUILD_FILE, content: build.to_owned(), on_change: OnChange::Restart },
        ],
        successor: None,
        // It rewrites documents that are root's, so that an acknowledged password leaves the disk.
        account: Account { user: "root".to_owned(), group: "root".to_owned(), group_id: 0 },
        interfaces: tiers.iter().map(|tier| tier.interface.clone()).collect::<BTreeSet<_>>(),
        daemon,
    })
}
