//! `fleet status`: how the hosts and their routers do.

use serde::{Deserialize, Serialize};

use super::arguments::Question;
use super::host::{Asked, Trouble};
use super::{Standing, ask_all, verdict};
use crate::operator::Verdict;
use crate::operator::failure::Failure;
use crate::operator::screen::{BAD, DOUBTFUL, FAINT, GOOD, STRONG, Screen, count, styled};
use crate::operator::table::{Cell, Table};
use crate::places::Places;
use crate::proxy::ssh::RemoteCommand;
use crate::proxy::target::{Host, RemotePath};
use crate::relay::{PROTOCOL, VERSION};

/// How many routers are named before the rest is counted.
const NAMED: usize = 8;

/// What is told of all hosts.
#[derive(Serialize)]
struct Report {
    /// What this executable is.
    version: &'static str,
    protocol: u32,
    hosts: Vec<Seen>,
}

/// How a host does.
#[derive(Serialize)]
struct Seen {
    host: String,
    well: bool,
    version: Option<String>,
    protocol: Option<u32>,
    routers: Option<Routers>,
    /// Why it could not be asked, or not everything.
    error: Option<String>,
    #[serde(skip)]
    trouble: Option<Trouble>,
}

/// How its routers do.
#[derive(Serialize)]
struct Routers {
    well: usize,
    /// Their names.
    unwell: Vec<String>,
}

/// What the host prints, as far as it counts here.
#[derive(Deserialize)]
struct Printed {
    routers: Vec<Router>,
}

#[derive(Deserialize)]
struct Router {
    router: String,
    healthy: bool,
}

pub(super) async fn run(
    places: &Places,
    arguments: &Question,
    screen: &mut Screen,
) -> Result<Verdict, Failure> {
    let hosts = ask_all(places, arguments, Seen::at).await?;
    let report = Report { version: VERSION, protocol: PROTOCOL, hosts };
    if arguments.json {
        screen.json(&report);
    } else {
        report.print(screen);
    }
    Ok(verdict(report.hosts.iter().map(Seen::standing)))
}

impl Seen {
    async fn at(host: &Host, asked: Asked<'_>, path: &RemotePath) -> Self {
        let mut seen = Self {
            host: host.to_string(),
            well: false,
            version: None,
            protocol: None,
            routers: None,
            error: None,
            trouble: None,
        };
        seen.trouble = seen.look(asked, path).await.err();
        seen.error = seen.trouble.as_ref().map(Trouble::to_string);
        seen.well = seen.standing() == Standing::Well;
        seen
    }

    async fn look(&mut self, asked: Asked<'_>, path: &RemotePath) -> Result<(), Trouble> {
        let identity = asked.identify(path).await?;
        self.version = Some(identity.version.clone());
        self.protocol = Some(identity.protocol);
        // What people ask for is older than what the executables say to each other.
        let printed = asked.document("tell its status", RemoteCommand::Status(path)).await;
        if let Ok(Printed { routers }) = &printed {
            let unwell = routers.iter().filter(|router| !router.healthy).map(|it| it.router.clone());
            let unwell: Vec<_> = unwell.collect();
            self.routers = Some(Routers { well: routers.len() - unwell.len(), unwell });
        }
        asked.demand_our_protocol(&identity)?;
        printed.map(drop)
    }

    fn standing(&self) -> Standing {
        match (&self.trouble, &self.routers) {
            (Some(trouble), _) => trouble.standing(),
            (None, Some(routers)) if routers.unwell.is_empty() => Standing::Well,
            _ => Standing::Unwell,
        }
    }
}

impl Report {
    fn print(&self, screen: &mut Screen) {
        let mut table = Table::new(["host", "version", "protocol", "routers", "well", "unwell", "state"]);
        for host in &self.hosts {
            table.row(host.row());
        }
        screen.text(table);
        for host in self.hosts.iter().filter(|host| !host.well) {
            host.particulars(screen);
        }
        let unwell = self.hosts.iter().filter(|host| !host.well).count();
        let all = count(self.hosts.len(), "host");
        screen.line("");
        screen.line(match unwell {
            0 => styled(format_args!("{all}, all well"), GOOD),
            unwell => styled(format_args!("{all}, {unwell} unwell"), BAD),
        });
    }
}

impl Seen {
    fn row(&self) -> [Cell; 7] {
        let absent = || Cell::styled("-", FAINT);
        let as_ours = |ours: bool| if ours { GOOD } else { DOUBTFUL };
        let number = |number: usize| Cell::from(number.to_string());
        let [routers, well, unwell] = match &self.routers {
            None => [absent(), absent(), absent()],
            Some(Routers { well, unwell }) => {
                let bad =
                    if unwell.is_empty() { number(0) } else { Cell::styled(unwell.len().to_string(), BAD) };
                [number(well + unwell.len()), number(*well), bad]
            }
        };
        [
            self.host.as_str().into(),
            self.version.as_ref().map_or_else(absent, |it| Cell::styled(it, as_ours(it == VERSION))),
            self.protocol.map_or_else(absent, |it| Cell::styled(it.to_string(), as_ours(it == PROTOCOL))),
            routers,
            well,
            unwell,
            match &self.trouble {
                Some(trouble) => Cell::styled(trouble.name(), BAD),
                None if self.well => Cell::styled("well", GOOD),
                None => Cell::styled("unwell", BAD),
            },
        ]
    }

    fn particulars(&self, screen: &mut Screen) {
        screen.line("");
        screen.line(styled(&self.host, STRONG));
        if let Some(error) = &self.error {
            screen.line(format_args!("  {}", styled(format_args!("! {error}"), BAD)));
        }
        let unwell = self.routers.as_ref().map(|routers| routers.unwell.as_slice()).unwrap_or_default();
        if !unwell.is_empty() {
            let named = unwell.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = unwell.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            screen.line(format_args!("  {}", styled(format_args!("! unwell: {named}{more}"), BAD)));
            screen
                .line(styled("  'status' there tells what differs, 'reconcile --all' puts it right", FAINT));
        }
    }
}
