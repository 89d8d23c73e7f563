//! Starts daemons, and runs their programs.

use std::process::Command;
use std::time::Instant;

use super::DaemonError;
use super::folder::DaemonFolder;
use super::process::{DaemonProcess, Whereabouts, end_all_of};
use crate::kernel::namespace::Namespace;
use crate::plan::{CommandLine, Daemon, DaemonPlan};
use crate::programs::{OutputMode, Program, ProgramError, first_lines, search_path};

/// How many bytes of a daemon's output are read.
const LONGEST_OUTPUT: u64 = 4096;

/// Starts a daemon that does not run.
pub(super) fn start(namespace: &Namespace, plan: &DaemonPlan, deadline: Instant) -> Result<(), DaemonError> {
    let daemon = &plan.daemon;
    // A daemon that was killed left its own. radvd writes over it without shortening it, so that a longer number would
    // make both unreadable.
    DaemonFolder::of(plan).delete(&daemon.pid_file)?;
    let words = run(namespace, daemon, &plan.start, deadline).inspect_err(|_| {
        // It may have left children behind. The error that is reported is the one that came first.
        let _ = end_all_of(daemon, namespace, deadline);
    })?;
    match DaemonProcess::of(daemon, namespace)? {
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
