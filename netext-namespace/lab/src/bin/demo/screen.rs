//! The output, and its colours.

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

/// Standard output, in colours if it is a terminal.
pub(crate) struct Screen {
    colours: bool,
    plain: bool,
}

/// How a piece of text stands out.
#[derive(Clone, Copy)]
enum Style {
    Strong,
    Faint,
    Good,
    Bad,
}

impl Screen {
    /// `plain` is ASCII without colours. Colours also need a terminal, and no `NO_COLOR`.
    pub(crate) fn new(plain: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colours: !plain && wanted && stdout().is_terminal(), plain }
    }

    /// The headline and the picture below it.
    pub(crate) fn open(&self, headline: &str, picture: &str) {
        self.line(&self.styled(headline, Style::Strong));
        self.line(&self.styled(picture, Style::Faint));
    }

    /// Begins a part of the story.
    pub(crate) fn act(&self, number: usize, title: &str) {
        self.line(&format!("\n{}", self.styled(&format!("{number}. {title}"), Style::Strong)));
    }

    /// A command with its verdict and its duration.
    pub(crate) fn command(&self, succeeded: bool, name: &str, took: Duration, about: &str) {
        let name = format!("{name:<24}");
        let (name, took) = (self.styled(&name, Style::Strong), format!("{:>7.1} ms", milliseconds(took)));
        self.line(&format!(
            "  {} {name} {took}   {}",
            self.verdict(succeeded),
            self.styled(about, Style::Faint)
        ));
    }

    /// A claim with its verdict and the observation.
    pub(crate) fn claim(&self, held: bool, sentence: &str, seen: &str) {
        // A failure is shown in full.
        let seen = if held { self.shortened(seen) } else { seen.to_owned() };
        let seen = self.styled(&seen, if held { Style::Faint } else { Style::Bad });
        self.line(&format!("      {} {sentence:<66} {seen}", self.verdict(held)));
    }

    /// The summary.
    pub(crate) fn close(&self, succeeded: bool, summary: &str) {
        self.line(&format!("\n{} {}", self.verdict(succeeded), self.styled(summary, Style::Strong)));
    }

    fn shortened(&self, text: &str) -> String {
        const ROOM: usize = 80;
        if text.chars().count() <= ROOM {
            return text.to_owned();
        }
        let ellipsis = if self.plain { "..." } else { "…" };
        text.chars().take(ROOM - ellipsis.len()).chain(ellipsis.chars()).collect()
    }

    fn verdict(&self, succeeded: bool) -> String {
        let sign = match (succeeded, self.plain) {
            (true, false) => "✔",
            (false, false) => "✘",
            (true, true) => "ok    ",
            (false, true) => "FAILED",
        };
        self.styled(sign, if succeeded { Style::Good } else { Style::Bad })
    }

    fn styled(&self, text: &str, style: Style) -> String {
        if !self.colours || text.is_empty() {
            return text.to_owned();
        }
        let code = match style {
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Bad => "1;31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    #[expect(clippy::unused_self, reason = "the screen is the only place that prints")]
    fn line(&self, text: &str) {
        // Ignores a closed pipe: the story still ends and cleans up.
        let _ = writeln!(stdout(), "{text}");
    }
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
