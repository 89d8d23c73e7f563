//! `reconcile --daemons`: daemons that end or hang between commands.

use std::time::{Duration, Instant};

use netext_lab::{Lab, Network, lab};
use rustix::process::{Pid, Signal, kill_process};

use crate::balancer_life::rule;
use crate::setup::{network, operator};

/// A network with every kind of daemon, and a guest.
fn served(lab: &Lab) -> Network<'_> {
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement().assign_ip("198.51.100.10", netext_lab::SourceNat::Yes);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    network.deploy("10.1.1.10");
    network
}

#[track_caller]
fn process(lab: &Lab, program: &str) -> i32 {
    let found = lab.processes().into_iter().find(|(_, line)| line.starts_with(program));
    found.unwrap_or_else(|| panic!("no {program} runs")).0
}

#[track_caller]
fn send(process: i32, signal: Signal) {
    kill_process(Pid::from_raw(process).expect("a process id"), signal).expect("a living process");
}

#[test]
fn a_daemon_that_ended_or_hangs_is_replaced_between_commands() {
    let lab = lab!();
    let _network = served(&lab);
    assert_eq!(operator(&lab, "reconcile --daemons", 0), "");
    let names = [
        ("dnsmasq", "dnsmasq of network-209"),
        ("radvd", "radvd of network-209"),
        ("haproxy", "haproxy of network-209"),
        ("netext-metadata", "metadata server of network-209"),
    ];
    for (program, name) in names {
        lab.kills(process(&lab, program));
        let told = operator(&lab, "reconcile --daemons --dry-run", 3);
        assert!(told.contains(&format!("+ start {name}: it does not run")), "{told}");
        let told = operator(&lab, "reconcile --all --daemons", 0);
        assert!(told.contains(&format!("+ start {name}: it does not run")), "{told}");
        assert_eq!(operator(&lab, "reconcile --daemons", 0), "", "{name} is sound again");

        send(process(&lab, program), Signal::STOP);
        let told = operator(&lab, "reconcile network-209 --daemons", 0);
        assert!(told.contains(&format!("~ restart {name}: it is stopped")), "{told}");
        assert_eq!(operator(&lab, "reconcile --daemons", 0), "", "{name} is sound again");
    }
    assert!(operator(&lab, "status", 0).contains("all healthy"));
}

#[test]
fn a_router_that_a_command_works_on_is_skipped() {
    let lab = lab!();
    let network = served(&lab);
    lab.kills(process(&lab, "dnsmasq"));
    let held = network.hold_lock();
    let begun = Instant::now();
    assert_eq!(operator(&lab, "reconcile --daemons", 0), "");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(held);
    assert!(operator(&lab, "reconcile --daemons", 0).contains("start dnsmasq"));
}

#[test]
fn no_command_waits_while_sound_daemons_are_asked() {
    let lab = lab!();
    let network = served(&lab);
    let _held = network.hold_lock();
    // Sound daemons need no lock: a lock that is held changes nothing.
    assert_eq!(operator(&lab, "reconcile --daemons --json", 0).matches("unchanged").count(), 1);
}

#[test]
fn nothing_but_daemons_is_repaired() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    network.router().node().sandbox().output("ip", &["link", "set", "vpn-101-209", "down"]);
    lab.kills(process(&lab, "dnsmasq"));
    operator(&lab, "reconcile --daemons", 0);
    let told = operator(&lab, "status", 3);
    assert!(told.contains("bring vpn-101-209 up") && !told.contains("dnsmasq"), "{told}");
    let _unplugged = lab.reboot();
    assert_eq!(operator(&lab, "reconcile --daemons", 0), "");
    assert!(!lab.has_namespace("cs-net-209"), "a router that is down is left to reconcile");
}
