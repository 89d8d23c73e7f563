//! The start of a daemon.

use std::process::Command;
use std::time::Instant;

use super::folder::Folder;
use super::process::{Found, Process};
use super::{DaemonError, stop};
use crate::kernel::namespace::Namespace;
use crate::plan::{CommandLine, Daemon, DaemonPlan};
use crate::programs::{Capture, Program, ProgramError, first_lines, search_path};

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
    let mut command = Command::new(&line.program);
    command.args(&line.arguments).env_clear().env("PATH", search_path()).current_dir("/");
    let program = Program::new(command, Capture::Errors).limit(COMPLAINT);
    let ended = namespace.enter(|| program.start())?.and_then(|running| running.wait(deadline));
    let ended = ended.map_err(|error| match error {
        ProgramError::Missing(_) => DaemonError::Missing {
            what: daemon.what.clone(),
            program: line.program.clone(),
            package: line.package,
        },
        ProgramError::TimedOut => {
            DaemonError::TimedOut { what: daemon.what.clone(), attempted: "wait for the start" }
        }
        ProgramError::Failed { attempted, source } => DaemonError::Program {
            what: daemon.what.clone(),
            attempted,
            program: line.program.clone(),
            source,
        },
    })?;
    let words = first_lines(&ended.complaint());
    if ended.status.success() {
        return Ok(words);
    }
    let words = if words.is_empty() { format!("without a word ({})", ended.status) } else { words };
    Err(DaemonError::Refused { what: daemon.what.clone(), words })
}
