//! The output, and its colours.

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

/// Standard output, in colours if it is a terminal.
pub(crate) struct DemoScreen {
    colours: bool,
    plain: bool,
}

/// How a piece of text stands out.
#[derive(Clone, Copy)]
enum TextStyle {
    Strong,
    Faint,
    Good,
    Bad,
}

impl DemoScreen {
    /// `plain` is ASCII without colours. Colours also need a terminal, and no `NO_COLOR`.
    pub(crate) fn new(plain: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colours: !plain && wanted && stdout().is_terminal(), plain }
    }

    /// The headline and the picture below it.
    pub(crate) fn open(&self, headline: &str, picture: &str) {
        self.line(&self.styled(headline, TextStyle::Strong));
        self.line(&self.styled(picture, TextStyle::Faint));
    }

    /// Begins a part of the story.
    pub(crate) fn act(&self, number: usize, title: &str) {
        self.line(&format!("\n{}", self.styled(&format!("{number}. {title}"), TextStyle::Strong)));
    }

    /// A command with its verdict and its duration.
    pub(crate) fn command(&self, succeeded: bool, name: &str, took: Duration, about: &str) {
        let name = format!("{name:<24}");
        let (name, took) = (self.styled(&name, TextStyle::Strong), format!("{:>7.1} ms", milliseconds(took)));
        self.line(&format!(
            "  {} {name} {took}   {}",
            self.verdict(succeeded),
            self.styled(about, TextStyle::Faint)
        ));
    }

    /// A claim with its verdict and the observation.
    pub(crate) fn claim(&self, held: bool, sentence: &str, seen: &str) {
        // A failure is shown in full.
        let seen = if held { self.shortened(seen) } else { seen.to_owned() };
        let seen = self.styled(&seen, if held { TextStyle::Faint } else { TextStyle::Bad });
        self.line(&format!("      {} {sentence:<66} {seen}", self.verdict(held)));
    }

    /// The summary.
    pub(crate) fn close(&self, succeeded: bool, summary: &str) {
        self.line(&format!("\n{} {}", self.verdict(succeeded), self.styled(summary, TextStyle::Strong)));
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
        self.styled(sign, if succeeded { TextStyle::Good } else { TextStyle::Bad })
    }

    fn styled(&self, text: &str, style: TextStyle) -> String {
        if !self.colours || text.is_empty() {
            return text.to_owned();
        }
        let code = match style {
            TextStyle::Strong => "1",
            TextStyle::Faint => "2",
            TextStyle::Good => "32",
            TextStyle::Bad => "1;31",
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
