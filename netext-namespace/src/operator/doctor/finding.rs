//! The findings of `doctor`, and how they are shown.

use anstyle::Style;
use serde::{Deserialize, Serialize};

use crate::operator::screen::{BAD, DOUBTFUL, FAINT, GOOD, Screen, count, styled};

/// The result of one check.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operator) struct DoctorFinding {
    pub(in crate::operator) subject: String,
    pub(in crate::operator) level: FindingLevel,
    pub(in crate::operator) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::operator) remedy: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::operator) enum FindingLevel {
    Ok,
    /// Something that not every host needs does not work.
    Warning,
    /// Routers do not work.
    Problem,
}

impl DoctorFinding {
    pub(super) fn ok(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { subject: subject.into(), level: FindingLevel::Ok, found: found.into(), remedy: None }
    }

    pub(super) fn warning(
        subject: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { subject: subject.into(), level: FindingLevel::Warning, found: found.into(), remedy }
    }

    pub(super) fn problem(
        subject: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: FindingLevel::Problem, ..Self::warning(subject, found, remedy) }
    }
}

/// The findings on a host.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operator) struct DoctorReport {
    pub(in crate::operator) findings: Vec<DoctorFinding>,
}

impl DoctorReport {
    pub(in crate::operator) fn number(&self, level: FindingLevel) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    pub(super) fn print(&self, screen: &mut Screen) {
        let widest = self.findings.iter().map(|it| it.subject.chars().count()).max().unwrap_or_default();
        for DoctorFinding { subject, level, found, remedy } in &self.findings {
            let (word, style) = level.shown();
            screen.line(format_args!(
                "{}  {subject:widest$}  {found}",
                styled(format_args!("{word:7}"), style)
            ));
            if let Some(remedy) = remedy {
                screen.line(format_args!("{:9}{:widest$}  {}", "", "", styled(remedy, FAINT)));
            }
        }
        let (problems, warnings) = (self.number(FindingLevel::Problem), self.number(FindingLevel::Warning));
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

impl FindingLevel {
    pub(in crate::operator) fn shown(self) -> (&'static str, Style) {
        match self {
            Self::Ok => ("ok", GOOD),
            Self::Warning => ("warning", DOUBTFUL),
            Self::Problem => ("problem", BAD),
        }
    }
}
