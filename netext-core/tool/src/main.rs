//! The tool for those who write network extensions.

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

/// The tool for those who write CloudStack network extensions.
#[derive(Parser)]
#[command(name = "netext", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    Schema(schema::Arguments),
    Validate(validate::Arguments),
    Normalize(normalize::Arguments),
    Sample(sample::Arguments),
    Simulate(simulate::Arguments),
    Scenarios(simulate::List),
    Conformance(conformance::Arguments),
    Checks(conformance::List),
    Record(record::Arguments),
    Replay(replay::Arguments),
    New(new::Arguments),
    Completions(shell::Completions),
    Man(shell::Man),
    Help(help::Arguments),
}

fn main() -> ExitCode {
    let Arguments { json, subject } = Arguments::parse();
    let screen = Screen::new(json);
    match subject {
        Subject::Schema(arguments) => schema::run(&arguments, screen),
        Subject::Validate(arguments) => validate::run(&arguments, screen),
        Subject::Normalize(arguments) => normalize::run(&arguments),
        Subject::Sample(arguments) => sample::run(&arguments, screen),
        Subject::Simulate(arguments) => simulate::run(&arguments, screen),
        Subject::Scenarios(arguments) => simulate::list(&arguments, screen),
        Subject::Conformance(arguments) => conformance::run(&arguments, screen),
        Subject::Checks(arguments) => conformance::list(&arguments, screen),
        Subject::Record(arguments) => record::run(&arguments),
        Subject::Replay(arguments) => replay::run(&arguments, screen),
        Subject::New(arguments) => new::run(&arguments, screen),
        Subject::Completions(arguments) => shell::completions(&arguments, screen),
        Subject::Man(arguments) => shell::man(&arguments, screen),
        Subject::Help(arguments) => help::run(&arguments, screen),
    }
}
