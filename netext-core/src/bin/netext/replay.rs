//! `netext replay`: plays a recording to another build of an extension.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use netext_core::recording::{Replayed, replay};
use netext_core::testing::Executable;
use serde_json::{Value, json};

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
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            return fail(format_args!("{error}{cause}"));
        }
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
