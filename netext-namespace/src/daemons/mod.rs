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

mod dead_members;
mod folder;
mod handover;
mod health;
mod process;
mod runtime_socket;
mod search;
mod start;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::unistd::{Gid, Group, User};
use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::files::FileError;
use crate::kernel::namespace::{Namespace, NamespaceError};
use crate::model::InterfaceName;
use crate::plan::{Daemon, DaemonAccount, DaemonPlan, HealthQuestion};
use folder::{DaemonFolder, Refresh};
use handover::Handover;
use health::Defect;
use process::{DaemonProcess, Whereabouts};

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
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

const NOBODY: &str = "nobody";
/// The group of `nobody` on a distribution without that user.
const NOBODYS_GROUP: u32 = 65534;

/// The account of that name, or `nobody` if there is none: daemons receive guests' packets, so none of them runs as
/// root.
pub fn account(name: &str) -> DaemonAccount {
    let known = |name: &str| User::from_name(name).ok().flatten();
    let user = known(name).or_else(|| known(NOBODY));
    let group_id = user.as_ref().map_or(NOBODYS_GROUP, |user| user.gid.as_raw());
    let group = Group::from_gid(Gid::from_raw(group_id)).ok().flatten();
    DaemonAccount {
        user: user.map_or_else(|| NOBODY.to_owned(), |user| user.name),
        group: group.map_or_else(|| "nogroup".to_owned(), |group| group.name),
        group_id,
    }
}

/// Makes the daemons of a router match: starts and refreshes those that are `wanted`, and stops all others of `known`.
/// Those that are `no_longer_wanted` may run even if they have no folder. Daemons that only have to read their files
/// again are returned.
///
/// # Errors
/// The first error. The next call goes on from there.
pub fn apply(
    namespace: &Namespace,
    wanted: Vec<DaemonPlan>,
    known: &[Daemon],
    no_longer_wanted: &[Daemon],
    deadline: Instant,
    pass: &mut Pass,
) -> Result<PendingReloads, DaemonError> {
    let is_unwanted = |daemon: &&Daemon| wanted.iter().all(|plan| plan.daemon.folder != daemon.folder);
    let may_run = no_longer_wanted.iter().any(|daemon| is_unwanted(&daemon));
    let unwanted = known.iter().filter(is_unwanted);
    let search = DaemonSearch { namespace: Some(namespace), beyond_folders: may_run, strays: &[] };
    stop(unwanted, search, deadline, pass).into_iter().next().map_or(Ok(()), Err)?;
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

/// Whether every daemon of a router runs and answers. Files are not compared.
pub fn are_sound(
    namespace: &Namespace,
    wanted: &[DaemonPlan],
    deadline: Instant,
) -> Result<bool, DaemonError> {
    for plan in wanted {
        let Whereabouts::Here(process) = DaemonProcess::of(&plan.daemon, namespace)? else {
            return Ok(false);
        };
        if health::defect(namespace, plan, &process, true, deadline)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Daemons that have new files and have not read them yet.
///
/// They are reloaded last, because a daemon that reads thousands of lines takes processor time from the command. A
/// daemon that is never reloaded is not settled: the next command restarts it.
#[must_use]
#[derive(Debug, Default)]
pub struct PendingReloads(Vec<(DaemonPlan, String, DaemonProcess)>);

impl PendingReloads {
    /// Reloads them, and waits until they answer. A daemon that has ended, would not survive the signal, or does not
    /// answer after it, is replaced.
    pub fn reload(self, namespace: &Namespace, deadline: Instant) -> Result<(), DaemonError> {
        for (plan, settled, running) in self.0 {
            let is_told = running.reload(&plan.daemon)?;
            if !is_told {
                restart(namespace, &plan, Some((running, None)), deadline)?;
            } else if !health::survives_reload(namespace, &plan, &running, deadline)? {
                tracing::warn!(daemon = plan.daemon.what, "it does not answer after a reload; replacing it");
                restart(namespace, &plan, Some((running, Some(Defect::Silent))), deadline)?;
            }
            DaemonFolder::of(&plan).settle(&settled)?;
        }
        Ok(())
    }
}

/// Where daemons that must not run are looked for. Each look beyond folders is one at every process of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct DaemonSearch<'a> {
    /// The router's namespace, if it has one.
    pub namespace: Option<&'a Namespace>,
    /// Whether daemons may run that have no folder any more.
    pub beyond_folders: bool,
    /// Stand for all daemons that must end in the namespace, even unknown ones: any of their programs with a file below
    /// their folder.
    pub strays: &'a [Daemon],
}

/// Stops daemons, in whichever namespace they run, and removes their folders. All are stopped at the same time, and one
/// that cannot be stopped does not protect the others. Its folder stays, so that the next call tries again.
#[must_use = "these are the daemons that could not be stopped"]
pub fn stop<'a>(
    daemons: impl IntoIterator<Item = &'a Daemon>,
    search: DaemonSearch<'_>,
    deadline: Instant,
    pass: &mut Pass,
) -> Vec<DaemonError> {
    let (mut folders, mut errors, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for daemon in daemons {
        all.push(daemon);
        match DaemonFolder::existing(daemon) {
            Ok(None) => {}
            Ok(Some(folder)) => {
                let what = format!("stop {} and remove its files", daemon.what);
                pass.differs(RouterPart::Daemon, DifferenceKind::Remove, what);
                folders.push(folder);
            }
            Err(error) => errors.push(error),
        }
    }
    if folders.is_empty() && !search.beyond_folders || !pass.acts() {
        return errors;
    }
    let stuck = match process::end_all(&all, search.strays, search.namespace, deadline) {
        Ok(stuck) => stuck,
        Err(error) => {
            errors.push(error);
            return errors;
        }
    };
    for folder in folders {
        if !stuck.iter().any(|(daemon, _)| *daemon == folder.daemon) {
            errors.extend(folder.remove().err());
        }
    }
    errors.extend(stuck.into_iter().map(|(_, error)| error));
    errors
}

/// Makes one daemon match. A daemon that is returned runs, and only has to read its new files.
fn conform(
    namespace: &Namespace,
    plan: &DaemonPlan,
    settled: &str,
    deadline: Instant,
    pass: &mut Pass,
) -> Result<Option<DaemonProcess>, DaemonError> {
    let daemon = &plan.daemon;
    if Instant::now() >= deadline {
        return Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "look at it" });
    }
    let folder = if pass.acts() { DaemonFolder::prepare(plan)? } else { DaemonFolder::of(plan) };
    let is_settled = folder.is_settled(settled)?;
    let differing = folder.differing(&plan.files)?;
    let (running, absence) = match DaemonProcess::of(daemon, namespace)? {
        Whereabouts::Here(process) => (Some(process), ""),
        Whereabouts::Elsewhere => (None, "it runs in another namespace"),
        Whereabouts::Nowhere => (None, "it does not run"),
    };
    let defect = match &running {
        Some(process) => health::defect(namespace, plan, process, pass.accounts(), deadline)?,
        None => None,
    };
    let refresh = match (&running, differing.iter().map(|(_, refresh)| *refresh).max()) {
        (Some(_), None) if is_settled && defect.is_none() => return Ok(None),
        (Some(_), Some(refresh)) if is_settled && defect.is_none() => refresh,
        _ => Refresh::Restart,
    };
    if pass.accounts() {
        let reason = match &running {
            None => absence.to_owned(),
            Some(_) if defect.is_some() => defect.map_or_else(String::new, |defect| defect.to_string()),
            Some(_) if !differing.is_empty() => {
                let names: Vec<_> = differing.iter().map(|(file, _)| file.name).collect();
                format!("its {} is out of date", names.join(", "))
            }
            Some(_) => "it was started for other interfaces, or its start was cut off".to_owned(),
        };
        let (change, verb) = match (&running, refresh) {
            (None, _) => (DifferenceKind::Add, "start"),
            (Some(_), Refresh::Reload) => (DifferenceKind::Modify, "reload"),
            (Some(_), Refresh::Restart) if plan.successor.is_some() && defect.is_none() => {
                (DifferenceKind::Modify, "replace")
            }
            (Some(_), Refresh::Restart) => (DifferenceKind::Modify, "restart"),
        };
        pass.differs(RouterPart::Daemon, change, format!("{verb} {}: {reason}", daemon.what));
    }
    if !pass.acts() {
        return Ok(None);
    }
    let mut defect = defect;
    if let (Some(predecessor), Refresh::Restart, Some(successor), None) =
        (&running, refresh, &plan.successor, defect)
    {
        match handover::hand_over(namespace, plan, &folder, predecessor, successor, deadline)? {
            Handover::Done => {
                folder.settle(settled)?;
                return Ok(None);
            }
            Handover::NoAnswer => defect = Some(Defect::Silent),
        }
    }

    folder.unsettle()?;
    folder.write(differing.iter().map(|(file, _)| *file))?;
    if refresh == Refresh::Reload {
        return Ok(running);
    }
    restart(namespace, plan, running.map(|process| (process, defect)), deadline)?;
    folder.settle(settled)?;
    Ok(None)
}

/// Starts a daemon in place of the one that runs. One with a defect is not asked to end.
fn restart(
    namespace: &Namespace,
    plan: &DaemonPlan,
    running: Option<(DaemonProcess, Option<Defect>)>,
    deadline: Instant,
) -> Result<(), DaemonError> {
    if let Some(successor) = &plan.successor {
        // Left by a handover that was cut off. A daemon that starts checks its members itself.
        DaemonFolder::of(plan).delete(successor.dead_members)?;
    }
    let daemon = &plan.daemon;
    match running {
        Some((process, defect)) => {
            process.end(daemon, defect.is_some(), deadline)?;
            if defect.is_some() && plan.health == HealthQuestion::Halves {
                // The other half may not notice.
                process::end_all_of(daemon, namespace, deadline)?;
            }
        }
        // It may run in another namespace, or its pid file may be lost: two would answer the same guests.
        None => process::end_all_of(daemon, namespace, deadline)?,
    }
    start::start(namespace, plan, deadline)
}

/// What each daemon is started for: the interfaces that it binds to, by the kernel's number. An interface that was
/// created again has another number.
fn settled(namespace: &Namespace, wanted: &[DaemonPlan]) -> Result<Vec<String>, DaemonError> {
    let numbered = namespace.enter(|| -> rustix::io::Result<Vec<String>> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        let one = |plan: &DaemonPlan| plan.interfaces.iter().map(|name| number(&socket, name)).collect();
        Ok(wanted.iter().map(one).collect())
    })?;
    numbered.map_err(|errno| DaemonError::Failed {
        what: names(wanted.iter().map(|plan| &plan.daemon)),
        attempted: "look at the interfaces",
        source: errno.into(),
    })
}

fn number(socket: &OwnedFd, name: &InterfaceName) -> String {
    let number = netdevice::name_to_index(socket, name.as_ref());
    format!("{name} {}\n", number.map_or_else(|_| "absent".to_owned(), |number| number.to_string()))
}

fn names<'a>(daemons: impl IntoIterator<Item = &'a Daemon>) -> String {
    daemons.into_iter().map(|daemon| daemon.what.as_str()).collect::<Vec<_>>().join(", ")
}
