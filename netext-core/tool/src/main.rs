//! The tool for developers of network extensions.

#![forbid(unsafe_code)]

mod conformance;
mod extension;
mod front;
mod help;
mod new;
mod normalize;
mod payload_file;
mod recording;
mod reference;
mod sample;
mod schema;
mod screen;
mod shell;
mod simulate;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use recording::{record, replay};
use screen::Screen;

/// The tool for developers of CloudStack network extensions.
#[derive(Parser)]
#[command(name = "netext", version, disable_help_subcommand = true)]
pub(crate) struct ToolArguments {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: ToolCommand,
}

#[derive(Subcommand)]
enum ToolCommand {
    Schema(schema::SchemaArguments),
    Validate(validate::ValidateArguments),
    Normalize(normalize::NormalizeArguments),
    Sample(sample::SampleArguments),
    Simulate(simulate::SimulateArguments),
    Scenarios(simulate::ScenariosArguments),
    Conformance(conformance::ConformanceArguments),
    Checks(conformance::ChecksArguments),
    Record(record::RecordArguments),
    Replay(replay::ReplayArguments),
    New(new::NewArguments),
    Completions(shell::Completions),
    Man(shell::Man),
    Help(help::HelpArguments),
}

fn main() -> ExitCode {
    let ToolArguments { json, command } = ToolArguments::parse();
    let screen = Screen::new(json);
    match command {
        ToolCommand::Schema(arguments) => schema::run(&arguments, screen),
        ToolCommand::Validate(arguments) => validate::run(&arguments, screen),
        ToolCommand::Normalize(arguments) => normalize::run(&arguments),
        ToolCommand::Sample(arguments) => sample::run(&arguments, screen),
        ToolCommand::Simulate(arguments) => simulate::run(&arguments, screen),
        ToolCommand::Scenarios(arguments) => simulate::list(&arguments, screen),
        ToolCommand::Conformance(arguments) => conformance::run(&arguments, screen),
        ToolCommand::Checks(arguments) => conformance::list(&arguments, screen),
        ToolCommand::Record(arguments) => record::run(&arguments),
        ToolCommand::Replay(arguments) => replay::run(&arguments, screen),
        ToolCommand::New(arguments) => new::run(&arguments, screen),
        ToolCommand::Completions(arguments) => shell::completions(&arguments, screen),
        ToolCommand::Man(arguments) => shell::man(&arguments, screen),
        ToolCommand::Help(arguments) => help::run(&arguments, screen),
    }
}
