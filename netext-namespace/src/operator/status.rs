//! `status`: the differences between the desired and the actual state of routers.

use netext_core::DeviceError;
use serde::Serialize;

use super::arguments::StatusArguments;
use super::error::{OperatorError, OperatorExit};
use super::screen::{BAD, Cell, DOUBTFUL, FAINT, GOOD, STRONG, Screen, Table, count, diff_line, styled};
use super::sweep::{routers, sweep};
use crate::host::health::{HealthCheck, HealthField, health};
use crate::model::RouterId;
use crate::store::Store;

/// The state of all routers.
#[derive(Serialize)]
struct StatusReport {
    routers: Vec<RouterStatus>,
}

/// The state of a router.
#[derive(Serialize)]
struct RouterStatus {
    healthy: bool,
    #[serde(flatten)]
    examination: RouterExamination,
}

/// Whether a router could be examined.
#[derive(Serialize)]
#[serde(untagged)]
enum RouterExamination {
    Complete(HealthCheck),
    Failed { router: String, error: String },
}

pub(super) fn run(
    store: &Store,
    arguments: &StatusArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let routers = routers(store, arguments.router)?;
    let examine = async |router, deadline: &_| health(store, router, deadline).await;
    let examined = sweep(&routers, &arguments.pace, examine, |_| {});
    let routers = examined.into_iter().filter_map(|(router, health)| RouterStatus::of(router, health));
    let report = StatusReport { routers: routers.collect() };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(OperatorExit::of(report.routers.iter().all(|router| router.healthy)))
}

impl RouterStatus {
    /// `None` for a router that was deleted meanwhile.
    fn of(router: RouterId, health: Result<Option<HealthCheck>, DeviceError>) -> Option<Self> {
        Some(match health {
            Ok(health) => {
                let health = health?;
                Self { healthy: health.is_healthy(), examination: RouterExamination::Complete(health) }
            }
            Err(error) => {
                let (router, error) = (router.to_string(), error.report());
                Self { healthy: false, examination: RouterExamination::Failed { router, error } }
            }
        })
    }
}

impl StatusReport {
    fn print(&self, screen: &mut Screen) {
        if self.routers.is_empty() {
            screen.line("this host has no routers");
            return;
        }
        let fields = HealthField::ALL.map(HealthField::name);
        let head = ["router", "namespace", "tiers", "public", "instances"].into_iter().chain(fields);
        let mut table = Table::new(head);
        for router in &self.routers {
            table.row(router.examination.row());
        }
        screen.text(table);
        for router in self.routers.iter().filter(|router| !router.healthy) {
            router.examination.print_problems(screen);
        }
        let unhealthy = self.routers.iter().filter(|router| !router.healthy).count();
        screen.line("");
        let all = count(self.routers.len(), "router");
        screen.line(match unhealthy {
            0 => styled(format_args!("{all}, all healthy"), GOOD),
            unhealthy => styled(format_args!("{all}, {unhealthy} unhealthy"), BAD),
        });
    }
}

impl RouterExamination {
    fn row(&self) -> Vec<Cell> {
        match self {
            Self::Complete(health) => {
                let numbers = [health.tiers, health.public_addresses, health.instances];
                let mut cells = vec![health.router.to_string().into(), health.namespace.as_str().into()];
                cells.extend(numbers.map(|number| number.to_string().into()));
                cells.extend(HealthField::ALL.map(|field| cell(health, field)));
                cells
            }
            Self::Failed { router, .. } => vec![router.as_str().into(), Cell::styled("unknown", BAD)],
        }
    }

    fn print_problems(&self, screen: &mut Screen) {
        screen.line("");
        match self {
            Self::Complete(health) => {
                screen.line(styled(health.router, STRONG));
                for difference in &health.differences {
                    screen.line(format_args!("  {}", diff_line(difference)));
                }
                for problem in health.troubles.iter().chain(&health.obstacle) {
                    screen.problem(problem);
                }
                if !health.differences.is_empty() {
                    screen
                        .line(styled(format_args!("  repair it with 'reconcile {}'", health.router), FAINT));
                }
            }
            Self::Failed { router, error } => {
                screen.line(styled(router, STRONG));
                screen.problem(error);
            }
        }
    }
}

fn cell(health: &HealthCheck, field: HealthField) -> Cell {
    match health.differences_in(field).count() {
        0 if field == HealthField::Links && !health.troubles.is_empty() => Cell::styled("trouble", BAD),
        0 if health.obstacle.is_some() => Cell::styled("unknown", DOUBTFUL),
        0 => Cell::styled("ok", GOOD),
        1 => Cell::styled("1 differs", BAD),
        number => Cell::styled(format!("{number} differ"), BAD),
    }
}
