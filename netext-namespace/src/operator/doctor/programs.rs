//! The programs that routers need, and their accounts.
//!
//! Each daemon checks a sample of its configuration itself. Its version says less, because distributions backport changes.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use netext_core::error_chain;
use netext_protocol::{LoadBalancerAlgorithm, LoadBalancerProtocol};

use super::finding::DoctorFinding;
use super::trial::sample;
use crate::compile::guests;
use crate::compile::services::{DaemonAccounts, haproxy, haproxy_daemon, services};
use crate::daemons::{DaemonError, account};
use crate::model::{Balancer, Router};
use crate::plan::DaemonPlan;
use crate::programs::{OutputMode, Program, ProgramError, ProgramOutput, find, first_lines};

/// The folder of the sample's files. No program opens them.
const NOWHERE: &str = "/var/lib/cloudstack/doctor";

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

struct RequiredProgram {
    name: &'static str,
    package: &'static str,
    /// The option that prints the version.
    version: &'static str,
    /// A version that works.
    tested: &'static str,
    /// What needs it; `None` if every router does.
    needed_for: Option<&'static str>,
    /// The arguments that make it check a configuration on its standard input.
    check: Option<&'static [&'static str]>,
}

const PROGRAMS: [RequiredProgram; 4] = [
    RequiredProgram {
        name: "nft",
        package: "nftables",
        version: "--version",
        tested: "1.0.6",
        needed_for: None,
        // The trial shows whether it accepts the rules.
        check: None,
    },
    RequiredProgram {
        name: "dnsmasq",
        package: "dnsmasq-base",
        version: "--version",
        tested: "2.90",
        needed_for: Some("DHCP and DNS"),
        check: Some(&["--test", "--conf-file=/dev/stdin"]),
    },
    RequiredProgram {
        name: "radvd",
        package: "radvd",
        version: "--version",
        tested: "2.19",
        needed_for: Some("instances with IPv6"),
        check: Some(&["-c", "-C", "/dev/stdin", "-m", "stderr"]),
    },
    RequiredProgram {
        name: "haproxy",
        package: "haproxy",
        version: "-v",
        tested: "2.6",
        needed_for: Some("load balancers for TCP"),
        check: Some(&["-c", "-q", "-f", "/dev/stdin"]),
    },
];

pub(super) fn findings() -> Vec<DoctorFinding> {
    let (plans, mut findings) = match plans() {
        Ok(plans) => (plans, Vec::new()),
        Err(error) => {
            let remedy = "repair /etc/passwd and /etc/group";
            (Vec::new(), vec![DoctorFinding::problem("accounts", error_chain(&error), remedy)])
        }
    };
    findings.extend(PROGRAMS.iter().flat_map(|tool| tool.findings(&plans)));
    findings
}

impl RequiredProgram {
    fn findings(&self, plans: &[DaemonPlan]) -> Vec<DoctorFinding> {
        let Self { name, package, tested, needed_for, .. } = *self;
        let Some(path) = find(name) else {
            let remedy = format!("install the package {package} (tested with {tested})");
            return vec![self.lacking("is missing", remedy)];
        };
        let version = match self.version(&path) {
            Ok(version) => version.unwrap_or_else(|| "of unknown version".to_owned()),
            Err(error) => {
                let found = format!("{}: {}", path.display(), error_chain(&error));
                let remedy = format!("let root run it, or reinstall the package {package}");
                return vec![self.lacking(&found, remedy)];
            }
        };
        let found = format!("{} {version}", path.display());
        let Some(needed_for) = needed_for else { return vec![DoctorFinding::ok(name, found)] };
        let mut findings = vec![match self.complaint(&path, plans) {
            None => DoctorFinding::ok(name, found),
            Some(complaint) => DoctorFinding::warning(
                name,
                format!("{found} rejects its configuration ({complaint}); needed for {needed_for}"),
                format!("install a newer {package} (tested with {tested})"),
            ),
        }];
        let user = self.plan(plans).map(|plan| plan.account.user.as_str());
        if let Some(user) = user.filter(|user| *user != name) {
            findings.push(DoctorFinding::warning(
                format!("account {name}"),
                format!("does not exist; {name} would run as {user}, an account that other daemons use"),
                format!("reinstall the package {package}, or useradd --system {name}"),
            ));
        }
        findings
    }

    /// The finding that it cannot be used.
    fn lacking(&self, found: &str, remedy: String) -> DoctorFinding {
        match self.needed_for {
            None => DoctorFinding::problem(self.name, found, remedy),
            Some(what) => DoctorFinding::warning(self.name, format!("{found}; needed for {what}"), remedy),
        }
    }

    /// The first word of its output that is a version.
    fn version(&self, path: &Path) -> Result<Option<String>, ProgramError> {
        let printed = run(path, &[self.version], "")?;
        let printed = [printed.stdout, printed.stderr].concat();
        let text = String::from_utf8_lossy(&printed);
        let is_version = |word: &&str| {
            word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
        };
        Ok(text.split_whitespace().find(is_version).map(|word| word.trim_end_matches(',').to_owned()))
    }

    fn plan<'p>(&self, plans: &'p [DaemonPlan]) -> Option<&'p DaemonPlan> {
        plans.iter().find(|plan| plan.daemon.program.name() == self.name)
    }

    /// The program's complaint about a sample of its configuration; `None` if it accepts the sample.
    fn complaint(&self, path: &Path, plans: &[DaemonPlan]) -> Option<String> {
        let plan = self.plan(plans)?;
        complaint(path, self.check?, &plan.files.first()?.content)
    }
}

fn complaint(path: &Path, arguments: &[&str], configuration: &str) -> Option<String> {
    let ended = match run(path, arguments, configuration) {
        Ok(ended) if ended.status.success() => return None,
        Ok(ended) => ended,
        Err(error) => return Some(error_chain(&error)),
    };
    let lines = first_lines(&String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()));
    Some(if lines.is_empty() { format!("{}, without a word", ended.status) } else { lines })
}

fn run(path: &Path, arguments: &[&str], input: &str) -> Result<ProgramOutput, ProgramError> {
    let mut command = Command::new(path);
    command.args(arguments);
    Program::new(command, OutputMode::Both).input(input.as_bytes()).run(Instant::now() + PATIENCE)
}

/// The daemons of a router with all services.
fn plans() -> Result<Vec<DaemonPlan>, DaemonError> {
    let router = served();
    let accounts = DaemonAccounts { dnsmasq: account("dnsmasq")?, radvd: account("radvd")? };
    let of_guests =
        guests(&router).iter().flat_map(|it| services(it, Path::new(NOWHERE), &accounts)).collect();
    let daemon = haproxy_daemon("the sample", Path::new(NOWHERE));
    let balanced = haproxy(daemon, account("haproxy")?, &router.balancers_in_force());
    Ok([of_guests, Vec::from_iter(balanced)].concat())
}

fn served() -> Router {
    let mut router = sample();
    let public = *router.addresses.keys().next().unwrap_or(&Ipv4Addr::LOCALHOST);
    for tier in router.tiers.values_mut() {
        tier.services.dhcp = true;
        tier.services.dns = true;
        tier.resolvers.domain = "cs1.internal".parse().ok();
        tier.resolvers.dns = vec![Ipv4Addr::new(198, 51, 100, 53).into()].into();
        let algorithms = [LoadBalancerAlgorithm::RoundRobin, LoadBalancerAlgorithm::Source];
        for (id, algorithm) in (2..).zip(algorithms) {
            let balancer = Balancer {
                public: SocketAddrV4::new(public, 9000 + u16::try_from(id).unwrap_or_default()),
                protocol: LoadBalancerProtocol::TcpProxy,
                algorithm,
                members: [SocketAddrV4::new(Ipv4Addr::new(10, 1, 1, 10), 80)].into(),
            };
            tier.balancers.insert(id, balancer);
        }
    }
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_daemon_checks_its_configuration() {
        let mut programs: Vec<_> = plans().unwrap().iter().map(|plan| plan.daemon.program.name()).collect();
        programs.sort_unstable();
        assert_eq!(programs, ["dnsmasq", "haproxy", "radvd"]);
        assert!(programs.iter().all(|name| PROGRAMS.iter().any(|it| it.name == *name && it.check.is_some())));
    }

    #[test]
    fn a_program_that_cannot_be_run_is_found() {
        assert!(PROGRAMS.iter().all(|it| it.version(Path::new("/dev/null")).is_err()));
    }

    #[test]
    fn a_complaint_is_quoted() {
        let quoted = complaint(Path::new("/bin/sh"), &["-c", "echo unknown keyword >&2; exit 1"], "x");
        assert_eq!(quoted.as_deref(), Some("unknown keyword"));
        assert_eq!(complaint(Path::new("/bin/sh"), &["-c", "cat"], "x"), None);
    }
}
