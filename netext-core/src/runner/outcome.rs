//! What happened, and the only place where it is written to the streams.

use std::io::Write;

use super::supervisor::Failure;
use crate::{DeviceError, ErrorKind};

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
    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// Its name.
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
    /// The device did it, or the flag was answered.
    Succeeded,
    /// It failed before the deadline.
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

    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(kind) => kind.name(),
            Self::Expired => "expired",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// Whether the work was called off, so that something of it may still be going on.
    pub const fn is_called_off(self) -> bool {
        matches!(self, Self::Expired | Self::Interrupted(_))
    }
}

/// What a run came to, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What was written to standard output: empty unless it succeeded.
    pub output: String,
    /// The line that was written to standard error, without its line break: none if it succeeded.
    pub error: Option<String>,
}

impl Outcome {
    /// The process' exit code.
    pub fn exit_code(&self) -> u8 {
        self.ending.exit_code()
    }
}

/// Writes what the server may see. A reply that cannot be written is a failure: the server has not got it.
pub(super) fn deliver(
    result: Result<String, Failure>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Outcome {
    let written = result.and_then(|output| {
        if !output.is_empty() {
            stdout.write_all(output.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
                DeviceError::internal("cannot write the reply to standard output").with_source(error)
            })?;
        }
        Ok(output)
    });
    match written {
        Ok(output) => Outcome { ending: Ending::Succeeded, output, error: None },
        Err(failure) => {
            // If this fails too there is nowhere left to say so; the exit code still does.
            let _ = writeln!(stderr, "{}", failure.line).and_then(|()| stderr.flush());
            Outcome { ending: failure.ending, output: String::new(), error: Some(failure.line) }
        }
    }
}
