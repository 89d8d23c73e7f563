//! An operator's own actions: programs in the folder `hooks` of the state.
//!
//! A hook runs as root. So it has to be root's, and nobody else may have been able to write it; whatever else a hook
//! does is its author's affair. It runs without the router's lock, so that it may call the extension itself.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use netext_core::{Context, DeviceError, ErrorKind};
use netext_protocol::{ActionResult, CustomAction, Envelope, Request};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::{Map, Value};

use super::Outcome;
use crate::kernel::wait::ended_by;
use crate::model::RouterId;
use crate::store::Store;

/// What a hook may say.
const LONGEST_ANSWER: u64 = 256 * 1024;
/// What is heard of its complaints, and how much of them an error quotes.
const LONGEST_COMPLAINT: u64 = 16 * 1024;
const QUOTE: usize = 300;
/// How long before the command's own deadline a hook is ended.
const MARGIN: Duration = Duration::from_millis(500);
/// How long a hook's streams may stay open after its end: something that it left behind may hold them.
const GRACE: Duration = Duration::from_millis(200);

/// A program that the operator put there.
#[derive(Debug)]
pub(super) struct Hook {
    path: PathBuf,
}

/// The hook for an action, if there is one.
///
/// # Errors
/// When there is one that may not be run.
pub(super) fn find(store: &Store, action: &str) -> Result<Option<Hook>, DeviceError> {
    if !is_name(action) {
        return Ok(None);
    }
    let folder = store.hooks_folder();
    for name in [format!("custom-action-{action}"), format!("custom-action-{action}.sh")] {
        let path = folder.join(name);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(
                    DeviceError::device(format!("cannot look at {}", path.display())).with_source(error)
                );
            }
            Ok(found) => {
                let folder_found = folder.symlink_metadata().map_err(|error| {
                    DeviceError::device(format!("cannot look at {}", folder.display())).with_source(error)
                })?;
                let refused = |what: &Path, why: String| {
                    let (hook, what) = (path.display(), what.display());
                    DeviceError::invalid(format!("the hook {hook} is not run, because {what} {why}"))
                };
                trust(&folder_found, folder_found.is_dir(), "a folder")
                    .map_err(|why| refused(&folder, why))?;
                trust(&found, found.is_file(), "a file").map_err(|why| refused(&path, why))?;
                if found.mode() & 0o100 == 0 {
                    return Err(refused(&path, "is not executable: chmod u+x".to_owned()));
                }
                return Ok(Some(Hook { path }));
            }
        }
    }
    Ok(None)
}

/// A letter or digit, and up to 63 letters, digits, `-` or `_` behind it: no way out of the folder.
fn is_name(action: &str) -> bool {
    action.starts_with(|first: char| first.is_ascii_alphanumeric())
        && action.len() <= 64
        && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether a file or folder can be trusted: it has to be root's, and nobody else's to write.
fn trust(found: &Metadata, is_kind: bool, kind: &str) -> Result<(), String> {
    if !is_kind {
        return Err(format!("is not {kind}"));
    }
    if found.uid() != 0 {
        return Err("is not root's: chown root".to_owned());
    }
    if found.mode() & 0o022 != 0 {
        return Err("may be written by others than root: chmod go-w".to_owned());
    }
    Ok(())
}

impl Hook {
    /// Runs it with the payload's path as its argument, and makes its words the answer.
    pub(super) fn run(
        &self,
        store: &Store,
        context: &Context,
        router: RouterId,
        request: &CustomAction,
    ) -> Outcome {
        let failed = |attempted: &str| {
            let message = format!("cannot {attempted} the hook {}", self.path.display());
            move |error: io::Error| DeviceError::device(message).with_source(error)
        };
        let payload = payload(context, request).map_err(failed("hand the payload to"))?;
        let mut command = Command::new(&self.path);
        command
            // A path that anyone who may can open again and again, and that ends with this process.
            .arg(format!("/proc/{}/fd/{}", std::process::id(), payload.as_raw_fd()))
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("NETEXT_ROUTER", router.to_string())
            .env("NETEXT_NAMESPACE", router.namespace().as_ref())
            .env("NETEXT_STATE", store.root())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let deadline = Instant::now() + context.deadline().remaining().saturating_sub(MARGIN);
        let mut child = command.spawn().map_err(failed("start"))?;
        let said = child.stdout.take().map(|stdout| listen(stdout, LONGEST_ANSWER));
        let complained = child.stderr.take().map(|stderr| listen(stderr, LONGEST_COMPLAINT));

        let group = Pid::from_child(&child);
        let ended = pidfd_open(group, PidfdFlags::empty()).and_then(|process| ended_by(process, deadline));
        if !matches!(ended, Ok(true)) {
            // Gone already is fine.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait().map_err(failed("wait for"))?;
        let (said, complained) = (heard(said), heard(complained));
        if !ended.map_err(|errno| failed("watch")(errno.into()))? {
            let path = self.path.display();
            return Err(DeviceError::new(
                ErrorKind::TimedOut,
                format!("the hook {path} did not end in the time given; it was killed"),
            ));
        }
        self.answer(status, &said, &complained)
    }

    fn answer(&self, status: ExitStatus, said: &[u8], complained: &[u8]) -> Outcome {
        let path = self.path.display();
        if !status.success() {
            let words = if complained.is_empty() { said } else { complained };
            let words = quoted(words);
            return Err(DeviceError::device(format!("the hook {path} failed ({status}): {words}")));
        }
        if said.len() as u64 > LONGEST_ANSWER {
            return Err(DeviceError::device(format!(
                "the hook {path} said more than {LONGEST_ANSWER} bytes"
            )));
        }
        let text = std::str::from_utf8(said)
            .map_err(|_| DeviceError::device(format!("what the hook {path} said is not UTF-8")))?
            .trim();
        match serde_json::from_str(text) {
            Ok(Value::Object(answer)) if answer.contains_key("status") => {
                let status = answer["status"].as_str().unwrap_or_default();
                if !status.eq_ignore_ascii_case("success") {
                    return Err(DeviceError::device(format!("the hook {path} says: {}", quoted(said))));
                }
                // It speaks the server's language itself.
                Ok(ActionResult::text(Value::Object(answer).to_string()))
            }
            Ok(Value::Object(answer)) => Ok(ActionResult::rows(vec![flat(answer)])),
            Ok(Value::Array(list)) if list.iter().all(Value::is_object) => {
                let rows = list.into_iter().filter_map(|row| match row {
                    Value::Object(row) => Some(flat(row)),
                    _ => None,
                });
                Ok(ActionResult::rows(rows.collect()))
            }
            _ => Ok(ActionResult::message(if text.is_empty() { "OK" } else { text })),
        }
    }
}

/// The payload in memory: it holds credentials, and no disk need ever see them.
fn payload(context: &Context, request: &CustomAction) -> io::Result<File> {
    let mut envelope = Envelope::new(Request::from(request.clone()))
        .physical_details(context.physical_details().clone())
        .device_details(context.device_details().clone());
    envelope.extra = context.extra().clone();
    let mut file = File::from(memfd_create("payload", MemfdFlags::CLOEXEC)?);
    file.write_all(envelope.to_json().as_bytes())?;
    Ok(file)
}

/// Takes a stream off the hook's hands: one byte more than the limit is kept, the rest is not.
fn listen(mut stream: impl Read + Send + 'static, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (words, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = stream.by_ref().take(limit + 1);
        let mut buffer = [0; 4096];
        // A stream that breaks off has said what it had to say; and nobody may listen any more.
        while let Ok(length @ 1..) = kept.read(&mut buffer) {
            if words.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
        drop(words);
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    heard
}

/// What was said, to the end of the stream or until patience ends.
fn heard(words: Option<mpsc::Receiver<Vec<u8>>>) -> Vec<u8> {
    let until = Instant::now() + GRACE;
    let mut said = Vec::new();
    while let Some(Ok(more)) =
        words.as_ref().map(|words| words.recv_timeout(until.saturating_duration_since(Instant::now())))
    {
        said.extend(more);
    }
    said
}

fn quoted(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let words: String = words.trim().chars().take(QUOTE).collect();
    if words.is_empty() { "without a word".to_owned() } else { words }
}

/// A table's cells are not nested.
fn flat(row: Map<String, Value>) -> Map<String, Value> {
    let cell = |value: Value| match value {
        nested @ (Value::Array(_) | Value::Object(_)) => Value::from(nested.to_string()),
        scalar => scalar,
    };
    row.into_iter().map(|(name, value)| (name, cell(value))).collect()
}
