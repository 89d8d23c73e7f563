//! `fleet status`: the state of hosts and their routers.

use netext_core::error_chain;
use serde::{Deserialize, Serialize};

use super::host::{FleetHost, FleetHostError, HostStatus};
use super::selection::check_all;
use crate::operator::arguments::FleetCheckArguments;
use crate::operator::error::{OperatorError, OperatorExit};
use crate::operator::screen::{BAD, Cell, DOUBTFUL, FAINT, GOOD, STRONG, Screen, Table, count, styled};
use crate::places::ExtensionPlaces;
use crate::proxy::remote::{RemoteCommand, RemotePath};
use crate::relay::{PROTOCOL, VERSION};

/// How many routers are named before the rest is counted.
const NAMED: usize = 8;

/// The state of all hosts.
#[derive(Serialize)]
struct FleetStatusReport {
    /// The version of this executable.
    version: &'static str,
    protocol: u32,
    hosts: Vec<CheckedHost>,
}

/// The state of a host.
#[derive(Serialize)]
struct CheckedHost {
    host: String,
    #[serde(rename = "well")]
    healthy: bool,
    version: Option<String>,
    protocol: Option<u32>,
    routers: Option<HealthCount>,
    /// Why it could not be asked, or not everything.
    error: Option<String>,
    #[serde(skip)]
    cause: Option<FleetHostError>,
}

/// The state of a host's routers.
#[derive(Serialize)]
struct HealthCount {
    #[serde(rename = "well")]
    healthy: usize,
    /// Their names.
    #[serde(rename = "unwell")]
    unhealthy: Vec<String>,
}

/// The part that counts here of what `status` prints on a host.
#[derive(Deserialize)]
struct PrintedStatus {
    routers: Vec<PrintedRouter>,
}

#[derive(Deserialize)]
struct PrintedRouter {
    router: String,
    healthy: bool,
}

pub(super) async fn run(
    places: &ExtensionPlaces,
    arguments: &FleetCheckArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let hosts = check_all(places, arguments, CheckedHost::of).await?;
    let report = FleetStatusReport { version: VERSION, protocol: PROTOCOL, hosts };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(HostStatus::exit_of(report.hosts.iter().map(CheckedHost::status)))
}

impl CheckedHost {
    async fn of(host: FleetHost<'_>, path: &RemotePath) -> Self {
        let mut checked = Self {
            host: host.address.to_string(),
            healthy: false,
            version: None,
            protocol: None,
            routers: None,
            error: None,
            cause: None,
        };
        checked.cause = checked.check(host, path).await.err();
        checked.error = checked.cause.as_ref().map(|cause| error_chain(cause));
        checked.healthy = checked.status() == HostStatus::Healthy;
        checked
    }

    async fn check(&mut self, host: FleetHost<'_>, path: &RemotePath) -> Result<(), FleetHostError> {
        let identity = host.identify(path).await?;
        self.version = Some(identity.version.clone());
        self.protocol = Some(identity.protocol);
        // The JSON of `status` changes less often than the relay protocol.
        let printed = host.document("print its status", RemoteCommand::Status(path)).await;
        if let Ok(PrintedStatus { routers }) = &printed {
            let unhealthy = routers.iter().filter(|router| !router.healthy).map(|it| it.router.clone());
            let unhealthy: Vec<_> = unhealthy.collect();
            self.routers = Some(HealthCount { healthy: routers.len() - unhealthy.len(), unhealthy });
        }
        host.demand_our_protocol(&identity)?;
        printed.map(drop)
    }

    fn status(&self) -> HostStatus {
        match (&self.cause, &self.routers) {
            (Some(cause), _) => cause.status(),
            (None, Some(routers)) if routers.unhealthy.is_empty() => HostStatus::Healthy,
            _ => HostStatus::Unhealthy,
        }
    }
}

impl FleetStatusReport {
    fn print(&self, screen: &mut Screen) {
        let head = ["host", "version", "protocol", "routers", "healthy", "unhealthy", "state"];
        let mut table = Table::new(head);
        for host in &self.hosts {
            table.row(host.row());
        }
        screen.text(table);
        for host in self.hosts.iter().filter(|host| !host.healthy) {
            host.print_problems(screen);
        }
        let unhealthy = self.hosts.iter().filter(|host| !host.healthy).count();
        let all = count(self.hosts.len(), "host");
        screen.line("");
        screen.line(match unhealthy {
            0 => styled(format_args!("{all}, all healthy"), GOOD),
            unhealthy => styled(format_args!("{all}, {unhealthy} unhealthy"), BAD),
        });
    }
}

impl CheckedHost {
    fn row(&self) -> [Cell; 7] {
        let absent = || Cell::styled("-", FAINT);
        let as_ours = |ours: bool| if ours { GOOD } else { DOUBTFUL };
        let number = |number: usize| Cell::from(number.to_string());
        let [routers, healthy, unhealthy] = match &self.routers {
            None => [absent(), absent(), absent()],
            Some(HealthCount { healthy, unhealthy }) => {
                let bad = match unhealthy.len() {
                    0 => number(0),
                    some => Cell::styled(some.to_string(), BAD),
                };
                [number(healthy + unhealthy.len()), number(*healthy), bad]
            }
        };
        [
            self.host.as_str().into(),
            self.version.as_ref().map_or_else(absent, |it| Cell::styled(it, as_ours(it == VERSION))),
            self.protocol.map_or_else(absent, |it| Cell::styled(it.to_string(), as_ours(it == PROTOCOL))),
            routers,
            healthy,
            unhealthy,
            match &self.cause {
                Some(cause) => Cell::styled(cause.name(), BAD),
                None if self.healthy => Cell::styled("healthy", GOOD),
                None => Cell::styled("unhealthy", BAD),
            },
        ]
    }

    fn print_problems(&self, screen: &mut Screen) {
        screen.line("");
        screen.line(styled(&self.host, STRONG));
        if let Some(error) = &self.error {
            screen.problem(error);
        }
        let unhealthy = self.routers.as_ref().map(|routers| routers.unhealthy.as_slice()).unwrap_or_default();
        if !unhealthy.is_empty() {
            let named = unhealthy.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = match unhealthy.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            screen.problem(format_args!("unhealthy: {named}{more}"));
            let advice = "  on that host, 'status' lists the differences and 'reconcile --all' repairs them";
            screen.line(styled(advice, FAINT));
        }
    }
}
