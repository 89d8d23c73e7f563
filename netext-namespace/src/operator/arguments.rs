//! The command line.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::failure::Failure;
use super::fleet::arguments::Fleet;
use crate::model::RouterId;

const EXIT_CODES: &str = "\
ROUTER is a router's name (network-209, vpc-7) or its namespace's (cs-net-209).

Exit codes: 0 all is well; 1 the command line is wrong, or there is no such router; 3 something differs, is unwell
or failed.";

/// Routers for tenants' networks on this host: how they do, and how to put them right.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, disable_help_flag = false)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// How the routers do, and everything about them that is not as it shall be.
    Status(Status),
    /// What a router is: tiers, addresses, rules, balancers, instances, routing tables.
    Show(Show),
    /// A picture of a router and what surrounds it.
    Graph(Graph),
    /// Whether this host has what routers need, and what to do where it has not.
    Doctor(Doctor),
    /// Makes routers what they shall be: after a reboot, or when somebody changed something.
    Reconcile(Reconcile),
    /// The same for many hosts at once, over SSH.
    Fleet(Fleet),
}

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Only this router.
    pub(super) router: Option<RouterId>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) pace: Pace,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The router.
    pub(super) router: RouterId,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// The router.
    pub(super) router: RouterId,
    /// What the picture is made of.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    pub(super) format: Format,
}

/// A language of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// To look at.
    Svg,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[group(id = "which", args = ["all", "router"], required = true, multiple = false)]
pub(super) struct Reconcile {
    /// This router.
    pub(super) router: Option<RouterId>,
    /// Every router of this host.
    #[arg(long)]
    pub(super) all: bool,
    /// Change nothing; print what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) pace: Pace,
}

/// How many routers at a time, and for how long.
#[derive(Debug, Args)]
pub(super) struct Pace {
    /// Seconds that one router may take, waiting for other commands included.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Routers worked on at the same time; as a rule twice the processors.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

impl Pace {
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// Much of the work is waiting, for the kernel and for programs that start.
    pub(super) fn jobs(&self) -> usize {
        let usual = || 2 * std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(usual, usize::from)
    }
}

impl Arguments {
    /// Reads the command line, the executable's own name first. Asking for help is a failure, too: there is nothing
    /// to carry out.
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let called = arguments.first().map(Path::new).and_then(Path::file_name);
        let name =
            called.map_or_else(|| "netext-namespace".into(), |name| name.to_string_lossy().into_owned());
        let mut command = Self::command().bin_name(name);
        let matches = command.try_get_matches_from_mut(&arguments).map_err(Failure::CommandLine)?;
        Self::from_arg_matches(&matches).map_err(Failure::CommandLine)
    }
}
