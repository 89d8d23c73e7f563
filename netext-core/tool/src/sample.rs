//! `netext sample`: prints sample payloads.

use std::process::ExitCode;

use netext_protocol::{Command, Sample};
use serde_json::{Value, json};

use crate::printer::{Printer, fail, print_json, say};

/// Print a realistic payload of a command.
///
/// Some commands have several, such as implement-network.tier: netext sample --list lists them all. The samples in
/// readme/ have only the fields that the published README documents.
#[derive(clap::Args)]
pub(crate) struct SampleArguments {
    /// The command, or the name of one of its samples.
    #[arg(required_unless_present = "list", value_name = "COMMAND")]
    name: Option<String>,
    /// Print it as the server writes it, on one line, with < > & = and ' escaped.
    #[arg(long)]
    wire: bool,
    /// List all samples.
    #[arg(long, conflicts_with_all = ["name", "wire"])]
    list: bool,
}

pub(crate) fn run(arguments: &SampleArguments, printer: Printer) -> ExitCode {
    let Some(name) = &arguments.name else {
        list(printer);
        return ExitCode::SUCCESS;
    };
    let Some(sample) = Sample::named(name) else {
        let command = name.trim_start_matches("readme/").split('.').next().unwrap_or_default();
        return match command.parse::<Command>() {
            Ok(command) => {
                let names: Vec<_> = Sample::all_of(command).map(|sample| sample.name()).collect();
                fail(format_args!(
                    "{name:?} is not a sample; the samples of {command} are {}",
                    names.join(", ")
                ))
            }
            Err(unknown) => fail(format_args!("{unknown}; netext sample --list lists them all")),
        };
    };
    match serde_json::from_str::<Value>(sample.text()) {
        Ok(payload) if !arguments.wire => print_json(&payload),
        _ => say(sample.text()),
    }
    ExitCode::SUCCESS
}

fn list(printer: Printer) {
    if printer.json {
        let samples: Vec<_> = Sample::all()
            .map(|sample| json!({"name": sample.name(), "command": sample.command().name()}))
            .collect();
        return print_json(&samples);
    }
    for &command in Command::ALL {
        for sample in Sample::all_of(command) {
            say(sample.name());
        }
    }
}
