//! `fleet doctor`: checks the requirements of hosts.

use netext_core::error_chain;
use serde::Serialize;

use super::host::{FleetHost, FleetHostError, HostStatus};
use super::selection::check_all;
use crate::operator::arguments::FleetCheckArguments;
use crate::operator::doctor::{DoctorFinding, FindingLevel};
use crate::operator::error::{OperatorError, OperatorExit};
use crate::operator::screen::{BAD, Cell, DOUBTFUL, FAINT, GOOD, Screen, Table, count, styled};
use crate::places::ExtensionPlaces;
use crate::proxy::remote::RemotePath;

#[derive(Serialize)]
struct FleetDoctorReport {
    hosts: Vec<ExaminedHost>,
}

/// The findings on a host.
#[derive(Serialize)]
struct ExaminedHost {
    host: String,
    fit: bool,
    findings: Vec<DoctorFinding>,
    error: Option<String>,
    #[serde(skip)]
    cause: Option<FleetHostError>,
}

pub(super) async fn run(
    places: &ExtensionPlaces,
    arguments: &FleetCheckArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let report = FleetDoctorReport { hosts: check_all(places, arguments, ExaminedHost::of).await? };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(HostStatus::exit_of(report.hosts.iter().map(ExaminedHost::status)))
}

/// The findings of the host's own executable. They do not depend on its relay protocol.
async fn findings(host: FleetHost<'_>, path: &RemotePath) -> Result<Vec<DoctorFinding>, FleetHostError> {
    host.identify(path).await?;
    host.doctor(path).await
}

/// Whether routers work on a host. Warnings are about things that not every host needs.
pub(super) fn is_fit(findings: &[DoctorFinding]) -> bool {
    findings.iter().all(|finding| finding.level != FindingLevel::Problem)
}

/// A table of problems and warnings by host.
pub(super) fn table() -> Table {
    Table::new(["host", "level", "subject", "finding and remedy"])
}

/// Adds the problems and warnings of a host.
pub(super) fn add(table: &mut Table, host: &str, findings: &[DoctorFinding]) {
    for finding in findings.iter().filter(|finding| finding.level != FindingLevel::Ok) {
        let (word, style) = finding.level.shown();
        let (subject, found) = (finding.subject.as_str().into(), finding.found.as_str().into());
        table.row([host.into(), Cell::styled(word, style), subject, found]);
        if let Some(remedy) = &finding.remedy {
            table.row(["".into(), "".into(), "".into(), Cell::styled(remedy, FAINT)]);
        }
    }
}

impl ExaminedHost {
    async fn of(host: FleetHost<'_>, path: &RemotePath) -> Self {
        let (findings, cause) = match findings(host, path).await {
            Ok(findings) => (findings, None),
            Err(cause) => (Vec::new(), Some(cause)),
        };
        let fit = cause.is_none() && is_fit(&findings);
        let error = cause.as_ref().map(|cause| error_chain(cause));
        Self { host: host.address.to_string(), fit, findings, error, cause }
    }

    fn status(&self) -> HostStatus {
        match &self.cause {
            Some(cause) => cause.status(),
            None if self.fit => HostStatus::Healthy,
            None => HostStatus::Unhealthy,
        }
    }
}

impl FleetDoctorReport {
    fn print(&self, screen: &mut Screen) {
        let mut table = table();
        for ExaminedHost { host, findings, error, cause, .. } in &self.hosts {
            let host = host.as_str();
            match (cause, error) {
                (Some(cause), Some(error)) => {
                    table.row([host.into(), Cell::styled(cause.name(), BAD), "-".into(), error.into()]);
                }
                _ if findings.iter().all(|it| it.level == FindingLevel::Ok) => {
                    table.row([host.into(), Cell::styled("ok", GOOD)]);
                }
                _ => add(&mut table, host, findings),
            }
        }
        screen.text(table);
        let number = |level| {
            let all = self.hosts.iter().flat_map(|host| &host.findings);
            all.filter(|finding| finding.level == level).count()
        };
        let (problems, warnings) = (number(FindingLevel::Problem), number(FindingLevel::Warning));
        let unfit = self.hosts.iter().filter(|host| !host.fit).count();
        let style = match (unfit, warnings) {
            (0, 0) => GOOD,
            (0, _) => DOUBTFUL,
            _ => BAD,
        };
        let summary = format!(
            "{}: {unfit} not fit, {}, {}",
            count(self.hosts.len(), "host"),
            count(problems, "problem"),
            count(warnings, "warning")
        );
        screen.line(format_args!("\n{}", styled(summary, style)));
    }
}
