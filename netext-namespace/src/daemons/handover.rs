//! A daemon hands over to a successor, so that no connection is lost.
//!
//! The successor starts beside its predecessor, takes over the listening sockets, and adds new ones; then the
//! predecessor stops accepting connections, and ends with its last one. If the successor does not start, nothing has
//! happened. A predecessor that does not answer cannot hand over: nothing has happened then, either.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::dead_members::{self, BalancerMember};
use super::folder::DaemonFolder;
use super::health;
use super::process::{DaemonProcess, Whereabouts, failed};
use super::{DaemonError, runtime_socket, start};
use crate::kernel::namespace::Namespace;
use crate::plan::{ConfigFile, Daemon, DaemonPlan, DaemonSuccessor};
use crate::wait::ended_by;

/// How long a predecessor may take to stop accepting connections.
const PATIENCE: Duration = Duration::from_secs(1);

/// The outcome of a handover that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handover {
    /// The successor serves.
    Done,
    /// The predecessor does not answer, and must be ended first.
    NoAnswer,
}

/// Starts the successor with the files that changed and are staged. The caller marks it as settled.
pub(super) fn hand_over(
    namespace: &Namespace,
    plan: &DaemonPlan,
    folder: &DaemonFolder<'_>,
    changed: &[&ConfigFile],
    predecessor: &DaemonProcess,
    successor: &DaemonSuccessor,
    deadline: Instant,
) -> Result<Handover, DaemonError> {
    let Some(dead) = dead_members(folder, successor, deadline)? else { return Ok(Handover::NoAnswer) };
    let saved = folder.save()?;
    folder.unsettle()?;
    let begun = folder
        .put_in_place(changed)
        .and_then(|()| folder.replace(successor.dead_members, dead_members::server_states(&dead).as_bytes()))
        .and_then(|()| begin(namespace, plan, predecessor, successor, deadline));
    // If this fails the file is not read again: it is replaced or deleted before every other start.
    let _ = folder.delete(successor.dead_members);
    let begun = match begun {
        Ok(begun) => begun,
        Err(error) => {
            folder.take_back(changed)?;
            folder.restore(&saved)?;
            return Err(error);
        }
    };
    if saved.is_settled() {
        retire(&plan.daemon, predecessor, &begun, deadline)?;
        return Ok(Handover::Done);
    }
    // A command was killed before it retired an earlier predecessor.
    let all = DaemonProcess::all(&[&plan.daemon], &[], Some(namespace))?;
    let others = all.iter().map(|(_, process)| process).filter(|process| !process.is(&begun));
    others.into_iter().try_for_each(|process| retire(&plan.daemon, process, &begun, deadline))?;
    Ok(Handover::Done)
}

/// The members that the predecessor knows to be dead, so that no client waits for one of them again; `None` if it does
/// not answer.
fn dead_members(
    folder: &DaemonFolder<'_>,
    successor: &DaemonSuccessor,
    deadline: Instant,
) -> Result<Option<Vec<BalancerMember>>, DaemonError> {
    let deadline = deadline.min(Instant::now() + health::PATIENCE);
    match dead_members::known_to(&folder.path(successor.socket), deadline) {
        Ok(dead) => Ok(Some(dead)),
        Err(error) if runtime_socket::is_silence(&error) => {
            let daemon = &folder.daemon.what;
            tracing::warn!(daemon, %error, "it does not answer; replacing it");
            Ok(None)
        }
        Err(error) => Err(failed(folder.daemon, "ask for the dead members", error)),
    }
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
        match DaemonProcess::of(daemon, namespace)? {
            Whereabouts::Here(process) if !process.is(predecessor) => Ok(Some(process)),
            _ => Ok(None),
        }
    };
    match start::run(namespace, daemon, &successor.start, deadline) {
        Ok(words) => other()?.ok_or_else(|| start::ended(daemon, words)),
        Err(error) => {
            // It may have left a child behind. The error that is reported is the one that came first.
            if let Ok(Some(process)) = other() {
                let _ = process.end(daemon, false, deadline);
            }
            Err(error)
        }
    }
}
