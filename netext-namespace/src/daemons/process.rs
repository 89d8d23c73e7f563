//! The processes of daemons: found, signalled through a descriptor of exactly that process, and ended.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::search::{self, FileIdentity, Place, numbered};
use super::{DaemonError, names};
use crate::files::absent_is_none;
use crate::kernel::namespace::Namespace;
use crate::plan::Daemon;
use crate::wait::ended_by;

/// The signals that end a process, and how long it may take to end after each.
const ENDINGS: [(Signal, Duration); 2] =
    [(Signal::TERM, Duration::from_secs(2)), (Signal::KILL, Duration::from_secs(5))];

/// A living process of a daemon. The descriptor is of this process, even if its number is given to another.
#[derive(Debug)]
pub(super) struct DaemonProcess {
    pub(super) pid: Pid,
    pub(super) descriptor: OwnedFd,
}

/// Where the process that a pid file names runs.
pub(super) enum Whereabouts {
    /// The daemon runs in the namespace that was asked about.
    Here(DaemonProcess),
    /// The daemon runs in another namespace.
    Elsewhere,
    /// There is no such process, or it is not the daemon.
    Nowhere,
}

impl DaemonProcess {
    /// The process that the daemon's pid file names.
    pub(super) fn of(daemon: &Daemon, namespace: &Namespace) -> Result<Whereabouts, DaemonError> {
        let written = absent_is_none(fs::read(daemon.folder.join(&daemon.pid_file)));
        let written =
            written.map_err(|error| failed(daemon, "read the pid file", error))?.unwrap_or_default();
        let pid = std::str::from_utf8(&written).ok().and_then(|text| numbered(text.trim()));
        let Some(pid) = pid else { return Ok(Whereabouts::Nowhere) };
        let namespace =
            search::identity(namespace).map_err(|error| failed(daemon, "look at the namespace", error))?;
        Ok(match Self::open(pid, daemon, Some(namespace))? {
            Some((process, Place::Here)) => Whereabouts::Here(process),
            Some((_, Place::Elsewhere)) => Whereabouts::Elsewhere,
            None => {
                search::check_proc().map_err(|error| failed(daemon, "look for the process", error))?;
                Whereabouts::Nowhere
            }
        })
    }

    /// Every process of some daemons, in whichever namespace, and of strays in the router's namespace.
    pub(super) fn all<'d>(
        daemons: &[&'d Daemon],
        strays: &'d [Daemon],
        namespace: Option<&Namespace>,
    ) -> Result<Vec<(&'d Daemon, Self)>, DaemonError> {
        let unlisted = |source: io::Error| DaemonError::Failed {
            what: names(daemons.iter().copied()),
            attempted: "list the processes",
            source,
        };
        let namespace = namespace.map(search::identity).transpose().map_err(unlisted)?;
        let mut found = Vec::new();
        for pid in search::processes().map_err(unlisted)? {
            let line = search::command_line(pid).map_err(unlisted)?;
            if let Some(daemon) = daemons.iter().find(|daemon| search::names(&line, daemon)) {
                found.extend(Self::open(pid, daemon, namespace)?.map(|(process, _)| (*daemon, process)));
            } else if let Some(stray) = strays.iter().find(|stray| search::names(&line, stray)) {
                let opened = Self::open(pid, stray, namespace)?;
                found.extend(opened.filter(|(_, place)| *place == Place::Here).map(|(it, _)| (stray, it)));
            }
        }
        Ok(found)
    }

    /// The process of that number if it is one of the daemon's.
    fn open(
        pid: Pid,
        daemon: &Daemon,
        namespace: Option<FileIdentity>,
    ) -> Result<Option<(Self, Place)>, DaemonError> {
        let place = || {
            search::place_of(pid, daemon, namespace)
                .map_err(|error| failed(daemon, "look at a process", error))
        };
        if place()?.is_none() {
            return Ok(None);
        }
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(failed(daemon, "watch the process", errno)),
        };
        // Checked again: the descriptor is of the process that has the number now.
        Ok(place()?.map(|place| (Self { pid, descriptor }, place)))
    }

    /// Whether both are one process, given that both live.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid
    }

    /// Its open sockets, by the kernel's names.
    pub(super) fn sockets(&self) -> BTreeSet<PathBuf> {
        let descriptors = fs::read_dir(search::file(self.pid, "fd"));
        let links =
            descriptors.into_iter().flatten().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).collect()
    }

    /// Makes the daemon read its files again; false if it has ended, or would end by the signal because it has only
    /// just started.
    pub(super) fn reload(&self, daemon: &Daemon) -> Result<bool, DaemonError> {
        Ok(self.catches(Signal::HUP) && self.signal(daemon, Signal::HUP)?)
    }

    /// Sends a signal; false if the process has ended.
    pub(super) fn signal(&self, daemon: &Daemon, signal: Signal) -> Result<bool, DaemonError> {
        match pidfd_send_signal(&self.descriptor, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(failed(daemon, "signal the process", errno)),
        }
    }

    fn catches(&self, signal: Signal) -> bool {
        let status = fs::read_to_string(search::file(self.pid, "status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        caught >> (signal.as_raw() - 1) & 1 == 1
    }

    /// Ends the process: politely first, or by force at once.
    pub(super) fn end(self, daemon: &Daemon, force: bool, deadline: Instant) -> Result<(), DaemonError> {
        let endings = &ENDINGS[usize::from(force)..];
        end(vec![(daemon, self)], endings, deadline)
            .into_iter()
            .next()
            .map_or(Ok(()), |(_, error)| Err(error))
    }
}

/// Ends processes, all at the same time. Returns those that could not be ended.
fn end<'d>(
    mut living: Vec<(&'d Daemon, DaemonProcess)>,
    endings: &[(Signal, Duration)],
    deadline: Instant,
) -> Vec<(&'d Daemon, DaemonError)> {
    let mut errors = Vec::new();
    for (signal, patience) in endings {
        living.retain(|(daemon, process)| {
            process.signal(daemon, *signal).unwrap_or_else(|error| {
                errors.push((*daemon, error));
                false
            })
        });
        let until = deadline.min(Instant::now() + *patience);
        living.retain(|(daemon, process)| match ended_by(&process.descriptor, until) {
            Ok(ended) => !ended,
            Err(errno) => {
                errors.push((*daemon, failed(daemon, "wait for the end", errno)));
                false
            }
        });
    }
    let is_late = Instant::now() >= deadline;
    errors.extend(living.into_iter().map(|(daemon, process)| {
        let (what, pid) = (daemon.what.clone(), process.pid.as_raw_nonzero().get());
        let error = if is_late {
            DaemonError::TimedOut { what, attempted: "see the end of a process" }
        } else {
            DaemonError::Unkillable { what, pid }
        };
        (daemon, error)
    }));
    errors
}

/// Ends every process of some daemons, wherever it runs and whatever the pid files say, and of strays in the namespace.
/// Returns the daemons with a process that could not be ended.
///
/// It looks again until it finds none: a daemon that was interrupted while it started may have forked meanwhile.
pub(super) fn end_all<'d>(
    daemons: &[&'d Daemon],
    strays: &'d [Daemon],
    namespace: Option<&Namespace>,
    deadline: Instant,
) -> Result<Vec<(&'d Daemon, DaemonError)>, DaemonError> {
    loop {
        let found = DaemonProcess::all(daemons, strays, namespace)?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let stuck = end(found, &ENDINGS, deadline);
        if !stuck.is_empty() {
            return Ok(stuck);
        }
    }
}

/// Ends every process of one daemon.
pub(super) fn end_all_of(
    daemon: &Daemon,
    namespace: &Namespace,
    deadline: Instant,
) -> Result<(), DaemonError> {
    let stuck = end_all(&[daemon], &[], Some(namespace), deadline)?;
    stuck.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
}

pub(super) fn failed(daemon: &Daemon, attempted: &'static str, source: impl Into<io::Error>) -> DaemonError {
    DaemonError::Failed { what: daemon.what.clone(), attempted, source: source.into() }
}
