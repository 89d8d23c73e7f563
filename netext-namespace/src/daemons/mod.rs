//! The rim that touches daemons: what [`crate::plan::DaemonPlan`] wants is made to run, and nothing else.
//!
//! A daemon is known by its pid file, by the program and the folder on its command line, and by the network
//! namespace it lives in; it is signalled through a descriptor of exactly that process. Nothing that matches is
//! touched, so that looking costs no more than a few reads.
//!
//! Beside its configuration a daemon's folder holds the file `settled`, which says what the daemon was started
//! for. It goes before the first file changes and comes back when the daemon has taken notice: whoever finds it
//! missing, because a command was killed in between, starts the daemon anew.

mod account;
mod dead_members;
mod error;
mod folder;
mod handover;
mod process;
mod start;
mod stop;

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

pub use account::account;
pub use error::DaemonError;

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::kernel::namespace::Namespace;
use crate::model::InterfaceName;
use crate::plan::{Daemon, DaemonPlan};
use folder::{Effect, Folder};
use process::{Found, Process};

/// Makes the daemons of a router match: those of `known` that nobody wants end, those that are `wanted` run in
/// the namespace with the configuration that they shall have. Those that have but to read it again are left to
/// be told.
///
/// # Errors
/// The first thing that went wrong; what was not reached is left for the next time.
pub fn apply(
    namespace: &Namespace,
    wanted: Vec<DaemonPlan>,
    known: &[Daemon],
    deadline: Instant,
    pass: &mut Pass,
) -> Result<PendingReloads, DaemonError> {
    let unwanted =
        known.iter().filter(|daemon| wanted.iter().all(|plan| plan.daemon.folder != daemon.folder));
    stop(unwanted, deadline, pass)?;
    let mut pending_reloads = PendingReloads::default();
    if !wanted.is_empty() {
        let all_settled = settled(namespace, &wanted)?;
        for (plan, settled) in wanted.into_iter().zip(all_settled) {
            if let Some(running) = conform(namespace, &plan, &settled, deadline, pass)? {
                pending_reloads.0.push((plan, settled, running));
            }
        }
    }
    Ok(pending_reloads)
}

/// Daemons that have new files and were not told to read them.
///
/// That comes last, because a daemon with thousands of lines to read takes the processor from whoever told it. A
/// daemon that is never told is one that is not settled: the next pass starts it anew.
#[must_use]
#[derive(Debug, Default)]
pub struct PendingReloads(Vec<(DaemonPlan, String, Process)>);

impl PendingReloads {
    /// Tells them. One that has ended meanwhile, or would not survive it, is started anew.
    pub fn reload(self, namespace: &Namespace, deadline: Instant) -> Result<(), DaemonError> {
        for (plan, settled, running) in self.0 {
            if !running.reload(&plan.daemon)? {
                restart(namespace, &plan, Some(running), deadline)?;
            }
            Folder::of(&plan).settle(&settled)?;
        }
        Ok(())
    }
}

/// Ends daemons, wherever they live, and removes their folders; absent ones are fine.
pub fn stop<'a>(
    daemons: impl IntoIterator<Item = &'a Daemon>,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<(), DaemonError> {
    for daemon in daemons {
        if let Some(folder) = Folder::existing(daemon)? {
            pass.differs(
                RouterPart::Daemon,
                DifferenceKind::Remove,
                format!("stop {} and remove its files", daemon.what),
            );
            if pass.acts() {
                stop::all(daemon, deadline)?;
                folder.remove()?;
            }
        }
    }
    Ok(())
}

/// Makes one daemon match. One that is returned runs, and has but to be told of its new files.
fn conform(
    namespace: &Namespace,
    plan: &DaemonPlan,
    settled: &str,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<Option<Process>, DaemonError> {
    let daemon = &plan.daemon;
    if Instant::now() >= deadline {
        return Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "look at it" });
    }
    let folder = if pass.acts() { Folder::prepare(plan)? } else { Folder::of(plan) };
    let is_settled = folder.is_settled(settled)?;
    let differing = folder.differing(&plan.files)?;
    let (running, absence) = match Process::of(daemon, Some(namespace))? {
        Found::Here(process) => (Some(process), ""),
        Found::Elsewhere => (None, "it runs in another namespace"),
        Found::Nowhere => (None, "it does not run"),
    };
    let effect = match (&running, differing.iter().map(|(_, effect)| *effect).max()) {
        (Some(_), None) if is_settled => return Ok(None),
        (Some(_), Some(effect)) if is_settled => effect,
        _ => Effect::Restart,
    };
    if pass.accounts() {
        let reason = match &running {
            None => absence.to_owned(),
            Some(_) if !differing.is_empty() => {
                let names: Vec<_> = differing.iter().map(|(file, _)| file.name).collect();
                format!("its {} is not what it shall be", names.join(", "))
            }
            Some(_) => "it was started for other interfaces, or its start was cut off".to_owned(),
        };
        let (change, verb) = match (&running, effect) {
            (None, _) => (DifferenceKind::Add, "start"),
            (Some(_), Effect::Reload) => (DifferenceKind::Modify, "reload"),
            (Some(_), Effect::Restart) if plan.successor.is_some() => (DifferenceKind::Modify, "replace"),
            (Some(_), Effect::Restart) => (DifferenceKind::Modify, "restart"),
        };
        pass.differs(RouterPart::Daemon, change, format!("{verb} {}: {reason}", daemon.what));
    }
    if !pass.acts() {
        return Ok(None);
    }
    if let (Some(predecessor), Effect::Restart, Some(successor)) = (&running, effect, &plan.successor) {
        handover::hand_over(namespace, plan, &folder, predecessor, successor, deadline)?;
        folder.settle(settled)?;
        return Ok(None);
    }

    folder.unsettle()?;
    folder.write(differing.iter().map(|(file, _)| *file))?;
    if effect == Effect::Reload {
        return Ok(running);
    }
    restart(namespace, plan, running, deadline)?;
    folder.settle(settled)?;
    Ok(None)
}

fn restart(
    namespace: &Namespace,
    plan: &DaemonPlan,
    running: Option<Process>,
    deadline: Instant,
) -> Result<(), DaemonError> {
    if let Some(successor) = &plan.successor {
        // Left by a handover that was cut off. A daemon that starts checks its members itself.
        Folder::of(plan).delete(successor.dead_members)?;
    }
    match running {
        Some(process) => process.stop(&plan.daemon, deadline)?,
        // Astray, or with a pid file that was lost: two would answer the same guests.
        None => stop::all(&plan.daemon, deadline)?,
    }
    start::start(namespace, plan, deadline)
}

/// What each daemon is started for: the interfaces that it binds to, by the kernel's number, which an interface
/// that is made anew does not share with its predecessor.
fn settled(namespace: &Namespace, wanted: &[DaemonPlan]) -> Result<Vec<String>, DaemonError> {
    let numbered = namespace.enter(|| -> rustix::io::Result<Vec<String>> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        let one = |plan: &DaemonPlan| plan.interfaces.iter().map(|name| number(&socket, name)).collect();
        Ok(wanted.iter().map(one).collect())
    })?;
    numbered.map_err(|errno| DaemonError::Failed {
        what: wanted.iter().map(|plan| plan.daemon.what.as_str()).collect::<Vec<_>>().join(", "),
        attempted: "look at the interfaces",
        source: errno.into(),
    })
}

fn number(socket: &OwnedFd, name: &InterfaceName) -> String {
    let number = netdevice::name_to_index(socket, name.as_ref());
    format!("{name} {}\n", number.map_or_else(|_| "absent".to_owned(), |number| number.to_string()))
}
