//! A daemon hands over to a successor, so that no connection is lost.
//!
//! The successor starts beside its predecessor, takes over the listening sockets, and adds new ones; then the
//! predecessor stops accepting connections, and ends with its last one. If the successor does not start, nothing has
//! happened.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::folder::DaemonFolder;
use super::process::{self, DaemonProcess, Whereabouts, failed};
use super::{DaemonError, dead_members};
use crate::kernel::namespace::Namespace;
use crate::plan::{Daemon, DaemonPlan, DaemonSuccessor};
use crate::wait::ended_by;

/// How long a predecessor may take to stop accepting connections.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the successor with the files of the plan. The caller marks it as settled.
pub(super) fn hand_over(
    namespace: &Namespace,
    plan: &DaemonPlan,
    folder: &DaemonFolder<'_>,
    predecessor: &DaemonProcess,
    successor: &DaemonSuccessor,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let saved = folder.save(&plan.files)?;
    folder.unsettle()?;
    let begun = folder
        .write(&plan.files)
        .and_then(|()| pass_on_dead_members(folder, successor, deadline))
        .and_then(|()| begin(namespace, plan, predecessor, successor, deadline));
    // If this fails the file is not read again: it is replaced or deleted before every other start.
    let _ = folder.delete(successor.dead_members);
    let begun = match begun {
        Ok(begun) => begun,
        Err(error) => {
            folder.restore(&saved)?;
            return Err(error);
        }
    };
    if saved.is_settled() {
        return retire(&plan.daemon, predecessor, &begun, deadline);
    }
    // A command was killed before it retired an earlier predecessor.
    let all = DaemonProcess::all(&[&plan.daemon])?;
    let others = all.iter().map(|(_, process)| process).filter(|process| !process.is(&begun));
    others.into_iter().try_for_each(|process| retire(&plan.daemon, process, &begun, deadline))
}

/// Writes down which members are dead, so that no client waits for one of them again. A successor serves without that
/// as well, so a predecessor that does not answer is no reason to fail.
fn pass_on_dead_members(
    folder: &DaemonFolder<'_>,
    successor: &DaemonSuccessor,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let dead = dead_members::known_to(&folder.path(successor.socket), deadline).unwrap_or_else(|error| {
        let socket = successor.socket;
        tracing::warn!(folder = %folder.path("").display(), socket, %error, "cannot ask which members are dead");
        Vec::new()
    });
    folder.replace(successor.dead_members, dead_members::server_states(&dead).as_bytes())
}

/// Makes a predecessor stop accepting connections, and waits until it has closed its listening sockets: until then it
/// may serve a new client by its old configuration. A predecessor that has ended is fine.
fn retire(
    daemon: &Daemon,
    predecessor: &DaemonProcess,
    successor: &DaemonProcess,
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
    predecessor: &DaemonProcess,
    successor: &DaemonSuccessor,
    deadline: Instant,
) -> Result<DaemonProcess, DaemonError> {
    let daemon = &plan.daemon;
    let other = || -> Result<Option<DaemonProcess>, DaemonError> {
        match DaemonProcess::of(daemon, Some(namespace))? {
            Whereabouts::Here(process) if !process.is(predecessor) => Ok(Some(process)),
            _ => Ok(None),
        }
    };
    match process::run(namespace, daemon, &successor.start, deadline) {
        Ok(words) => other()?.ok_or_else(|| process::ended(daemon, words)),
        Err(error) => {
            // It may have left a child behind. The error that is reported is the one that came first.
            if let Ok(Some(process)) = other() {
                let _ = process.end(daemon, deadline);
            }
            Err(error)
        }
    }
}
