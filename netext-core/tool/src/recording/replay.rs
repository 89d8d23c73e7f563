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
use crate::screen::{Screen, Tone, fail, print_json, say, verdict};

/// Play a recording to another build of the extension, and show what differs.
///
/// The commands are real and run one after the other. Credentials are not in a recording: their places hold
/// masks. Times are shown, not judged. Exit code 0: nothing differs.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the recording.
    folder: PathBuf,
    /// The extension.
    #[arg(long, value_name = "PATH")]
    exec: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, screen: Screen) -> ExitCode {
    let executable = match Executable::new(&arguments.exec) {
        Ok(executable) => executable,
        Err(error) => return fail(error),
    };
    let mut runs = Vec::new();
    let played = replay(&arguments.folder, &executable, &mut |replayed| {
        if screen.json { runs.push(as_json(replayed)) } else { tell(screen, replayed) }
    });
    let differing = match played {
        Ok(differing) => differing,
        Err(error) => return fail(error_chain(&error)),
    };
    if screen.json {
        print_json(&json!({"differing": differing, "runs": runs}));
    } else {
        say(match differing {
            0 => screen.paint(Tone::Good, "\nnothing differs"),
            1 => screen.paint(Tone::Bad, "\n1 run differs"),
            many => screen.paint(Tone::Bad, format_args!("\n{many} runs differ")),
        });
    }
    verdict(differing == 0)
}

fn tell(screen: Screen, replayed: &Replayed) {
    let mark = if replayed.differences.is_empty() {
        screen.paint(Tone::Good, "ok  ")
    } else {
        screen.paint(Tone::Bad, "DIFF")
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
    /// The name of the file that holds what was recorded.
    file: String,
    /// What was recorded.
    recorded: Recorded,
    /// What differs now.
    differences: Vec<Difference>,
    /// From its start to the end of its output now, in milliseconds.
    took_ms: f64,
}

/// Something that differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    /// What differs.
    what: &'static str,
    /// As it was recorded.
    recorded: String,
    /// As it is now.
    replayed: String,
}

/// Plays the runs of a recording one after the other, in the order in which they began, and tells of each.
///
/// Credentials were masked when it was recorded, so their places hold masks. Details that the extension itself
/// had answered are replaced by what it answers now, as the server would hand them back.
fn replay(
    folder: &Path,
    executable: &Executable,
    tell: &mut dyn FnMut(&Replayed),
) -> Result<usize, RecordingError> {
    let mut answers = Answers::default();
    let mut differing = 0;
    for (file, recorded) in Recorded::read_all(folder)? {
        let answer = executable.call(&call(&recorded, &answers));
        let differences = differences(&recorded, &answer);
        answers.note(&recorded, &answer);
        differing += usize::from(!differences.is_empty());
        tell(&Replayed { file, recorded, differences, took_ms: answer.took.as_secs_f64() * 1000.0 });
    }
    Ok(differing)
}

fn call(recorded: &Recorded, answers: &Answers) -> ExtensionCall {
    let streams = if recorded.error_output.is_some() { CallStreams::Apart } else { CallStreams::Merged };
    let call = match recorded.arguments.as_slice() {
        [command, file, rest @ ..] if file == PAYLOAD_FILE => {
            let call = match &recorded.payload {
                Some(payload) => {
                    ExtensionCall::new(command, as_gson_writes(&answers.put_into(payload.clone())))
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

fn differences(recorded: &Recorded, answer: &Response) -> Vec<Difference> {
    let end = |code: Option<i32>, signal: Option<i32>| match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no end".to_owned(),
    };
    let signal = match answer.end {
        ProcessEnd::Killed(signal) => Some(signal),
        ProcessEnd::Exited(_) | ProcessEnd::TimedOut => None,
    };
    let ends = (end(recorded.exit_code, recorded.signal), end(answer.code(), signal));
    let errors = recorded.error_output.clone().unwrap_or_default();
    let compared = [
        ("end", ends.0, ends.1),
        ("output", recorded.output.clone(), answer.output.clone()),
        ("error output", errors, answer.error_output.clone()),
    ];
    let differ = |(what, recorded, replayed): (&'static str, String, String)| {
        (!is_same(&recorded, &replayed)).then_some(Difference { what, recorded, replayed })
    };
    compared.into_iter().filter_map(differ).collect()
}

/// JSON says the same in whatever order its keys stand. What was masked as a whole is not known.
fn is_same(one: &str, other: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == other || one == MASK || json(one).is_some_and(|it| Some(it) == json(other))
}

/// What the extension answered to `ensure-network-device`: then, and now.
#[derive(Default)]
struct Answers(BTreeMap<String, Value>);

impl Answers {
    fn note(&mut self, recorded: &Recorded, answer: &Response) {
        let details = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        if recorded.command() != Some(Command::EnsureNetworkDevice) {
            return;
        }
        if let (Some(then), Some(now)) = (details(&recorded.output), details(&answer.output)) {
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
