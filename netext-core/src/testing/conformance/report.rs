//! What the checks found, and how it is reported to machines.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Check, Expected};
use crate::testing::judged::excerpt;
use crate::testing::{Answer, End};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It holds.
    Passed,
    /// It does not, and how that shows.
    Failed(String),
    /// It could not be asked, and why.
    Skipped(String),
}

impl Finding {
    /// A command came to another end than it ought to.
    pub(super) fn failed_by(command: &str, answer: &Answer) -> Self {
        let end = match answer.end {
            End::Exited(code) => format!("exited with {code}"),
            End::Killed(signal) => format!("was ended by signal {signal}"),
            End::Overran => format!("still ran after {:.1} s", answer.took.as_secs_f64()),
        };
        let printed = answer.printed();
        let said = if printed.is_empty() { "printed nothing".to_owned() } else { excerpt(&printed) };
        Self::Failed(format!("{command} {end}: {said}"))
    }

    /// The first failure of several findings; the other one if this one passed.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Passed { other() } else { self }
    }

    /// Passed, if nothing is wrong.
    pub(super) fn of(problem: Option<String>) -> Self {
        problem.map_or(Self::Passed, Self::Failed)
    }
}

/// A check that was run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ran {
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub finding: Finding,
    /// How long it took.
    pub took: Duration,
}

/// What is so, why it ought not to be, and what to do.
impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check { id, sentence, reason, remedy, .. } = self.check;
        match &self.finding {
            Finding::Passed => write!(formatter, "{id}: {sentence}"),
            Finding::Skipped(why) => write!(formatter, "{id}: not asked: {why}"),
            Finding::Failed(how) => write!(
                formatter,
                "{id}: {sentence} Not so: {how}\n  why it matters: {reason}\n  what to do: {remedy}"
            ),
        }
    }
}

/// How a check stands, seen with what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds, as it ought to.
    Good,
    /// It could not be asked.
    NotAsked,
    /// It fails, and that was known.
    KnownFailure,
    /// It fails, and nobody expected that.
    NewFailure,
    /// It holds although it was listed as a failure: the list is out of date.
    Mended,
}

impl Standing {
    /// Whether the whole run fails by it.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::NewFailure | Self::Mended)
    }
}

impl Ran {
    /// How it stands.
    pub fn standing(&self, expected: &Expected) -> Standing {
        match (&self.finding, expected.contains(self.check)) {
            (Finding::Skipped(_), _) => Standing::NotAsked,
            (Finding::Passed, false) => Standing::Good,
            (Finding::Passed, true) => Standing::Mended,
            (Finding::Failed(_), true) => Standing::KnownFailure,
            (Finding::Failed(_), false) => Standing::NewFailure,
        }
    }

    fn told(&self, standing: Standing) -> Option<String> {
        match (standing, &self.finding) {
            (Standing::Mended, _) => {
                Some("it holds, but is listed as an expected failure: take it off the list".to_owned())
            }
            (_, Finding::Failed(how) | Finding::Skipped(how)) => Some(how.clone()),
            (_, Finding::Passed) => None,
        }
    }
}

/// What all checks found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The checks in the order in which they were run.
    pub ran: Vec<Ran>,
}

impl Report {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Ran> {
        self.ran.iter().filter(|ran| matches!(ran.finding, Finding::Failed(_)))
    }

    /// Whether nothing failed but what was expected to, and all of that did.
    pub fn is_as(&self, expected: &Expected) -> bool {
        !self.ran.iter().any(|ran| ran.standing(expected).is_bad())
    }

    /// The report as JSON.
    pub fn to_json(&self, expected: &Expected) -> Value {
        let checks = self.ran.iter().map(|ran| {
            let standing = ran.standing(expected);
            json!({
                "id": ran.check.id,
                "sentence": ran.check.sentence,
                "reason": ran.check.reason,
                "remedy": ran.check.remedy,
                "result": match ran.finding {
                    Finding::Passed => "passed",
                    Finding::Failed(_) => "failed",
                    Finding::Skipped(_) => "skipped",
                },
                "expected_to_fail": expected.contains(ran.check),
                "told": ran.told(standing),
                "milliseconds": ran.took.as_secs_f64() * 1000.0,
            })
        });
        let checks: Vec<_> = checks.collect();
        json!({"conforms": self.is_as(expected), "checks": checks})
    }

    /// The report in the Test Anything Protocol, version 14.
    pub fn to_tap(&self, expected: &Expected) -> String {
        let mut tap = format!("TAP version 14\n1..{}\n", self.ran.len());
        for (ran, number) in self.ran.iter().zip(1..) {
            let standing = ran.standing(expected);
            let told = ran.told(standing).map(|it| one_line(&it));
            let (ok, directive) = match standing {
                Standing::Good => ("ok", String::new()),
                Standing::NotAsked => ("ok", format!(" # SKIP {}", told.as_deref().unwrap_or_default())),
                Standing::KnownFailure => ("not ok", " # TODO expected to fail".to_owned()),
                Standing::NewFailure | Standing::Mended => ("not ok", String::new()),
            };
            let description = format!("{}: {}", ran.check.id, ran.check.sentence).replace('#', "\\#");
            // Writing to a string cannot fail.
            let _ = writeln!(tap, "{ok} {number} - {description}{directive}");
            if let (Some(told), true) = (told, standing != Standing::NotAsked) {
                let _ = writeln!(tap, "  ---\n  message: {}", json!(told));
                let _ = writeln!(
                    tap,
                    "  reason: {}\n  remedy: {}\n  ...",
                    json!(ran.check.reason),
                    json!(ran.check.remedy)
                );
            }
        }
        tap
    }

    /// The report as XML, as `JUnit` writes it.
    pub fn to_junit(&self, expected: &Expected) -> String {
        let standings: Vec<_> = self.ran.iter().map(|ran| (ran, ran.standing(expected))).collect();
        let count = |wanted: fn(Standing) -> bool| standings.iter().filter(|(_, it)| wanted(*it)).count();
        let seconds: f64 = self.ran.iter().map(|ran| ran.took.as_secs_f64()).sum();
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"netext conformance\" tests=\"{}\" \
             failures=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\">\n",
            standings.len(),
            count(Standing::is_bad),
            count(|it| matches!(it, Standing::NotAsked | Standing::KnownFailure)),
        );
        for (ran, standing) in standings {
            let _ = write!(
                xml,
                "  <testcase classname=\"netext\" name=\"{}\" time=\"{:.3}\"",
                ran.check.id,
                ran.took.as_secs_f64()
            );
            let told = ran.told(standing).unwrap_or_default();
            let _ = match standing {
                Standing::Good => writeln!(xml, "/>"),
                Standing::NotAsked | Standing::KnownFailure => {
                    writeln!(xml, "><skipped message=\"{}\"/></testcase>", escaped(&told))
                }
                Standing::NewFailure | Standing::Mended => writeln!(
                    xml,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    escaped(&told),
                    escaped(&ran.to_string())
                ),
            };
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as XML has it; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}
