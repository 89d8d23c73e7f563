//! `reconcile`: repairs routers, or lists what a repair would change.

use std::time::Instant;

use netext_core::DeviceError;
use serde::Serialize;

use super::arguments::ReconcileArguments;
use super::error::{OperatorError, OperatorExit};
use super::screen::{BAD, GOOD, STRONG, Screen, count, diff_line, progress, styled};
use super::sweep::{routers, sweep};
use crate::drift::{Difference, Pass};
use crate::host::{Reconciled, look_after, reconcile};
use crate::model::RouterId;
use crate::store::Store;

/// The outcome for all routers.
#[derive(Serialize)]
struct ReconcileReport {
    dry_run: bool,
    routers: Vec<ReconciledRouter>,
}

/// The outcome for one router.
#[derive(Serialize)]
struct ReconciledRouter {
    router: String,
    outcome: ReconcileOutcome,
    differences: Vec<Difference>,
    error: Option<String>,
}

/// What differed, and what kept the pass from reaching its end.
type Visited = (Vec<Difference>, Option<DeviceError>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum ReconcileOutcome {
    /// Nothing differed.
    Unchanged,
    /// The differences were repaired.
    Reconciled,
    /// Something differs, and a dry run changes nothing.
    Differs,
    /// The repair, or the comparison, did not reach its end.
    Failed,
}

pub(super) fn run(
    store: &Store,
    arguments: &ReconcileArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let begun = Instant::now();
    let routers = routers(store, arguments.router)?;
    let visit = async |router, deadline: &_| {
        let pass = if arguments.dry_run { Pass::rehearsal() } else { Pass::repair() };
        if arguments.daemons {
            return look_after(store, router, deadline, pass).map(|differences| Some((differences, None)));
        }
        let reconciled = reconcile(store, router, deadline, pass).await?;
        Ok(reconciled.map(|Reconciled { differences, obstacle, .. }| (differences, obstacle)))
    };
    let progress = progress(routers.len(), "routers");
    let visited = sweep(&routers, &arguments.pace, visit, |router| {
        progress.set_message(router.to_string());
        progress.inc(1);
    });
    progress.finish_and_clear();
    let outcomes = visited
        .into_iter()
        .filter_map(|(router, outcome)| ReconciledRouter::of(router, outcome, arguments.dry_run));
    let report = ReconcileReport { dry_run: arguments.dry_run, routers: outcomes.collect() };
    if arguments.json {
        screen.json(&report);
    } else if !arguments.daemons || report.has_news() {
        report.print(screen, begun);
    }
    Ok(report.exit())
}

impl ReconciledRouter {
    /// `None` for a router that was deleted meanwhile.
    fn of(router: RouterId, visited: Result<Option<Visited>, DeviceError>, dry_run: bool) -> Option<Self> {
        let (differences, error) = match visited {
            Ok(visited) => visited?,
            Err(error) => (Vec::new(), Some(error)),
        };
        let outcome = match (&error, differences.is_empty(), dry_run) {
            (Some(_), ..) => ReconcileOutcome::Failed,
            (None, true, _) => ReconcileOutcome::Unchanged,
            (None, false, true) => ReconcileOutcome::Differs,
            (None, false, false) => ReconcileOutcome::Reconciled,
        };
        let error = error.map(|error| error.report());
        Some(Self { router: router.to_string(), outcome, differences, error })
    }
}

impl ReconcileReport {
    /// Whether anything differed or failed.
    fn has_news(&self) -> bool {
        self.routers.iter().any(|router| router.outcome != ReconcileOutcome::Unchanged)
    }

    fn exit(&self) -> OperatorExit {
        let is_healthy = |it: &ReconciledRouter| {
            matches!(it.outcome, ReconcileOutcome::Unchanged | ReconcileOutcome::Reconciled)
        };
        OperatorExit::of(self.routers.iter().all(is_healthy))
    }

    fn print(&self, screen: &mut Screen, begun: Instant) {
        for router in self.routers.iter().filter(|router| router.outcome != ReconcileOutcome::Unchanged) {
            screen.line(styled(&router.router, STRONG));
            for difference in &router.differences {
                screen.line(format_args!("  {}", diff_line(difference)));
            }
            if let Some(error) = &router.error {
                screen.problem(error);
            }
        }
        let number = |outcome| self.routers.iter().filter(|router| router.outcome == outcome).count();
        let words = [
            (ReconcileOutcome::Unchanged, "in order"),
            (ReconcileOutcome::Reconciled, "reconciled"),
            (ReconcileOutcome::Differs, "drifted"),
            (ReconcileOutcome::Failed, "failed"),
        ];
        let parts: Vec<_> = words
            .into_iter()
            .map(|(outcome, words)| (number(outcome), words))
            .filter(|(number, _)| *number > 0)
            .map(|(number, words)| format!("{number} {words}"))
            .collect();
        let all = count(self.routers.len(), "router");
        let summary = if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) };
        let style = if self.exit() == OperatorExit::Healthy { GOOD } else { BAD };
        let seconds = begun.elapsed().as_secs_f64();
        screen.line(format_args!("{} in {seconds:.1} s", styled(summary, style)));
    }
}
