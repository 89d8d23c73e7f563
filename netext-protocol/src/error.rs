//! What is wrong with a payload file.

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
        let path = match error.path().to_string() {
            top if top == "." => "payload file".to_owned(),
            path => in_one_line(&path),
        };
        Self { command, path, pointer: pointer(error.path()), problem: problem(error.inner()) }
    }

    pub(crate) fn after_the_end(command: Command, error: &serde_json::Error) -> Self {
        Self { command, path: "payload file".to_owned(), pointer: String::new(), problem: problem(error) }
    }
}

fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            // No type of the protocol is a Rust enum on the wire, and an unknown place is no place.
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
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
fn problem(error: &serde_json::Error) -> String {
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
