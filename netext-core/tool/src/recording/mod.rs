//! Recordings of the calls between a server and an extension: written by a recorder in the extension's place, and replayed
//! to another build.
//!
//! A recording is a folder with a file per run, in the order in which they began. Credentials are [masked] before a file
//! is written.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
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

/// The replacement of the payload file's path, which differs in every run.
const PAYLOAD_FILE: &str = "<payload-file>";
/// A shorter credential is not masked in the output, because it may be there by chance.
const SHORTEST_SECRET: usize = 4;

/// One run of an extension, without credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The arguments, with `<payload-file>` for the path of the payload file.
    arguments: Vec<String>,
    /// The payload without its credentials; none if the file did not exist or is not a JSON object.
    payload: Option<Value>,
    /// All output, or standard output only if there is an `error_output`.
    output: String,
    /// Standard error, if it was another stream than standard output.
    error_output: Option<String>,
    /// The exit code, if the run exited.
    exit_code: Option<i32>,
    /// The signal that ended the run, if one did.
    signal: Option<i32>,
    /// The start of the run, in milliseconds since 1970.
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
    /// A file is not part of a recording.
    #[error("{0} is not a file of a recording")]
    Malformed(PathBuf, #[source] serde_json::Error),
    /// The folder is empty.
    #[error("{0} holds no recording")]
    Empty(PathBuf),
}

impl Recorded {
    /// The command, if it is one of the protocol.
    fn command(&self) -> Option<Command> {
        self.arguments.first()?.parse().ok()
    }

    /// Removes the credentials, and the path of the payload file.
    fn without_secrets(mut self, payload: Option<&[u8]>, path: &str) -> Self {
        let document = payload.and_then(|it| serde_json::from_slice::<Value>(it).ok());
        // Without a known command and a JSON object, every value may be a credential.
        let known = document.filter(Value::is_object).zip(self.command());
        let (shown, secrets) = match known {
            Some((document, command)) => {
                let (shown, secrets) = masked(command, document);
                (Some(shown), secrets)
            }
            None => (None, Vec::new()),
        };
        // The output may contain a credential of an unreadable payload.
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

    /// Writes the file to the folder, as a whole or not at all.
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

/// Masks credentials in an output: in plain, in JSON's escapes and in the server's escapes.
fn hide(printed: &mut String, secrets: &[String]) {
    let mut secrets: Vec<_> = secrets.iter().filter(|it| it.len() >= SHORTEST_SECRET).collect();
    // Longer ones first, because they may contain others.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        let json = Value::from(secret.as_str());
        for written in [secret.clone(), json.to_string(), as_gson_writes(&json)] {
            let written = written.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(&written);
            *printed = printed.replace(written, MASK);
        }
    }
}
