//! `status`: how the routers do.

use netext_core::DeviceError;
use serde::Serialize;

use super::Verdict;
use super::arguments::Status;
use super::failure::Failure;
use super::screen::{BAD, DOUBTFUL, FAINT, GOOD, STRONG, Screen, count, styled};
use super::sweep::{routers, sweep};
use super::table::{Cell, Table};
use crate::host::health::{Field, Health, health};
use crate::model::RouterId;
use crate::store::Store;

/// What is told of all routers.
#[derive(Serialize)]
struct Report {
    routers: Vec<Seen>,
}

/// A router that could be looked at, or that could not.
#[derive(Serialize)]
struct Seen {
    healthy: bool,
    #[serde(flatten)]
    what: Looked,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Looked {
    At(Health),
    InVain { router: String, error: String },
}

pub(super) fn run(store: &Store, arguments: &Status, screen: &mut Screen) -> Result<Verdict, Failure> {
    let routers = routers(store, arguments.router)?;
    let look = async |router, deadline: &_| health(store, router, deadline).await;
    let seen = sweep(&routers, &arguments.pace, look, |_| {});
    let routers: Vec<_> = seen.into_iter().filter_map(|(router, seen)| Seen::of(router, seen)).collect();
    let report = Report { routers };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(Verdict::of(report.routers.iter().all(|router| router.healthy)))
}

impl Seen {
    /// `None` for a router that has gone meanwhile.
    fn of(router: RouterId, looked: Result<Option<Health>, DeviceError>) -> Option<Self> {
        Some(match looked {
            Ok(health) => {
                let health = health?;
                Self { healthy: health.is_well(), what: Looked::At(health) }
            }
            Err(error) => {
                let what = Looked::InVain { router: router.to_string(), error: error.report() };
                Self { healthy: false, what }
            }
        })
    }
}

impl Report {
    fn print(&self, screen: &mut Screen) {
        if self.routers.is_empty() {
            screen.line("this host has no routers");
            return;
        }
        let fields = Field::ALL.map(Field::name);
        let head = ["router", "namespace", "tiers", "public", "instances"].into_iter().chain(fields);
        let mut table = Table::new(head);
        for router in &self.routers {
            table.row(row(&router.what));
        }
        screen.text(table);
        for router in self.routers.iter().filter(|router| !router.healthy) {
            particulars(&router.what, screen);
        }
        let unwell = self.routers.iter().filter(|router| !router.healthy).count();
        screen.line("");
        let all = count(self.routers.len(), "router");
        screen.line(match unwell {
            0 => styled(format_args!("{all}, all well"), GOOD),
            unwell => styled(format_args!("{all}, {unwell} unwell"), BAD),
        });
    }
}

fn row(looked: &Looked) -> Vec<Cell> {
    match looked {
        Looked::At(health) => {
            let numbers = [health.tiers, health.public_addresses, health.instances];
            let mut cells = vec![health.router.to_string().into(), health.namespace.as_str().into()];
            cells.extend(numbers.map(|number| number.to_string().into()));
            cells.extend(Field::ALL.map(|field| verdict(health, field)));
            cells
        }
        Looked::InVain { router, .. } => vec![router.as_str().into(), Cell::styled("unknown", BAD)],
    }
}

fn verdict(health: &Health, field: Field) -> Cell {
    match health.differences_in(field).count() {
        0 if field == Field::Links && !health.troubles.is_empty() => Cell::styled("trouble", BAD),
        0 if health.obstacle.is_some() => Cell::styled("unknown", DOUBTFUL),
        0 => Cell::styled("ok", GOOD),
        1 => Cell::styled("1 differs", BAD),
        number => Cell::styled(format!("{number} differ"), BAD),
    }
}

fn particulars(looked: &Looked, screen: &mut Screen) {
    screen.line("");
    match looked {
        Looked::At(health) => {
            screen.line(styled(health.router, STRONG));
            for difference in &health.differences {
                screen.line(format_args!("  {}", super::reconcile::line(difference)));
            }
            for trouble in &health.troubles {
                screen.line(format_args!("  {}", styled(format_args!("! {trouble}"), BAD)));
            }
            if let Some(obstacle) = &health.obstacle {
                screen.line(format_args!("  {}", styled(format_args!("! {obstacle}"), BAD)));
            }
            if !health.differences.is_empty() {
                screen.line(styled(format_args!("  'reconcile {}' puts it right", health.router), FAINT));
            }
        }
        Looked::InVain { router, error } => {
            screen.line(styled(router, STRONG));
            screen.line(format_args!("  {}", styled(format_args!("! {error}"), BAD)));
        }
    }
}
