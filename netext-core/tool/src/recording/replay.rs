//! `netext replay`: plays a recording to another build of an extension.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_core::error_chain;
use netext_core::testing::{
    CallStreams, Executable, Extension, ExtensionCall, ProcessEnd, Response, as_gson_writes,
};
use netext_protocol::{Command, DeviceDetails};
use serde_json::{Value, json};

use super::{PAYLOAD_FILE, Recorded, RecordingError};
use crate::payload_file::MASK;
use crate::printer::{Printer, Tone, fail, print_json, say, verdict};

/// Play a recording to another build of the extension, and show what differs.
///
/// The commands are real and run one after the other. A recording has masks in place of credentials. Different times
/// are shown, but are not differences. Exit code 0: nothing differs.
#[derive(clap::Args)]
pub(crate) struct ReplayArguments {
    /// The folder of the recording.
    folder: PathBuf,
    /// The extension.
    #[arg(long, value_name = "PATH")]
    exec: PathBuf,
}

pub(crate) fn run(arguments: &ReplayArguments, printer: Printer) -> ExitCode {
    let executable = match Executable::new(&arguments.exec) {
        Ok(executable) => executable,
        Err(error) => return fail(error),
    };
    let mut runs = Vec::new();
    let played = replay(&arguments.folder, &executable, &mut |replayed| {
        if printer.json { runs.push(as_json(replayed)) } else { show(printer, replayed) }
    });
    let differing = match played {
        Ok(differing) => differing,
        Err(error) => return fail(error_chain(&error)),
    };
    if printer.json {
        print_json(&json!({"differing": differing, "runs": runs}));
    } else {
        say(match differing {
            0 => printer.paint(Tone::Good, "\nnothing differs"),
            1 => printer.paint(Tone::Bad, "\n1 run differs"),
            many => printer.paint(Tone::Bad, format_args!("\n{many} runs differ")),
        });
    }
    verdict(differing == 0)
}

fn show(printer: Printer, replayed: &Replayed) {
    let mark = if replayed.differences.is_empty() {
        printer.paint(Tone::Good, "ok  ")
    } else {
        printer.paint(Tone::Bad, "DIFF")
    };
    let (then, now) = (replayed.recorded.took_ms, replayed.took_ms);
    let name = replayed.recorded.arguments.first().map_or("(no command)", String::as_str);
    say(format_args!("  {mark}  {name:<26} {then:>8.1} ms, now {now:>8.1} ms"));
    for difference in &replayed.differences {
        say(format_args!("        {} was {:?}", difference.what, difference.recorded));
        say(format_args!("        {} is  {:?}", difference.what, difference.replayed));
    }
}

fn as_json(replayed: &Replayed) -> Value {
    let differences: Vec<_> = replayed
        .differences
        .iter()
        .map(|it| json!({"what": it.what, "recorded": it.recorded, "replayed": it.replayed}))
        .collect();
    json!({
        "file": replayed.file,
        "arguments": replayed.recorded.arguments,
        "differences": differences,
        "recorded_milliseconds": replayed.recorded.took_ms,
        "milliseconds": replayed.took_ms,
    })
}

/// One run that was played again.
#[derive(Clone, Debug)]
struct Replayed {
    /// The name of the file with the recorded run.
    file: String,
    /// The recorded run.
    recorded: Recorded,
    /// The differences between the two runs.
    differences: Vec<ReplayDifference>,
    /// The time from its start to the end of its output now, in milliseconds.
    took_ms: f64,
}

/// A difference between a recorded run and its replay.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ReplayDifference {
    /// The part of the response that differs.
    what: &'static str,
    /// The recorded value.
    recorded: String,
    /// The value now.
    replayed: String,
}

/// Plays the runs of a recording one after the other, in the order in which they began, and reports each. Returns the
/// number of runs that differ.
///
/// Payloads have masks in place of credentials. Recorded details of the extension are replaced by the details that it
/// returns now, as the server would pass them.
fn replay(
    folder: &Path,
    executable: &Executable,
    report: &mut dyn FnMut(&Replayed),
) -> Result<usize, RecordingError> {
    let mut details = ReplayedDetails::default();
    let mut differing = 0;
    for (file, recorded) in Recorded::read_all(folder)? {
        let response = executable.call(&call(&recorded, &details));
        let differences = differences(&recorded, &response);
        details.note(&recorded, &response);
        differing += usize::from(!differences.is_empty());
        report(&Replayed { file, recorded, differences, took_ms: response.took.as_secs_f64() * 1000.0 });
    }
    Ok(differing)
}

pub(super) fn call(recorded: &Recorded, details: &ReplayedDetails) -> ExtensionCall {
    let streams = if recorded.error_output.is_some() { CallStreams::Apart } else { CallStreams::Merged };
    let call = match recorded.arguments.as_slice() {
        [command, file, rest @ ..] if file == PAYLOAD_FILE => {
            let call = match &recorded.payload {
                Some(payload) => {
                    ExtensionCall::new(command, as_gson_writes(&details.put_into(payload.clone())))
                }
                None => ExtensionCall::without_file(command),
            };
            match rest.first().and_then(|timeout| timeout.parse().ok()) {
                Some(seconds) => call.timeout(seconds),
                None => call,
            }
        }
        other => ExtensionCall::bare(other),
    };
    call.streams(streams)
}

fn differences(recorded: &Recorded, response: &Response) -> Vec<ReplayDifference> {
    let end = |code: Option<i32>, signal: Option<i32>| match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no end".to_owned(),
    };
    let signal = match response.end {
        ProcessEnd::Killed(signal) => Some(signal),
        _ => None,
    };
    let ends = (end(recorded.exit_code, recorded.signal), end(response.code(), signal));
    let errors = recorded.error_output.clone().unwrap_or_default();
    let compared = [
        ("end", ends.0, ends.1),
        ("output", recorded.output.clone(), response.output.clone()),
        ("error output", errors, response.error_output.clone()),
    ];
    let differ = |(what, recorded, replayed): (&'static str, String, String)| {
        (!is_same(&recorded, &replayed)).then_some(ReplayDifference { what, recorded, replayed })
    };
    compared.into_iter().filter_map(differ).collect()
}

/// The order of keys in JSON does not matter. A value that was masked as a whole is unknown.
fn is_same(one: &str, other: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == other || one == MASK || json(one).is_some_and(|it| Some(it) == json(other))
}

/// The recorded details of `ensure-network-device`, each with the details that the extension returns now.
#[derive(Default)]
pub(super) struct ReplayedDetails(BTreeMap<String, Value>);

impl ReplayedDetails {
    fn note(&mut self, recorded: &Recorded, response: &Response) {
        let details = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        if recorded.command() != Some(Command::EnsureNetworkDevice) {
            return;
        }
        if let (Some(then), Some(now)) = (details(&recorded.output), details(&response.output)) {
            self.0.insert(then.to_string(), now);
        }
    }

    fn put_into(&self, mut document: Value) -> Value {
        let details = DeviceDetails::KEYS.map(|key| format!("/{key}"));
        for pointer in details.iter().map(String::as_str).chain(["/payload/current_details"]) {
            let Some(place) = document.pointer_mut(pointer) else { continue };
            let (is_text, then) = match &*place {
                Value::String(text) => (true, serde_json::from_str::<Value>(text).unwrap_or_default()),
                object => (false, object.clone()),
            };
            if let Some(now) = self.0.get(&then.to_string()) {
                *place = if is_text { now.to_string().into() } else { now.clone() };
            }
        }
        document
    }
}
