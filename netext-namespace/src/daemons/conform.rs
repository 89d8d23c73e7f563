//! Makes daemons match their plans, in three steps: their files are staged, the daemons are started or renewed, and at
//! last they are reloaded and the unwanted ones stopped.

use std::os::fd::OwnedFd;
use std::time::Instant;

use netext_core::error_chain;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

use super::folder::{DaemonFolder, Refresh};
use super::handover::Handover;
use super::health::Defect;
use super::process::{self, DaemonProcess, Whereabouts};
use super::stop::{DaemonSearch, stop};
use super::{DaemonError, handover, health, names, start};
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::files::persistently;
use crate::kernel::namespace::Namespace;
use crate::model::InterfaceName;
use crate::plan::{ConfigFile, Daemon, DaemonPlan, HealthQuestion};

/// Stages the files of the daemons that are `wanted`: their space on the disk is claimed before anything changes. All
/// others of `known` are to be stopped. Those that are `no_longer_wanted` may run even if they have no folder.
pub fn stage(
    wanted: Vec<DaemonPlan>,
    known: Vec<Daemon>,
    no_longer_wanted: &[Daemon],
    pass: &Pass,
) -> Result<StagedDaemons, DaemonError> {
    let is_wanted = |daemon: &Daemon| wanted.iter().any(|plan| plan.daemon.folder == daemon.folder);
    let may_run = !no_longer_wanted.iter().all(is_wanted);
    let unwanted = known.into_iter().filter(|daemon| !is_wanted(daemon)).collect();
    let wanted = wanted.into_iter().map(|plan| StagedDaemon::stage(plan, pass)).collect::<Result<_, _>>()?;
    Ok(StagedDaemons { wanted, unwanted, may_run })
}

/// The daemons of a router, whose new files are staged.
#[derive(Debug)]
pub struct StagedDaemons {
    wanted: Vec<StagedDaemon>,
    unwanted: Vec<Daemon>,
    /// Whether one that is not wanted may run without a folder.
    may_run: bool,
}

/// A daemon that is wanted, whose new files are staged.
#[derive(Debug)]
struct StagedDaemon {
    plan: DaemonPlan,
    /// The files that differ, by their places in the plan.
    differing: Vec<(usize, Refresh)>,
}

/// The daemons of a router: those that are wanted run, some still have to read new files, and those that are not wanted
/// still have to be stopped.
#[derive(Debug)]
#[must_use]
pub struct AppliedDaemons {
    pending_reloads: Vec<PendingReload>,
    unwanted: Vec<Daemon>,
    may_run: bool,
    /// Those with new files, whose old versions are kept until the change is complete.
    renewed: Vec<DaemonPlan>,
}

/// A daemon that runs and has new files.
///
/// It is reloaded last, because a daemon that reads thousands of lines takes processor time from the command. A daemon
/// that is never reloaded is not settled: the next command restarts it.
#[derive(Debug)]
struct PendingReload {
    plan: DaemonPlan,
    settled: String,
    running: DaemonProcess,
}

impl StagedDaemons {
    /// Starts the daemons that are wanted and do not run, and renews those with other files.
    ///
    /// # Errors
    /// The first error. The next call goes on from there.
    pub fn apply(
        self,
        namespace: &Namespace,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<AppliedDaemons, DaemonError> {
        let Self { wanted, unwanted, may_run } = self;
        let (pending_reloads, renewed) = (Vec::new(), Vec::new());
        let mut applied = AppliedDaemons { pending_reloads, unwanted, may_run, renewed };
        if wanted.is_empty() {
            return Ok(applied);
        }
        let all_settled = settled(namespace, &wanted)?;
        for (staged, settled) in wanted.into_iter().zip(all_settled) {
            match staged.conform(namespace, &settled, deadline, pass)? {
                Conformed::Unchanged => {}
                Conformed::Renewed => applied.renewed.push(staged.plan),
                Conformed::Pending(running) => {
                    applied.pending_reloads.push(PendingReload { plan: staged.plan, settled, running });
                }
            }
        }
        Ok(applied)
    }

    /// Of a router that is taken down: there is nothing but daemons to stop.
    pub fn into_unwanted(self) -> Vec<Daemon> {
        self.unwanted
    }
}

impl AppliedDaemons {
    /// The last step: daemons read their new files, and those that are not wanted are stopped. A daemon that has ended,
    /// would not survive the signal, or does not answer after it, is replaced.
    pub fn complete(
        self,
        namespace: &Namespace,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<(), DaemonError> {
        let Self { pending_reloads, unwanted, may_run, mut renewed } = self;
        let search = DaemonSearch { namespace: Some(namespace), beyond_folders: may_run, strays: &[] };
        stop(&unwanted, search, deadline, pass).into_iter().next().map_or(Ok(()), Err)?;
        for PendingReload { plan, settled, running } in pending_reloads {
            let is_told = running.reload(&plan.daemon)?;
            if !is_told {
                restart(namespace, &plan, Some((running, None)), deadline)?;
            } else if !health::survives_reload(namespace, &plan, &running, deadline)? {
                tracing::warn!(daemon = plan.daemon.what, "it does not answer after a reload; replacing it");
                restart(namespace, &plan, Some((running, Some(Defect::Silent))), deadline)?;
            }
            DaemonFolder::of(&plan).settle(&settled)?;
            renewed.push(plan);
        }
        for plan in renewed {
            let files: Vec<_> = plan.files.iter().collect();
            if let Err(error) = persistently(|| DaemonFolder::of(&plan).discard(&files)) {
                let error = error_chain(&error);
                tracing::warn!(error, "old files stay until they change again");
            }
        }
        Ok(())
    }
}

/// What was done to make a daemon match.
enum Conformed {
    /// Nothing.
    Unchanged,
    /// It was started, or has new files and has read them.
    Renewed,
    /// It runs, and has to read its new files.
    Pending(DaemonProcess),
}

impl StagedDaemon {
    fn stage(plan: DaemonPlan, pass: &Pass) -> Result<Self, DaemonError> {
        let folder = if pass.acts() { DaemonFolder::prepare(&plan)? } else { DaemonFolder::of(&plan) };
        if pass.acts() && pass.accounts() {
            folder.discard_versions()?;
        }
        let differing = folder.differing(&plan.files)?;
        let staged = Self { plan, differing };
        if pass.acts() {
            DaemonFolder::of(&staged.plan).stage(&staged.changed())?;
        }
        Ok(staged)
    }

    /// Makes the daemon match.
    fn conform(
        &self,
        namespace: &Namespace,
        settled: &str,
        deadline: Instant,
        pass: &mut Pass,
    ) -> Result<Conformed, DaemonError> {
        let Self { plan, differing } = self;
        let daemon = &plan.daemon;
        if Instant::now() >= deadline {
            return Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "look at it" });
        }
        let folder = DaemonFolder::of(plan);
        let is_settled = folder.is_settled(settled)?;
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
            (Some(_), None) if is_settled && defect.is_none() => return Ok(Conformed::Unchanged),
            (Some(_), Some(refresh)) if is_settled && defect.is_none() => refresh,
            _ => Refresh::Restart,
        };
        if pass.accounts() {
            let reason = match &running {
                None => absence.to_owned(),
                Some(_) if defect.is_some() => defect.map_or_else(String::new, |defect| defect.to_string()),
                Some(_) if !differing.is_empty() => {
                    let names: Vec<_> = differing.iter().map(|(file, _)| plan.files[*file].name).collect();
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
            return Ok(Conformed::Unchanged);
        }
        let mut defect = defect;
        let changed = self.changed();
        if let (Some(predecessor), Refresh::Restart, Some(successor), None) =
            (&running, refresh, &plan.successor, defect)
        {
            match handover::hand_over(namespace, plan, &folder, &changed, predecessor, successor, deadline)? {
                Handover::Done => {
                    folder.settle(settled)?;
                    return Ok(Conformed::Renewed);
                }
                Handover::NoAnswer => defect = Some(Defect::Silent),
            }
        }

        folder.unsettle()?;
        folder.put_in_place(&changed)?;
        let running = match (running, refresh) {
            (Some(running), Refresh::Reload) => return Ok(Conformed::Pending(running)),
            (running, _) => running,
        };
        restart(namespace, plan, running.map(|process| (process, defect)), deadline)?;
        folder.settle(settled)?;
        Ok(Conformed::Renewed)
    }

    fn changed(&self) -> Vec<&ConfigFile> {
        self.differing.iter().map(|(file, _)| &self.plan.files[*file]).collect()
    }
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
fn settled(namespace: &Namespace, wanted: &[StagedDaemon]) -> Result<Vec<String>, DaemonError> {
    let numbered = namespace.enter(|| -> rustix::io::Result<Vec<String>> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        let one = |StagedDaemon { plan, .. }: &StagedDaemon| {
            plan.interfaces.iter().map(|name| number(&socket, name)).collect()
        };
        wanted.iter().map(one).collect()
    })?;
    numbered.map_err(|errno| DaemonError::Failed {
        what: names(wanted.iter().map(|wanted| &wanted.plan.daemon)),
        attempted: "look at the interfaces",
        source: errno.into(),
    })
}

/// The kernel's number of an interface. Only one that the kernel does not know is absent.
fn number(socket: &OwnedFd, name: &InterfaceName) -> rustix::io::Result<String> {
    match netdevice::name_to_index(socket, name.as_ref()) {
        Ok(number) => Ok(format!("{name} {number}\n")),
        Err(Errno::NODEV) => Ok(format!("{name} absent\n")),
        Err(error) => Err(error),
    }
}
