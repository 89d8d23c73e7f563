//! A daemon that hands over to a successor, so that no connection is lost.
//!
//! The successor starts beside its predecessor, takes over the sockets that are listened on, and adds what is new;
//! only then is the predecessor told to accept no more and to end with its last connection. If the successor does
//! not start, nothing has happened.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::folder::Folder;
use super::process::{Found, Process, failed};
use super::{DaemonError, dead_members, start};
use crate::kernel::namespace::Namespace;
use crate::plan::{Daemon, DaemonPlan, Successor};
use crate::wait::ended_by;

/// How long a predecessor may take to accept no more.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the successor with the files of the plan. Nothing says yet that it has settled.
pub(super) fn hand_over(
    namespace: &Namespace,
    plan: &DaemonPlan,
    folder: &Folder<'_>,
    predecessor: &Process,
    successor: &Successor,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let kept = folder.keep(&plan.files)?;
    folder.unsettle()?;
    let begun = folder
        .write(&plan.files)
        .and_then(|()| tell_of_dead_members(folder, successor, deadline))
        .and_then(|()| begin(namespace, plan, predecessor, successor, deadline));
    // One that stays is not read again: it is replaced, or deleted, before every other start.
    let _ = folder.delete(successor.dead_members);
    let begun = match begun {
        Ok(begun) => begun,
        Err(error) => {
            folder.put_back(&kept)?;
            return Err(error);
        }
    };
    if kept.is_settled() {
        return retire(&plan.daemon, predecessor, &begun, deadline);
    }
    // A command was killed before it had told an earlier one.
    let all = Process::all(&plan.daemon)?;
    all.iter().filter(|it| !it.is(&begun)).try_for_each(|it| retire(&plan.daemon, it, &begun, deadline))
}

/// Leaves word of members that are dead, so that no client has to find out anew. Without it a successor serves as well,
/// so a predecessor that does not answer is no reason to fail.
fn tell_of_dead_members(
    folder: &Folder<'_>,
    successor: &Successor,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let known = dead_members::known_to(&folder.path(successor.socket), deadline).unwrap_or_else(|error| {
        let socket = successor.socket;
        tracing::warn!(folder = %folder.path("").display(), socket, %error, "cannot ask which members are dead");
        Vec::new()
    });
    folder.replace(successor.dead_members, dead_members::server_states(&known).as_bytes())
}

/// Tells a predecessor to accept no more, and waits until it has let go of what it listened on: for as long as it
/// has not, it may serve a newcomer as it was configured. One that has ended meanwhile is fine.
fn retire(
    daemon: &Daemon,
    predecessor: &Process,
    successor: &Process,
    deadline: Instant,
) -> Result<(), DaemonError> {
    if !predecessor.signal(daemon, Signal::USR1)? {
        return Ok(());
    }
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let mut pause = Duration::from_micros(500);
    while !predecessor.sockets().is_disjoint(&successor.sockets()) {
        let ended = ended_by(&predecessor.descriptor, deadline.min(Instant::now() + pause));
        if ended.map_err(|errno| failed(daemon, "wait for the end", errno))? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            tracing::warn!(daemon = daemon.what, "a predecessor goes on accepting connections");
            return Ok(());
        }
        pause *= 2;
    }
    Ok(())
}

fn begin(
    namespace: &Namespace,
    plan: &DaemonPlan,
    predecessor: &Process,
    successor: &Successor,
    deadline: Instant,
) -> Result<Process, DaemonError> {
    let daemon = &plan.daemon;
    let other = || -> Result<Option<Process>, DaemonError> {
        match Process::of(daemon, Some(namespace))? {
            Found::Here(process) if !process.is(predecessor) => Ok(Some(process)),
            _ => Ok(None),
        }
    };
    match start::run(namespace, daemon, &successor.start, deadline) {
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
