//! What a server and an extension said to each other: kept by a recorder that stands in for the extension, and
//! played again to another build of it.
//!
//! A recording is a folder with a file per run, in the order in which they began. Credentials are
//! [masked] before anything is written.

pub(crate) mod record;
pub(crate) mod replay;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use netext_protocol::Command;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::payload_file::{MASK, masked};
use netext_core::testing::as_gson_writes;

/// What stands for the path of the payload file, which is another at every run.
const PAYLOAD_FILE: &str = "<payload-file>";
/// A credential that is shorter is not looked for in what was printed: it stands there by chance.
const SHORTEST_SECRET: usize = 4;

/// One run of an extension, without credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The arguments, with `<payload-file>` for the path of the payload file.
    arguments: Vec<String>,
    /// The payload without its credentials; none if the file was not there or not a JSON object.
    payload: Option<Value>,
    /// Everything that was printed, or what was printed on standard output if `error_output` is there.
    output: String,
    /// What was printed on standard error, if that was another stream than standard output.
    error_output: Option<String>,
    /// The exit code, if it exited.
    exit_code: Option<i32>,
    /// The signal that ended it, if one did.
    signal: Option<i32>,
    /// When it began, in milliseconds since 1970.
    began_ms: u64,
    /// From its start to the end of its output, in milliseconds.
    took_ms: f64,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordingError {
    /// The folder or a file cannot be read.
    #[error("cannot read {0}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file is none of a recording.
    #[error("{0} is not of a recording")]
    Malformed(PathBuf, #[source] serde_json::Error),
    /// There is nothing in the folder.
    #[error("{0} holds no recording")]
    Empty(PathBuf),
}

impl Recorded {
    /// The command, if it is one of the protocol.
    fn command(&self) -> Option<Command> {
        self.arguments.first()?.parse().ok()
    }

    /// Takes the credentials out of what is to be kept, and the path that is another every time.
    fn without_secrets(mut self, payload: Option<&[u8]>, path: &str) -> Self {
        let document = payload.and_then(|it| serde_json::from_slice::<Value>(it).ok());
        // What is no payload of a known command may hold anything anywhere.
        let known = document.filter(Value::is_object).zip(self.command());
        let (shown, secrets) = match known {
            Some((document, command)) => {
                let (shown, secrets) = masked(command, document);
                (Some(shown), secrets)
            }
            None => (None, Vec::new()),
        };
        // Whether what was printed shows a credential of a payload that cannot be read, nobody can tell.
        let is_unknown = payload.is_some() && shown.is_none();
        self.payload = shown;
        for printed in [Some(&mut self.output), self.error_output.as_mut()].into_iter().flatten() {
            if is_unknown && !printed.is_empty() {
                MASK.clone_into(printed);
            }
            hide(printed, &secrets);
            if !path.is_empty() {
                *printed = printed.replace(path, PAYLOAD_FILE);
            }
        }
        self
    }

    /// Writes it into the folder, as a whole or not at all.
    fn write(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.subsec_nanos());
        let command = self.command().map_or("other", Command::name);
        let name = format!("{:015}-{nanoseconds:09}-{}-{command}.json", self.began_ms, std::process::id());
        let new = folder.join(format!(".{name}.new"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        std::fs::rename(new, folder.join(name))
    }

    /// Reads a recording, in the order in which its runs began.
    fn read_all(folder: &Path) -> Result<Vec<(String, Self)>, RecordingError> {
        let unreadable = |error| RecordingError::Unreadable(folder.to_owned(), error);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".json") && !name.starts_with('.')
        });
        paths.sort_unstable();
        if paths.is_empty() {
            return Err(RecordingError::Empty(folder.to_owned()));
        }
        let read = |path: PathBuf| {
            let text =
                std::fs::read(&path).map_err(|error| RecordingError::Unreadable(path.clone(), error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let recorded =
                serde_json::from_slice(&text).map_err(|error| RecordingError::Malformed(path, error))?;
            Ok((name, recorded))
        };
        paths.into_iter().map(read).collect()
    }
}

/// Masks credentials in what was printed: as they are, as JSON escapes them, and as the server does.
fn hide(printed: &mut String, secrets: &[String]) {
    let mut secrets: Vec<_> = secrets.iter().filter(|it| it.len() >= SHORTEST_SECRET).collect();
    // One that holds another is looked for first.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        let json = Value::from(secret.as_str());
        for written in [secret.clone(), json.to_string(), as_gson_writes(&json)] {
            let written = written.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(&written);
            *printed = printed.replace(written, MASK);
        }
    }
}
