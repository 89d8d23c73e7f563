//! The command line of operators.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error::OperatorError;
use crate::model::RouterId;
use crate::proxy::remote::{HostAddress, UserName};

const EXIT_CODES: &str = "\
ROUTER is the name of a router (network-209, vpc-7) or of its namespace (cs-net-209).

Exit codes: 0 everything is healthy; 1 the command line is wrong, or the router does not exist; 3 something differs, is
unhealthy or failed.";

const FLEET_EXIT_CODES: &str = "\
Exit codes: 0 everything is healthy; 1 the command line, or the file that it names, is wrong; 2 no host can be reached;
3 something is unhealthy or failed on a host.";

/// The longest time that may be given, in seconds: a day.
const LONGEST: u64 = 86_400;

/// Inspect and repair the routers of tenants' networks on this host.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, disable_help_flag = false)]
pub(super) struct OperatorArguments {
    #[command(subcommand)]
    pub(super) command: OperatorCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Compare the desired state of routers with the actual state and list every difference.
    Status(StatusArguments),
    /// Show a router's tiers, addresses, rules, load balancers, instances and routing tables.
    Show(ShowArguments),
    /// Draw a router and its surroundings.
    Graph(GraphArguments),
    /// Check this host's requirements and suggest fixes.
    Doctor(DoctorArguments),
    /// Repair routers whose actual state differs from the desired state, for example after a reboot.
    Reconcile(ReconcileArguments),
    /// Check or upgrade many hosts at once, over SSH.
    Fleet(FleetArguments),
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    /// Only this router.
    pub(super) router: Option<RouterId>,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) pace: RouterPace,
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The router.
    pub(super) router: RouterId,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct GraphArguments {
    /// The router.
    pub(super) router: RouterId,
    /// The format of the picture.
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(super) format: GraphFormat,
}

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum GraphFormat {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For image viewers and browsers.
    Svg,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[group(id = "which", args = ["all", "router", "daemons"], required = true, multiple = true)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of a command line")]
pub(super) struct ReconcileArguments {
    /// This router.
    pub(super) router: Option<RouterId>,
    /// Every router of this host.
    #[arg(long, conflicts_with = "router")]
    pub(super) all: bool,
    /// Only replace daemons that have ended or do not answer. Routers that a command works on are skipped, and nothing is
    /// printed if all is well.
    #[arg(long)]
    pub(super) daemons: bool,
    /// Print the differences and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) pace: RouterPace,
}

/// Reads a whole number of a range.
fn number<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// How many routers are visited at a time, and how long each may take.
#[derive(Debug, Args)]
pub(super) struct RouterPace {
    /// Seconds that one router may take, including the time that other commands hold it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = number::<u32>(1..=LONGEST))]
    timeout: u32,
    /// Routers to work on at the same time; default: twice the number of processors.
    #[arg(long, value_name = "COUNT", value_parser = number::<u16>(1..=256))]
    jobs: Option<u16>,
}

impl RouterPace {
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// Much of the work is waiting, for the kernel and for programs that start.
    pub(super) fn jobs(&self) -> usize {
        let default = || 2 * std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(default, usize::from)
    }
}

#[derive(Debug, Args)]
pub(super) struct FleetArguments {
    #[command(subcommand)]
    pub(super) command: FleetCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum FleetCommand {
    /// Show the state of hosts and their routers, one row per host.
    #[command(after_help = FLEET_EXIT_CODES)]
    Status(FleetCheckArguments),
    /// Check the requirements of hosts and suggest fixes.
    #[command(after_help = FLEET_EXIT_CODES)]
    Doctor(FleetCheckArguments),
    /// Install an executable on hosts while commands keep running, and check the hosts' requirements.
    #[command(after_help = FLEET_EXIT_CODES)]
    Deploy(DeployArguments),
}

#[derive(Debug, Args)]
pub(super) struct FleetCheckArguments {
    #[command(flatten)]
    pub(super) hosts: HostSelection,
    /// Seconds that one host may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = number::<u32>(1..=LONGEST))]
    timeout: u32,
    /// Hosts to ask at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = number::<u16>(1..=1024))]
    jobs: u16,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DeployArguments {
    #[command(flatten)]
    pub(super) hosts: HostSelection,
    /// The executable to install; default: this one.
    #[arg(long, value_name = "PATH")]
    pub(super) executable: Option<PathBuf>,
    /// Seconds that one host may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = number::<u32>(1..=LONGEST))]
    timeout: u32,
    /// Hosts to work on at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = number::<u16>(1..=1024))]
    jobs: u16,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

/// Which hosts, and how to log in to them.
#[derive(Debug, Args)]
pub(super) struct HostSelection {
    /// The hosts, separated by commas. Without --from, this account's own keys and agent are used.
    #[arg(long = "hosts", value_name = "HOST,...", value_delimiter = ',', required_unless_present = "from")]
    pub(super) addresses: Vec<HostAddress>,
    /// A payload file of CloudStack, or another file with its physical-network-extension-details: hosts and credentials.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// The account on the hosts; one other than root uses sudo -n. Default: as registered, or root.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<UserName>,
    /// The SSH port. Default: as registered, or 22.
    #[arg(long, value_parser = number::<u16>(1..=65535))]
    pub(super) port: Option<u16>,
    /// The extension's name; default: the name of the folder in which this executable is installed.
    #[arg(long, value_name = "NAME")]
    pub(super) extension: Option<String>,
}

/// How many hosts are asked at a time, and how long each may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostPace {
    pub(super) patience: Duration,
    pub(super) jobs: usize,
}

impl HostPace {
    fn of(seconds: u32, jobs: u16) -> Self {
        Self { patience: Duration::from_secs(seconds.into()), jobs: jobs.into() }
    }
}

impl FleetCheckArguments {
    pub(super) fn pace(&self) -> HostPace {
        HostPace::of(self.timeout, self.jobs)
    }
}

impl DeployArguments {
    pub(super) fn pace(&self) -> HostPace {
        HostPace::of(self.timeout, self.jobs)
    }
}

impl OperatorArguments {
    /// Reads the command line, the executable's own name first. A request for help is an error, too, because there is
    /// nothing to carry out.
    pub(super) fn read(arguments: &[OsString]) -> Result<Self, OperatorError> {
        let called = arguments.first().map(Path::new).and_then(Path::file_name);
        let name =
            called.map_or_else(|| "netext-namespace".into(), |name| name.to_string_lossy().into_owned());
        let mut command = Self::command().bin_name(name);
        let matches = command.try_get_matches_from_mut(arguments).map_err(OperatorError::CommandLine)?;
        Self::from_arg_matches(&matches).map_err(OperatorError::CommandLine)
    }
}
