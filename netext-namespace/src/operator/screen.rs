//! What people see: lines, in colours where a terminal shows them and nobody objects (`NO_COLOR`).

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;

/// Headings.
pub(super) const STRONG: Style = Style::new().bold();
/// What is well, or comes.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What needs a look, or becomes another.
pub(super) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// What is wrong, or goes.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What is said by the way.
pub(super) const FAINT: Style = Style::new().dimmed();

/// Standard output. Whoever closes it has seen enough: that is no failure.
pub(super) struct Screen {
    out: anstream::Stdout,
}

impl Screen {
    pub(super) fn of_this_process() -> Self {
        Self { out: anstream::stdout() }
    }

    /// A line.
    pub(super) fn line(&mut self, text: impl Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// A whole text that ends its own lines.
    pub(super) fn text(&mut self, text: impl Display) {
        let _ = write!(self.out, "{text}");
    }

    /// A document for programs.
    pub(super) fn json(&mut self, document: &impl Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.line(text),
            Err(error) => self.line(format_args!("{{\"error\": {:?}}}", error.to_string())),
        }
    }

    /// Says why there is nothing to see, on standard error; help goes where it was asked for.
    pub(super) fn say_why(&mut self, failure: &Failure) {
        match failure {
            Failure::CommandLine(error) if error.exit_code() == 0 => self.text(error.render()),
            Failure::CommandLine(error) => drop(write!(anstream::stderr(), "{}", error.render())),
            failure => drop(writeln!(anstream::stderr(), "{failure}")),
        }
    }
}

/// A text in a style.
pub(super) fn styled(text: impl Display, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// So many of a thing: `1 router`, `2 routers`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// How many of these things are done: shown while there is something to wait for, on a terminal only.
pub(super) fn progress(number: usize, things: &str) -> ProgressBar {
    if number < 2 {
        return ProgressBar::hidden();
    }
    bar(number.try_into().unwrap_or(u64::MAX), &format!("{{bar:40}} {{pos}}/{{len}} {things}  {{msg}}"))
}

/// How many bytes of this many are on their way.
pub(super) fn transfer(bytes: u64) -> ProgressBar {
    bar(bytes, "{bar:40} {bytes}/{total_bytes}  {msg}")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    ProgressStyle::with_template(template).map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
