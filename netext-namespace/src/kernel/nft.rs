//! The program `nft`: puts scripts of packet rules in force, and lists them.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use super::namespace::{Namespace, NamespaceError};
use super::netlink::NetlinkError;
use crate::plan::PACKET_TABLE;
use crate::programs::{OutputMode, Program, ProgramError, search_path};

/// How many bytes nft may print.
const LONGEST_LISTING: u64 = 1 << 30;
/// How much of a line of the script an error quotes.
const QUOTE: usize = 120;

/// Why a script is not in force. nft hands it to the kernel as one transaction, so the rules are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// `nft` is not installed.
    #[error("cannot run nft: not found; install the package nftables")]
    Missing,
    /// nft could not be started or watched.
    #[error("cannot {attempted} nft")]
    Failed {
        /// What was attempted, to be read between "cannot" and "nft".
        attempted: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// nft or the kernel refused the script.
    #[error("nft refused the rules of {namespace}: {complaint}{}", .line.as_deref().map(|line| format!(" in: {line}")).unwrap_or_default())]
    Refused {
        /// The namespace.
        namespace: String,
        /// The first error that nft reports.
        complaint: String,
        /// The line of the script with the error, shortened around the place.
        line: Option<String>,
    },
    /// Another process changed the rules.
    #[error("another process changed the rules of {namespace}")]
    Changed {
        /// The namespace.
        namespace: String,
    },
    /// The deadline passed; nft was killed.
    #[error("nft did not put the rules of {namespace} in force within the time given; it was stopped")]
    TimedOut {
        /// The namespace.
        namespace: String,
    },
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The kernel refused a request.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
}

/// Puts `script` in force in the namespace, as one transaction.
///
/// # Errors
/// [`NftError::Refused`] with the first error that nft reports, [`NftError::TimedOut`] if `deadline` passes first.
/// Either way the rules are unchanged.
pub fn run(namespace: &Namespace, script: &str, deadline: Instant) -> Result<(), NftError> {
    nft(namespace, &["-f", "-"], script, deadline).map(|_| ())
}

/// The table of the namespace in nft's JSON.
pub(super) fn list(namespace: &Namespace, deadline: Instant) -> Result<Vec<u8>, NftError> {
    let (family, table) = PACKET_TABLE.split_once(' ').expect("a family and a name");
    nft(namespace, &["-j", "list", "table", family, table], "", deadline)
}

/// Runs nft on a script, and returns what it printed.
fn nft(
    namespace: &Namespace,
    arguments: &[&str],
    script: &str,
    deadline: Instant,
) -> Result<Vec<u8>, NftError> {
    let mut command = Command::new("nft");
    command.args(arguments).env("PATH", search_path());
    let program = Program::new(command, OutputMode::Both).input(script.as_bytes()).limit(LONGEST_LISTING);
    let ended = namespace.enter(|| program.start())?.and_then(|running| running.wait(deadline));
    let ended = ended.map_err(|error| match error {
        ProgramError::Missing(_) => NftError::Missing,
        ProgramError::TimedOut => NftError::TimedOut { namespace: namespace.name().to_string() },
        ProgramError::Failed { attempted, source } => NftError::Failed { attempted, source },
    })?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(refusal(namespace.name().to_string(), &ended.complaint(), script, ended.status))
}

/// nft reports `/dev/stdin:LINE:FROM-TO: Error: WORDS`, then the line, then carets under the place.
pub(super) fn refusal(namespace: String, complaints: &str, script: &str, status: ExitStatus) -> NftError {
    let Some(first) = complaints.lines().find(|line| !line.trim().is_empty()) else {
        return NftError::Refused { namespace, complaint: format!("no reason given ({status})"), line: None };
    };
    let Some((place, words)) = first.split_once(": ") else {
        return NftError::Refused { namespace, complaint: shortened(first, 0), line: None };
    };
    let mut parts = place.rsplit(':');
    let column =
        parts.next().and_then(|columns| columns.split('-').next()).and_then(|from| from.parse().ok());
    let number: Option<usize> = parts.next().and_then(|line| line.parse().ok());
    let line = number.and_then(|number| script.lines().nth(number.checked_sub(1)?));
    match (line, column) {
        (Some(line), Some(column)) => NftError::Refused {
            namespace,
            complaint: shortened(words.trim_start_matches("Error: "), 0),
            line: Some(shortened(line, column)),
        },
        _ => NftError::Refused { namespace, complaint: shortened(first, 0), line: None },
    }
}

/// The part of a line around a column, short enough for an error of one line.
fn shortened(line: &str, column: usize) -> String {
    let start = if line.chars().count() <= QUOTE { 0 } else { column.saturating_sub(QUOTE / 2) };
    line.chars().skip(start).take(QUOTE).collect::<String>().trim().to_owned()
}
