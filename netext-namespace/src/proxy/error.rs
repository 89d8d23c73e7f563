//! Why a host did not carry out what it was asked.

use std::time::Duration;

use netext_core::{DeviceError, ErrorKind};

use super::remote::HostAddress;
use crate::files::FileError;
use crate::relay::RelayLineError;

/// Why a host did not carry out what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no connection: the host is down, or something between here and there is.
    #[error("{host} cannot be reached: {words}")]
    Unreachable {
        /// The host.
        host: HostAddress,
        /// The words of ssh.
        words: String,
    },
    /// It did not answer in time.
    #[error("{host} did not answer within {} ms", .after.as_millis())]
    Silent {
        /// The host.
        host: HostAddress,
        /// How long it was given.
        after: Duration,
    },
    /// The connection ended while the host was working.
    #[error(
        "the connection to {host} was lost before it answered{words}; it may have done the work or not: repeat the \
         command"
    )]
    Lost {
        /// The host.
        host: HostAddress,
        /// What else was printed, in parentheses.
        words: String,
    },
    /// It refused the login.
    #[error(
        "{host} does not let {user} in with {means}: {words}; check `username`, `password` and `sshkey` of the \
         physical network"
    )]
    LoginRefused {
        /// The host.
        host: HostAddress,
        /// The account.
        user: String,
        /// The credentials that were tried.
        means: &'static str,
        /// The words of ssh.
        words: String,
    },
    /// Its host key is not the one that it had, or not the one that is registered.
    #[error("{host} shows another host key than {expected}, so nothing was sent to it; {advice}")]
    WrongHostKey {
        /// The host.
        host: HostAddress,
        /// Where the expected key is recorded.
        expected: String,
        /// What to do.
        advice: String,
    },
    /// The program at the executable's path is missing, or is another one.
    #[error("{host} does not answer as {path} should: {words}; deploy the extension there")]
    NoExtension {
        /// The host.
        host: HostAddress,
        /// What was run.
        path: String,
        /// The answer.
        words: String,
    },
    /// It speaks another version of the relay protocol, or breaks the protocol.
    #[error("{host}: {problem}; deploy the same version on the management servers and on every host")]
    Incompatible {
        /// The host.
        host: HostAddress,
        /// What is wrong.
        problem: RelayLineError,
    },
    /// This machine is at fault.
    #[error(transparent)]
    Local(#[from] FileError),
}

impl HostError {
    /// Whether the host may be down, so that another one may take over its routers. A host that answers with an error
    /// still serves its guests.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. } | Self::Lost { .. })
    }

    /// Whether the login is not the problem: it succeeded, or was not even tried.
    pub fn is_beyond_login(&self) -> bool {
        matches!(self, Self::NoExtension { .. } | Self::Incompatible { .. } | Self::Local(_))
    }
}

impl From<HostError> for DeviceError {
    fn from(error: HostError) -> Self {
        let kind = if error.is_beyond_login() { ErrorKind::Device } else { ErrorKind::Connection };
        Self::new(kind, error)
    }
}
