//! The processes of daemons: started, found, told apart from all other processes, signalled and ended.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::folder::DaemonFolder;
use super::{DaemonError, names};
use crate::kernel::namespace::Namespace;
use crate::plan::{CommandLine, Daemon, DaemonPlan};
use crate::programs::{OutputMode, Program, ProgramError, first_lines, search_path};
use crate::wait::ended_by;

/// How many bytes of a daemon's output are read.
const LONGEST_OUTPUT: u64 = 4096;
/// The signals that end a process, and how long it may take to end after each.
const ENDINGS: [(Signal, Duration); 2] =
    [(Signal::TERM, Duration::from_secs(2)), (Signal::KILL, Duration::from_secs(5))];

/// A living process of a daemon. The descriptor is of this process, even if its number is given to another.
#[derive(Debug)]
pub(super) struct DaemonProcess {
    pid: Pid,
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
    /// The process that the daemon's pid file names; without a namespace, wherever it runs.
    pub(super) fn of(daemon: &Daemon, namespace: Option<&Namespace>) -> Result<Whereabouts, DaemonError> {
        let Ok(text) = fs::read_to_string(daemon.folder.join(&daemon.pid_file)) else {
            return Ok(Whereabouts::Nowhere);
        };
        let Some(pid) = numbered(text.trim()) else { return Ok(Whereabouts::Nowhere) };
        let Some(process) = Self::open(pid, daemon)? else { return Ok(Whereabouts::Nowhere) };
        match namespace {
            Some(namespace) if !process.runs_in(namespace, daemon)? => Ok(Whereabouts::Elsewhere),
            _ => Ok(Whereabouts::Here(process)),
        }
    }

    /// Every process of some daemons, in whichever namespace.
    pub(super) fn all<'d>(daemons: &[&'d Daemon]) -> Result<Vec<(&'d Daemon, Self)>, DaemonError> {
        let entries = fs::read_dir("/proc").map_err(|source| DaemonError::Failed {
            what: names(daemons.iter().copied()),
            attempted: "list the processes",
            source,
        })?;
        let mut found = Vec::new();
        for pid in entries.flatten().filter_map(|entry| numbered(entry.file_name().to_str()?)) {
            let line = command_line(pid);
            for daemon in daemons.iter().filter(|daemon| is_of(&line, daemon)) {
                found.extend(Self::open(pid, daemon)?.map(|process| (*daemon, process)));
            }
        }
        Ok(found)
    }

    /// The process of that number if it is one of the daemon's.
    fn open(pid: Pid, daemon: &Daemon) -> Result<Option<Self>, DaemonError> {
        let is_daemon = || is_of(&command_line(pid), daemon) && shares_folder(pid, daemon);
        if !is_daemon() {
            return Ok(None);
        }
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(failed(daemon, "watch the process", errno)),
        };
        // Checked again: the descriptor is of the process that has the number now.
        Ok(is_daemon().then_some(Self { pid, descriptor }))
    }

    fn runs_in(&self, namespace: &Namespace, daemon: &Daemon) -> Result<bool, DaemonError> {
        let own = fstat(namespace.as_fd()).map_err(|e| failed(daemon, "look at the namespace", e))?;
        let path = format!("/proc/{}/ns/net", self.pid.as_raw_nonzero());
        Ok(fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (own.st_dev, own.st_ino)))
    }

    /// Whether both are one process, given that both live.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid
    }

    /// Its open sockets, by the kernel's names.
    pub(super) fn sockets(&self) -> BTreeSet<PathBuf> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid.as_raw_nonzero()));
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
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid.as_raw_nonzero()));
        let status = status.unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        caught >> (signal.as_raw() - 1) & 1 == 1
    }

    /// Ends the process.
    pub(super) fn end(self, daemon: &Daemon, deadline: Instant) -> Result<(), DaemonError> {
        end(vec![(daemon, self)], deadline).into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }
}

/// Ends processes, all at the same time: politely, then by force. Returns those that could not be ended.
fn end(mut living: Vec<(&Daemon, DaemonProcess)>, deadline: Instant) -> Vec<(&Daemon, DaemonError)> {
    let mut errors = Vec::new();
    for (signal, patience) in ENDINGS {
        living.retain(|(daemon, process)| {
            process.signal(daemon, signal).unwrap_or_else(|error| {
                errors.push((*daemon, error));
                false
            })
        });
        let until = deadline.min(Instant::now() + patience);
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

/// Ends every process of some daemons, wherever it runs and whatever the pid files say. Returns the daemons with a
/// process that could not be ended.
///
/// It looks again until it finds none: a daemon that was interrupted while it started may have forked meanwhile.
pub(super) fn end_all<'d>(
    daemons: &[&'d Daemon],
    deadline: Instant,
) -> Result<Vec<(&'d Daemon, DaemonError)>, DaemonError> {
    loop {
        let found = DaemonProcess::all(daemons)?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let stuck = end(found, deadline);
        if !stuck.is_empty() {
            return Ok(stuck);
        }
    }
}

/// Ends every process of one daemon.
pub(super) fn end_all_of(daemon: &Daemon, deadline: Instant) -> Result<(), DaemonError> {
    end_all(&[daemon], deadline)?.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
}

/// Starts a daemon that does not run.
pub(super) fn start(namespace: &Namespace, plan: &DaemonPlan, deadline: Instant) -> Result<(), DaemonError> {
    let daemon = &plan.daemon;
    // A daemon that was killed left its own. radvd writes over it without shortening it, so that a longer number would
    // make both unreadable.
    DaemonFolder::of(plan).delete(&daemon.pid_file)?;
    let words = run(namespace, daemon, &plan.start, deadline).inspect_err(|_| {
        // It may have left children behind. The error that is reported is the one that came first.
        let _ = end_all_of(daemon, deadline);
    })?;
    match DaemonProcess::of(daemon, Some(namespace))? {
        Whereabouts::Here(_) => Ok(()),
        Whereabouts::Elsewhere | Whereabouts::Nowhere => Err(ended(daemon, words)),
    }
}

/// The program succeeded, and yet there is no daemon.
pub(super) fn ended(daemon: &Daemon, words: String) -> DaemonError {
    let words = if words.is_empty() { "it ended without a message".to_owned() } else { words };
    DaemonError::Refused { what: daemon.what.clone(), words }
}

/// Runs a program of the daemon in the namespace until it succeeds, and returns its output.
///
/// Nothing of ours stays with the processes that it leaves behind: their standard streams are `/dev/null` and a file in
/// memory, they are in a process group of their own, and their environment is only the search path.
pub(super) fn run(
    namespace: &Namespace,
    daemon: &Daemon,
    line: &CommandLine,
    deadline: Instant,
) -> Result<String, DaemonError> {
    let mut command = Command::new(&line.program);
    command.args(&line.arguments).env_clear().env("PATH", search_path()).current_dir("/");
    let program = Program::new(command, OutputMode::Errors).limit(LONGEST_OUTPUT);
    let ended = namespace.enter(|| program.start())?.and_then(|running| running.wait(deadline));
    let (what, program) = (daemon.what.clone(), line.program.clone());
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            return Err(match error {
                ProgramError::Missing(_) => DaemonError::Missing { what, program, package: line.package },
                ProgramError::TimedOut => DaemonError::TimedOut { what, attempted: "wait for the start" },
                ProgramError::Failed { attempted, source } => {
                    DaemonError::Program { what, attempted, program, source }
                }
            });
        }
    };
    let words = first_lines(&ended.complaint());
    if ended.status.success() {
        return Ok(words);
    }
    let words = if words.is_empty() { format!("without a message ({})", ended.status) } else { words };
    Err(DaemonError::Refused { what, words })
}

/// The process id in a text, if there is one.
fn numbered(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// The words of a process's command line, each with a zero byte behind it; nothing if the process has ended.
fn command_line(pid: Pid) -> Vec<u8> {
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default()
}

/// Whether a command line runs the daemon's program with something of the daemon's folder.
fn is_of(command_line: &[u8], daemon: &Daemon) -> bool {
    let mut words = command_line.split(|byte| *byte == 0);
    let program = Path::new(OsStr::from_bytes(words.next().unwrap_or_default())).file_name();
    if program.is_none_or(|program| program != daemon.program.as_str()) {
        return false;
    }
    let folder = format!("{}/", daemon.folder.display());
    words.any(|word| word.windows(folder.len()).any(|part| part == folder.as_bytes()))
}

/// Whether a process sees the same folder as we do: in another mount namespace that path may be another folder. For a
/// daemon that has changed its root, the folder is the root.
fn shares_folder(pid: Pid, daemon: &Daemon) -> bool {
    let of_process = format!("/proc/{}", pid.as_raw_nonzero());
    let folder = format!("{}/", daemon.folder.display());
    same_file(&format!("{of_process}/root{folder}"), &folder)
        || same_file(&format!("{of_process}/root/"), &folder)
}

fn same_file(one: &str, other: &str) -> bool {
    let identity = |path: &str| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    identity(one).is_some_and(|found| Some(found) == identity(other))
}

pub(super) fn failed(daemon: &Daemon, attempted: &'static str, source: impl Into<io::Error>) -> DaemonError {
    DaemonError::Failed { what: daemon.what.clone(), attempted, source: source.into() }
}
