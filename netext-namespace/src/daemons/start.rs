//! The start of a daemon.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::folder::Folder;
use super::process::{Found, Process, failed};
use super::{DaemonError, stop};
use crate::kernel::namespace::Namespace;
use crate::kernel::wait::ended_by;
use crate::plan::{CommandLine, Daemon, DaemonPlan};
use crate::programs::{first_lines, search_path};

/// How much of a daemon's words is read.
const COMPLAINT: u64 = 4096;

/// Starts a daemon that does not run.
pub(super) fn start(namespace: &Namespace, plan: &DaemonPlan, deadline: Instant) -> Result<(), DaemonError> {
    let daemon = &plan.daemon;
    // One that was killed left its own. radvd writes over it without shortening it, so that of two numbers with
    // different lengths neither can be read.
    Folder::of(plan).delete(&daemon.pid_file)?;
    let words = run(namespace, daemon, &plan.start, deadline).inspect_err(|_| {
        // It may have left children behind. The error tells of what came first.
        let _ = stop::all(daemon, deadline);
    })?;
    match Process::of(daemon, Some(namespace))? {
        Found::Here(_) => Ok(()),
        Found::Elsewhere | Found::Nowhere => Err(ended(daemon, words)),
    }
}

/// It began well, and yet there is no daemon.
pub(super) fn ended(daemon: &Daemon, words: String) -> DaemonError {
    let words = if words.is_empty() { "it ended without a word".to_owned() } else { words };
    DaemonError::Refused { what: daemon.what.clone(), words }
}

/// Runs a program of the daemon in the namespace to its end, which must be a good one, and returns what it said.
///
/// Nothing of ours is left with what it leaves behind: its standard streams are `/dev/null` and a file in memory,
/// its signals are not those of our process group, and it sees no environment but the search path.
pub(super) fn run(
    namespace: &Namespace,
    daemon: &Daemon,
    line: &CommandLine,
    deadline: Instant,
) -> Result<String, DaemonError> {
    let in_memory = || -> io::Result<(File, File)> {
        let file = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
        Ok((file.try_clone()?, file))
    };
    let (given, mut stderr) = in_memory().map_err(|e| failed(daemon, "make a file for the words", e))?;
    let mut command = Command::new(&line.program);
    command
        .args(&line.arguments)
        .env_clear()
        .env("PATH", search_path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(given)
        .process_group(0);
    let mut child = namespace.enter(|| command.spawn())?.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DaemonError::Missing {
            what: daemon.what.clone(),
            program: line.program.clone(),
            package: line.package,
        },
        _ => failed(daemon, "start the program", error),
    })?;

    let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
        .and_then(|process| ended_by(process, deadline));
    if !matches!(ended, Ok(true)) {
        // Gone already is fine.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| failed(daemon, "wait for the start", e))?;
    if !ended.map_err(|errno| failed(daemon, "watch the start", errno))? {
        return Err(DaemonError::TimedOut { what: daemon.what.clone(), attempted: "wait for the start" });
    }
    let mut said = Vec::new();
    let read = stderr.rewind().and_then(|()| stderr.take(COMPLAINT).read_to_end(&mut said));
    read.map_err(|e| failed(daemon, "read the words", e))?;
    let words = first_lines(&String::from_utf8_lossy(&said));
    if status.success() {
        return Ok(words);
    }
    let words = if words.is_empty() { format!("without a word ({status})") } else { words };
    Err(DaemonError::Refused { what: daemon.what.clone(), words })
}
