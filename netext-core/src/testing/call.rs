//! One run of an extension: what it is called with, and what it answers.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

/// The timeout in seconds that the server passes on today, whatever the command.
const TIMEOUT: u32 = 60;
/// How long after its own timeout a command is waited for; the server itself would wait without limit.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an extension is called with: arguments, and what lies in the payload file.
#[derive(Clone, Debug)]
pub struct Call {
    arguments: Vec<Argument>,
    pub(super) payload: Option<Vec<u8>>,
    pub(super) patience: Duration,
    pub(super) streams: Streams,
}

#[derive(Clone, Debug)]
enum Argument {
    Text(String),
    /// The path of the payload file, whatever it is.
    PayloadFile,
}

/// What standard output, standard error and standard input are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// Standard output and error are one stream, as the server has it.
    #[default]
    Merged,
    /// Standard output and error can be told apart.
    Apart,
    /// As `Merged`, and standard input stays open and never says anything.
    WithSilentInput,
}

impl Call {
    /// A command as the server calls it, with the bytes of its payload file and the usual timeout.
    pub fn new(command: impl Display, payload: impl Into<Vec<u8>>) -> Self {
        let text = |text: String| Argument::Text(text);
        Self {
            arguments: vec![text(command.to_string()), Argument::PayloadFile, text(TIMEOUT.to_string())],
            payload: Some(payload.into()),
            patience: Duration::from_secs(TIMEOUT.into()) + PATIENCE,
            streams: Streams::default(),
        }
    }

    /// Any arguments at all, without a payload file.
    pub fn bare<A: Display>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            arguments: arguments.into_iter().map(|it| Argument::Text(it.to_string())).collect(),
            payload: None,
            patience: PATIENCE,
            streams: Streams::default(),
        }
    }

    /// A command whose payload file is not there.
    pub fn without_file(command: impl Display) -> Self {
        Self { payload: None, ..Self::new(command, "") }
    }

    /// With another timeout, in seconds.
    pub fn timeout(mut self, seconds: u32) -> Self {
        if let Some(last) = self.arguments.last_mut() {
            *last = Argument::Text(seconds.to_string());
        }
        self.patience = Duration::from_secs(seconds.into()) + PATIENCE;
        self
    }

    /// Waited for as long as this, and no longer.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// With other streams.
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// The arguments, with the payload file at a path.
    pub(super) fn arguments(&self, file: &Path) -> Vec<OsString> {
        let text = |argument: &Argument| match argument {
            Argument::Text(text) => text.into(),
            Argument::PayloadFile => file.into(),
        };
        self.arguments.iter().map(text).collect()
    }
}

/// What an extension answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it ended.
    pub end: End,
    /// All that it printed, or what it printed on standard output if the streams were [apart](Streams::Apart).
    pub output: String,
    /// What it printed on standard error, if the streams were [apart](Streams::Apart).
    pub error_output: String,
    /// The processes that still held its output half a second after it had ended, as `name (number)`.
    pub held_by: Vec<String>,
    /// From its start to the end of its output.
    pub took: Duration,
}

/// How an extension ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// Not at all: it was killed when it had run for longer than it is waited for, by default ten seconds longer
    /// than its timeout.
    Overran,
}

impl Answer {
    /// Everything that was printed.
    pub fn printed(&self) -> String {
        format!("{}{}", self.output, self.error_output)
    }

    /// The exit code; none if it did not exit.
    pub fn code(&self) -> Option<i32> {
        match self.end {
            End::Exited(code) => Some(code),
            End::Killed(_) | End::Overran => None,
        }
    }
}
