//! `reconcile`: makes routers what they shall be, or tells what it would do.

use std::time::Instant;

use netext_core::DeviceError;
use serde::Serialize;

use super::Verdict;
use super::arguments::Reconcile;
use super::failure::Failure;
use super::screen::{BAD, DOUBTFUL, GOOD, STRONG, Screen, count, progress, styled};
use super::sweep::{routers, sweep};
use crate::drift::{Difference, DifferenceKind, Pass};
use crate::host::{Reconciled, reconcile};
use crate::model::RouterId;
use crate::store::Store;

/// What came of all routers.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    routers: Vec<Visited>,
}

/// What came of one router.
#[derive(Serialize)]
struct Visited {
    router: String,
    outcome: Word,
    differences: Vec<Difference>,
    error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    /// It was as it shall be.
    Unchanged,
    /// It is as it shall be.
    Reconciled,
    /// It is not as it shall be, and nobody wanted it changed.
    Differs,
    /// It could not be made, or looked at, to the end.
    Failed,
}

pub(super) fn run(store: &Store, arguments: &Reconcile, screen: &mut Screen) -> Result<Verdict, Failure> {
    let begun = Instant::now();
    let routers = routers(store, arguments.router)?;
    let visit = async |router, deadline: &_| {
        let pass = if arguments.dry_run { Pass::rehearsal() } else { Pass::repair() };
        reconcile(store, router, deadline, pass).await
    };
    let progress = progress(routers.len(), "routers");
    let visited = sweep(&routers, &arguments.pace, visit, |router| {
        progress.set_message(router.to_string());
        progress.inc(1);
    });
    progress.finish_and_clear();
    let outcomes =
        visited.into_iter().filter_map(|(router, seen)| Visited::of(router, seen, arguments.dry_run));
    let report = Report { dry_run: arguments.dry_run, routers: outcomes.collect() };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen, begun);
    }
    Ok(report.verdict())
}

impl Visited {
    /// `None` for a router that has gone meanwhile.
    fn of(router: RouterId, visited: Result<Option<Reconciled>, DeviceError>, dry_run: bool) -> Option<Self> {
        let (differences, error) = match visited {
            Ok(reconciled) => {
                let Reconciled { differences, obstacle, .. } = reconciled?;
                (differences, obstacle)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        let outcome = match (&error, differences.is_empty(), dry_run) {
            (Some(_), ..) => Word::Failed,
            (None, true, _) => Word::Unchanged,
            (None, false, true) => Word::Differs,
            (None, false, false) => Word::Reconciled,
        };
        let error = error.map(|error| error.report());
        Some(Self { router: router.to_string(), outcome, differences, error })
    }
}

impl Report {
    fn verdict(&self) -> Verdict {
        let is_well = |it: &Visited| matches!(it.outcome, Word::Unchanged | Word::Reconciled);
        Verdict::of(self.routers.iter().all(is_well))
    }

    fn print(&self, screen: &mut Screen, begun: Instant) {
        for router in self.routers.iter().filter(|router| router.outcome != Word::Unchanged) {
            screen.line(styled(&router.router, STRONG));
            for difference in &router.differences {
                screen.line(format_args!("  {}", line(difference)));
            }
            if let Some(error) = &router.error {
                screen.line(format_args!("  {}", styled(format_args!("! {error}"), BAD)));
            }
        }
        let number = |word| self.routers.iter().filter(|router| router.outcome == word).count();
        let words = [
            (Word::Unchanged, "in order"),
            (Word::Reconciled, "reconciled"),
            (Word::Differs, "drifted"),
            (Word::Failed, "failed"),
        ];
        let parts: Vec<_> = words
            .into_iter()
            .map(|(word, words)| (number(word), words))
            .filter(|(number, _)| *number > 0)
            .map(|(number, words)| format!("{number} {words}"))
            .collect();
        let all = count(self.routers.len(), "router");
        let summary = if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) };
        let style = if self.verdict() == Verdict::Well { GOOD } else { BAD };
        let seconds = begun.elapsed().as_secs_f64();
        screen.line(format_args!("{} in {seconds:.1} s", styled(summary, style)));
    }
}

/// A difference as a line of a diff.
pub(super) fn line(difference: &Difference) -> String {
    let style = match difference.change {
        DifferenceKind::Add => GOOD,
        DifferenceKind::Remove => BAD,
        DifferenceKind::Modify => DOUBTFUL,
    };
    styled(difference, style)
}
