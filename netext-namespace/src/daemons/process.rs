//! The process of a daemon: found, told apart from every other process, signalled.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::DaemonError;
use crate::kernel::namespace::Namespace;
use crate::plan::Daemon;

/// A living process of a daemon. The descriptor is of this process, even if its number is given to another.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    pub(super) descriptor: OwnedFd,
}

/// Where the daemon's pid file leads.
pub(super) enum Found {
    /// To the daemon, in the namespace that was asked about.
    Here(Process),
    /// To the daemon in another namespace.
    Elsewhere,
    /// To no process, or to one that is not the daemon.
    Nowhere,
}

impl Process {
    /// The process that the daemon's pid file names. Without a namespace, wherever it lives.
    pub(super) fn of(daemon: &Daemon, namespace: Option<&Namespace>) -> Result<Found, DaemonError> {
        let Ok(text) = fs::read_to_string(daemon.folder.join(&daemon.pid_file)) else {
            return Ok(Found::Nowhere);
        };
        let Some(pid) = numbered(text.trim()) else { return Ok(Found::Nowhere) };
        let Some(process) = Self::open(pid, daemon)? else { return Ok(Found::Nowhere) };
        match namespace {
            Some(namespace) if !process.lives_in(namespace, daemon)? => Ok(Found::Elsewhere),
            _ => Ok(Found::Here(process)),
        }
    }

    /// Every process of the daemon, in whichever namespace.
    pub(super) fn all(daemon: &Daemon) -> Result<Vec<Self>, DaemonError> {
        let entries = fs::read_dir("/proc").map_err(|e| failed(daemon, "list the processes", e))?;
        let pids = entries.flatten().filter_map(|entry| numbered(entry.file_name().to_str()?));
        pids.filter_map(|pid| Self::open(pid, daemon).transpose()).collect()
    }

    /// The process of that number if it is one of the daemon's.
    fn open(pid: Pid, daemon: &Daemon) -> Result<Option<Self>, DaemonError> {
        if !is_run_by(pid, daemon) {
            return Ok(None);
        }
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(failed(daemon, "watch the process", errno)),
        };
        // Looked at again: the descriptor is of the process that has the number now.
        Ok(is_run_by(pid, daemon).then_some(Self { pid, descriptor }))
    }

    fn lives_in(&self, namespace: &Namespace, daemon: &Daemon) -> Result<bool, DaemonError> {
        let own = fstat(namespace.as_fd()).map_err(|e| failed(daemon, "look at the namespace", e))?;
        let path = format!("/proc/{}/ns/net", self.pid.as_raw_nonzero());
        Ok(fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (own.st_dev, own.st_ino)))
    }

    /// Whether both are one process, given that both live.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid
    }

    /// Its open sockets, by the names that the kernel has for them.
    pub(super) fn sockets(&self) -> BTreeSet<PathBuf> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid.as_raw_nonzero()));
        let links =
            descriptors.into_iter().flatten().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).collect()
    }

    /// Tells the daemon to read its files again. Not if it would die of that, as one that has only just begun
    /// does, nor if it is gone.
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
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid.as_raw_nonzero()));
        let status = status.unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        caught >> (signal.as_raw() - 1) & 1 == 1
    }
}

/// The process id that stands there, if one does.
fn numbered(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// Whether the process runs the daemon's program with something of the daemon's folder on its command line, and
/// means the same folder by that as we do: another mount namespace may have another one by that name. A daemon
/// that has locked itself up in its folder sees nothing else.
fn is_run_by(pid: Pid, daemon: &Daemon) -> bool {
    let of_process = format!("/proc/{}", pid.as_raw_nonzero());
    let Ok(words) = fs::read(format!("{of_process}/cmdline")) else { return false };
    let mut words = words.split(|byte| *byte == 0);
    let program = Path::new(OsStr::from_bytes(words.next().unwrap_or_default())).file_name();
    if program.is_none_or(|program| program != daemon.program.as_str()) {
        return false;
    }
    let folder = format!("{}/", daemon.folder.display());
    words.any(|word| word.windows(folder.len()).any(|part| part == folder.as_bytes()))
        && (same_file(&format!("{of_process}/root{folder}"), &folder)
            || same_file(&format!("{of_process}/root/"), &folder))
}

fn same_file(one: &str, other: &str) -> bool {
    let identity = |path: &str| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    identity(one).is_some_and(|found| Some(found) == identity(other))
}

pub(super) fn failed(
    daemon: &Daemon,
    attempted: &'static str,
    source: impl Into<std::io::Error>,
) -> DaemonError {
    DaemonError::Failed { what: daemon.what.clone(), attempted, source: source.into() }
}
