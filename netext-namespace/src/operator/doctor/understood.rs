//! Whether the daemons that are installed understand what is written for them: asked of the daemons themselves, by a
//! sample. A number of a version would say less, as distributions carry changes back.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use netext_core::error_chain;
use netext_protocol::{LoadBalancerAlgorithm, LoadBalancerProtocol};

use super::attempt::sample;
use crate::compile::guests;
use crate::compile::services::{DaemonAccounts, haproxy, haproxy_daemon, services};
use crate::daemons::account;
use crate::model::{Balancer, Router};
use crate::plan::DaemonPlan;
use crate::programs::{Output, Program, first_lines};

/// Where the sample's files are said to be. Nobody looks there.
const NOWHERE: &str = "/var/lib/cloudstack/doctor";
const PATIENCE: Duration = Duration::from_secs(5);

/// How a daemon is asked what it thinks of a configuration on its standard input.
fn question(program: &str) -> Option<&'static [&'static str]> {
    match program {
        "dnsmasq" => Some(&["--test", "--conf-file=/dev/stdin"]),
        "radvd" => Some(&["-c", "-C", "/dev/stdin", "-m", "stderr"]),
        "haproxy" => Some(&["-c", "-q", "-f", "/dev/stdin"]),
        _ => None,
    }
}

/// What the program has against the configuration that it would be given; `None` if nothing.
pub(super) fn complaint(program: &str, path: &Path) -> Option<String> {
    let arguments = question(program)?;
    let plan = plans().into_iter().find(|plan| plan.daemon.program == program)?;
    let configuration = &plan.files.first()?.content;
    ask(path, arguments, configuration)
}

fn ask(path: &Path, arguments: &[&str], configuration: &str) -> Option<String> {
    let mut command = Command::new(path);
    command.args(arguments);
    let asked = Program::new(command, Output::Both).input(configuration.as_bytes());
    let ended = match asked.run(Instant::now() + PATIENCE) {
        Ok(ended) if ended.status.success() => return None,
        Ok(ended) => ended,
        Err(error) => return Some(error_chain(&error)),
    };
    let said = first_lines(&String::from_utf8_lossy(&[&*ended.stdout, &*ended.stderr].concat()));
    Some(if said.is_empty() { format!("{}, without a word", ended.status) } else { said })
}

/// The daemons of a router that serves its guests with everything.
fn plans() -> Vec<DaemonPlan> {
    let router = served();
    let accounts = DaemonAccounts { dnsmasq: account("dnsmasq"), radvd: account("radvd") };
    let of_guests =
        guests(&router).iter().flat_map(|it| services(it, Path::new(NOWHERE), &accounts)).collect();
    let daemon = haproxy_daemon("the sample", Path::new(NOWHERE));
    let balanced = haproxy(daemon, account("haproxy"), &router.balancers_in_force());
    [of_guests, Vec::from_iter(balanced)].concat()
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
    fn every_daemon_is_asked() {
        let mut programs: Vec<_> = plans().into_iter().map(|plan| plan.daemon.program).collect();
        programs.sort();
        assert_eq!(programs, ["dnsmasq", "haproxy", "radvd"]);
        assert!(programs.iter().all(|program| question(program).is_some()));
    }

    #[test]
    fn a_complaint_is_told() {
        let told = ask(Path::new("/bin/sh"), &["-c", "echo unknown keyword >&2; exit 1"], "x");
        assert_eq!(told.as_deref(), Some("unknown keyword"));
        assert_eq!(ask(Path::new("/bin/sh"), &["-c", "cat"], "x"), None);
    }
}
