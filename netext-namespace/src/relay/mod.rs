//! The protocol between two copies of the executable: the proxy on the management server, and the host role at the
//! other end of a connection.
//!
//! The proxy runs `<path> relay` on the host; that command line never has more words. To its standard input it writes
//! one line of JSON, the [`RelayRequest`], and after it the payload as CloudStack sent it. Standard input then stays
//! open: its end means that the proxy no longer waits, and stops the work. The [`RelayReply`] is one line of JSON on
//! standard output. A failed command has a reply, too, so it differs from a host that could not be asked.
//!
//! The words on the wire never change within a version of the protocol: during an upgrade a new proxy talks to old
//! hosts.

pub mod serve;

use netext_protocol::Command;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failover::{FailoverState, RouterDelta};
use crate::model::RouterId;

/// The word that makes the executable serve a request.
pub const MODE: &str = "relay";

/// The version of this protocol. Two copies of the executable with different versions of it do not understand each
/// other; two versions of the executable with the same one do.
pub const PROTOCOL: u32 = 1;

/// The version of the executable.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many bytes the first line may have.
pub const MAX_LINE: u64 = 64 << 10;

/// A request to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayRequest {
    /// Say which executable it is, as every reply does.
    Identify,
    /// Carry out a command of the protocol. Its payload follows.
    Command {
        /// The command's name.
        name: String,
        /// How long it may take.
        milliseconds: u64,
        /// The length of the payload.
        bytes: u64,
        /// The delta to add to the reply.
        #[serde(rename = "tell")]
        delta_since: Option<ReplicaPosition>,
    },
    /// Say what the host is to a router.
    Probe {
        /// The router.
        router: RouterId,
    },
    /// Read what is new about a router.
    #[serde(rename = "tell")]
    ReadDelta {
        /// The router, and since when.
        since: ReplicaPosition,
        /// How long it may take.
        milliseconds: u64,
    },
    /// Update the replica of a router by a delta, which follows.
    #[serde(rename = "keep")]
    StoreReplica {
        /// How long it may take.
        milliseconds: u64,
        /// The length of the delta.
        bytes: u64,
    },
    /// Serve a router from now on.
    TakeOver {
        /// The router.
        router: RouterId,
        /// The epoch that begins.
        epoch: u64,
        /// How long it may take.
        milliseconds: u64,
    },
    /// Stop serving a router.
    #[serde(rename = "withdraw")]
    StepDown {
        /// The router.
        router: RouterId,
        /// The epoch in which another host serves it.
        epoch: u64,
        /// The router no longer exists.
        forget: bool,
        /// How long it may take.
        milliseconds: u64,
    },
}

/// How much of a router a replica holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaPosition {
    /// The router.
    pub router: RouterId,
    /// The serial up to which it is known; 0 for nothing.
    pub serial: u64,
}

impl RelayRequest {
    /// The request to carry out a command.
    pub fn command(
        command: Command,
        milliseconds: u64,
        payload: &[u8],
        delta_since: Option<ReplicaPosition>,
    ) -> Self {
        let (name, bytes) = (command.name().to_owned(), payload.len() as u64);
        Self::Command { name, milliseconds, bytes, delta_since }
    }
}

/// A host's reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelayReply {
    /// The command was carried out.
    Succeeded {
        /// What it printed.
        output: String,
        /// What is new about the router, if the request asked for it and there is anything.
        #[serde(rename = "news")]
        delta: Option<RouterDelta>,
    },
    /// The request failed.
    Failed {
        /// The exit code.
        exit: u8,
        /// The reason in one line.
        line: String,
    },
    /// What the host is to a router.
    Probed(FailoverState),
    /// What is new about a router, if there is anything.
    #[serde(rename = "told")]
    Delta(Option<RouterDelta>),
    /// The request was carried out.
    Done,
    /// The replica lacks what the delta builds on. It needs a complete one.
    Behind,
    /// The delta is out of date: another host serves the router.
    Outdated {
        /// Since this epoch.
        epoch: u64,
    },
}

/// The line of a request or a reply. Its content can be read only if both ends speak the same protocol.
#[derive(Debug, Serialize, Deserialize)]
struct RelayLine<'a, T> {
    relay: u32,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<T>,
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RelayLineError {
    /// The other end speaks another protocol.
    #[error("version {version} speaks relay protocol {protocol}, version {VERSION} speaks {PROTOCOL}")]
    Incompatible {
        /// The other end's protocol.
        protocol: u32,
        /// The version of its executable.
        version: String,
    },
    /// It breaks the protocol.
    #[error("cannot read a line of the relay: {0}")]
    Malformed(serde_json::Error),
}

impl From<serde_json::Error> for RelayLineError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error)
    }
}

/// Writes a request or a reply as a line.
pub fn to_line(content: &impl Serialize) -> String {
    let line = RelayLine { relay: PROTOCOL, version: VERSION, content: Some(content) };
    let mut text = serde_json::to_string(&line).expect("texts, numbers and named fields have a JSON form");
    text.push('\n');
    text
}

/// Reads a request or a reply.
pub fn from_line<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Result<T, RelayLineError> {
    let RelayLine { relay, version, content } = serde_json::from_slice::<RelayLine<'_, &RawValue>>(line)?;
    if relay != PROTOCOL {
        return Err(RelayLineError::Incompatible { protocol: relay, version: version.to_owned() });
    }
    Ok(serde_json::from_str(content.map_or("null", RawValue::get))?)
}

/// The executable that wrote a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutableIdentity {
    /// The version of its relay protocol.
    pub protocol: u32,
    /// Its own version.
    pub version: String,
}

/// The executable that wrote a line of any version of the protocol; `None` if it is no such line.
pub fn identity(line: &[u8]) -> Option<ExecutableIdentity> {
    let RelayLine { relay, version, .. } = serde_json::from_slice::<RelayLine<'_, &RawValue>>(line).ok()?;
    Some(ExecutableIdentity { protocol: relay, version: version.to_owned() })
}

/// Whether a line is a reply, of any version of the protocol. Login scripts of the host may print other lines before.
pub fn is_reply(line: &[u8]) -> bool {
    line.starts_with(b"{\"relay\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_reads_the_lines_of_the_other() {
        let request = RelayRequest::command(Command::AssignIp, 59_000, b"{}", None);
        assert_eq!(from_line::<RelayRequest>(to_line(&request).as_bytes()).unwrap(), request);
        let reply = RelayReply::Failed { exit: 3, line: "no \"nft\"\n".to_owned() };
        let line = to_line(&reply);
        assert!(is_reply(line.as_bytes()) && line.lines().count() == 1, "{line}");
        let received = from_line::<RelayReply>(line.as_bytes()).unwrap();
        assert!(matches!(received, RelayReply::Failed { exit: 3, line } if line == "no \"nft\"\n"));
    }

    #[test]
    fn another_protocol_differs_from_another_version() {
        let request = to_line(&RelayRequest::Probe { router: RouterId::Network(209.into()) });
        let newer = request.replace(VERSION, "9.9.9");
        assert!(from_line::<RelayRequest>(newer.as_bytes()).is_ok());
        let error =
            from_line::<RelayRequest>(br#"{"relay":2,"version":"9.9.9","content":{"new":[]}}"#).unwrap_err();
        assert!(error.to_string().contains("9.9.9 speaks relay protocol 2"), "{error}");
        let newest = identity(br#"{"relay":3,"version":"10.0.0","new":{}}"#).unwrap();
        assert_eq!(newest, ExecutableIdentity { protocol: 3, version: "10.0.0".to_owned() });
        let error = from_line::<RelayRequest>(b"Welcome!\n");
        assert!(matches!(error, Err(RelayLineError::Malformed(_))));
    }

    #[test]
    fn the_words_of_requests_are_those_that_old_hosts_read() {
        let since = ReplicaPosition { router: RouterId::Vpc(7.into()), serial: 3 };
        let router = since.router;
        let words = |request: &RelayRequest| serde_json::to_value(request).unwrap().to_string();
        for (request, expected) in [
            (RelayRequest::Identify, r#""identify""#),
            (
                RelayRequest::command(Command::AssignIp, 5, b"{}", Some(since)),
                r#"{"command":{"bytes":2,"milliseconds":5,"name":"assign-ip","tell":{"router":{"vpc":"7"},"serial":3}}}"#,
            ),
            (RelayRequest::Probe { router }, r#"{"probe":{"router":{"vpc":"7"}}}"#),
            (
                RelayRequest::ReadDelta { since, milliseconds: 5 },
                r#"{"tell":{"milliseconds":5,"since":{"router":{"vpc":"7"},"serial":3}}}"#,
            ),
            (
                RelayRequest::StoreReplica { milliseconds: 5, bytes: 9 },
                r#"{"keep":{"bytes":9,"milliseconds":5}}"#,
            ),
            (
                RelayRequest::TakeOver { router, epoch: 2, milliseconds: 5 },
                r#"{"take-over":{"epoch":2,"milliseconds":5,"router":{"vpc":"7"}}}"#,
            ),
            (
                RelayRequest::StepDown { router, epoch: 2, forget: true, milliseconds: 5 },
                r#"{"withdraw":{"epoch":2,"forget":true,"milliseconds":5,"router":{"vpc":"7"}}}"#,
            ),
        ] {
            assert_eq!(words(&request), expected);
        }
    }

    #[test]
    fn the_words_of_replies_are_those_that_old_proxies_read() {
        let words = |reply: &RelayReply| serde_json::to_value(reply).unwrap().to_string();
        let output = String::new();
        for (reply, expected) in [
            (
                RelayReply::Succeeded { output, delta: Some(RouterDelta::Gone) },
                r#"{"succeeded":{"news":"gone","output":""}}"#,
            ),
            (RelayReply::Failed { exit: 3, line: "no".into() }, r#"{"failed":{"exit":3,"line":"no"}}"#),
            (
                RelayReply::Probed(FailoverState::default()),
                r#"{"probed":{"copy":null,"knows":null,"serves":null,"superseded":null}}"#,
            ),
            (RelayReply::Delta(None), r#"{"told":null}"#),
            (RelayReply::Done, r#""done""#),
            (RelayReply::Behind, r#""behind""#),
            (RelayReply::Outdated { epoch: 4 }, r#"{"outdated":{"epoch":4}}"#),
        ] {
            assert_eq!(words(&reply), expected);
        }
    }
}
