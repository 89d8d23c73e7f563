//! A command of the extension, run as the management server runs it, and its outcome.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::processes;

/// The limit for a command of a test; the watchdog fails the test after it.
const WATCHDOG: Duration = Duration::from_secs(40);
/// How long the output may stay open after the end of the command.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// A running command.
#[derive(Debug)]
pub struct RunningCommand {
    pub(crate) command: String,
    pub(crate) program: BegunProgram,
}

/// A program that runs, and the pipe of its merged output.
#[derive(Debug)]
pub(crate) struct BegunProgram {
    pub(crate) child: Child,
    pub(crate) pipe: File,
    pub(crate) begun: Instant,
}

/// The outcome of a command.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    /// The command's name.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Standard output and standard error, merged.
    pub output: String,
    /// From its start to the end of its output.
    pub duration: Duration,
}

impl RunningCommand {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.program.child.id()).expect("a process id");
        let _ = kill(Pid::from_raw(pid), signal);
    }

    /// Asserts that the command still runs.
    #[track_caller]
    pub fn still_runs(&mut self) {
        let ended = self.program.child.try_wait().expect("a child can be asked");
        assert!(ended.is_none(), "{} has ended: {ended:?}", self.command);
    }

    /// Reads the merged output to its end, as the management server does, and waits for the exit.
    ///
    /// # Panics
    /// When the command runs longer than any test needs, or when it has exited and another process still holds its
    /// output: the management server would hang forever.
    #[track_caller]
    pub fn finish(mut self) -> CommandOutcome {
        let (output, status) = match self.read_to_end() {
            Ok(read) => read,
            Err(error) => panic!("{}: {error}", self.command),
        };
        CommandOutcome::new(self.command.clone(), status, output, self.program.begun.elapsed())
    }

    fn read_to_end(&mut self) -> Result<(String, ExitStatus), String> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 8192];
        let mut exit: Option<(ExitStatus, Instant)> = None;
        loop {
            let mut waited_for = [PollFd::new(self.program.pipe.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waited_for, PollTimeout::from(50u8)).is_ok_and(|ready| ready > 0) {
                let length = self.program.pipe.read(&mut buffer).map_err(|error| error.to_string())?;
                if length == 0 {
                    break;
                }
                bytes.extend_from_slice(&buffer[..length]);
                continue;
            }
            if exit.is_none() {
                let status = self.program.child.try_wait().map_err(|error| error.to_string())?;
                exit = status.map(|status| (status, Instant::now()));
            }
            let printed = String::from_utf8_lossy(&bytes);
            if exit.is_some_and(|(_, at)| at.elapsed() > GRACE) {
                let holders = processes::holding_pipe(self.program.pipe.as_raw_fd());
                return Err(format!(
                    "exited, but its output is held by {holders:?}; printed so far: {printed}"
                ));
            }
            if self.program.begun.elapsed() > WATCHDOG {
                return Err(format!("still running after {WATCHDOG:?}; printed so far: {printed}"));
            }
        }
        let status = self.program.child.wait().map_err(|error| error.to_string())?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), status))
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        if !matches!(self.program.child.try_wait(), Ok(Some(_))) {
            let _ = self.program.child.kill();
            let _ = self.program.child.wait();
        }
    }
}

impl CommandOutcome {
    pub(crate) fn new(command: String, status: ExitStatus, output: String, duration: Duration) -> Self {
        Self { command, code: status.code(), signal: status.signal(), output, duration }
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{} failed: {}", self.command, self.summary());
        self
    }

    /// Asserts exit code 0 and an empty output.
    #[track_caller]
    pub fn succeeds_silently(&self) -> &Self {
        self.succeeds();
        assert_eq!(self.output, "", "{} must print nothing", self.command);
        self
    }

    /// Asserts that the command failed with `code` and one line that says why.
    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{} must exit {code}: {}", self.command, self.summary());
        assert_eq!(
            self.output.lines().count(),
            1,
            "{} must say why in one line: {}",
            self.command,
            self.summary()
        );
        self
    }

    /// Asserts that the command was refused as malformed (exit 1) in one line that names each of `words`.
    #[track_caller]
    pub fn is_refused_naming(&self, words: &[&str]) -> &Self {
        self.fails_with(1);
        for word in words {
            assert!(self.output.contains(word), "{} must name {word:?}: {}", self.command, self.summary());
        }
        self
    }

    /// Asserts that an action succeeded in the form that the server understands, and returns its message.
    #[track_caller]
    pub fn message(&self) -> serde_json::Value {
        self.succeeds();
        let mut result: serde_json::Value = serde_json::from_str(&self.output).unwrap_or_default();
        assert_eq!(result["status"], "success", "{} must report success: {}", self.command, self.summary());
        assert_eq!(result["printmessage"], "true", "{} must be shown: {}", self.command, self.summary());
        result["message"].take()
    }

    fn summary(&self) -> String {
        format!(
            "code {:?}, signal {:?}, after {:?}, printed {:?}",
            self.code, self.signal, self.duration, self.output
        )
    }
}
