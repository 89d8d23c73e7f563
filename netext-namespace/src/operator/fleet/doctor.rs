//! `fleet doctor`: whether the hosts are fit for routers.

use serde::Serialize;

use super::arguments::Question;
use super::host::{Asked, Trouble};
use super::{Standing, ask_all, verdict};
use crate::operator::Verdict;
use crate::operator::doctor::{Finding, Level};
use crate::operator::failure::Failure;
use crate::operator::screen::{BAD, DOUBTFUL, FAINT, GOOD, Screen, count, styled};
use crate::operator::table::{Cell, Table};
use crate::places::Places;
use crate::proxy::target::{Host, RemotePath};

#[derive(Serialize)]
struct Report {
    hosts: Vec<Examined>,
}

/// What was found on a host.
#[derive(Serialize)]
struct Examined {
    host: String,
    fit: bool,
    findings: Vec<Finding>,
    error: Option<String>,
    #[serde(skip)]
    trouble: Option<Trouble>,
}

pub(super) async fn run(
    places: &Places,
    arguments: &Question,
    screen: &mut Screen,
) -> Result<Verdict, Failure> {
    let report = Report { hosts: ask_all(places, arguments, Examined::at).await? };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(verdict(report.hosts.iter().map(Examined::standing)))
}

/// An executable that speaks another protocol still knows what its host lacks.
async fn findings(asked: Asked<'_>, path: &RemotePath) -> Result<Vec<Finding>, Trouble> {
    asked.identify(path).await?;
    asked.doctor(path).await
}

/// Whether routers work there: warnings are about what not every host needs.
pub(super) fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Problem)
}

/// The table of what is to be done, by host.
pub(super) fn table() -> Table {
    Table::new(["host", "level", "subject", "found, and what to do"])
}

/// The rows of a host: what is not as it should be.
pub(super) fn add(table: &mut Table, host: &str, findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| finding.level != Level::Ok) {
        let (word, style) = finding.level.shown();
        let (subject, found) = (finding.subject.as_str().into(), finding.found.as_str().into());
        table.row([host.into(), Cell::styled(word, style), subject, found]);
        if let Some(remedy) = &finding.remedy {
            table.row(["".into(), "".into(), "".into(), Cell::styled(remedy, FAINT)]);
        }
    }
}

impl Examined {
    async fn at(host: &Host, asked: Asked<'_>, path: &RemotePath) -> Self {
        let (findings, trouble) = match findings(asked, path).await {
            Ok(findings) => (findings, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        let fit = trouble.is_none() && is_fit(&findings);
        let error = trouble.as_ref().map(Trouble::to_string);
        Self { host: host.to_string(), fit, findings, error, trouble }
    }

    fn standing(&self) -> Standing {
        match &self.trouble {
            Some(trouble) => trouble.standing(),
            None if self.fit => Standing::Well,
            None => Standing::Unwell,
        }
    }
}

impl Report {
    fn print(&self, screen: &mut Screen) {
        let mut table = table();
        for Examined { host, findings, trouble, .. } in &self.hosts {
            let plain = |word, style| [host.as_str().into(), Cell::styled(word, style)];
            match trouble {
                Some(trouble) => {
                    let [host, word] = plain(trouble.name(), BAD);
                    table.row([host, word, "-".into(), trouble.to_string().into()]);
                }
                None if findings.iter().all(|it| it.level == Level::Ok) => table.row(plain("ok", GOOD)),
                None => add(&mut table, host, findings),
            }
        }
        screen.text(table);
        let of = |level| {
            let all = self.hosts.iter().flat_map(|host| &host.findings);
            all.filter(|finding| finding.level == level).count()
        };
        let (problems, warnings) = (of(Level::Problem), of(Level::Warning));
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
