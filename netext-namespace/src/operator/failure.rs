//! Why a command could not be carried out.

use std::io;
use std::path::PathBuf;

use netext_core::DeviceError;

use super::Verdict;
use crate::model::RouterId;
use crate::proxy::error::HostError;
use crate::proxy::target::InvalidTarget;
use crate::store::StoreError;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command line is wrong, or asks for help.
    #[error(transparent)]
    CommandLine(clap::Error),
    /// Namespaces, and the state of routers, are root's.
    #[error("this needs root: run it with sudo")]
    NotRoot,
    /// There is no such router.
    #[error("there is no router {router} on this host{known}")]
    Unknown {
        /// What was asked for.
        router: RouterId,
        /// Those that there are, in words.
        known: String,
    },
    /// The state of the routers cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that was named cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not the payload of a command.
    #[error("{} is not a payload with physical-network-extension-details (line {line}, column {column})", .path.display())]
    NoPayload {
        /// The file.
        path: PathBuf,
        /// Where that is seen.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// No hosts are named.
    #[error("{} names no hosts: register them as `hosts`, or add --hosts", .0.display())]
    NoHosts(PathBuf),
    /// Where the executable lies on the hosts cannot be told.
    #[error(
        "this executable is not installed as an extension, so tell which one the hosts have: --extension NAME"
    )]
    NoExtension,
    /// What says where hosts are, or how one gets in, cannot be used.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// The way to the hosts cannot be prepared.
    #[error(transparent)]
    Way(#[from] HostError),
    /// Something failed.
    #[error("{}", .0.report())]
    Device(#[from] DeviceError),
}

impl Failure {
    /// There is no such router among these.
    pub(super) fn unknown(router: RouterId, known: &[RouterId]) -> Self {
        const NAMED: usize = 10;
        let named: Vec<_> = known.iter().take(NAMED).map(ToString::to_string).collect();
        let known = match known.len() {
            0 => "; it has none".to_owned(),
            count if count > NAMED => format!("; it has {} and {} more", named.join(", "), count - NAMED),
            _ => format!("; it has {}", named.join(", ")),
        };
        Self::Unknown { router, known }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::CommandLine(error) if error.exit_code() == 0 => Verdict::Well,
            Self::CommandLine(_)
            | Self::NotRoot
            | Self::Unknown { .. }
            | Self::Unread { .. }
            | Self::NoPayload { .. }
            | Self::NoHosts(_)
            | Self::NoExtension
            | Self::Target(_) => Verdict::Usage,
            Self::Store(_) | Self::Device(_) | Self::Way(_) => Verdict::Unwell,
        }
    }
}
