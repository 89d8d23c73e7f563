//! The tool for developers of network extensions.

#![forbid(unsafe_code)]

mod arguments;
mod conformance;
mod front;
mod help;
mod new;
mod normalize;
mod payload_file;
mod printer;
mod recording;
mod reference;
mod sample;
mod schema;
mod shell;
mod simulate;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use printer::Printer;
use recording::{record, replay};

/// The tool for developers of CloudStack network extensions.
#[derive(Parser)]
#[command(name = "netext", version, disable_help_subcommand = true)]
struct ToolArguments {
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
    let printer = Printer::new(json);
    match command {
        ToolCommand::Schema(arguments) => schema::run(&arguments, printer),
        ToolCommand::Validate(arguments) => validate::run(&arguments, printer),
        ToolCommand::Normalize(arguments) => normalize::run(&arguments),
        ToolCommand::Sample(arguments) => sample::run(&arguments, printer),
        ToolCommand::Simulate(arguments) => simulate::run(&arguments, printer),
        ToolCommand::Scenarios(arguments) => simulate::list(&arguments, printer),
        ToolCommand::Conformance(arguments) => conformance::run(&arguments, printer),
        ToolCommand::Checks(arguments) => conformance::list(&arguments, printer),
        ToolCommand::Record(arguments) => record::run(&arguments),
        ToolCommand::Replay(arguments) => replay::run(&arguments, printer),
        ToolCommand::New(arguments) => new::run(&arguments, printer),
        ToolCommand::Completions(arguments) => {
            shell::completions(&arguments, ToolArguments::command(), printer)
        }
        ToolCommand::Man(arguments) => shell::man(&arguments, ToolArguments::command(), printer),
        ToolCommand::Help(arguments) => help::run(&arguments, ToolArguments::command(), printer),
    }
}
