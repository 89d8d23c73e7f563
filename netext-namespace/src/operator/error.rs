//! How a command ends: its exit code, and why it was not carried out.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use netext_core::DeviceError;

use crate::model::RouterId;
use crate::proxy::error::HostError;
use crate::proxy::fleet::InvalidFleet;
use crate::store::StoreError;

/// The meaning of an operator command's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperatorExit {
    /// Everything is healthy.
    Healthy,
    /// The command line is wrong, or the router does not exist.
    Usage,
    /// No host can be reached.
    Unreachable,
    /// Something differs, is unhealthy, or failed.
    Unhealthy,
}

impl OperatorExit {
    pub(super) fn of(is_healthy: bool) -> Self {
        if is_healthy { Self::Healthy } else { Self::Unhealthy }
    }
}

impl From<OperatorExit> for ExitCode {
    fn from(exit: OperatorExit) -> Self {
        Self::from(match exit {
            OperatorExit::Healthy => 0,
            OperatorExit::Usage => 1,
            OperatorExit::Unreachable => 2,
            OperatorExit::Unhealthy => 3,
        })
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    /// The command line is wrong, or asks for help.
    #[error(transparent)]
    CommandLine(clap::Error),
    /// Only root may use namespaces and the state of routers.
    #[error("this needs root: run it with sudo")]
    NotRoot,
    /// There is no such router.
    #[error("there is no router {router} on this host{known}")]
    UnknownRouter {
        /// The router on the command line.
        router: RouterId,
        /// The routers that exist, in words.
        known: String,
    },
    /// The state of the routers cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file on the command line cannot be read.
    #[error("cannot read {}", .path.display())]
    UnreadableFile {
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
        /// The line of the first mistake.
        line: usize,
        /// The column of the first mistake.
        column: usize,
    },
    /// No hosts are named.
    #[error("{} names no hosts: register them as `hosts`, or add --hosts", .0.display())]
    NoHosts(PathBuf),
    /// The path of the executable on the hosts is unknown.
    #[error(
        "this executable is not installed as an extension: name the extension of the hosts with --extension NAME"
    )]
    NoExtension,
    /// The hosts or their credentials cannot be used.
    #[error(transparent)]
    Fleet(#[from] InvalidFleet),
    /// Connections to the hosts cannot be prepared.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Something failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl OperatorError {
    /// A router is not one of those that exist.
    pub(super) fn unknown_router(router: RouterId, known: &[RouterId]) -> Self {
        const NAMED: usize = 10;
        let named: Vec<_> = known.iter().take(NAMED).map(ToString::to_string).collect();
        let known = match known.len() {
            0 => "; it has none".to_owned(),
            count if count > NAMED => format!("; it has {} and {} more", named.join(", "), count - NAMED),
            _ => format!("; it has {}", named.join(", ")),
        };
        Self::UnknownRouter { router, known }
    }

    pub(super) fn exit(&self) -> OperatorExit {
        match self {
            Self::CommandLine(error) if error.exit_code() == 0 => OperatorExit::Healthy,
            Self::CommandLine(_)
            | Self::NotRoot
            | Self::UnknownRouter { .. }
            | Self::UnreadableFile { .. }
            | Self::NoPayload { .. }
            | Self::NoHosts(_)
            | Self::NoExtension
            | Self::Fleet(_) => OperatorExit::Usage,
            Self::Store(_) | Self::Device(_) | Self::Host(_) => OperatorExit::Unhealthy,
        }
    }
}
