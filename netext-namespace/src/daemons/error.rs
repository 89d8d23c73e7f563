//! Why a daemon is not as it shall be.

use std::io;
use std::path::PathBuf;

use crate::kernel::namespace::NamespaceError;

/// Why a daemon is not as it shall be. Applying the same plan again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The program is not installed.
    #[error("cannot start {what}: {program} not found; install the package {package}")]
    Missing {
        /// The daemon.
        what: String,
        /// The program.
        program: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The daemon did not take its configuration, or could not do what it says.
    #[error("{what} did not start: {words}")]
    Refused {
        /// The daemon.
        what: String,
        /// What it said, as one line.
        words: String,
    },
    /// The deadline passed.
    #[error("there was not enough time to {attempted}: {what}")]
    TimedOut {
        /// The daemon.
        what: String,
        /// What was attempted.
        attempted: &'static str,
    },
    /// One of its files could not be used.
    #[error("cannot {action} {} for {what}: {source}", path.display())]
    File {
        /// The daemon.
        what: String,
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program of it could not be run.
    #[error("cannot {attempted} {program} for {what}: {source}")]
    Program {
        /// The daemon.
        what: String,
        /// What was attempted, to be read between "cannot" and the program.
        attempted: &'static str,
        /// The program.
        program: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The operating system refused something.
    #[error("cannot {attempted} of {what}: {source}")]
    Failed {
        /// The daemon.
        what: String,
        /// What was attempted, to be read after "cannot".
        attempted: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}
