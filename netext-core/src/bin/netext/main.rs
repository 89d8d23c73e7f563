//! The tool for those who write network extensions.

#![forbid(unsafe_code)]

mod schema;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tool for those who write CloudStack network extensions.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// The protocol as JSON Schemas: a request and a response per command, and an index.
    Schema(schema::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().subject {
        Subject::Schema(arguments) => schema::run(&arguments),
    }
}
