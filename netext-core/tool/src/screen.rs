//! What the tool prints: for people, or as JSON.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

/// Standard output, as the user wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Whether to print JSON instead of text.
    pub(crate) json: bool,
    colours: bool,
}

/// What a word says about what it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Something is wrong.
    Bad,
    /// It ought to be looked at.
    Note,
    /// It matters less than what stands around it.
    Faint,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let colours =
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
        Self { json, colours }
    }

    /// Prints a whole text; as JSON it is the `text` of an object.
    pub(crate) fn show(self, text: &str) {
        if self.json { print_json(&json!({ "text": text })) } else { print(text) }
    }

    /// A word in its colour, where there are colours.
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

/// Whether somebody is watching.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Prints a line. A reader that is gone is no affair of ours.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a text as it is.
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

/// Says a line on standard error.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says on standard error why nothing came of it.
pub(crate) fn fail(why: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "netext: {why}");
    ExitCode::FAILURE
}

/// The exit code of a question that was answered yes or no.
pub(crate) fn verdict(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
