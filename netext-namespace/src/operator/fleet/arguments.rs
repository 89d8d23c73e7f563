//! The command line of what concerns many hosts.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::proxy::target::{Host, UserName};

const EXIT_CODES: &str = "\
Exit codes: 0 all is well; 1 the command line, or the file that it names, is wrong; 2 no host can be reached;
3 something is unwell or failed on some host.";

#[derive(Debug, Args)]
pub(in crate::operator) struct Fleet {
    #[command(subcommand)]
    pub(in crate::operator) command: Command,
}

#[derive(Debug, Subcommand)]
pub(in crate::operator) enum Command {
    /// How the hosts and their routers do, a row each.
    #[command(after_help = EXIT_CODES)]
    Status(Question),
    /// Whether the hosts have what routers need, and what to do where they have not.
    #[command(after_help = EXIT_CODES)]
    Doctor(Question),
    /// Puts an executable in place on the hosts, under the commands that run there, and looks whether they are fit.
    #[command(after_help = EXIT_CODES)]
    Deploy(Deploy),
}

#[derive(Debug, Args)]
pub(in crate::operator) struct Question {
    #[command(flatten)]
    pub(super) which: Which,
    /// Seconds that one host may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) timeout: u32,
    /// Hosts that are asked at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::operator) struct Deploy {
    #[command(flatten)]
    pub(super) which: Which,
    /// What to put in place; as a rule this executable.
    #[arg(long, value_name = "PATH")]
    pub(super) executable: Option<PathBuf>,
    /// Seconds that one host may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) timeout: u32,
    /// Hosts that are worked on at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

/// Which hosts, and how one gets in.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The hosts, separated by commas. Without --from this account's own keys and agent open them.
    #[arg(long, value_name = "HOST,...", value_delimiter = ',', required_unless_present = "from")]
    pub(super) hosts: Vec<Host>,
    /// A payload file of CloudStack, or one that has its physical-network-extension-details: hosts and credentials.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// The account on the hosts; one that is not root works by sudo -n. As a rule root.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<UserName>,
    /// The SSH port; as a rule 22.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// The extension's name; as a rule that of the folder in which this executable is installed.
    #[arg(long, value_name = "NAME")]
    pub(super) extension: Option<String>,
}

/// How many hosts at a time, and for how long each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) patience: Duration,
    pub(super) jobs: usize,
}

impl Pace {
    fn of(seconds: u32, jobs: u16) -> Self {
        Self { patience: Duration::from_secs(seconds.into()), jobs: jobs.into() }
    }
}

impl Question {
    pub(super) fn pace(&self) -> Pace {
        Pace::of(self.timeout, self.jobs)
    }
}

impl Deploy {
    pub(super) fn pace(&self) -> Pace {
        Pace::of(self.timeout, self.jobs)
    }
}
