//! `netext validate`: all problems of a payload file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use netext_protocol::Command;
use serde_json::json;

use crate::arguments::{commands, read};
use crate::payload_file::validate;
use crate::printer::{Printer, Tone, fail, print_json, say, verdict};

/// List all problems of a payload file.
///
/// Every problem is listed with its place, the value and the expected value. Unknown fields are noted; they are no
/// problem, because newer servers may send some.
///
/// Exit code 0: the file is valid; 1: it is invalid; 2: usage.
#[derive(clap::Args)]
pub(crate) struct ValidateArguments {
    /// The command of the payload, such as assign-ip.
    #[arg(value_parser = commands(), hide_possible_values = true)]
    command: Command,
    /// The payload file; - for standard input.
    file: PathBuf,
}

pub(crate) fn run(arguments: &ValidateArguments, printer: Printer) -> ExitCode {
    let ValidateArguments { command, file } = arguments;
    let payload = match read(file) {
        Ok(payload) => payload,
        Err(error) => return fail(format_args!("cannot read {}: {error}", file.display())),
    };
    let found = validate(*command, &payload);
    if printer.json {
        print_json(&json!({
            "command": command.name(),
            "valid": found.is_valid(),
            "problems": found.problems,
            "unknown_fields": found.unknown_fields,
        }));
        return verdict(found.is_valid());
    }
    for problem in &found.problems {
        say(format_args!("{}: {}", printer.paint(Tone::Bad, &problem.path), problem.description));
    }
    for pointer in &found.unknown_fields {
        let note = printer.paint(Tone::Note, "note");
        say(format_args!("{note}: {pointer:?} is not a field of the protocol; it is ignored"));
    }
    match found.problems.len() {
        0 => say(printer.paint(Tone::Good, format_args!("{} is a payload of {command}", shown(file)))),
        1 => say(format_args!("1 problem: {} is not a payload of {command}", shown(file))),
        many => say(format_args!("{many} problems: {} is not a payload of {command}", shown(file))),
    }
    verdict(found.is_valid())
}

fn shown(file: &Path) -> String {
    if file.as_os_str() == "-" { "this".to_owned() } else { file.display().to_string() }
}
