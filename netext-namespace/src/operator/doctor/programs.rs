//! The programs that routers are made with, and the accounts that some of them run as.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Finding, understood};
use crate::daemons::account;
use crate::programs::{Output, Program, find};

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(5);

struct Tool {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    /// One that is known to do.
    tested: &'static str,
    /// Whether no router works without it; otherwise, which ones do not.
    needed: Result<(), &'static str>,
}

const PROGRAMS: [Tool; 4] = [
    Tool {
        name: "nft",
        package: "nftables",
        version: "--version",
        // Whether it takes the rules shows when they are put in force.
        tested: "1.0.6",
        needed: Ok(()),
    },
    Tool {
        name: "dnsmasq",
        package: "dnsmasq-base",
        version: "--version",
        tested: "2.90",
        needed: Err("DHCP and DNS"),
    },
    Tool {
        name: "radvd",
        package: "radvd",
        version: "--version",
        tested: "2.19",
        needed: Err("guests with IPv6"),
    },
    Tool {
        name: "haproxy",
        package: "haproxy",
        version: "-v",
        tested: "2.6",
        needed: Err("load balancers for TCP"),
    },
];

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = Vec::new();
    for program in &PROGRAMS {
        let Some(path) = find(program.name) else {
            let remedy =
                format!("install the package {} ({} is known to do)", program.package, program.tested);
            findings.push(match program.needed {
                Ok(()) => Finding::problem(program.name, "is missing", remedy),
                Err(for_what) => {
                    Finding::warning(program.name, format!("is missing; needed for {for_what}"), remedy)
                }
            });
            continue;
        };
        let version = version(&path, program.version).unwrap_or_else(|| "of unknown version".to_owned());
        let found = format!("{} {version}", path.display());
        findings.push(match (understood::complaint(program.name, &path), program.needed) {
            (Some(complaint), Err(for_what)) => Finding::warning(
                program.name,
                format!("{found} does not take what is written for it ({complaint}); needed for {for_what}"),
                format!("install a newer {}; {} is known to do", program.package, program.tested),
            ),
            _ => Finding::ok(program.name, found),
        });
        if program.needed.is_err() && account(program.name).user != program.name {
            let user = account(program.name).user;
            findings.push(Finding::warning(
                format!("account {}", program.name),
                format!("there is none; it would run as {user}, with whatever else does"),
                format!("reinstall the package {}, or useradd --system {}", program.package, program.name),
            ));
        }
    }
    findings
}

/// The first word that is a version.
fn version(path: &PathBuf, option: &str) -> Option<String> {
    let mut command = Command::new(path);
    command.arg(option);
    let ended = Program::new(command, Output::Both).run(Instant::now() + PATIENCE).ok()?;
    let printed = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&printed);
    let is_version = |word: &&str| {
        word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
    };
    text.split_whitespace().find(is_version).map(|word| word.trim_end_matches(',').to_owned())
}
