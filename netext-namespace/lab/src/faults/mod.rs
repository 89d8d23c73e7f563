//! Faults at single system calls of a command: it is killed there, or the call fails.
//!
//! A command runs under a tracer that counts the system calls of its whole process tree, in the order in which the kernel
//! sees them. The tracer lets go of the daemons that the command leaves running.

mod call;
mod errnos;
mod registers;
mod tracer;

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use call::{CallPlace, SystemCall};

use crate::outcome::{BegunProgram, CommandOutcome, GRACE};

/// What happens to a command at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens.
    None,
    /// The whole process tree is killed instead of the first call at this place or after it.
    Kill(CallPlace),
    /// The first call at this place or after it fails, and is not executed.
    Fail(CallPlace, Errno),
    /// The first call at this place or after it that can fail does so, with one of its
    /// [sensible errors](SystemCall::sensible_errors) that the number chooses.
    FailSensibly(CallPlace, usize),
}

/// A command that ran under the tracer.
#[derive(Clone, Debug)]
pub struct TracedCommand {
    /// The outcome of the command.
    pub outcome: CommandOutcome,
    /// The call that the fault struck. `None` if the command made fewer calls.
    pub struck: Option<SystemCall>,
    /// The error that it returned, if it failed.
    pub errno: Option<Errno>,
    /// All calls, if the command was recorded.
    pub calls: Vec<SystemCall>,
    /// Whether it ran longer than it was given, so that it was killed.
    pub hung: bool,
    /// Whether a process that it left behind keeps its output open: the management server would hang.
    pub keeps_output: bool,
}

/// How a command is traced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    pub(crate) fault: Fault,
    pub(crate) recording: Recording,
    /// How long the command may run.
    pub(crate) patience: Duration,
}

/// Whether all system calls are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    On,
    Off,
}

/// The script that starts a traced program: it stops, so that the tracer misses nothing, and then becomes the program.
pub(crate) const STARTER: &str = "kill -STOP $$; unset PWD OLDPWD; exec \"$0\" \"$@\"";

/// Runs a program that the starter begins to its end.
#[track_caller]
pub(crate) fn run(command: &str, program: BegunProgram, trace: Trace) -> TracedCommand {
    let BegunProgram { mut child, pipe, begun } = program;
    let root = i32::try_from(child.id()).expect("a process id");
    std::thread::scope(|scope| {
        let (is_over, over) = mpsc::channel::<()>();
        let reader = scope.spawn(move || read_output(pipe, &over));
        // The tracer is a thread of its own: the kernel lets go of all traced processes when it ends.
        let traced = scope.spawn(move || tracer::trace(root, trace)).join();
        let traced = traced.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (status, hung) = match traced.status {
            Some(status) => (status, traced.hung),
            None => await_end(&mut child, trace.patience),
        };
        drop(is_over);
        let (output, keeps_output) = reader.join().expect("the reader does not panic");
        let outcome = CommandOutcome::new(command.to_owned(), status, output, begun.elapsed());
        TracedCommand {
            outcome,
            struck: traced.struck,
            errno: traced.errno,
            calls: traced.calls,
            hung,
            keeps_output,
        }
    })
}

/// Reads the output to its end, but not for long after the end of the command. Returns whether it is still open.
fn read_output(mut pipe: File, over: &Receiver<()>) -> (String, bool) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let mut closing: Option<Instant> = None;
    let is_open = loop {
        let mut waited_for = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waited_for, PollTimeout::from(20u8)).is_ok_and(|ready| ready > 0) {
            match pipe.read(&mut buffer) {
                Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
                _ => break false,
            }
        } else if over.try_recv() == Err(TryRecvError::Disconnected)
            && closing.get_or_insert_with(Instant::now).elapsed() > GRACE
        {
            break true;
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), is_open)
}

/// Waits for the end of a command that is no longer traced. Kills it if it takes too long.
fn await_end(child: &mut Child, patience: Duration) -> (ExitStatus, bool) {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            return (status, false);
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            return (child.wait().expect("a child can be waited for"), true);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
