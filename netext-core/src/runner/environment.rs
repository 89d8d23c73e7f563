//! A run as values: what surrounds it, and how it ended.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use crate::{DeviceError, ErrorKind};

/// Opens the payload argument's file.
pub(super) type OpenPayload = Box<dyn FnOnce(&Path) -> io::Result<Box<dyn Read>> + Send>;

/// What surrounds one run: arguments, the source of the payload, the two output streams, and the start time.
pub struct Environment<'a> {
    pub(super) args: Vec<OsString>,
    pub(super) payload: OpenPayload,
    pub(super) stdout: &'a mut dyn Write,
    pub(super) stderr: &'a mut dyn Write,
    pub(super) started: Instant,
    pub(super) events: (Sender<RunEvent>, Receiver<RunEvent>),
    pub(super) owns_process: bool,
}

impl<'a> Environment<'a> {
    /// An environment whose run begins now and reads its payload from a file. The first argument is the program's
    /// name.
    pub fn new(
        args: impl IntoIterator<Item = impl Into<OsString>>,
        stdout: &'a mut dyn Write,
        stderr: &'a mut dyn Write,
    ) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            payload: Box::new(|path| Ok(Box::new(File::open(path)?))),
            stdout,
            stderr,
            started: Instant::now(),
            events: mpsc::channel(),
            owns_process: false,
        }
    }

    /// Sets another source of the payload: `open` gets the payload argument.
    pub fn payload<R: Read + 'static>(
        mut self,
        open: impl FnOnce(&Path) -> io::Result<R> + Send + 'static,
    ) -> Self {
        self.payload = Box::new(|path| Ok(Box::new(open(path)?)));
        self
    }

    /// Sets the start time, from which the timeout counts.
    pub fn started(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// A handle that interrupts the run, from any thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.events.0.clone())
    }

    /// The run has the process for itself and may change process-wide settings.
    pub(crate) fn owning_the_process(mut self) -> Self {
        self.owns_process = true;
        self
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Environment").field("args", &self.args).finish_non_exhaustive()
    }
}

/// What ends the wait for the device.
#[derive(Debug)]
pub(super) enum RunEvent {
    /// The device finished, and when: the text to print, or why it failed.
    Finished(Result<String, DeviceError>, Instant),
    /// The process is asked to end.
    Interrupted(Signal),
}

/// Interrupts a run, as a signal does.
#[derive(Clone, Debug)]
pub struct Interrupter(Sender<RunEvent>);

impl Interrupter {
    /// Calls the work off. Does nothing if the run is over.
    pub fn interrupt(&self, signal: Signal) {
        let _ = self.0.send(RunEvent::Interrupted(signal));
    }
}

/// A signal that asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, number 2.
    Interrupt,
    /// SIGTERM, number 15.
    Terminate,
}

impl Signal {
    /// The signal's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// The signal's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The command succeeded, or the flag was answered.
    Succeeded,
    /// The command failed before the deadline.
    Failed(ErrorKind),
    /// The deadline passed, and the work was called off.
    Expired,
    /// A signal came, and the work was called off.
    Interrupted(Signal),
}

impl Ending {
    /// The process' exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed(kind) => kind.exit_code(),
            Self::Expired => ErrorKind::TimedOut.exit_code(),
            Self::Interrupted(signal) => 128 + signal.number(),
        }
    }

    /// The ending's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(kind) => kind.name(),
            Self::Expired => "expired",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// Whether the work was called off, so that some of it may still be going on.
    pub const fn is_called_off(self) -> bool {
        matches!(self, Self::Expired | Self::Interrupted(_))
    }
}

/// How a run ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How the run ended.
    pub ending: Ending,
    /// The text on standard output: empty unless the run succeeded.
    pub output: String,
    /// The line on standard error, without its line break: none if the run succeeded.
    pub error: Option<String>,
}

impl Outcome {
    /// The process' exit code.
    pub fn exit_code(&self) -> u8 {
        self.ending.exit_code()
    }

    pub(super) fn failure(ending: Ending, line: String) -> Self {
        Self { ending, output: String::new(), error: Some(line) }
    }

    /// Writes the outcome to the two streams. A reply that cannot be written is a failure: the server does not have it.
    pub(super) fn deliver(self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Self {
        let mut written = Ok(());
        if !self.output.is_empty() {
            written = stdout.write_all(self.output.as_bytes()).and_then(|()| stdout.flush());
        }
        let outcome = match written {
            Ok(()) => self,
            Err(error) => {
                Err(DeviceError::internal("cannot write the reply to standard output").with_source(error))
                    .into()
            }
        };
        if let Some(line) = &outcome.error {
            // If this fails too, only the exit code is left to report the failure.
            let _ = writeln!(stderr, "{line}").and_then(|()| stderr.flush());
        }
        outcome
    }
}

impl From<Result<String, DeviceError>> for Outcome {
    fn from(result: Result<String, DeviceError>) -> Self {
        match result {
            Ok(output) => Self { ending: Ending::Succeeded, output, error: None },
            Err(error) => Self::failure(Ending::Failed(error.kind()), error.report()),
        }
    }
}
