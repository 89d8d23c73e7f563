//! An operator's own actions: programs in the folder `hooks` of the state.
//!
//! A hook runs as root. So root must own it, and no other user may be able to write it. It runs without the router's
//! lock, so that it can call the extension itself.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use netext_core::{Context, DeviceError};
use netext_protocol::{ActionResult, CustomAction, Envelope, Request};
use serde_json::{Map, Value};

use super::ActionOutcome;
use crate::files::{self, absent_is_none};
use crate::model::RouterId;
use crate::programs::{OutputMode, Program, ProgramError, ProgramOutput, in_memory};
use crate::store::Store;

/// The longest output of a hook.
const LONGEST_ANSWER: u64 = 256 * 1024;
/// How much of its complaints an error quotes.
const QUOTE: usize = 300;
/// How long before the command's own deadline a hook is ended.
const MARGIN: Duration = Duration::from_millis(500);

/// A program of the operator.
#[derive(Debug)]
pub(super) struct OperatorHook {
    path: PathBuf,
}

/// The hook for an action, if there is one.
///
/// # Errors
/// When there is one that may not be run.
pub(super) fn find(store: &Store, action: &str) -> Result<Option<OperatorHook>, DeviceError> {
    if !is_name(action) {
        return Ok(None);
    }
    let folder = store.hooks_folder();
    for name in [format!("custom-action-{action}"), format!("custom-action-{action}.sh")] {
        let path = folder.join(name);
        let found = absent_is_none(path.symlink_metadata()).map_err(files::failed("look at", &path))?;
        let Some(found) = found else { continue };
        let folder_found = folder.symlink_metadata().map_err(files::failed("look at", &folder))?;
        let refused = |what: &str, why: String| {
            DeviceError::invalid(format!("cannot run the hook {}: {what} {why}", path.display()))
        };
        trust(&folder_found, folder_found.is_dir(), "a folder").map_err(|why| refused("its folder", why))?;
        trust(&found, found.is_file(), "a file").map_err(|why| refused("it", why))?;
        if found.mode() & 0o100 == 0 {
            return Err(refused("it", "is not executable: chmod u+x".to_owned()));
        }
        return Ok(Some(OperatorHook { path }));
    }
    Ok(None)
}

/// A letter or digit, and up to 63 letters, digits, `-` or `_`: no such name leads out of the folder.
fn is_name(action: &str) -> bool {
    action.starts_with(|first: char| first.is_ascii_alphanumeric())
        && action.len() <= 64
        && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Checks whether a file or folder can be trusted: root must own it, and only root may be able to write it.
fn trust(found: &Metadata, is_kind: bool, kind: &str) -> Result<(), String> {
    if !is_kind {
        return Err(format!("is not {kind}"));
    }
    if found.uid() != 0 {
        return Err("does not belong to root: chown root".to_owned());
    }
    if found.mode() & 0o022 != 0 {
        return Err("can be written by other users than root: chmod go-w".to_owned());
    }
    Ok(())
}

impl OperatorHook {
    /// Runs it with the payload's path as its argument. Its output becomes the answer.
    pub(super) fn run(
        &self,
        store: &Store,
        context: &Context,
        router: RouterId,
        request: &CustomAction,
    ) -> ActionOutcome {
        let failed = |attempted: &str| {
            let message = format!("cannot {attempted} the hook {}", self.path.display());
            move |error: io::Error| DeviceError::device(message).with_source(error)
        };
        let payload = payload(context, request).map_err(failed("hand the payload to"))?;
        let mut command = Command::new(&self.path);
        command
            // The hook can open this path several times; it ends with this process.
            .arg(format!("/proc/{}/fd/{}", std::process::id(), payload.as_raw_fd()))
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("NETEXT_ROUTER", router.to_string())
            .env("NETEXT_NAMESPACE", router.namespace().as_ref())
            .env("NETEXT_STATE", store.root())
            .current_dir("/");
        let deadline = Instant::now() + context.deadline().remaining().saturating_sub(MARGIN);
        // One byte more than allowed, so that longer output is detected.
        let ended = Program::new(command, OutputMode::Piped).limit(LONGEST_ANSWER + 1).run(deadline);
        let ProgramOutput { status, stdout, stderr } = ended.map_err(|error| match error {
            ProgramError::Missing(source) => failed("start")(source),
            ProgramError::TimedOut => DeviceError::timed_out(format!(
                "the hook {} did not end in the time given; it was killed",
                self.path.display()
            )),
            ProgramError::Failed { attempted, source } => failed(attempted)(source),
        })?;
        self.answer(status, &stdout, &stderr)
    }

    fn answer(&self, status: ExitStatus, output: &[u8], errors: &[u8]) -> ActionOutcome {
        let path = self.path.display();
        if !status.success() {
            let words = quoted(if errors.is_empty() { output } else { errors });
            return Err(DeviceError::device(format!("the hook {path} failed ({status}): {words}")));
        }
        if output.len() as u64 > LONGEST_ANSWER {
            return Err(DeviceError::device(format!(
                "the hook {path} printed more than {LONGEST_ANSWER} bytes"
            )));
        }
        let text = std::str::from_utf8(output)
            .map_err(|_| DeviceError::device(format!("the output of the hook {path} is not UTF-8")))?
            .trim();
        match serde_json::from_str(text) {
            Ok(Value::Object(answer)) if answer.contains_key("status") => {
                let status = answer["status"].as_str().unwrap_or_default();
                if !status.eq_ignore_ascii_case("success") {
                    return Err(DeviceError::device(format!("the hook {path} says: {}", quoted(output))));
                }
                // The hook uses the server's format itself.
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

/// The payload, in memory: it has credentials, which must not reach a disk.
fn payload(context: &Context, request: &CustomAction) -> io::Result<File> {
    let mut envelope = Envelope::new(Request::from(request.clone()))
        .physical_details(context.physical_details().clone())
        .device_details(context.device_details().clone());
    envelope.extra = context.extra().clone();
    in_memory(envelope.to_json().as_bytes())
}

fn quoted(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let words: String = words.trim().chars().take(QUOTE).collect();
    if words.is_empty() { "without a message".to_owned() } else { words }
}

/// The cells of a table are not nested.
fn flat(row: Map<String, Value>) -> Map<String, Value> {
    let cell = |value: Value| match value {
        nested @ (Value::Array(_) | Value::Object(_)) => Value::from(nested.to_string()),
        scalar => scalar,
    };
    row.into_iter().map(|(name, value)| (name, cell(value))).collect()
}
