//! A conformance run: every check, which of them may fail, and the result of each.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::check::{Check, ExtensionUnderTest, NotPassed};
use super::checks;
use crate::testing::call::Extension;
use crate::testing::profile::ExtensionProfile;
use crate::testing::server::Server;

impl Check {
    /// Every check, in the order in which they run.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        checks::ALL.iter().copied().flatten().copied()
    }

    /// The check with this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        Self::all().find(|check| check.id == id)
    }
}

/// The checks that an extension is expected to fail, a baseline that is strict both ways: a failure that is not
/// listed fails the run, and so does a listed check that passes.
///
/// ```
/// use netext_core::testing::conformance::ExpectedFailures;
///
/// let expected: ExpectedFailures = "absent-deletes\nrestart  # until the controller's next release".parse()?;
/// assert_eq!(expected.ids().collect::<Vec<_>>(), ["absent-deletes", "restart"]);
/// # Ok::<(), netext_core::testing::conformance::UnknownCheck>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedFailures(BTreeSet<&'static str>);

/// A list of expected failures has a word that is not the id of a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {word:?} is not the id of a check")]
pub struct UnknownCheck {
    line: usize,
    word: String,
}

impl ExpectedFailures {
    /// The ids of the checks, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

impl FromStr for ExpectedFailures {
    type Err = UnknownCheck;

    /// Reads a list: one id in a line, and comments after `#`.
    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        let words = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let listed = words.zip(1..).filter(|(word, _)| !word.is_empty()).map(|(word, line)| {
            let check = Check::named(word).ok_or_else(|| UnknownCheck { line, word: word.to_owned() })?;
            Ok(check.id)
        });
        listed.collect::<Result<_, _>>().map(Self)
    }
}

/// Every check for one extension.
///
/// See [the module](super) for an example.
pub struct ConformanceSuite<'a> {
    tested: ExtensionUnderTest<'a>,
    expected: ExpectedFailures,
}

impl<'a> ConformanceSuite<'a> {
    /// The checks for a server's extension. They use the details that are registered on the server, and require
    /// what is in the profile.
    pub fn new<E: Extension>(server: &'a Server<E>, profile: ExtensionProfile) -> Self {
        Self { tested: ExtensionUnderTest::new(server, profile), expected: ExpectedFailures::default() }
    }

    /// Expects some checks to fail. By default all must pass.
    pub fn expected_failures(mut self, expected: ExpectedFailures) -> Self {
        self.expected = expected;
        self
    }

    /// Runs every check, one after the other. Calls `announce` before a check, and `report` with its result.
    pub fn run(
        &self,
        announce: &mut dyn FnMut(&'static Check),
        report: &mut dyn FnMut(&CheckResult),
    ) -> ConformanceReport {
        let mut results: Vec<CheckResult> = Vec::new();
        for check in Check::all() {
            announce(check);
            let began = Instant::now();
            let has_failed =
                |check: &&&Check| results.iter().any(|it| it.check.id == check.id && it.is_failure());
            let outcome = match check.varies.iter().find(has_failed) {
                Some(varied) => Err(NotPassed::Skipped(format!("{} failed", varied.id))),
                None => self.ask(check),
            };
            let expected_to_fail = self.expected.0.contains(check.id);
            let result = CheckResult { check, outcome, expected_to_fail, took: began.elapsed() };
            report(&result);
            results.push(result);
        }
        ConformanceReport { results }
    }

    /// Runs one check.
    ///
    /// # Errors
    /// If the extension does not meet the requirement, or the check does not apply to it.
    pub fn ask(&self, check: &Check) -> Result<(), NotPassed> {
        (check.run)(&self.tested)
    }

    /// Runs every check.
    ///
    /// # Panics
    /// If a check fails unexpectedly, or passes although it is expected to fail; with the reason for each of them,
    /// and what to do.
    #[track_caller]
    pub fn assert_conforms(&self) {
        let report = self.run(&mut |_| {}, &mut |_| {});
        let bad = report.results.iter().filter(|result| result.status().is_bad());
        let bad: Vec<_> = bad.map(ToString::to_string).collect();
        assert!(bad.is_empty(), "the extension does not conform\n\n{}", bad.join("\n"));
    }
}

impl fmt::Debug for ConformanceSuite<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConformanceSuite")
            .field("profile", &self.tested.profile)
            .finish_non_exhaustive()
    }
}

/// The results of all checks, see [`ConformanceSuite::run`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConformanceReport {
    /// One result for each check, in the order in which they ran.
    pub results: Vec<CheckResult>,
}

impl ConformanceReport {
    /// The checks that failed, expected or not.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| result.is_failure())
    }

    /// Whether the expected checks failed, and no others.
    pub fn conforms(&self) -> bool {
        self.results.iter().all(|result| !result.status().is_bad())
    }
}

/// The result of one check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckResult {
    /// The check.
    pub check: &'static Check,
    /// Whether it passed, or why it did not.
    pub outcome: Result<(), NotPassed>,
    /// Whether it is listed as an expected failure.
    pub expected_to_fail: bool,
    /// How long it took.
    pub took: Duration,
}

/// The outcome of a check, compared with the expected failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// It passed, as expected.
    Passed,
    /// It does not apply to the extension.
    Skipped,
    /// It failed, as expected.
    ExpectedFailure,
    /// It failed, and was expected to pass.
    UnexpectedFailure,
    /// It passed, and was expected to fail: remove it from the expected failures.
    UnexpectedPass,
}

impl CheckStatus {
    /// Whether it makes the whole run fail.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::UnexpectedFailure | Self::UnexpectedPass)
    }
}

impl CheckResult {
    /// The outcome, compared with the expected failures.
    pub fn status(&self) -> CheckStatus {
        match (&self.outcome, self.expected_to_fail) {
            (Ok(()), false) => CheckStatus::Passed,
            (Ok(()), true) => CheckStatus::UnexpectedPass,
            (Err(NotPassed::Failed(_)), true) => CheckStatus::ExpectedFailure,
            (Err(NotPassed::Failed(_)), false) => CheckStatus::UnexpectedFailure,
            (Err(NotPassed::Skipped(_)), _) => CheckStatus::Skipped,
        }
    }

    fn is_failure(&self) -> bool {
        matches!(self.outcome, Err(NotPassed::Failed(_)))
    }

    /// How the check failed, why it was skipped, or that it passed unexpectedly; `None` if it just passed.
    pub fn explanation(&self) -> Option<&str> {
        match &self.outcome {
            Err(NotPassed::Failed(why) | NotPassed::Skipped(why)) => Some(why),
            Ok(()) if self.expected_to_fail => {
                Some("it passed, but is listed as an expected failure: remove it from the list")
            }
            Ok(()) => None,
        }
    }
}

/// The check's id and requirement; if it failed, also how, why it matters, and what to do.
impl fmt::Display for CheckResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check { id, requirement, reason, remedy, .. } = self.check;
        write!(formatter, "{id}: {requirement}")?;
        match (&self.outcome, self.explanation()) {
            (Err(NotPassed::Failed(how)), _) => {
                write!(formatter, " Failed: {how}\n  why it matters: {reason}\n  what to do: {remedy}")
            }
            (Err(NotPassed::Skipped(why)), _) => write!(formatter, " Skipped: {why}"),
            (Ok(()), Some(explanation)) => write!(formatter, " {explanation}"),
            (Ok(()), None) => Ok(()),
        }
    }
}
