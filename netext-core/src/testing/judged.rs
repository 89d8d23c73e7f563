//! How the server judges what an extension answers.

use std::fmt;

use netext_protocol::{Command, DeviceDetails, NetworkUpdate, Output};
use serde_json::Value;

use super::call::{Answer, End};
use crate::reply;

/// An answer, and what the server makes of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judged {
    /// The command, by name: it may be one that the protocol does not have.
    pub command: String,
    /// The answer.
    pub answer: Answer,
    /// What the server makes of it.
    pub verdict: Verdict,
    /// Where it breaks the contract, although the server may not notice today; a sentence each.
    pub breaches: Vec<String>,
}

/// What the server makes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The command succeeded.
    Succeeded,
    /// It failed, and why the server thinks so.
    Failed(String),
    /// The server waits for ever, and for what.
    Hangs(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => formatter.write_str("succeeded"),
            Self::Failed(why) => write!(formatter, "failed: {why}"),
            Self::Hangs(why) => write!(formatter, "the server hangs: {why}"),
        }
    }
}

impl Judged {
    /// Judges an answer as the server does.
    pub fn new(command: &str, answer: Answer) -> Self {
        let verdict = verdict(&answer);
        let known = command.parse::<Command>().ok();
        let breaches = match (known, &verdict) {
            (Some(command), Verdict::Succeeded) => breaches(command, &answer),
            _ => Vec::new(),
        };
        Self { command: command.to_owned(), answer, verdict, breaches }
    }

    /// Whether the server takes the command for done.
    pub fn is_success(&self) -> bool {
        self.verdict == Verdict::Succeeded
    }

    /// Everything that is wrong with it: that the server takes it for failed, else where it breaks the contract.
    pub fn problem(&self) -> Option<String> {
        match &self.verdict {
            Verdict::Succeeded => self.breaches.first().map(|breach| format!("{}: {breach}", self.command)),
            verdict => Some(format!("{}: {verdict}", self.command)),
        }
    }

    /// The device details that it printed.
    pub fn device_details(&self) -> Option<DeviceDetails> {
        serde_json::from_str(&self.answer.output).ok()
    }

    /// The network update that it printed.
    pub fn network_update(&self) -> Option<NetworkUpdate> {
        serde_json::from_str(&self.answer.output).ok()
    }

    /// Asserts that it succeeded and kept the contract.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        if let Some(problem) = self.problem() {
            panic!("{problem}");
        }
        self
    }

    /// Asserts that it succeeded and printed nothing.
    #[track_caller]
    pub fn succeeds_silently(&self) -> &Self {
        self.succeeds();
        assert_eq!(self.answer.printed(), "", "{} ought to print nothing", self.command);
        self
    }

    /// Asserts that it succeeded with this text, but for white space around it.
    #[track_caller]
    pub fn answers(&self, text: &str) -> &Self {
        self.succeeds();
        assert_eq!(self.answer.output.trim(), text, "{}", self.command);
        self
    }

    /// Asserts that it failed with this exit code and told why in one line.
    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Self {
        let told = &self.answer;
        assert_eq!(told.code(), Some(code), "{} ought to exit {code}: {told:?}", self.command);
        assert_eq!(
            told.printed().lines().count(),
            1,
            "{} ought to say why in one line: {told:?}",
            self.command
        );
        self
    }

    /// Asserts that it was refused as malformed (exit code 1), in one line that names all of these words.
    #[track_caller]
    pub fn is_refused_naming(&self, words: &[&str]) -> &Self {
        self.fails_with(1);
        let line = self.answer.printed();
        for word in words {
            assert!(line.contains(word), "{} ought to name {word:?}: {line}", self.command);
        }
        self
    }
}

fn verdict(answer: &Answer) -> Verdict {
    if !answer.held_by.is_empty() {
        return Verdict::Hangs(format!("its output is held open by {}", answer.held_by.join(", ")));
    }
    let printed = answer.printed();
    let first_line = printed.lines().next().unwrap_or("and it printed nothing");
    match answer.end {
        End::Overran => Verdict::Hangs(format!("still running after {:.1} s", answer.took.as_secs_f64())),
        End::Killed(signal) => Verdict::Failed(format!("ended by signal {signal}: {first_line}")),
        End::Exited(0) => match reply::failed_status(&printed) {
            Some(status) => Verdict::Failed(format!("exit code 0, but it printed a status of {status}")),
            None => Verdict::Succeeded,
        },
        End::Exited(code) => Verdict::Failed(format!("exit code {code}: {first_line}")),
    }
}

fn breaches(command: Command, answer: &Answer) -> Vec<String> {
    let mut breaches = Vec::new();
    let printed = answer.printed();
    if command.output() == Output::Nothing {
        if !printed.is_empty() {
            breaches.push(format!("must print nothing, but printed {}", excerpt(&printed)));
        }
        return breaches;
    }
    if !answer.error_output.is_empty() {
        let found = excerpt(&answer.error_output);
        breaches.push(format!("must not write to standard error when it succeeds, but wrote {found}"));
    }
    if let Some(breach) = reply::breach(command, &answer.output) {
        breaches.push(format!("it {breach}: {}", excerpt(&answer.output)));
    }
    breaches
}

/// The beginning of a text, in one line.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    let shown: String = text.chars().take(LONGEST).collect();
    let more = if shown.len() < text.len() { " ..." } else { "" };
    format!("{shown:?}{more}")
}

/// What an answer says about the device, if it says something that the server stores.
pub(super) fn stored_details(judged: &Judged) -> Option<Value> {
    let details: Value = serde_json::from_str(&judged.answer.output).ok()?;
    (judged.is_success() && details.is_object()).then_some(details)
}
