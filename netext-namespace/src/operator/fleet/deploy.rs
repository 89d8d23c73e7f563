//! `fleet deploy`: puts an executable in place on the hosts.
//!
//! It is written beside its place, compared with what was sent, and run once before it takes the place in one step.
//! Whatever fails before that leaves the host as it was, and commands that run meanwhile find the old executable or
//! the new one, and never a part of it.

use std::fs;
use std::path::Path;

use indicatif::ProgressBar;
use netext_core::DeviceError;
use rustix::rand::{GetRandomFlags, getrandom};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::arguments::Deploy;
use super::doctor;
use super::host::{Asked, Trouble};
use super::reach::Reach;
use super::{Standing, verdict};
use crate::operator::Verdict;
use crate::operator::doctor::{Finding, Level};
use crate::operator::failure::Failure;
use crate::operator::screen::{BAD, FAINT, GOOD, Screen, count, styled, transfer};
use crate::operator::table::{Cell, Table};
use crate::places::Places;
use crate::proxy::ssh::{RemoteCommand, Ssh};
use crate::proxy::target::{Host, RemotePath};
use crate::relay::Identity;

/// What is to be put in place.
struct Executable {
    content: Vec<u8>,
    digest: String,
}

#[derive(Serialize)]
struct Report {
    path: String,
    digest: String,
    hosts: Vec<Visited>,
}

/// What came of a host.
#[derive(Serialize)]
struct Visited {
    host: String,
    outcome: Outcome,
    version: Option<String>,
    fit: bool,
    findings: Vec<Finding>,
    error: Option<String>,
    #[serde(skip)]
    trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// It is in place.
    Deployed,
    /// It was in place.
    AlreadyThere,
    /// What was in place still is, unless the connection was lost in the very last step.
    Failed,
}

pub(super) async fn run(
    places: &Places,
    arguments: &Deploy,
    screen: &mut Screen,
) -> Result<Verdict, Failure> {
    let reach = Reach::of(&arguments.which, places)?;
    // Its own file is found by this even if another one has its name by now.
    let itself = Path::new("/proc/self/exe");
    let executable = Executable::read(arguments.executable.as_deref().unwrap_or(itself))?;
    let ssh = Ssh::new(&reach.fleet, &reach.folder)?;
    let (size, path, pace) = (executable.content.len() as u64, &reach.fleet.path, arguments.pace());
    let bar = transfer(size.saturating_mul(reach.fleet.hosts.len() as u64));
    let visit = async |host: &Host| {
        let asked = Asked::new(&ssh, host, pace.patience);
        Visited::by(host, asked, path, &executable, &bar).await
    };
    let hosts = reach.ask_all(pace, visit, |host| bar.set_message(host.to_string())).await;
    bar.finish_and_clear();
    let report = Report { path: path.to_string(), digest: executable.digest, hosts };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(verdict(report.hosts.iter().map(Visited::standing)))
}

impl Executable {
    fn read(path: &Path) -> Result<Self, Failure> {
        let content = fs::read(path).map_err(|source| Failure::Unread { path: path.to_owned(), source })?;
        let digits = |digest: String, byte: &u8| format!("{digest}{byte:02x}");
        let digest = Sha256::digest(&content).iter().fold(String::new(), digits);
        Ok(Self { content, digest })
    }
}

impl Visited {
    async fn by(
        host: &Host,
        asked: Asked<'_>,
        path: &RemotePath,
        executable: &Executable,
        bar: &ProgressBar,
    ) -> Self {
        let mut visited = Self {
            host: host.to_string(),
            outcome: Outcome::Failed,
            version: None,
            fit: false,
            findings: Vec::new(),
            error: None,
            trouble: None,
        };
        let mut sent = 0;
        let written = |bytes: usize| {
            sent += bytes;
            bar.inc(bytes as u64);
        };
        visited.trouble = visited.work(asked, path, executable, written).await.err();
        // What was not sent is not to come any more.
        bar.inc(executable.content.len().saturating_sub(sent) as u64);
        visited.error = visited.trouble.as_ref().map(Trouble::to_string);
        visited
    }

    async fn work(
        &mut self,
        asked: Asked<'_>,
        path: &RemotePath,
        executable: &Executable,
        written: impl FnMut(usize),
    ) -> Result<(), Trouble> {
        if asked.digest(path).await?.as_ref() == Some(&executable.digest) {
            self.outcome = Outcome::AlreadyThere;
        } else {
            put(asked, path, executable, written).await?;
            self.outcome = Outcome::Deployed;
            let folder = path.folder();
            asked.carry_out("write the folder to the disk", RemoteCommand::Sync(&folder)).await?;
            asked.carry_out("remove old drafts", RemoteCommand::RemoveDrafts(path)).await?;
        }
        let identity = identify(asked, path).await?;
        self.version = Some(identity.version);
        self.findings = asked.doctor(path).await?;
        self.fit = doctor::is_fit(&self.findings);
        Ok(())
    }

    fn standing(&self) -> Standing {
        match &self.trouble {
            Some(trouble) if self.outcome == Outcome::Failed => trouble.standing(),
            None if self.fit => Standing::Well,
            _ => Standing::Unwell,
        }
    }
}

/// Puts an executable in place, or leaves what is there.
async fn put(
    asked: Asked<'_>,
    path: &RemotePath,
    executable: &Executable,
    written: impl FnMut(usize),
) -> Result<(), Trouble> {
    let draft = path.draft(random().map_err(|error| asked.failed("be given a draft", error.report()))?);
    let put = write_and_replace(asked, path, &draft, executable, written).await;
    if put.as_ref().is_err_and(|trouble| trouble.standing() != Standing::OutOfReach) {
        // If it cannot be removed now, a later deployment does.
        let _ = asked.carry_out("remove the draft", RemoteCommand::Remove(&draft)).await;
    }
    put
}

async fn write_and_replace(
    asked: Asked<'_>,
    path: &RemotePath,
    draft: &RemotePath,
    executable: &Executable,
    written: impl FnMut(usize),
) -> Result<(), Trouble> {
    let Executable { content, digest } = executable;
    asked.carry_out("make the draft", RemoteCommand::Create(draft)).await?;
    asked.hand_over("write the draft", RemoteCommand::Write(draft), content, written).await?;
    if asked.digest(draft).await?.as_ref() != Some(digest) {
        let words = format!("{draft} is not what was sent; repeat the deployment");
        return Err(asked.failed("keep the draft", words));
    }
    identify(asked, draft).await?;
    asked.carry_out("put it in place", RemoteCommand::Replace { draft, path }).await
}

/// Which executable lies at a path, if it is one that this one understands.
async fn identify(asked: Asked<'_>, path: &RemotePath) -> Result<Identity, Trouble> {
    let identity = asked.identify(path).await?;
    asked.demand_our_protocol(&identity)?;
    Ok(identity)
}

/// A number that no other deployment has.
fn random() -> Result<u64, DeviceError> {
    let mut drawn = [0; 8];
    getrandom(&mut drawn, GetRandomFlags::empty())
        .map_err(|error| DeviceError::internal("cannot draw a random number").with_source(error))?;
    Ok(u64::from_ne_bytes(drawn))
}

impl Report {
    fn print(&self, screen: &mut Screen) {
        let mut table = Table::new(["host", "outcome", "version", "doctor"]);
        for host in &self.hosts {
            table.row(host.row());
        }
        screen.line(styled(&self.path, FAINT));
        screen.text(table);
        for Visited { host, trouble, .. } in &self.hosts {
            if let Some(trouble) = trouble {
                screen.line(format_args!("\n{}", styled(format_args!("! {trouble}"), BAD)));
                if trouble.standing() == Standing::OutOfReach {
                    screen.line(styled(format_args!("  repeat it when {host} is back"), FAINT));
                }
            }
        }
        if self.hosts.iter().any(|host| host.findings.iter().any(|it| it.level != Level::Ok)) {
            let mut table = doctor::table();
            for host in &self.hosts {
                doctor::add(&mut table, &host.host, &host.findings);
            }
            screen.text(format_args!("\n{table}"));
        }
        let number = |outcome| self.hosts.iter().filter(|host| host.outcome == outcome).count();
        let parts = [
            (number(Outcome::Deployed), "deployed"),
            (number(Outcome::AlreadyThere), "had it already"),
            (number(Outcome::Failed), "failed"),
            (self.hosts.iter().filter(|it| it.outcome != Outcome::Failed && !it.fit).count(), "not fit"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> = parts.map(|(number, words)| format!("{number} {words}")).collect();
        let all = count(self.hosts.len(), "host");
        let is_well = self.hosts.iter().all(|host| host.standing() == Standing::Well);
        let style = if is_well { GOOD } else { BAD };
        screen.line(format_args!("\n{}", styled(format_args!("{all}: {}", parts.join(", ")), style)));
    }
}

impl Visited {
    fn row(&self) -> [Cell; 4] {
        let absent = || Cell::styled("-", FAINT);
        let outcome = match (self.outcome, &self.trouble) {
            (Outcome::Deployed, _) => Cell::styled("deployed", GOOD),
            (Outcome::AlreadyThere, _) => Cell::styled("already there", GOOD),
            (Outcome::Failed, Some(trouble)) => Cell::styled(trouble.name(), BAD),
            (Outcome::Failed, None) => Cell::styled("failed", BAD),
        };
        let doctor = match (&self.trouble, self.fit) {
            (None, true) => Cell::styled("fit", GOOD),
            (None, false) => Cell::styled("not fit", BAD),
            (Some(trouble), _) if self.outcome != Outcome::Failed => Cell::styled(trouble.name(), BAD),
            (Some(_), _) => absent(),
        };
        [self.host.as_str().into(), outcome, self.version.as_ref().map_or_else(absent, Cell::from), doctor]
    }
}
