//! `doctor`: whether this host has what routers need, and what to do where it has not.
//!
//! What can be tried is tried, in namespaces without a name that go with the attempt: a version number says little
//! about what a kernel was built with.

mod attempt;
mod host;
mod limits;
mod programs;
mod understood;

use anstyle::Style;
use serde::{Deserialize, Serialize};

use super::Verdict;
use super::arguments::Doctor;
use super::failure::Failure;
use super::screen::{BAD, DOUBTFUL, FAINT, GOOD, Screen, count, styled};
use crate::store::Store;

/// What was found about one thing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Finding {
    pub(super) subject: String,
    pub(super) level: Level,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Ok,
    /// Something does not work that not every host needs.
    Warning,
    /// Routers do not work.
    Problem,
}

impl Finding {
    fn ok(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { subject: subject.into(), level: Level::Ok, found: found.into(), remedy: None }
    }

    fn warning(subject: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { subject: subject.into(), level: Level::Warning, found: found.into(), remedy }
    }

    fn problem(subject: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, ..Self::warning(subject, found, remedy) }
    }
}

/// What was found on a host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
}

pub(super) fn run(store: &Store, arguments: &Doctor, screen: &mut Screen) -> Result<Verdict, Failure> {
    let mut findings = attempt::findings();
    findings.extend(programs::findings());
    findings.extend(host::findings(store)?);
    let report = Report { findings };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(Verdict::of(report.number(Level::Problem) == 0))
}

impl Report {
    pub(super) fn number(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    fn print(&self, screen: &mut Screen) {
        let widest = self.findings.iter().map(|it| it.subject.chars().count()).max().unwrap_or_default();
        for Finding { subject, level, found, remedy } in &self.findings {
            let (word, style) = level.shown();
            screen.line(format_args!(
                "{}  {subject:widest$}  {found}",
                styled(format_args!("{word:7}"), style)
            ));
            if let Some(remedy) = remedy {
                screen.line(format_args!("{:9}{:widest$}  {}", "", "", styled(remedy, FAINT)));
            }
        }
        let (problems, warnings) = (self.number(Level::Problem), self.number(Level::Warning));
        let style = if problems > 0 {
            BAD
        } else if warnings > 0 {
            DOUBTFUL
        } else {
            GOOD
        };
        let summary = format!("{}, {}", count(problems, "problem"), count(warnings, "warning"));
        screen.line(format_args!("\n{}", styled(summary, style)));
    }
}

impl Level {
    pub(super) fn shown(self) -> (&'static str, Style) {
        match self {
            Self::Ok => ("ok", GOOD),
            Self::Warning => ("warning", DOUBTFUL),
            Self::Problem => ("problem", BAD),
        }
    }
}
