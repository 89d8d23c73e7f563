//! The output of the tool: for people, or as JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

/// Standard output in the format that the user asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    /// Whether to print JSON instead of text.
    pub(crate) json: bool,
    colours: bool,
}

/// The meaning of a colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// A success.
    Good,
    /// A problem.
    Bad,
    /// A note.
    Note,
    /// A detail.
    Faint,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        let colours =
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
        Self { json, colours }
    }

    /// Prints a whole text; in JSON it is the `text` of an object.
    pub(crate) fn show(self, text: &str) {
        if self.json { print_json(&json!({ "text": text })) } else { print(text) }
    }

    /// A word in its colour, if the terminal has colours.
    pub(crate) fn paint(self, tone: Tone, word: impl Display) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Note => 33,
            Tone::Faint => 2,
        };
        if self.colours { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_string() }
    }
}

/// Whether standard output is a terminal.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Prints a line. Ignores a closed output.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a text without a line break.
pub(crate) fn print(text: impl Display) {
    let mut stdout = io::stdout();
    let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => say(text),
        Err(error) => drop(fail(format_args!("cannot print as JSON: {error}"))),
    }
}

/// Prints a line to standard error.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Reports a failure on standard error.
pub(crate) fn fail(why: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "netext: {why}");
    ExitCode::FAILURE
}

/// The exit code of a check.
pub(crate) fn verdict(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
