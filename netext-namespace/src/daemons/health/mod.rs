//! Whether a daemon works: it is asked, because a process that lives may have stopped, hang, or be half of what it was.
//!
//! There are two depths. To look costs a read or two: commands do that even if they change nothing. To ask costs a
//! packet or two and their answer: done where health is reported or repaired, and after a reload.

mod questions;

use std::fmt;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::DaemonError;
use super::process::{DaemonProcess, failed};
use super::{runtime_socket, search};
use crate::kernel::namespace::Namespace;
use crate::plan::{DaemonPlan, HealthQuestion};
use crate::wait::ended_by;

/// How long a daemon may take to answer. On an idle host it takes less than a millisecond.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How long the second process of a daemon may take to appear after the first.
const BIRTH: Duration = Duration::from_millis(250);
/// How long a process that cannot be asked must be idle after it has received a signal, and the longest wait for that.
const IDLE: Duration = Duration::from_millis(5);
const BUSY: Duration = Duration::from_millis(100);
const SOCKET_QUESTION: &[u8] = b"show info\n";

/// Why a daemon whose process lives does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// A signal has stopped a process.
    Stopped,
    /// One of its two processes has ended.
    Halved,
    /// It does not answer.
    Silent,
}

/// To be read after "restart …: ".
impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stopped => "it is stopped",
            Self::Halved => "one of its two processes has ended",
            Self::Silent => "it does not answer",
        })
    }
}

/// What is wrong with a daemon: as far as the kernel tells, or, if `asks`, as far as the daemon itself shows.
pub(super) fn defect(
    namespace: &Namespace,
    plan: &DaemonPlan,
    process: &DaemonProcess,
    asks: bool,
    deadline: Instant,
) -> Result<Option<Defect>, DaemonError> {
    match visible_defect(plan, process)? {
        None if asks && !is_answering(namespace, plan, process, deadline)? => Ok(Some(Defect::Silent)),
        defect => Ok(defect),
    }
}

fn visible_defect(plan: &DaemonPlan, process: &DaemonProcess) -> Result<Option<Defect>, DaemonError> {
    seen(plan, process.pid).map_err(|error| failed(&plan.daemon, "look at the processes", error))
}

fn seen(plan: &DaemonPlan, pid: Pid) -> io::Result<Option<Defect>> {
    if is_stopped(pid)? {
        return Ok(Some(Defect::Stopped));
    }
    if plan.health != HealthQuestion::Halves {
        return Ok(None);
    }
    let begun = Instant::now();
    loop {
        let Some(children) = search::children(pid)? else { return Ok(None) };
        for child in children {
            if search::state(child)?.is_some() {
                return Ok(is_stopped(child)?.then_some(Defect::Stopped));
            }
        }
        if begun.elapsed() >= BIRTH {
            return Ok(Some(Defect::Halved));
        }
        sleep(IDLE);
    }
}

fn is_stopped(pid: Pid) -> io::Result<bool> {
    Ok(search::state(pid)? == Some(b'T'))
}

/// Whether a daemon answers. One that cannot be asked counts as answering.
pub(super) fn is_answering(
    namespace: &Namespace,
    plan: &DaemonPlan,
    process: &DaemonProcess,
    deadline: Instant,
) -> Result<bool, DaemonError> {
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let answered = match &plan.health {
        HealthQuestion::Halves => Ok(true),
        HealthQuestion::RuntimeSocket(name) => {
            match runtime_socket::ask(&plan.daemon.folder.join(name), SOCKET_QUESTION, deadline) {
                Err(error) if runtime_socket::is_silence(&error) => Ok(false),
                answer => answer.map(|_| true),
            }
        }
        HealthQuestion::Dns(address) => namespace.enter(|| questions::dns(*address, deadline))?,
        HealthQuestion::Dhcp(address) => {
            namespace.enter(|| questions::dhcp(process.pid, *address, deadline))?
        }
        HealthQuestion::Http(addresses) => namespace.enter(|| {
            let mut answers = addresses.iter().map(|address| questions::http(*address, deadline));
            answers.try_fold(true, |all, answer| Ok(all && answer?))
        })?,
    };
    match answered {
        // Its address is not in force, or packet rules keep the question back: it may work all the same.
        Err(error) if questions::cannot_arrive(&error) => Ok(true),
        answered => answered.map_err(|error| failed(&plan.daemon, "ask for the health", error)),
    }
}

/// Whether a daemon works after it was told to read its files again.
pub(super) fn survives_reload(
    namespace: &Namespace,
    plan: &DaemonPlan,
    process: &DaemonProcess,
    deadline: Instant,
) -> Result<bool, DaemonError> {
    if plan.health == HealthQuestion::Halves {
        let ended = becomes_idle(process, deadline.min(Instant::now() + BUSY));
        if ended.map_err(|error| failed(&plan.daemon, "watch a process", error))? {
            return Ok(false);
        }
        return Ok(visible_defect(plan, process)?.is_none());
    }
    Ok(is_answering(namespace, plan, process, deadline)? && !has_ended(plan, process, Instant::now())?)
}

fn has_ended(plan: &DaemonPlan, process: &DaemonProcess, by: Instant) -> Result<bool, DaemonError> {
    ended_by(&process.descriptor, by).map_err(|errno| failed(&plan.daemon, "watch a process", errno))
}

/// Waits until a process has received its signals and waits for something again. Returns whether it has ended instead.
fn becomes_idle(process: &DaemonProcess, deadline: Instant) -> io::Result<bool> {
    let mut idle_since = None;
    loop {
        let now = Instant::now();
        if ended_by(&process.descriptor, now + Duration::from_millis(1))? {
            return Ok(true);
        }
        let is_idle = search::has_received_signals(process.pid)? && search::state(process.pid)? == Some(b'S');
        idle_since = is_idle.then(|| idle_since.unwrap_or(now));
        if idle_since.is_some_and(|since| since + IDLE <= now) || now >= deadline {
            return Ok(false);
        }
    }
}
