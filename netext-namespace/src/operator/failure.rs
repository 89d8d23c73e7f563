//! Why a command could not be carried out.

use netext_core::DeviceError;

use super::Verdict;
use crate::model::RouterId;
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
            Self::CommandLine(_) | Self::NotRoot | Self::Unknown { .. } => Verdict::Usage,
            Self::Store(_) | Self::Device(_) => Verdict::Unwell,
        }
    }
}
