//! Routers with a daemon that cannot be stopped: everything else of them is taken down all the same.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use netext_lab::{Balancer, FIRST_HOST, Forward, Lab, Network, SourceNat, fleet, joined, lab};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::{Value, json};

use crate::proxy::{SECOND_HOST, ensure, host_of, network_on};

const PATIENCE: Duration = Duration::from_secs(10);

/// A process that nothing can stop, not even SIGKILL, because the kernel keeps it frozen until this is dropped.
pub(crate) struct Frozen {
    hierarchy: tempfile::TempDir,
    group: PathBuf,
}

impl Frozen {
    #[track_caller]
    pub(crate) fn process(process: i32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);

        let hierarchy = tempfile::tempdir().expect("a folder");
        let mounted = mount("none", hierarchy.path(), "cgroup", MountFlags::empty(), Some(c"freezer"));
        assert!(mounted.is_ok(), "this test needs a kernel with CONFIG_CGROUP_FREEZER: {mounted:?}");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let group = hierarchy.path().join(format!("netext-{}-{number}", std::process::id()));
        fs::create_dir(&group).expect("a group");
        let frozen = Self { hierarchy, group };
        frozen.write("cgroup.procs", &process.to_string());
        frozen.write("freezer.state", "FROZEN");
        within(PATIENCE, "the process is frozen", || {
            fs::read_to_string(frozen.group.join("freezer.state")).is_ok_and(|state| state.trim() == "FROZEN")
        });
        frozen
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.group.join(file), text).expect("a group that can be changed");
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.write("freezer.state", "THAWED");
        for process in fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default().lines() {
            // It may have ended.
            let _ = fs::write(self.hierarchy.path().join("cgroup.procs"), process);
        }
        let _ = fs::remove_dir(&self.group);
        let _ = unmount(self.hierarchy.path(), UnmountFlags::DETACH);
    }
}

#[track_caller]
fn within(patience: Duration, what: &str, happens: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !happens() {
        assert!(Instant::now() < deadline, "within {patience:?} {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Everything that a router of a network has daemons for: DHCP, DNS, router advertisements, metadata and a balancer.
fn deploy(network: &Network<'_>) {
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.prepare_nic("10.1.1.10");
    let nic = network.nic_fields("10.1.1.10");
    let served = joined(&nic, &json!({"dns": "198.51.100.53", "domain": "cs1.internal"}));
    for command in ["config-dhcp-subnet", "add-dhcp-entry", "config-dns-subnet", "add-dns-entry"] {
        network.command(command, &served).succeeds_silently();
    }
    network
        .command("save-userdata", &joined(&nic, &json!({"userdata": "#cloud-config"})))
        .succeeds_silently();
    network.apply_balancers(&[&Balancer::tcp(9, "198.51.100.10:80").member("10.1.1.10:8080")]);
}

/// The process of a network's dnsmasq.
#[track_caller]
fn dnsmasq(lab: &Lab, network: &Network<'_>) -> i32 {
    let file = format!("{}/dnsmasq/dnsmasq.pid", network.folder());
    let text = lab.host().run(|| fs::read_to_string(&file)).expect("a pid file");
    text.trim().parse().expect("a process id")
}

/// The daemons of the lab that are not dnsmasq.
fn other_daemons(lab: &Lab) -> Vec<String> {
    let daemons = ["haproxy", "radvd", "netext-metadata"];
    let lines = lab.processes().into_iter().map(|(_, line)| line);
    lines.filter(|line| daemons.iter().any(|daemon| line.starts_with(daemon))).collect()
}

fn state(lab: &Lab, network: &Network<'_>) -> Value {
    let file = format!("{}/state.json", network.folder());
    let text = lab.host().run(|| fs::read(&file)).expect("a state");
    serde_json::from_slice(&text).expect("JSON")
}

/// Makes the host step down for the one that serves the network since an epoch, as a proxy does: its answer.
#[track_caller]
fn step_down(lab: &Lab, network: &Network<'_>, epoch: u64, forget: bool) -> Value {
    let router = json!({"network": network.id()});
    asks(
        lab,
        &json!({"withdraw": {"router": router, "epoch": epoch, "forget": forget, "milliseconds": 30_000}}),
    )
}

/// Makes the host take over the network in an epoch, as a proxy does: its answer.
#[track_caller]
fn take_over(lab: &Lab, network: &Network<'_>, epoch: u64) -> Value {
    let router = json!({"network": network.id()});
    asks(lab, &json!({"take-over": {"router": router, "epoch": epoch, "milliseconds": 30_000}}))
}

#[track_caller]
fn asks(lab: &Lab, request: &Value) -> Value {
    let line = json!({"relay": 1, "version": "test", "content": request});
    let answer = lab.host().run(|| {
        let mut relay = lab.operator(&["relay"]);
        let mut relay = relay.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the relay starts");
        let mut stdin = relay.stdin.take().expect("a pipe");
        writeln!(stdin, "{line}").expect("the relay reads");
        // The relay works for as long as its input is open.
        let output = relay.wait_with_output().expect("the relay ends");
        drop(stdin);
        output.stdout
    });
    let answer: Value = serde_json::from_slice(&answer).expect("a line of JSON");
    answer["content"].clone()
}

#[track_caller]
fn operator(lab: &Lab, words: &str, code: i32) -> String {
    let outcome = lab.start_bare(&words.split(' ').collect::<Vec<_>>()).finish();
    assert_eq!(outcome.code, Some(code), "{words}: {}", outcome.output);
    outcome.output
}

/// The network is fenced, and only its dnsmasq is left.
#[track_caller]
fn is_fenced(lab: &Lab, network: &Network<'_>) {
    assert!(!lab.has_namespace(&network.namespace()));
    let bridges = |name: &String| name.starts_with("br") || name == "lo";
    assert!(lab.interfaces().iter().all(bridges), "{:?}", lab.interfaces());
    assert_eq!(other_daemons(lab), [""; 0]);
}

#[test]
fn a_superseded_host_fences_a_router_although_a_daemon_cannot_be_stopped() {
    let lab = lab!();
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    deploy(&network);
    assert_eq!(other_daemons(&lab).len(), 4, "radvd is two processes: {:?}", other_daemons(&lab));
    let process = dnsmasq(&lab, &network);
    let frozen = Frozen::process(process);

    let answer = step_down(&lab, &network, 5, false);
    assert_eq!(answer["failed"]["exit"], 3, "{answer}");
    let line = answer["failed"]["line"].as_str().unwrap_or_default();
    assert!(line.contains("cannot stop dnsmasq of network-209: process"), "{line}");
    assert!(Path::new(&format!("/proc/{process}/ns")).exists(), "the daemon is still there");
    is_fenced(&lab, &network);
    assert_eq!(state(&lab, &network)["superseded"], 5);

    // It goes on believing that, and trying.
    let output = operator(&lab, "reconcile network-209", 3);
    assert!(output.contains("since epoch 5") && output.contains("dnsmasq of network-209"), "{output}");
    is_fenced(&lab, &network);
    assert_eq!(state(&lab, &network)["superseded"], 5);
    let refused = network.command("prepare-nic", &network.nic_fields("10.1.1.11"));
    refused.fails_with(3);
    assert!(refused.output.contains("served by another host since epoch 5"), "{}", refused.output);

    drop(frozen);
    let output = operator(&lab, "reconcile network-209", 3);
    assert!(!output.contains("cannot stop"), "{output}");
    assert_eq!(lab.processes(), []);
    assert!(!lab.files().iter().any(|(path, ..)| path.ends_with("dnsmasq")));
}

#[test]
fn a_router_that_no_longer_exists_is_remembered_until_its_last_daemon_is_stopped() {
    let lab = lab!();
    let network = lab.network(209);
    deploy(&network);
    let frozen = Frozen::process(dnsmasq(&lab, &network));
    let answer = step_down(&lab, &network, 5, true);
    assert!(answer["failed"]["line"].as_str().is_some_and(|line| line.contains("dnsmasq")), "{answer}");
    is_fenced(&lab, &network);
    assert_eq!(state(&lab, &network)["superseded"], 5);

    drop(frozen);
    assert_eq!(step_down(&lab, &network, 5, true), "done");
    assert_eq!(lab.processes(), []);
    assert!(!lab.files().iter().any(|(path, ..)| path.starts_with(network.folder())));
}

#[test]
fn a_router_that_is_put_back_is_served_once_its_last_daemon_is_stopped() {
    let lab = lab!();
    let network = lab.network(209);
    deploy(&network);
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    let frozen = Frozen::process(dnsmasq(&lab, &network));
    assert_eq!(step_down(&lab, &network, 5, false)["failed"]["exit"], 3);
    let answer = take_over(&lab, &network, 6);
    let line = answer["failed"]["line"].as_str().unwrap_or_default();
    assert!(line.contains("cannot stop dnsmasq of network-209"), "{answer}");
    // Two would answer the same guests.
    guest.gets_no_lease();

    drop(frozen);
    assert_eq!(take_over(&lab, &network, 6), "done");
    assert_eq!(state(&lab, &network)["superseded"], Value::Null);
    guest.takes_lease("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222");
    network.shutdown().destroy();
    assert_eq!(lab.processes(), []);
}

#[test]
fn a_network_is_shut_down_and_destroyed_once_its_last_daemon_is_stopped() {
    let lab = lab!();
    let network = lab.network(209);
    deploy(&network);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    for command in ["shutdown-network", "destroy-network"] {
        let frozen = Frozen::process(dnsmasq(&lab, &network));
        let failed = network.command(command, &json!({}));
        failed.fails_with(3);
        assert!(failed.output.contains("cannot stop dnsmasq of network-209"), "{}", failed.output);
        // A command that fails changes nothing: packets flow as before.
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        drop(frozen);
        network.prepare_nic("10.1.1.10");
        assert_eq!(other_daemons(&lab).len(), 2, "{:?}", other_daemons(&lab));
    }
    network.shutdown().destroy();
    assert_eq!(lab.processes(), []);
    assert!(!lab.has_namespace(&network.namespace()));
}

#[test]
fn a_vpc_is_shut_down_once_the_last_daemon_of_its_tiers_is_stopped() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    for (tier, address) in [(&web, "10.2.1.10"), (&database, "10.2.2.10")] {
        tier.implement();
        tier.command("config-dhcp-subnet", &tier.nic_fields(address)).succeeds_silently();
    }
    let guest = database.guest("10.2.2.10");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    let frozen = Frozen::process(dnsmasq(&lab, &web));
    let what = format!("cannot stop dnsmasq of network-{}", web.id());
    for failed in [web.command("destroy-network", &json!({})), vpc.command("shutdown-vpc", &json!({}))] {
        failed.fails_with(3);
        assert!(failed.output.contains(&what), "{}", failed.output);
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    }
    drop(frozen);
    web.destroy();
    vpc.shutdown();
    assert_eq!(lab.processes(), []);
    assert!(!lab.has_namespace(&vpc.namespace()));
}

#[test]
fn a_proxy_makes_a_host_step_down_although_a_daemon_cannot_be_stopped_and_puts_the_router_back_later() {
    let lab = fleet!();
    let second = lab.join(SECOND_HOST);
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST}"));
    let network = network_on(&lab, SECOND_HOST, 300);
    let other = network_on(&lab, SECOND_HOST, 400).on_vlan("1911");
    deploy(&network);
    other.implement();
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let pid_file = format!("{}/dnsmasq/dnsmasq.pid", network.folder());
    let process = second.sandbox().run(|| fs::read_to_string(&pid_file)).expect("a pid file");
    let frozen = Frozen::process(process.trim().parse().expect("a process id"));

    let moves_to = |host: &str| {
        let outcome = ensure(&lab, &network, 20);
        outcome.succeeds();
        network.keep_details(&outcome);
        assert_eq!(host_of(&network), host);
    };
    second.is_cut_off();
    moves_to(FIRST_HOST);
    second.is_reached_again();
    ensure(&lab, &other, 60).succeeds();
    within(PATIENCE, "the second host fences the router", || !second.has_namespace(&network.namespace()));
    assert!(second.has_namespace(&other.namespace()));
    within(PATIENCE, "the server hears why", || lab.server_log().contains("cannot stop dnsmasq"));
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    let status = second.runs("status");
    assert!(status.contains("another host serves it since epoch 2"), "{status}");

    // It is put back.
    drop(frozen);
    lab.forget_failures();
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    lab.first_host().loses_power();
    moves_to(SECOND_HOST);
    client.connects_to("198.51.100.10:2223").answered_by("10.1.1.10");
    assert_eq!(guest.digs("10.1.1.1", "web-10"), "10.1.1.10");
}
