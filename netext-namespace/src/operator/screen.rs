//! The output for people: lines and tables, in colours on a terminal unless `NO_COLOR` is set.

use std::fmt::{self, Display};
use std::io::Write;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use netext_core::error_chain;
use serde::Serialize;

use super::error::OperatorError;
use crate::drift::{Difference, DifferenceKind};

/// Headings.
pub(super) const STRONG: Style = Style::new().bold();
/// Something healthy, or something that is added.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Something doubtful, or something that is changed.
pub(super) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// Something wrong, or something that is removed.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// Remarks.
pub(super) const FAINT: Style = Style::new().dimmed();

/// Standard output. If it is closed, the reader has seen enough: that is no failure.
pub(super) struct Screen {
    out: anstream::Stdout,
}

impl Screen {
    pub(super) fn of_this_process() -> Self {
        Self { out: anstream::stdout() }
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: impl Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Prints a text that ends with a line break.
    pub(super) fn text(&mut self, text: impl Display) {
        let _ = write!(self.out, "{text}");
    }

    /// Prints a document for programs.
    pub(super) fn json(&mut self, document: &impl Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.line(text),
            Err(error) => self.line(format_args!("{{\"error\": {:?}}}", error.to_string())),
        }
    }

    /// Prints a problem of a router or host, indented below its name.
    pub(super) fn problem(&mut self, problem: impl Display) {
        self.line(format_args!("  {}", styled(format_args!("! {problem}"), BAD)));
    }

    /// Prints an error on standard error; help that was asked for goes to standard output.
    pub(super) fn error(&mut self, error: &OperatorError) {
        match error {
            OperatorError::CommandLine(error) if error.exit_code() == 0 => self.text(error.render()),
            OperatorError::CommandLine(error) => drop(write!(anstream::stderr(), "{}", error.render())),
            OperatorError::Device(error) => drop(writeln!(anstream::stderr(), "{}", error.report())),
            error => drop(writeln!(anstream::stderr(), "{}", error_chain(error))),
        }
    }
}

/// A text in a style.
pub(super) fn styled(text: impl Display, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A difference between the desired and the actual state, as a line of a diff.
pub(super) fn diff_line(difference: &Difference) -> String {
    let style = match difference.change {
        DifferenceKind::Add => GOOD,
        DifferenceKind::Remove => BAD,
        DifferenceKind::Modify => DOUBTFUL,
    };
    styled(difference, style)
}

/// A number of things: `1 router`, `2 routers`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A progress bar that counts things, shown on a terminal only.
pub(super) fn progress(number: usize, things: &str) -> ProgressBar {
    if number < 2 {
        return ProgressBar::hidden();
    }
    bar(number.try_into().unwrap_or(u64::MAX), &format!("{{bar:40}} {{pos}}/{{len}} {things}  {{msg}}"))
}

/// A progress bar that counts bytes, shown on a terminal only.
pub(super) fn transfer(bytes: u64) -> ProgressBar {
    bar(bytes, "{bar:40} {bytes}/{total_bytes}  {msg}")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    ProgressStyle::with_template(template).map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

/// A table with a head: columns of text, aligned, without lines, so that other programs can cut them as well.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// The text in a row and a column.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

impl Table {
    pub(super) fn new(head: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let head = head.into_iter().map(|name| Cell::styled(name.as_ref().to_uppercase(), STRONG));
        Self { rows: vec![head.collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                formatter.write_str(&styled(&cell.text, cell.style))?;
                if column + 1 < row.len() {
                    write!(formatter, "{:1$}", "", widths[column] - cell.width() + 2)?;
                }
            }
            formatter.write_str("\n")?;
        }
        Ok(())
    }
}
