//! What two copies of the executable say to each other: the proxy on the management server, and the host role at
//! the other end of a connection.
//!
//! The proxy runs `<path> relay` on the host, and nothing else ever stands on that command line. On standard input
//! goes one line of JSON, the [`Call`], and behind it the payload as it came. Standard input then stays open: its
//! end means that nobody waits for the answer any more, and calls the work off. The [`Answer`] is one line of JSON
//! on standard output, whatever the exit code of the command was: so a command that failed differs from a host
//! that could not be asked.

mod serve;

use netext_protocol::Command;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failover::{FailoverState, RouterDelta};
use crate::model::RouterId;
pub use serve::{asked_for, serve};

/// The word that makes the executable answer a call.
pub const MODE: &str = "relay";

/// The version of what is said here. Two copies that differ in it do not understand each other; two that differ
/// in the executable's version alone do.
pub const PROTOCOL: u32 = 1;

/// The version of the executable.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the first line may be.
pub const MAX_LINE: u64 = 64 << 10;

/// What is asked of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Say which executable it is, which every answer does.
    Identify,
    /// Carry out a command of the protocol, whose payload follows.
    Command {
        /// The command's name.
        name: String,
        /// How long it may take.
        milliseconds: u64,
        /// How long the payload is.
        bytes: u64,
        /// What to tell afterwards of the router that it is about.
        tell: Option<Since>,
    },
    /// Say what the host is to a router.
    Probe {
        /// The router.
        router: RouterId,
    },
    /// Tell what is new about a router.
    Tell {
        /// Which one, and since when.
        since: Since,
        /// How long it may take.
        milliseconds: u64,
    },
    /// Keep a copy of a router, which follows.
    Keep {
        /// How long it may take.
        milliseconds: u64,
        /// How long the copy is.
        bytes: u64,
    },
    /// Serve a router from now on.
    TakeOver {
        /// The router.
        router: RouterId,
        /// In this epoch.
        epoch: u64,
        /// How long it may take.
        milliseconds: u64,
    },
    /// Serve a router no longer.
    Withdraw {
        /// The router.
        router: RouterId,
        /// Another host serves it since this epoch.
        epoch: u64,
        /// There is no such router any more.
        forget: bool,
        /// How long it may take.
        milliseconds: u64,
    },
}

/// A router, and how much of it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The router.
    pub router: RouterId,
    /// How far it is known; 0 for nothing.
    pub serial: u64,
}

impl Call {
    /// The call to carry out a command.
    pub fn command(command: Command, milliseconds: u64, payload: &[u8], tell: Option<Since>) -> Self {
        Self::Command { name: command.name().to_owned(), milliseconds, bytes: payload.len() as u64, tell }
    }
}

/// What a host answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The command was carried out.
    Succeeded {
        /// What it printed.
        output: String,
        /// What is new about the router, if that was asked and is anything.
        news: Option<RouterDelta>,
    },
    /// It failed, whatever it was.
    Failed {
        /// The exit code.
        exit: u8,
        /// The one line that says why.
        line: String,
    },
    /// What the host is to a router.
    Probed(FailoverState),
    /// What is new about a router, if anything is.
    Told(Option<RouterDelta>),
    /// It was done.
    Done,
    /// What the copy builds on is not there; a whole one is needed.
    Behind,
    /// The copy is out of date: another host serves the router.
    Outdated {
        /// Since this epoch.
        epoch: u64,
    },
}

/// One line, of a call or of an answer: its content can be read if both ends speak the same protocol only.
#[derive(Debug, Serialize, Deserialize)]
struct Line<'a, T> {
    relay: u32,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<T>,
}

/// Why a line could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The other end speaks another protocol.
    #[error("version {version} speaks relay protocol {protocol}, version {VERSION} speaks {PROTOCOL}")]
    Incompatible {
        /// The other end's protocol.
        protocol: u32,
        /// The version of its executable.
        version: String,
    },
    /// It is not what this protocol says.
    #[error("what was said is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Writes a call or an answer as a line.
pub fn to_line(content: &impl Serialize) -> String {
    let line = Line { relay: PROTOCOL, version: VERSION, content: Some(content) };
    let mut text = serde_json::to_string(&line).expect("texts, numbers and named fields have a JSON form");
    text.push('\n');
    text
}

/// Reads a call or an answer.
pub fn from_line<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, LineError> {
    let Line { relay, version, content } = serde_json::from_slice::<Line<'_, &RawValue>>(line)?;
    if relay != PROTOCOL {
        return Err(LineError::Incompatible { protocol: relay, version: version.to_owned() });
    }
    Ok(serde_json::from_str(content.map_or("null", RawValue::get))?)
}

/// Which executable said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The version of what it says.
    pub protocol: u32,
    /// Its own version.
    pub version: String,
}

/// Who said a line, in whatever protocol; `None` if it is no line of ours.
pub fn identity(line: &[u8]) -> Option<Identity> {
    let Line { relay, version, .. } = serde_json::from_slice::<Line<'_, &RawValue>>(line).ok()?;
    Some(Identity { protocol: relay, version: version.to_owned() })
}

/// Whether a line is the answer, in any protocol, and not what a login script of the host printed before it.
pub fn is_answer(line: &[u8]) -> bool {
    line.starts_with(b"{\"relay\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_end_says_the_other_understands() {
        let call = Call::command(Command::AssignIp, 59_000, b"{}", None);
        assert_eq!(from_line::<Call>(to_line(&call).as_bytes()).unwrap(), call);
        let answer = Answer::Failed { exit: 3, line: "no \"nft\"\n".to_owned() };
        let line = to_line(&answer);
        assert!(is_answer(line.as_bytes()) && line.lines().count() == 1, "{line}");
        let heard = from_line::<Answer>(line.as_bytes()).unwrap();
        assert!(matches!(heard, Answer::Failed { exit: 3, line } if line == "no \"nft\"\n"));
    }

    #[test]
    fn another_protocol_is_told_from_another_version() {
        let call = to_line(&Call::Probe { router: RouterId::Network(209.into()) });
        let newer = call.replace(VERSION, "9.9.9");
        assert!(from_line::<Call>(newer.as_bytes()).is_ok());
        let error = from_line::<Call>(br#"{"relay":2,"version":"9.9.9","content":{"new":[]}}"#).unwrap_err();
        assert!(error.to_string().contains("9.9.9 speaks relay protocol 2"), "{error}");
        let newest = identity(br#"{"relay":3,"version":"10.0.0","new":{}}"#).unwrap();
        assert_eq!(newest, Identity { protocol: 3, version: "10.0.0".to_owned() });
        assert!(matches!(from_line::<Call>(b"Welcome!\n"), Err(LineError::Malformed(_))));
    }
}
