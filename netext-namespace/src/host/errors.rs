//! The errors of a router's parts, as errors of commands.

use netext_core::{DeviceError, ErrorKind, error_chain};

use crate::daemons::DaemonError;
use crate::files::FileError;
use crate::kernel::capture::CaptureError;
use crate::kernel::conntrack::ConntrackError;
use crate::kernel::links::LinkError;
use crate::kernel::namespace::NamespaceError;
use crate::kernel::netlink::NetlinkError;
use crate::kernel::nft::NftError;
use crate::metadata::MetadataError;
use crate::model::{InvalidBalancer, InvalidDevice, InvalidForward, InvalidOption, PolicyRoutingError};
use crate::store::StoreError;

/// Says of which kind an error of a command is, by the error that it is made of.
macro_rules! kinds {
    ($($error:ident: $($case:pat => $kind:ident),+;)*) => {
        $(impl From<$error> for DeviceError {
            fn from(error: $error) -> Self {
                let kind = match error {
                    $($case => ErrorKind::$kind,)+
                };
                Self::new(kind, error)
            }
        })*
    };
}

kinds! {
    InvalidBalancer: _ => Invalid;
    InvalidDevice: _ => Invalid;
    InvalidForward: _ => Invalid;
    PolicyRoutingError: _ => Invalid;
    MetadataError: MetadataError::Refused(_) => Invalid, _ => Device;
    StoreError: StoreError::Busy { .. } => TimedOut, _ => Device;
    FileError: _ => Device;
    NamespaceError: _ => Device;
    NetlinkError: _ => Device;
    LinkError: _ => Device;
    NftError: NftError::TimedOut { .. } => TimedOut, _ => Device;
    ConntrackError: _ => Device;
    CaptureError: _ => Device;
    DaemonError: DaemonError::TimedOut { .. } => TimedOut, _ => Device;
}

impl From<InvalidOption> for DeviceError {
    fn from(error: InvalidOption) -> Self {
        Self::invalid("options").with_source(error)
    }
}

/// An error after which the way back failed as well. `outcome` says what could not be done, `remedy` what happens next.
pub(super) fn and_then(
    error: &DeviceError,
    outcome: &str,
    failure: &DeviceError,
    remedy: &str,
) -> DeviceError {
    let message = format!("{}; and {outcome}: {}; {remedy}", error_chain(error), error_chain(failure));
    DeviceError::new(error.kind(), message)
}

/// The failures of several steps as one error. It is of their kind if they are all of one kind.
pub(super) fn all(mut failures: Vec<DeviceError>) -> Result<(), DeviceError> {
    let Some(kind) = failures.first().map(DeviceError::kind) else { return Ok(()) };
    if failures.len() == 1 {
        return Err(failures.remove(0));
    }
    let is_of_one_kind = failures.iter().all(|failure| failure.kind() == kind);
    let messages: Vec<_> = failures.iter().map(|failure| error_chain(failure)).collect();
    Err(DeviceError::new(if is_of_one_kind { kind } else { ErrorKind::Device }, messages.join("; ")))
}
