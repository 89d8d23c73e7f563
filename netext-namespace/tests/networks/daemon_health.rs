//! Daemons that live and do not work: noticed, reported in a line, and replaced.

use std::time::Duration;

use netext_lab::{Lab, Network, lab};
use rustix::process::{Pid, Signal, kill_process};

use crate::balancer_life::rule;
use crate::setup::{haproxies, network, operator, two_tiers, within};

/// The processes of a program that have a word on their command line.
fn processes(lab: &Lab, program: &str, word: &str) -> Vec<i32> {
    let is_one = |line: &str| line.starts_with(program) && line.contains(word);
    lab.processes().into_iter().filter(|(_, line)| is_one(line)).map(|(process, _)| process).collect()
}

#[track_caller]
fn only_process(lab: &Lab, program: &str) -> i32 {
    let found = processes(lab, program, "");
    assert_eq!(found.len(), 1, "{program}");
    found[0]
}

fn send(process: i32, signal: Signal) {
    let process = Pid::from_raw(process).expect("a process id");
    kill_process(process, signal).expect("a living process");
}

/// Both depths of the check report the line, and a dry run changes nothing.
#[track_caller]
fn is_reported(lab: &Lab, line: &str) {
    for words in ["status", "reconcile --all --dry-run", "status"] {
        let told = operator(lab, words, 3);
        assert!(told.contains(line), "{words} must say {line:?}: {told}");
    }
}

fn balanced(lab: &Lab) -> Network<'_> {
    let network = network(lab);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    network
}

/// Moves haproxy's folder away, as a backup that is restored over the state does, and leaves another one.
fn replace_folder(lab: &Lab) {
    let folder = format!("{}/network-209/haproxy", lab.state_folder());
    lab.host().run(|| {
        std::fs::rename(&folder, format!("{folder}.old")).expect("haproxy's folder");
        std::fs::create_dir(&folder).expect("another folder");
    });
}

#[test]
fn a_haproxy_that_hangs_is_replaced_by_the_next_change_of_its_rules() {
    let lab = lab!();
    let network = balanced(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let client = lab.client("203.0.113.5");
    send(haproxies(&lab)[0], Signal::STOP);
    is_reported(&lab, "restart haproxy of network-209: it is stopped");
    network.apply_balancers(&[&rule(10, 81).member("10.1.1.10:8080")]);
    for port in ["198.51.100.10:80", "198.51.100.10:81"] {
        client.connects_to(port);
    }
    assert_eq!(haproxies(&lab).len(), 1);
    operator(&lab, "status", 0);
}

#[test]
fn a_haproxy_without_its_socket_is_replaced_by_the_next_change_of_its_rules() {
    let lab = lab!();
    let network = balanced(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let socket = format!("{}/network-209/haproxy/haproxy.sock", lab.state_folder());
    lab.host().run(|| std::fs::remove_file(socket).unwrap());
    is_reported(&lab, "restart haproxy of network-209: it does not answer");
    network.apply_balancers(&[&rule(10, 81).member("10.1.1.10:8080")]);
    lab.client("203.0.113.5").connects_to("198.51.100.10:81");
    assert_eq!(haproxies(&lab).len(), 1);
}

#[test]
fn a_haproxy_whose_folder_was_replaced_is_found_again() {
    let lab = lab!();
    let network = balanced(&lab);
    let guest = network.guest("10.1.1.11");
    let _server = guest.listen_tcp(8080);
    let before = haproxies(&lab);
    replace_folder(&lab);
    // Without the member that the lost one serves.
    network.apply_balancers(&[&rule(9, 80).revoked_member("10.1.1.10:8080").member("10.1.1.11:8080")]);
    let after = haproxies(&lab);
    assert!(after.len() == 1 && after != before, "{before:?}, then {after:?}");
    let client = lab.client("203.0.113.5");
    for _ in 0..8 {
        client.connects_to("198.51.100.10:80").answered_by("10.1.1.11");
    }
}

#[test]
fn a_haproxy_whose_folder_is_gone_ends_with_its_last_rule() {
    let lab = lab!();
    let network = balanced(&lab);
    lab.host().run(|| {
        std::fs::remove_dir_all(format!("{}/network-209/haproxy", lab.state_folder())).unwrap();
    });
    network.apply_balancers(&[&rule(9, 80).revoked()]);
    assert_eq!(haproxies(&lab), [0; 0]);
}

#[test]
fn no_daemon_outlives_its_router_whatever_became_of_its_folder() {
    let lab = lab!();
    let network = balanced(&lab);
    network.deploy("10.1.1.10");
    replace_folder(&lab);
    lab.host().run(|| {
        for daemon in ["dnsmasq", "metadata-server"] {
            std::fs::remove_dir_all(format!("{}/network-209/{daemon}", lab.state_folder())).unwrap();
        }
    });
    network.shutdown().destroy();
    let left: Vec<_> = lab.processes().into_iter().filter(|(_, line)| line.contains("network-209")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_daemon_of_a_forgotten_tier_does_not_outlive_the_vpc() {
    let lab = lab!();
    let (vpc, one, _other) = two_tiers(&lab);
    one.deploy("10.2.1.10");
    let found = processes(&lab, "dnsmasq", &format!("network-{}", one.id()));
    assert_eq!(found.len(), 1);
    let state = format!("{}/vpc-7/state.json", lab.state_folder());
    lab.host().run(|| {
        let text = std::fs::read_to_string(&state).unwrap();
        let mut state_of_vpc: serde_json::Value = serde_json::from_str(&text).unwrap();
        state_of_vpc["router"]["tiers"].as_object_mut().unwrap().remove(&one.id().to_string()).unwrap();
        std::fs::write(&state, state_of_vpc.to_string()).unwrap();
    });
    vpc.shutdown();
    let left: Vec<_> = lab.processes().into_iter().filter(|(_, line)| line.contains("/network-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_dnsmasq_that_hangs_is_replaced_by_any_command() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    network.deploy("10.1.1.10");
    let stop = || send(only_process(&lab, "dnsmasq"), Signal::STOP);
    stop();
    is_reported(&lab, "restart dnsmasq of network-209: it is stopped");
    // One that would reload it.
    network.deploy("10.1.1.11");
    assert_eq!(guest.digs("10.1.1.1", "web-11.cs1.internal"), "10.1.1.11");
    // One that changes nothing.
    stop();
    network.deploy("10.1.1.11");
    assert_eq!(guest.digs("10.1.1.1", "web-11.cs1.internal"), "10.1.1.11");
    stop();
    operator(&lab, "reconcile --all", 0);
    assert_eq!(guest.digs("10.1.1.1", "web-11.cs1.internal"), "10.1.1.11");
    operator(&lab, "status", 0);
}

#[test]
fn a_metadata_server_that_hangs_is_replaced() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    network.deploy("10.1.1.10");
    send(only_process(&lab, "netext-metadata"), Signal::STOP);
    is_reported(&lab, "restart metadata server of network-209: it is stopped");
    operator(&lab, "reconcile --all", 0);
    assert_eq!(guest.curls("10.1.1.1", "user-data"), "10.1.1.10");
}

#[test]
fn half_a_radvd_is_replaced_before_it_is_told_to_read_its_files() {
    let lab = lab!();
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement();
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    let halves = || processes(&lab, "radvd", "");
    within(Duration::from_secs(2), "both halves live", || halves().len() == 2);
    let advertised = || {
        let heard = guest.sandbox().output("rdisc6", &["-1", "-q", "eth0"]).stdout;
        String::from_utf8_lossy(&heard).into_owned()
    };
    let kill_privileged = || {
        let is_root = |process: &&i32| {
            let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            status.lines().any(|line| line.starts_with("Uid:\t0"))
        };
        within(Duration::from_secs(2), "one half gave up its privileges", || {
            halves().iter().filter(is_root).count() == 1
        });
        lab.kills(*halves().iter().find(is_root).expect("a privileged half"));
    };
    kill_privileged();
    is_reported(&lab, "restart radvd of network-209: one of its two processes has ended");
    // The resolvers of the network are in radvd's file.
    network.deploy("10.1.1.10");
    within(Duration::from_secs(2), "both halves live again", || halves().len() == 2);
    assert!(advertised().contains("2001:db8:1::/64"), "{}", advertised());
    kill_privileged();
    operator(&lab, "reconcile --all", 0);
    within(Duration::from_secs(2), "both halves live again", || halves().len() == 2);
    assert!(operator(&lab, "status", 0).contains("all healthy"));
}
