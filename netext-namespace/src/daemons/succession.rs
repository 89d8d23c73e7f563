//! A daemon that hands over to a successor, so that no connection is lost.
//!
//! The successor starts beside its predecessor, takes over the sockets that are listened on, and adds what is new;
//! only then is the predecessor told to accept no more and to end with its last connection. If the successor does
//! not start, nothing has happened.

use std::time::Instant;

use rustix::process::Signal;

use super::folder::Folder;
use super::process::{Found, Process};
use super::{DaemonError, start};
use crate::kernel::namespace::Namespace;
use crate::plan::{CommandLine, DaemonPlan};

/// Starts the successor with the files of the plan. Nothing says yet that it has settled.
pub(super) fn hand_over(
    namespace: &Namespace,
    plan: &DaemonPlan,
    folder: &Folder<'_>,
    predecessor: &Process,
    successor: &CommandLine,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let kept = folder.keep(&plan.files)?;
    folder.unsettle()?;
    let begun =
        folder.write(&plan.files).and_then(|()| begin(namespace, plan, predecessor, successor, deadline));
    let begun = match begun {
        Ok(begun) => begun,
        Err(error) => {
            folder.put_back(&kept)?;
            return Err(error);
        }
    };
    // Those that have ended meanwhile are fine.
    if kept.is_settled() {
        predecessor.signal(&plan.daemon, Signal::USR1)?;
        return Ok(());
    }
    // A command was killed before it had told an earlier one.
    for process in Process::all(&plan.daemon)?.iter().filter(|process| !process.is(&begun)) {
        process.signal(&plan.daemon, Signal::USR1)?;
    }
    Ok(())
}

fn begin(
    namespace: &Namespace,
    plan: &DaemonPlan,
    predecessor: &Process,
    successor: &CommandLine,
    deadline: Instant,
) -> Result<Process, DaemonError> {
    let daemon = &plan.daemon;
    let other = || -> Result<Option<Process>, DaemonError> {
        match Process::of(daemon, Some(namespace))? {
            Found::Here(process) if !process.is(predecessor) => Ok(Some(process)),
            _ => Ok(None),
        }
    };
    match start::run(namespace, daemon, successor, deadline) {
        Ok(words) => other()?.ok_or_else(|| start::ended(daemon, words)),
        Err(error) => {
            // It may have left a child behind. The error tells of what came first.
            if let Ok(Some(process)) = other() {
                let _ = process.stop(daemon, deadline);
            }
            Err(error)
        }
    }
}
