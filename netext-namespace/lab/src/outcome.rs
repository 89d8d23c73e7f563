//! A run of the extension as the management server does it, and what came of it.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::processes;

/// No command of a test takes longer; the watchdog ends it.
const WATCHDOG: Duration = Duration::from_secs(40);
/// How long after the end of the command its output may stay open.
const GRACE: Duration = Duration::from_millis(500);

/// A command that is running.
#[derive(Debug)]
pub struct Running {
    pub(crate) command: String,
    pub(crate) child: Child,
    pub(crate) pipe: std::io::PipeReader,
    pub(crate) begun: Instant,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command's name.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// All that it printed, standard output and standard error merged.
    pub output: String,
    /// From its start to the end of its output.
    pub duration: Duration,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        let _ = kill(Pid::from_raw(pid), signal);
    }

    /// Asserts that the command still runs.
    #[track_caller]
    pub fn still_runs(&mut self) {
        let ended = self.child.try_wait().expect("a child can be asked");
        assert!(ended.is_none(), "{} ought to run still, but ended: {ended:?}", self.command);
    }

    /// Reads the merged output to its end, as the management server does, and waits for the exit.
    ///
    /// # Panics
    /// When the command runs for longer than any test needs, or when it is gone and something still
    /// holds its output: the management server would hang for ever.
    #[track_caller]
    pub fn finish(mut self) -> Outcome {
        let (output, status) = match self.read_to_end() {
            Ok(read) => read,
            Err(trouble) => panic!("{}: {trouble}", self.command),
        };
        Outcome {
            command: self.command.clone(),
            code: status.code(),
            signal: status.signal(),
            output,
            duration: self.begun.elapsed(),
        }
    }

    fn read_to_end(&mut self) -> Result<(String, ExitStatus), String> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 8192];
        let mut exit: Option<(ExitStatus, Instant)> = None;
        loop {
            let mut waited_for = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waited_for, PollTimeout::from(50u8)).is_ok_and(|ready| ready > 0) {
                let length = self.pipe.read(&mut buffer).map_err(|error| error.to_string())?;
                if length == 0 {
                    break;
                }
                bytes.extend_from_slice(&buffer[..length]);
                continue;
            }
            if exit.is_none() {
                let status = self.child.try_wait().map_err(|error| error.to_string())?;
                exit = status.map(|status| (status, Instant::now()));
            }
            let printed = String::from_utf8_lossy(&bytes);
            if exit.is_some_and(|(_, at)| at.elapsed() > GRACE) {
                let holders = processes::holding_pipe(self.pipe.as_raw_fd());
                return Err(format!(
                    "exited, but its output is held by {holders:?}; printed so far: {printed}"
                ));
            }
            if self.begun.elapsed() > WATCHDOG {
                return Err(format!("still running after {WATCHDOG:?}; printed so far: {printed}"));
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), status))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Outcome {
    /// Asserts exit code 0.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{} ought to succeed, but: {}", self.command, self.told());
        self
    }

    /// Asserts exit code 0 and that nothing at all was printed.
    #[track_caller]
    pub fn succeeds_silently(&self) -> &Self {
        self.succeeds();
        assert_eq!(self.output, "", "{} ought to print nothing", self.command);
        self
    }

    /// Asserts that the command failed with `code` and told why in one line.
    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{} ought to exit {code}: {}", self.command, self.told());
        assert_eq!(
            self.output.lines().count(),
            1,
            "{} ought to say why in one line: {}",
            self.command,
            self.told()
        );
        self
    }

    /// Asserts that the command was refused as malformed (exit 1) and that the one line it printed
    /// names each of `words`.
    #[track_caller]
    pub fn is_refused_naming(&self, words: &[&str]) -> &Self {
        self.fails_with(1);
        for word in words {
            assert!(self.output.contains(word), "{} ought to name {word:?}: {}", self.command, self.told());
        }
        self
    }

    /// Asserts that an action succeeded in the way that the server understands, and returns its message.
    #[track_caller]
    pub fn message(&self) -> serde_json::Value {
        self.succeeds();
        let mut answer: serde_json::Value = serde_json::from_str(&self.output).unwrap_or_default();
        assert_eq!(answer["status"], "success", "{} ought to say so: {}", self.command, self.told());
        assert_eq!(answer["printmessage"], "true", "{} ought to be shown: {}", self.command, self.told());
        answer["message"].take()
    }

    fn told(&self) -> String {
        format!(
            "code {:?}, signal {:?}, after {:?}, printed {:?}",
            self.code, self.signal, self.duration, self.output
        )
    }
}
