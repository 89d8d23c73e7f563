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
mod error;
mod folder;
mod process;
mod start;
mod stop;

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

pub use account::account;
pub use error::DaemonError;

use crate::kernel::namespace::Namespace;
use crate::plan::{Daemon, DaemonPlan, InterfaceName};
use folder::{Effect, Folder};
use process::{Found, Process};

/// Makes the daemons of a router match: those of `known` that nobody wants end, those that are `wanted` run in
/// the namespace with the configuration that they shall have.
///
/// # Errors
/// The first thing that went wrong; what was not reached is left for the next time.
pub fn apply(
    namespace: &Namespace,
    wanted: &[DaemonPlan],
    known: &[Daemon],
    deadline: Instant,
) -> Result<(), DaemonError> {
    let unwanted =
        known.iter().filter(|daemon| wanted.iter().all(|plan| plan.daemon.folder != daemon.folder));
    stop(unwanted, deadline)?;
    if wanted.is_empty() {
        return Ok(());
    }
    let all_settled = settled(namespace, wanted)?;
    for (plan, settled) in wanted.iter().zip(&all_settled) {
        conform(namespace, plan, settled, deadline)?;
    }
    Ok(())
}

/// Ends daemons, wherever they live, and removes their folders; absent ones are fine.
pub fn stop<'a>(daemons: impl IntoIterator<Item = &'a Daemon>, deadline: Instant) -> Result<(), DaemonError> {
    for daemon in daemons {
        if let Some(folder) = Folder::existing(daemon)? {
            stop::all(daemon, deadline)?;
            folder.remove()?;
        }
    }
    Ok(())
}

fn conform(
    namespace: &Namespace,
    plan: &DaemonPlan,
    settled: &str,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let daemon = &plan.daemon;
    if Instant::now() >= deadline {
        return Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "look at it" });
    }
    let folder = Folder::prepare(plan)?;
    let is_settled = folder.is_settled(settled)?;
    let effect = if is_settled { folder.effect(&plan.files)? } else { Some(Effect::Restart) };
    let running = match Process::of(daemon, Some(namespace))? {
        Found::Here(process) => Some(process),
        Found::Elsewhere | Found::Nowhere => None,
    };
    let effect = match (&running, effect) {
        (Some(_), None) => return Ok(()),
        (Some(_), Some(effect)) => effect,
        (None, _) => Effect::Restart,
    };

    folder.unsettle()?;
    folder.write(&plan.files)?;
    let reloaded = match (&running, effect) {
        (Some(process), Effect::Reload) => process.reload(daemon)?,
        _ => false,
    };
    if !reloaded {
        restart(namespace, plan, running, deadline)?;
    }
    folder.settle(settled)
}

fn restart(
    namespace: &Namespace,
    plan: &DaemonPlan,
    running: Option<Process>,
    deadline: Instant,
) -> Result<(), DaemonError> {
    match running {
        Some(process) => {
            if let Some(check) = &plan.check {
                start::run(namespace, &plan.daemon, check, deadline)?;
            }
            process.stop(&plan.daemon, deadline)?;
        }
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
