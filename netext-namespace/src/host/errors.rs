//! The errors of a router's parts, as errors of commands.

use netext_core::{DeviceError, ErrorKind, error_chain};

use crate::daemons::DaemonError;
use crate::files::FileError;
use crate::kernel::conntrack::ConntrackError;
use crate::kernel::links::LinkError;
use crate::kernel::namespace::NamespaceError;
use crate::kernel::netlink::NetlinkError;
use crate::kernel::nft::NftError;
use crate::metadata::MetadataError;
use crate::model::{InvalidBalancer, InvalidDevice, InvalidForward, InvalidOption, PolicyRoutingError};
use crate::store::StoreError;

/// Why the host could not be made to match a router.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    Links(#[from] LinkError),
    #[error(transparent)]
    Packets(#[from] NftError),
    #[error(transparent)]
    Services(#[from] DaemonError),
    #[error(transparent)]
    Connections(#[from] ConntrackError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Routing(#[from] NetlinkError),
    #[error("the deadline has passed")]
    TooLate,
    #[error("{}", .0.iter().map(|error| error_chain(error)).collect::<Vec<_>>().join("; "))]
    Several(Vec<Self>),
}

impl ApplyError {
    /// The failure of several steps.
    pub(super) fn all(mut failures: Vec<Self>) -> Result<(), Self> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Self::Several(failures)),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Several(failures) if failures.iter().all(|it| it.kind() == ErrorKind::TimedOut) => {
                ErrorKind::TimedOut
            }
            Self::TooLate
            | Self::Packets(NftError::TimedOut { .. })
            | Self::Services(DaemonError::TimedOut { .. }) => ErrorKind::TimedOut,
            _ => ErrorKind::Device,
        }
    }
}

impl From<ApplyError> for DeviceError {
    fn from(error: ApplyError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl From<FileError> for DeviceError {
    fn from(error: FileError) -> Self {
        Self::device(error)
    }
}

impl From<StoreError> for DeviceError {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::Busy { .. } => ErrorKind::TimedOut,
            _ => ErrorKind::Device,
        };
        Self::new(kind, error)
    }
}

impl From<MetadataError> for DeviceError {
    fn from(error: MetadataError) -> Self {
        let kind = match error {
            MetadataError::Refused(_) => ErrorKind::Invalid,
            _ => ErrorKind::Device,
        };
        Self::new(kind, error)
    }
}

impl From<InvalidOption> for DeviceError {
    fn from(error: InvalidOption) -> Self {
        Self::invalid("options").with_source(error)
    }
}

/// Errors of what a command asks for.
macro_rules! invalid {
    ($($error:ty)*) => {
        $(impl From<$error> for DeviceError {
            fn from(error: $error) -> Self {
                Self::invalid(error)
            }
        })*
    };
}

invalid! { InvalidBalancer InvalidDevice InvalidForward PolicyRoutingError }
