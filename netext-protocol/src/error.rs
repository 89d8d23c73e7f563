//! What is wrong with a payload file.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize, de};
use serde_path_to_error::{Path, Segment};

use crate::Command;

/// A payload file that cannot be understood: the message names the command, the field's path, what was found
/// and what was expected. It never holds the value of a secret.
///
/// ```
/// # use netext_protocol::{Command, Envelope};
/// let file = br#"{"payload": {"network_id": "209", "public_ip": "198.51.100.300"}}"#;
/// let error = Envelope::parse(Command::AssignIp, file).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"assign-ip: payload.public_ip: "198.51.100.300" is not an IPv4 address"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {path}: {problem}")]
pub struct ParseError {
    command: Command,
    path: String,
    pointer: String,
    problem: String,
}

impl ParseError {
    /// The command whose payload it is.
    pub fn command(&self) -> Command {
        self.command
    }

    /// Where in the file, such as `payload.fw_rules.rules[2].protocol`; `payload file` for the whole of it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same place as a JSON pointer (RFC 6901), such as `/payload/fw_rules/rules/2/protocol`; the empty one
    /// for the whole file. Its keys are foreign text as it stands in the file.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was found and what was expected.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    pub(crate) fn in_field(command: Command, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (inside, problem) = outside(problem(error.inner()));
        let place: Vec<_> = Place::of(error.path()).into_iter().chain(inside).collect();
        let path = if place.is_empty() { "payload file".to_owned() } else { in_one_line(&path(&place)) };
        Self { command, path, pointer: pointer(&place), problem }
    }

    pub(crate) fn after_the_end(command: Command, error: &serde_json::Error) -> Self {
        Self { command, path: "payload file".to_owned(), pointer: String::new(), problem: problem(error) }
    }
}

/// A step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    /// An element of a list.
    Index(usize),
    /// An entry of an object.
    Key(String),
}

impl Place {
    pub(crate) fn key(key: &str) -> Self {
        Self::Key(key.to_owned())
    }

    pub(crate) fn of(path: &Path) -> Vec<Self> {
        path.iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Self::Index(*index)),
                Segment::Map { key } => Some(Self::key(key)),
                // No type of the protocol is a Rust enum on the wire, and an unknown place is no place.
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect()
    }
}

fn path(place: &[Place]) -> String {
    let mut path = String::new();
    for step in place {
        // Writing to a string cannot fail.
        let _ = match step {
            Place::Index(index) => write!(path, "[{index}]"),
            Place::Key(key) if path.is_empty() => write!(path, "{key}"),
            Place::Key(key) => write!(path, ".{key}"),
        };
    }
    path
}

fn pointer(place: &[Place]) -> String {
    place
        .iter()
        .map(|step| match step {
            Place::Index(index) => format!("/{index}"),
            Place::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        })
        .collect()
}

/// Stands around a place in an error's text. No message holds it otherwise: foreign text is escaped.
const MARK: char = '\u{1}';

/// An error inside a text that is parsed on its own. serde's errors are texts, so the place inside travels in
/// front of the problem, as JSON, until [`outside`] takes them apart.
pub(crate) fn within<E: de::Error>(place: &[Place], problem: impl fmt::Display) -> E {
    let place = serde_json::to_string(place).unwrap_or_default();
    E::custom(format_args!("{MARK}{place}{MARK}{problem}"))
}

fn outside(problem: String) -> (Vec<Place>, String) {
    let parts = problem.strip_prefix(MARK).and_then(|rest| rest.split_once(MARK));
    match parts.map(|(place, problem)| (serde_json::from_str(place), problem)) {
        Some((Ok(place), problem)) => (place, problem.to_owned()),
        _ => (Vec::new(), problem),
    }
}

/// A path as it may stand in a message: its keys are foreign text.
fn in_one_line(path: &str) -> String {
    const LONGEST: usize = 250;
    let mut escaped: String = path.chars().flat_map(char::escape_debug).take(LONGEST + 1).collect();
    if let Some((cut, _)) = escaped.char_indices().nth(LONGEST) {
        escaped.truncate(cut);
        escaped.push_str("...");
    }
    escaped
}

/// The message in one line. The position in the file helps with broken JSON only, elsewhere the path says more.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string().replace(['\n', '\r'], " ");
    if error.is_data() {
        match message.rfind(" at line ") {
            Some(position) => message[..position].to_owned(),
            None => message,
        }
    } else {
        format!("not JSON: {message}")
    }
}
