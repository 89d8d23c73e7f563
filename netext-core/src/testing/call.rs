//! One call of an extension: what the server passes, what comes back, and how the server judges it.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::Path;
use std::time::Duration;

use netext_protocol::{Command, DeviceDetails, NetworkUpdate, Output};
use serde_json::Value;

use crate::reply;

/// The timeout in seconds that today's server passes for every command.
const TIMEOUT: u32 = 60;
/// How long the kit waits after a command's own timeout. The server itself would wait without limit.
const PATIENCE: Duration = Duration::from_secs(10);

/// An extension that a [`Server`](super::Server) can call.
///
/// The kit has two: an [`Executable`](super::Executable), and an [`InProcessDevice`](super::InProcessDevice).
/// Implement it to reach an extension in another way, for example on another machine:
///
/// ```
/// use std::time::Duration;
///
/// use netext_core::protocol::Command;
/// use netext_core::testing::{Extension, ExtensionCall, Payload, ProcessEnd, Response, Server};
///
/// /// Accepts every command and does nothing.
/// struct Idle;
///
/// impl Extension for Idle {
///     fn call(&self, _: &ExtensionCall) -> Response {
///         Response::new(ProcessEnd::Exited(0), "", Duration::ZERO)
///     }
/// }
///
/// Server::new(Idle).send(Payload::sample(Command::AssignIp)).succeeds_silently();
/// ```
pub trait Extension: Sync {
    /// Calls the extension once, and waits for its response.
    fn call(&self, call: &ExtensionCall) -> Response;
}

impl<E: Extension + ?Sized> Extension for &E {
    fn call(&self, call: &ExtensionCall) -> Response {
        (**self).call(call)
    }
}

/// How an extension is called: its arguments, its payload file, its streams, and how long the kit waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExtensionCall {
    arguments: Vec<Argument>,
    /// The content of the payload file; `None` if the file does not exist.
    pub payload: Option<Vec<u8>>,
    /// How long the kit waits before it kills the extension.
    pub patience: Duration,
    /// How standard input, output and error are connected.
    pub streams: CallStreams,
}

#[derive(Clone, Debug)]
enum Argument {
    Text(String),
    /// The path of the payload file.
    PayloadFile,
}

/// How the standard streams of an extension are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallStreams {
    /// Standard output and error are one stream, as the server has them.
    #[default]
    Merged,
    /// Standard output and error are two streams.
    Apart,
    /// As `Merged`, and standard input stays open without any data.
    WithSilentInput,
}

impl ExtensionCall {
    /// A command as the server calls it: with the bytes of its payload file, and the usual timeout of 60 s.
    pub fn new(command: impl Display, payload: impl Into<Vec<u8>>) -> Self {
        let text = |text: String| Argument::Text(text);
        Self {
            arguments: vec![text(command.to_string()), Argument::PayloadFile, text(TIMEOUT.to_string())],
            payload: Some(payload.into()),
            patience: Duration::from_secs(TIMEOUT.into()) + PATIENCE,
            streams: CallStreams::default(),
        }
    }

    /// A call with these arguments only, and no payload file.
    pub fn bare<A: Display>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            arguments: arguments.into_iter().map(|it| Argument::Text(it.to_string())).collect(),
            payload: None,
            patience: PATIENCE,
            streams: CallStreams::default(),
        }
    }

    /// A command whose payload file does not exist.
    pub fn without_file(command: impl Display) -> Self {
        Self { payload: None, ..Self::new(command, "") }
    }

    /// Passes another timeout, in seconds. The kit waits ten seconds longer.
    pub fn timeout(mut self, seconds: u32) -> Self {
        if let Some(last) = self.arguments.last_mut() {
            *last = Argument::Text(seconds.to_string());
        }
        self.patience = Duration::from_secs(seconds.into()) + PATIENCE;
        self
    }

    /// Kills the extension after this time.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects the streams in another way.
    pub fn streams(mut self, streams: CallStreams) -> Self {
        self.streams = streams;
        self
    }

    /// The arguments behind the name of the executable, for a payload file at this path.
    pub fn arguments(&self, file: &Path) -> Vec<OsString> {
        let text = |argument: &Argument| match argument {
            Argument::Text(text) => text.into(),
            Argument::PayloadFile => file.into(),
        };
        self.arguments.iter().map(text).collect()
    }
}

/// How an extension ended, and what it printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// How it ended.
    pub end: ProcessEnd,
    /// What it printed: on both streams, or on standard output only if they are [apart](CallStreams::Apart).
    pub output: String,
    /// What it printed on standard error, if the streams are [apart](CallStreams::Apart).
    pub error_output: String,
    /// The processes that still held its output half a second after its end, as `name (number)`.
    pub held_by: Vec<String>,
    /// The time from its start to the end of its output.
    pub took: Duration,
}

/// How an extension ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessEnd {
    /// With an exit code.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// The kit killed it, because it ran longer than [`ExtensionCall::patience`].
    TimedOut,
}

impl Response {
    /// The response of an extension that printed on one stream, and left no process behind.
    pub fn new(end: ProcessEnd, output: impl Into<String>, took: Duration) -> Self {
        Self { end, output: output.into(), error_output: String::new(), held_by: Vec::new(), took }
    }

    /// Everything that it printed.
    pub fn printed(&self) -> String {
        format!("{}{}", self.output, self.error_output)
    }

    /// The exit code; `None` if it did not exit.
    pub fn code(&self) -> Option<i32> {
        match self.end {
            ProcessEnd::Exited(code) => Some(code),
            ProcessEnd::Killed(_) | ProcessEnd::TimedOut => None,
        }
    }
}

/// A response, and how the server judges it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JudgedResponse {
    /// The name of the command; the protocol may not have it.
    pub command: String,
    /// The response.
    pub response: Response,
    /// How the server judges it.
    pub verdict: ServerVerdict,
    /// Where a successful response breaks the contract although today's server accepts it; a sentence each.
    pub breaches: Vec<String>,
}

/// How the server judges a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerVerdict {
    /// The command succeeded.
    Succeeded,
    /// The command failed, and why the server thinks so.
    Failed(String),
    /// The server waits without end, and for what.
    Hangs(String),
}

impl fmt::Display for ServerVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => formatter.write_str("succeeded"),
            Self::Failed(why) => write!(formatter, "failed: {why}"),
            Self::Hangs(why) => write!(formatter, "the server hangs: {why}"),
        }
    }
}

impl JudgedResponse {
    /// Judges a response to a command as the server does.
    pub fn new(command: &str, response: Response) -> Self {
        let verdict = judge(&response);
        let breaches = match (command.parse(), &verdict) {
            (Ok(command), ServerVerdict::Succeeded) => breaches(command, &response),
            _ => Vec::new(),
        };
        Self { command: command.to_owned(), response, verdict, breaches }
    }

    /// Whether the command succeeded for the server.
    pub fn is_success(&self) -> bool {
        self.verdict == ServerVerdict::Succeeded
    }

    /// What is wrong with the response: the server's verdict unless it is success, else the first breach of the
    /// contract.
    pub fn problem(&self) -> Option<String> {
        match &self.verdict {
            ServerVerdict::Succeeded => {
                self.breaches.first().map(|breach| format!("{}: {breach}", self.command))
            }
            verdict => Some(format!("{}: {verdict}", self.command)),
        }
    }

    /// The device details in the output.
    pub fn device_details(&self) -> Option<DeviceDetails> {
        serde_json::from_str(&self.response.output).ok()
    }

    /// The network update in the output.
    pub fn network_update(&self) -> Option<NetworkUpdate> {
        serde_json::from_str(&self.response.output).ok()
    }

    /// The device details that the server stores because of this response.
    pub(super) fn stored_details(&self) -> Option<Value> {
        let details: Value = serde_json::from_str(&self.response.output).ok()?;
        (self.is_success() && details.is_object()).then_some(details)
    }

    /// Asserts that the command succeeded and kept the contract.
    ///
    /// # Panics
    /// If it did not; so do the other assertions.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        if let Some(problem) = self.problem() {
            panic!("{problem}");
        }
        self
    }

    /// Asserts that the command succeeded and printed nothing.
    #[track_caller]
    pub fn succeeds_silently(&self) -> &Self {
        self.succeeds();
        assert_eq!(self.response.printed(), "", "{} must print nothing", self.command);
        self
    }

    /// Asserts that the command succeeded with this text, apart from white space around it.
    #[track_caller]
    pub fn answers(&self, text: &str) -> &Self {
        self.succeeds();
        assert_eq!(self.response.output.trim(), text, "{}", self.command);
        self
    }

    /// Asserts that the command failed with this exit code, and printed the reason in one line.
    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Self {
        let Self { command, response, .. } = self;
        assert_eq!(response.code(), Some(code), "{command} must exit with {code}: {response:?}");
        let lines = response.printed().lines().count();
        assert_eq!(lines, 1, "{command} must print the reason in one line: {response:?}");
        self
    }

    /// Asserts that the payload was refused (exit code 1), in one line that names each of these words.
    #[track_caller]
    pub fn is_refused_naming(&self, words: &[&str]) -> &Self {
        self.fails_with(1);
        let line = self.response.printed();
        for word in words {
            assert!(line.contains(word), "{} must name {word:?}: {line}", self.command);
        }
        self
    }
}

fn judge(response: &Response) -> ServerVerdict {
    if !response.held_by.is_empty() {
        return ServerVerdict::Hangs(format!("its output is held open by {}", response.held_by.join(", ")));
    }
    let printed = response.printed();
    let words = match printed.lines().next() {
        Some(line) => format!(": {line}"),
        None => ", and it printed nothing".to_owned(),
    };
    match response.end {
        ProcessEnd::TimedOut => {
            ServerVerdict::Hangs(format!("still running after {:.1} s", response.took.as_secs_f64()))
        }
        ProcessEnd::Killed(signal) => ServerVerdict::Failed(format!("ended by signal {signal}{words}")),
        ProcessEnd::Exited(0) => match reply::failed_status(&printed) {
            Some(status) => {
                ServerVerdict::Failed(format!("exit code 0, but it printed a status of {status}"))
            }
            None => ServerVerdict::Succeeded,
        },
        ProcessEnd::Exited(code) => ServerVerdict::Failed(format!("exit code {code}{words}")),
    }
}

fn breaches(command: Command, response: &Response) -> Vec<String> {
    let mut breaches = Vec::new();
    let printed = response.printed();
    if command.output() == Output::Nothing {
        if !printed.is_empty() {
            breaches.push(format!("must print nothing, but printed {}", excerpt(&printed)));
        }
        return breaches;
    }
    if !response.error_output.is_empty() {
        let found = excerpt(&response.error_output);
        breaches.push(format!("must not write to standard error when it succeeds, but wrote {found}"));
    }
    if let Some(breach) = reply::breach(command, &response.output) {
        breaches.push(format!("it {breach}: {}", excerpt(&response.output)));
    }
    breaches
}

/// The beginning of a text, quoted, in one line.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    let shown: String = text.chars().take(LONGEST).collect();
    let more = if shown.len() < text.len() { " ..." } else { "" };
    format!("{shown:?}{more}")
}
