//! `fleet deploy`: installs an executable on hosts.
//!
//! The executable is written to a draft, compared with what was sent, and run once before it replaces the old one in one
//! step. If anything fails before that, the host is as it was. Commands that run meanwhile find the old executable or
//! the new one, and never a part of it.

use std::fs;
use std::path::Path;

use indicatif::ProgressBar;
use netext_core::{DeviceError, error_chain};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::doctor;
use super::host::{FleetHost, FleetHostError, HostStatus};
use super::selection::SelectedFleet;
use crate::operator::arguments::DeployArguments;
use crate::operator::doctor::{DoctorFinding, FindingLevel};
use crate::operator::error::{OperatorError, OperatorExit};
use crate::operator::screen::{BAD, Cell, FAINT, GOOD, Screen, Table, count, styled, transfer};
use crate::places::ExtensionPlaces;
use crate::proxy::error::HostError;
use crate::proxy::remote::{HostAddress, RemoteCommand, RemotePath};
use crate::proxy::ssh::Ssh;
use crate::relay::ExecutableIdentity;

/// The executable to install.
struct NewExecutable {
    content: Vec<u8>,
    digest: String,
}

#[derive(Serialize)]
struct DeployReport {
    path: String,
    digest: String,
    hosts: Vec<DeployedHost>,
}

/// The outcome for a host.
#[derive(Serialize)]
struct DeployedHost {
    host: String,
    outcome: DeployOutcome,
    version: Option<String>,
    fit: bool,
    findings: Vec<DoctorFinding>,
    error: Option<String>,
    #[serde(skip)]
    cause: Option<FleetHostError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum DeployOutcome {
    /// The new executable is in place.
    Deployed,
    /// It was in place before.
    AlreadyThere,
    /// The old executable is in place, unless the connection was lost in the very last step.
    Failed,
}

pub(super) async fn run(
    places: &ExtensionPlaces,
    arguments: &DeployArguments,
    screen: &mut Screen,
) -> Result<OperatorExit, OperatorError> {
    let selected = SelectedFleet::of(&arguments.hosts, places)?;
    // This leads to our own file even if another one has its name by now.
    let ourselves = Path::new("/proc/self/exe");
    let executable = NewExecutable::read(arguments.executable.as_deref().unwrap_or(ourselves))?;
    let ssh = Ssh::new(&selected.fleet, &selected.folder)?;
    let (size, path, pace) = (executable.content.len() as u64, &selected.fleet.path, arguments.pace());
    let bar = transfer(size.saturating_mul(selected.fleet.hosts.len() as u64));
    let visit = async |address: &HostAddress| {
        let host = FleetHost::new(&ssh, address, pace.patience);
        DeployedHost::of(host, path, &executable, &bar).await
    };
    let hosts = selected.visit_all(pace, visit, |host| bar.set_message(host.to_string())).await;
    bar.finish_and_clear();
    let report = DeployReport { path: path.to_string(), digest: executable.digest, hosts };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(HostStatus::exit_of(report.hosts.iter().map(DeployedHost::status)))
}

impl NewExecutable {
    fn read(path: &Path) -> Result<Self, OperatorError> {
        let content = fs::read(path)
            .map_err(|source| OperatorError::UnreadableFile { path: path.to_owned(), source })?;
        let digits = |digest: String, byte: &u8| format!("{digest}{byte:02x}");
        let digest = Sha256::digest(&content).iter().fold(String::new(), digits);
        Ok(Self { content, digest })
    }
}

impl DeployedHost {
    async fn of(
        host: FleetHost<'_>,
        path: &RemotePath,
        executable: &NewExecutable,
        bar: &ProgressBar,
    ) -> Self {
        let mut deployed = Self {
            host: host.address.to_string(),
            outcome: DeployOutcome::Failed,
            version: None,
            fit: false,
            findings: Vec::new(),
            error: None,
            cause: None,
        };
        let mut total = 0;
        let sent = |bytes: usize| {
            total += bytes;
            bar.inc(bytes as u64);
        };
        deployed.cause = deployed.deploy(host, path, executable, sent).await.err();
        // The rest is not sent any more.
        bar.inc(executable.content.len().saturating_sub(total) as u64);
        deployed.error = deployed.cause.as_ref().map(|cause| error_chain(cause));
        deployed
    }

    async fn deploy(
        &mut self,
        host: FleetHost<'_>,
        path: &RemotePath,
        executable: &NewExecutable,
        sent: impl FnMut(usize),
    ) -> Result<(), FleetHostError> {
        if host.digest(path).await?.as_ref() == Some(&executable.digest) {
            self.outcome = DeployOutcome::AlreadyThere;
        } else {
            install(host, path, executable, sent).await?;
            self.outcome = DeployOutcome::Deployed;
            let folder = path.folder();
            host.carry_out("write the folder to the disk", RemoteCommand::Sync(&folder)).await?;
            host.carry_out("remove old drafts", RemoteCommand::RemoveDrafts(path)).await?;
        }
        let identity = identify(host, path).await?;
        self.version = Some(identity.version);
        self.findings = host.doctor(path).await?;
        self.fit = doctor::is_fit(&self.findings);
        Ok(())
    }

    fn status(&self) -> HostStatus {
        match &self.cause {
            Some(cause) if self.outcome == DeployOutcome::Failed => cause.status(),
            None if self.fit => HostStatus::Healthy,
            _ => HostStatus::Unhealthy,
        }
    }
}

/// Replaces the executable, or leaves the old one.
async fn install(
    host: FleetHost<'_>,
    path: &RemotePath,
    executable: &NewExecutable,
    sent: impl FnMut(usize),
) -> Result<(), FleetHostError> {
    let draft = path.draft(random().map_err(|error| host.failed("be given a draft", error.report()))?);
    let installed = write_and_replace(host, path, &draft, executable, sent).await;
    if installed.as_ref().is_err_and(|cause| cause.status() != HostStatus::Unreachable) {
        // If it cannot be removed now, a later deployment removes it.
        let _ = host.carry_out("remove the draft", RemoteCommand::Remove(&draft)).await;
    }
    installed
}

async fn write_and_replace(
    host: FleetHost<'_>,
    path: &RemotePath,
    draft: &RemotePath,
    executable: &NewExecutable,
    sent: impl FnMut(usize),
) -> Result<(), FleetHostError> {
    let NewExecutable { content, digest } = executable;
    host.carry_out("make the draft", RemoteCommand::Create(draft)).await?;
    host.send("write the draft", RemoteCommand::Write(draft), content, sent).await?;
    if host.digest(draft).await?.as_ref() != Some(digest) {
        let words = format!("{draft} differs from what was sent; repeat the deployment");
        return Err(host.failed("keep the draft", words));
    }
    identify(host, draft).await.map_err(blame_the_executable)?;
    host.carry_out("put the draft in place", RemoteCommand::Replace { draft, path }).await
}

/// The identity of an executable with our relay protocol.
async fn identify(host: FleetHost<'_>, path: &RemotePath) -> Result<ExecutableIdentity, FleetHostError> {
    let identity = host.identify(path).await?;
    host.demand_our_protocol(&identity)?;
    Ok(identity)
}

/// The host is not at fault if the draft is no executable of this extension.
fn blame_the_executable(error: FleetHostError) -> FleetHostError {
    match error {
        FleetHostError::Host(HostError::NoExtension { host, words, .. }) => {
            FleetHostError::WrongExecutable { host, words }
        }
        FleetHostError::Host(HostError::Incompatible { host, problem }) => {
            FleetHostError::WrongExecutable { host, words: problem.to_string() }
        }
        other => other,
    }
}

/// A number that no other deployment uses.
fn random() -> Result<u64, DeviceError> {
    let mut drawn = [0; 8];
    getrandom(&mut drawn, GetRandomFlags::empty())
        .map_err(|error| DeviceError::internal("cannot draw a random number").with_source(error))?;
    Ok(u64::from_ne_bytes(drawn))
}

impl DeployReport {
    fn print(&self, screen: &mut Screen) {
        let mut table = Table::new(["host", "outcome", "version", "doctor"]);
        for host in &self.hosts {
            table.row(host.row());
        }
        screen.line(styled(&self.path, FAINT));
        screen.text(table);
        for DeployedHost { host, cause, error, .. } in &self.hosts {
            if let (Some(cause), Some(error)) = (cause, error) {
                screen.line(format_args!("\n{}", styled(format_args!("! {error}"), BAD)));
                if cause.status() == HostStatus::Unreachable {
                    screen.line(styled(format_args!("  repeat the deployment when {host} is back"), FAINT));
                }
            }
        }
        if self.hosts.iter().any(|host| host.findings.iter().any(|it| it.level != FindingLevel::Ok)) {
            let mut table = doctor::table();
            for host in &self.hosts {
                doctor::add(&mut table, &host.host, &host.findings);
            }
            screen.text(format_args!("\n{table}"));
        }
        let number = |outcome| self.hosts.iter().filter(|host| host.outcome == outcome).count();
        let is_unfit = |host: &&DeployedHost| host.outcome != DeployOutcome::Failed && !host.fit;
        let parts = [
            (number(DeployOutcome::Deployed), "deployed"),
            (number(DeployOutcome::AlreadyThere), "had it already"),
            (number(DeployOutcome::Failed), "failed"),
            (self.hosts.iter().filter(is_unfit).count(), "not fit"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> = parts.map(|(number, words)| format!("{number} {words}")).collect();
        let all = count(self.hosts.len(), "host");
        let is_healthy = self.hosts.iter().all(|host| host.status() == HostStatus::Healthy);
        let style = if is_healthy { GOOD } else { BAD };
        screen.line(format_args!("\n{}", styled(format_args!("{all}: {}", parts.join(", ")), style)));
    }
}

impl DeployedHost {
    fn row(&self) -> [Cell; 4] {
        let absent = || Cell::styled("-", FAINT);
        let outcome = match (self.outcome, &self.cause) {
            (DeployOutcome::Deployed, _) => Cell::styled("deployed", GOOD),
            (DeployOutcome::AlreadyThere, _) => Cell::styled("already there", GOOD),
            (DeployOutcome::Failed, Some(cause)) => Cell::styled(cause.name(), BAD),
            (DeployOutcome::Failed, None) => Cell::styled("failed", BAD),
        };
        let doctor = match (&self.cause, self.fit) {
            (None, true) => Cell::styled("fit", GOOD),
            (None, false) => Cell::styled("not fit", BAD),
            (Some(cause), _) if self.outcome != DeployOutcome::Failed => Cell::styled(cause.name(), BAD),
            (Some(_), _) => absent(),
        };
        [self.host.as_str().into(), outcome, self.version.as_ref().map_or_else(absent, Cell::from), doctor]
    }
}
