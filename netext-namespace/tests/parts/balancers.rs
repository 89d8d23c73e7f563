//! Compiled load balancer rules, and the haproxy that serves them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use netext_namespace::compile::CompiledRouter;
use netext_namespace::compile::services::{haproxy, haproxy_daemon};
use netext_namespace::daemons::{self, DaemonError, DaemonSearch};
use netext_namespace::drift::Pass;
use netext_namespace::kernel::namespace::Namespace;
use netext_namespace::model::{Balancer, Router, RouterId};
use netext_namespace::plan::{Daemon, DaemonAccount, DaemonPlan};
use netext_protocol::LoadBalancerAlgorithm::{self, LeastConn, RoundRobin, Source};
use netext_protocol::LoadBalancerProtocol::{self, Tcp, TcpProxy, Udp};
use netext_protocol::NetworkId;
use rustix::mount::{MountFlags, mount};

use crate::throwaway::{self, apply_daemons, host, router_name, sh, try_sh};

const FOLDER: &str = "/mnt/network-42";
const PID_FILE: &str = "/mnt/network-42/haproxy/haproxy.pid";
const CONFIGURATION: &str = "/mnt/network-42/haproxy/haproxy.cfg";

/// A router with a public address and these rules.
fn router(rules: &[(u64, Balancer)]) -> Router {
    let mut router = Router::new(RouterId::Network(NetworkId::new(42)));
    let tier = router.tiers.entry(NetworkId::new(42)).or_default();
    tier.implemented = true;
    tier.gateway = Some("10.1.1.1".parse().unwrap());
    tier.cidr = Some("10.1.1.1/24".parse().unwrap());
    router.addresses.entry("203.0.113.10".parse().unwrap()).or_default();
    for (id, rule) in rules {
        router.balance(NetworkId::new(42), *id, rule.clone());
    }
    router
}

fn rule(
    protocol: LoadBalancerProtocol,
    port: u16,
    algorithm: LoadBalancerAlgorithm,
    members: &[&str],
) -> Balancer {
    let members = members.iter().map(|member| member.parse().unwrap()).collect();
    let public = format!("203.0.113.10:{port}").parse().unwrap();
    Balancer { public, protocol, algorithm, members }
}

fn plan(rules: &[(u64, Balancer)], account: DaemonAccount) -> Option<DaemonPlan> {
    haproxy(daemon(), account, &router(rules).balancers_in_force())
}

fn daemon() -> Daemon {
    haproxy_daemon("network-42", Path::new(FOLDER))
}

fn account_of_debian() -> DaemonAccount {
    DaemonAccount { user: "haproxy".into(), group: "haproxy".into(), group_id: 106 }
}

fn every_kind() -> Vec<(u64, Balancer)> {
    let members = ["10.1.1.10:8080", "10.1.1.11:8080"];
    vec![
        (9, rule(Tcp, 80, RoundRobin, &members)),
        (10, rule(Udp, 53, Source, &["10.1.1.10:53", "10.1.1.11:53"])),
        (11, rule(TcpProxy, 443, LeastConn, &["10.1.1.10:443", "10.1.1.10:444"])),
        (12, rule(Udp, 54, LeastConn, &["10.1.1.10:53", "10.1.1.11:53"])),
        (13, rule(Udp, 55, RoundRobin, &["10.1.1.10:53"])),
        (14, rule(Tcp, 81, Source, &["10.1.1.10:8080"])),
        // These have no members: over UDP packets are dropped, over TCP the kernel refuses connections.
        (15, rule(Udp, 56, RoundRobin, &[])),
        (16, rule(Tcp, 82, RoundRobin, &[])),
    ]
}

#[test]
fn every_kind_of_rule() {
    let plan = plan(&every_kind(), account_of_debian()).unwrap();
    let successor = plan.successor.unwrap();
    let words = [plan.start.arguments.join(" "), successor.start.arguments.join(" ")].join("\n");
    insta::assert_snapshot!(format!("{words}\n\n{}", plan.files[0].content));
}

#[test]
fn the_packet_rules_of_every_kind_of_rule() {
    let ruleset = CompiledRouter::new(&router(&every_kind())).packets().clone();
    let empty = CompiledRouter::new(&router(&[])).packets().clone();
    let of_balancers = |script: String| {
        let lines = script.lines().filter(|line| line.contains("balance"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let netext_namespace::compile::RulesetChange::Script(script) = empty.change_to(&ruleset) else {
        panic!("nothing to change")
    };
    insta::assert_snapshot!(of_balancers(script));
}

#[test]
fn rules_over_udp_alone_need_no_haproxy() {
    assert_eq!(plan(&[(10, rule(Udp, 53, Source, &["10.1.1.10:53"]))], account_of_debian()), None);
    assert_eq!(plan(&[(16, rule(Tcp, 82, RoundRobin, &[]))], account_of_debian()), None);
    assert_eq!(plan(&[], account_of_debian()), None);
}

#[test]
fn a_member_that_is_not_a_guest_of_the_network_is_left_out() {
    let strangers = ["127.0.0.1:80", "10.1.1.1:80", "10.2.1.10:80", "203.0.113.10:80"];
    assert_eq!(plan(&[(9, rule(Tcp, 80, RoundRobin, &strangers))], account_of_debian()), None);
}

/// A router with its own haproxy.
struct Balanced {
    namespace: Namespace,
}

impl Balanced {
    fn boot() -> Self {
        assert!(try_sh("command -v haproxy").0, "haproxy is missing: run .ci/packages");
        host();
        mount("tmpfs", "/mnt", "tmpfs", MountFlags::empty(), None).unwrap();
        fs::create_dir(FOLDER).unwrap();
        for folder in ["/mnt", FOLDER] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
        }
        throwaway::apply(&throwaway::router()).unwrap();
        Self { namespace: Namespace::open(&router_name()).unwrap().unwrap() }
    }

    fn try_apply(&self, plan: Option<DaemonPlan>) -> Result<(), DaemonError> {
        let (plans, pass) = (plan.into_iter().collect(), &mut Pass::command());
        apply_daemons(&self.namespace, plans, vec![daemon()], soon(), pass)
    }

    fn balance(&self, rules: &[(u64, Balancer)]) {
        self.try_apply(plan(rules, daemons::account("haproxy").unwrap())).unwrap();
    }
}

impl Drop for Balanced {
    fn drop(&mut self) {
        let _ = daemons::stop(&[daemon()], DaemonSearch::default(), soon(), &mut Pass::command());
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn pid() -> u32 {
    fs::read_to_string(PID_FILE).unwrap().trim().parse().unwrap()
}

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn until(what: &str, happens: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !happens() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn haproxy_has_no_rights_and_sees_nothing_but_its_folder() {
    let router = Balanced::boot();
    router.balance(&every_kind());
    let status = || fs::read_to_string(format!("/proc/{}/status", pid())).unwrap();
    // It is ready a moment before it gives up its rights.
    until("haproxy stays root", || {
        let status = status();
        let users = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
        users.split_whitespace().all(|id| id != "0") && status.contains("CapEff:\t0000000000000000")
    });
    let root = fs::metadata(format!("/proc/{}/root/", pid())).unwrap();
    let folder = fs::metadata(format!("{FOLDER}/haproxy")).unwrap();
    assert_eq!((root.dev(), root.ino()), (folder.dev(), folder.ino()));
    assert_eq!((folder.uid(), folder.mode() & 0o7777), (0, 0o750));
    let configuration = fs::metadata(CONFIGURATION).unwrap();
    assert_eq!((configuration.uid(), configuration.mode() & 0o7777), (0, 0o640));
    let socket = fs::metadata(format!("{FOLDER}/haproxy/haproxy.sock")).unwrap();
    assert_eq!((socket.uid(), socket.mode() & 0o777), (0, 0o600));
    for descriptor in 0..3 {
        let stream = fs::read_link(format!("/proc/{}/fd/{descriptor}", pid())).unwrap();
        assert_eq!(stream.to_str(), Some("/dev/null"), "stream {descriptor}");
    }
}

#[test]
fn a_change_is_handed_over_to_a_successor() {
    let router = Balanced::boot();
    router.balance(&every_kind());
    let before = pid();
    router.balance(&every_kind());
    assert_eq!(pid(), before, "what matches is not touched");
    router.balance(&every_kind()[..3]);
    assert_ne!(pid(), before);
    until("the predecessor lives on", || !is_alive(before));
    assert!(is_alive(pid()));
    router.balance(&[]);
    assert!(!Path::new(FOLDER).join("haproxy").exists());
}

#[test]
fn a_successor_that_does_not_start_changes_nothing() {
    let router = Balanced::boot();
    router.balance(&every_kind());
    let before = (pid(), fs::read_to_string(CONFIGURATION).unwrap());
    let plan = || plan(&every_kind()[..1], daemons::account("haproxy").unwrap()).unwrap();

    let mut refused = plan();
    refused.files[0].content.push_str("    no-such-word\n");
    let said = router.try_apply(Some(refused)).unwrap_err().to_string();
    assert!(said.starts_with("haproxy of network-42 did not start: [ALERT]"), "{said}");
    assert!(said.contains("no-such-word") && said.lines().count() == 1, "{said}");

    let mut missing = plan();
    missing.successor.as_mut().unwrap().start.program = "/no/such/haproxy".to_owned();
    let said = router.try_apply(Some(missing)).unwrap_err().to_string();
    assert!(said.contains("/no/such/haproxy not found; install the package haproxy"), "{said}");

    assert_eq!((pid(), fs::read_to_string(CONFIGURATION).unwrap()), before);
    assert!(is_alive(before.0));
    router.balance(&every_kind());
    assert_eq!(pid(), before.0, "it is as settled as before");
}

#[test]
fn a_predecessor_that_was_not_signalled_is_signalled_later() {
    let router = Balanced::boot();
    router.balance(&every_kind());
    let forgotten = pid();
    // A command was killed here: the successor serves, and the predecessor has not been signalled.
    let line = format!("-D -f {CONFIGURATION} -p {PID_FILE} -x {FOLDER}/haproxy/haproxy.sock");
    sh(&format!("ip netns exec cs-net-42 haproxy {line} && rm {FOLDER}/haproxy/settled"));
    assert!(pid() != forgotten && is_alive(forgotten));
    router.balance(&every_kind());
    until("it lives on", || !is_alive(forgotten));
    assert!(is_alive(pid()));
}

#[test]
fn all_of_them_end_with_the_last_rule() {
    let router = Balanced::boot();
    router.balance(&every_kind());
    let first = pid();
    // A connection holds the predecessor.
    let held = router.namespace.enter(|| std::net::TcpStream::connect("203.0.113.10:80")).unwrap().unwrap();
    router.balance(&every_kind()[..3]);
    let second = pid();
    assert!(first != second && is_alive(first) && is_alive(second));
    router.balance(&[]);
    assert!(!is_alive(first) && !is_alive(second));
    drop(held);
}
