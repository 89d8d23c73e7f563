//! Makes the daemons of routers match their [plans](crate::plan::DaemonPlan).
//!
//! A daemon is its executable, its namespace and its answer. Its pid file names the process that is looked at first; if
//! that is not the daemon, all processes are. It is signalled through a descriptor of exactly that process. A daemon that
//! matches its plan is not touched, so that checking it costs only a few reads; whether it answers is asked only where
//! health is reported or repaired, and where it has to read its files again or hand over.
//!
//! Beside its configuration a daemon's folder holds the file `settled`, which says for which interfaces the daemon was
//! started. It is removed before the first file changes and written again when the daemon has read its files: if it is
//! missing, because a command was killed in between, the daemon is restarted.

mod conform;
mod dead_members;
mod folder;
mod handover;
mod health;
mod process;
mod runtime_socket;
mod search;
mod start;
mod stop;

use std::io;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, User};

use crate::files::FileError;
use crate::kernel::namespace::NamespaceError;
use crate::plan::{Daemon, DaemonAccount};

pub use conform::{AppliedDaemons, StagedDaemons, are_sound, stage};
pub use stop::{DaemonSearch, discard_versions, end, stop};

/// Why a daemon does not match its plan. Applying the same plan again goes on where it stopped.
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
    /// The daemon refused its configuration, or could not do what it says.
    #[error("{what} did not start: {words}")]
    Refused {
        /// The daemon.
        what: String,
        /// Its output, as one line.
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
    /// A process does not end.
    #[error("cannot stop {what}: process {pid} survives SIGKILL; the kernel blocks it")]
    Unkillable {
        /// The daemon.
        what: String,
        /// The process.
        pid: i32,
    },
    /// One of its files could not be used.
    #[error("{what}")]
    File {
        /// The daemon.
        what: String,
        /// Which file, and why.
        source: FileError,
    },
    /// The operating system did not let its program run.
    #[error("cannot {attempted} {what}; check with doctor whether {program} can be run on this host")]
    Program {
        /// The daemon.
        what: String,
        /// What was attempted, to be read between "cannot" and the daemon.
        attempted: &'static str,
        /// The program.
        program: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The operating system refused an operation.
    #[error("cannot {attempted} of {what}")]
    Failed {
        /// The daemon.
        what: String,
        /// What was attempted, to be read after "cannot".
        attempted: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The accounts of the host could not be read.
    #[error("cannot look up the account {name} and its group in /etc/passwd and /etc/group")]
    Account {
        /// The account.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

const NOBODY: &str = "nobody";
/// The group of `nobody` on a distribution without that user.
const NOBODYS_GROUP: u32 = 65534;

/// The account of that name, or `nobody` if there is none: daemons receive guests' packets, so none of them runs as
/// root.
///
/// # Errors
/// If the accounts of the host cannot be read: an account that cannot be looked up is not absent.
pub fn account(name: &str) -> Result<DaemonAccount, DaemonError> {
    let failed = |errno: Errno| DaemonError::Account { name: name.to_owned(), source: errno.into() };
    let user = match User::from_name(name).map_err(failed)? {
        None => User::from_name(NOBODY).map_err(failed)?,
        user => user,
    };
    let group_id = user.as_ref().map_or(NOBODYS_GROUP, |user| user.gid.as_raw());
    let group = Group::from_gid(Gid::from_raw(group_id)).map_err(failed)?;
    if group.is_none() && user.is_some() {
        return Err(failed(Errno::ENOENT));
    }
    Ok(DaemonAccount {
        user: user.map_or_else(|| NOBODY.to_owned(), |user| user.name),
        group: group.map_or_else(|| "nogroup".to_owned(), |group| group.name),
        group_id,
    })
}

fn names<'a>(daemons: impl IntoIterator<Item = &'a Daemon>) -> String {
    daemons.into_iter().map(|daemon| daemon.what.as_str()).collect::<Vec<_>>().join(", ")
}
