//! Why a host could not be asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use netext_core::{DeviceError, ErrorKind};

use crate::relay::LineError;

/// Why a host could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no connection: it is down, or something between is.
    #[error("{host} cannot be reached: {words}")]
    Unreachable {
        /// The host.
        host: String,
        /// What ssh said.
        words: String,
    },
    /// It took too long to say anything.
    #[error("{host} did not answer within {} ms", .after.as_millis())]
    Silent {
        /// The host.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended while the host was at work.
    #[error(
        "the connection to {host} was lost before it answered{words}; whether it did the work is not known, repeat it"
    )]
    Lost {
        /// The host.
        host: String,
        /// What else was said, with what sets it off.
        words: String,
    },
    /// It does not let us in.
    #[error(
        "{host} does not let {user} in with {means}: {words}; check `username`, `password` and `sshkey` of the physical network"
    )]
    NotAdmitted {
        /// The host.
        host: String,
        /// The account.
        user: String,
        /// What we tried to get in with.
        means: &'static str,
        /// What ssh said.
        words: String,
    },
    /// It is not the host that it was, or not the one that is registered.
    #[error("{host} shows another host key than {expected}, so nothing was sent to it; {advice}")]
    NotTheSame {
        /// The host.
        host: String,
        /// Where the key stands that it ought to have.
        expected: String,
        /// What to do.
        advice: String,
    },
    /// Something runs there, but not what should.
    #[error("{host} does not answer as {path} should: {words}; deploy the extension there")]
    NoExtension {
        /// The host.
        host: String,
        /// What was run.
        path: String,
        /// What came instead.
        words: String,
    },
    /// It speaks another version of the relay protocol, or says what is not in it.
    #[error("{host}: {problem}; deploy the same version on the management servers and on every host")]
    Incompatible {
        /// The host.
        host: String,
        /// What is wrong.
        problem: LineError,
    },
    /// This machine is at fault.
    #[error("cannot {action} {}: {source}", .path.display())]
    Local {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl HostError {
    /// Whether the host may be down, so that what it did is another's to do. One that answers, but not as it
    /// should, still serves its guests.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. } | Self::Lost { .. })
    }

    /// Whether we got in, so that it is what runs there that is wrong; or did not even try to.
    pub fn is_beyond_login(&self) -> bool {
        matches!(self, Self::NoExtension { .. } | Self::Incompatible { .. } | Self::Local { .. })
    }
}

impl From<HostError> for DeviceError {
    fn from(error: HostError) -> Self {
        let kind = if error.is_beyond_login() { ErrorKind::Device } else { ErrorKind::Connection };
        Self::new(kind, error.to_string())
    }
}
