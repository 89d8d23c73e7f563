//! Hosts that cannot be reached, or stop answering.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{FIRST_HOST, Forward, Lab, Network, Signal, SourceNat, as_gson_writes, fleet};
use serde_json::json;

use super::{connections, ensure};

/// Waits until the command waits on the host for the network's lock.
fn await_start_on_host(lab: &Lab) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !lab.processes().iter().any(|(_, line)| line.ends_with("lab-router-wrapper.sh relay")) {
        assert!(Instant::now() < deadline, "nothing runs on the host: {:?}", lab.processes());
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(Duration::from_millis(100));
}

/// Waits until the host has no more work.
#[track_caller]
fn await_end_on_host(lab: &Lab) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while lab.processes().iter().any(|(_, line)| line.ends_with("lab-router-wrapper.sh relay")) {
        assert!(Instant::now() < deadline, "the host works on: {:?}", lab.processes());
        thread::sleep(Duration::from_millis(10));
    }
}

fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network
}

fn forward() -> Forward {
    Forward::tcp("198.51.100.10:2222", "10.1.1.10:22")
}

#[test]
fn the_error_for_a_host_that_is_down_has_the_reason() {
    let lab = fleet!();
    lab.first_host().loses_sshd();
    let network = lab.network(209);
    let outcome = network.ensure_device(&json!({}));
    outcome.fails_with(2);
    assert!(
        outcome.output.contains(FIRST_HOST) && outcome.output.contains("Connection refused"),
        "{outcome:?}"
    );
    lab.first_host().gets_sshd();
    network.ensure_device(&json!({})).succeeds();
}

#[test]
fn a_host_that_does_not_answer_is_given_up_in_time() {
    let lab = fleet!();
    let network = lab.network(209);
    lab.first_host().is_cut_off();
    let outcome = ensure(&lab, &network, 6);
    outcome.fails_with(2);
    assert!(outcome.output.contains(FIRST_HOST), "{outcome:?}");
    assert!(outcome.duration < Duration::from_secs(5), "{outcome:?}");
}

#[test]
fn a_silent_sshd_is_given_up_in_time() {
    let lab = fleet!();
    lab.first_host().loses_sshd();
    let silent = lab.host().run(|| TcpListener::bind((FIRST_HOST, 22))).expect("a listener in sshd's place");
    let network = lab.network(209);
    let outcome = ensure(&lab, &network, 6);
    outcome.fails_with(2);
    assert!(outcome.output.contains(FIRST_HOST), "{outcome:?}");
    assert!(outcome.duration < Duration::from_secs(5), "{outcome:?}");
    let document = as_gson_writes(&network.document(&json!({})));
    lab.start_with("implement-network", &document, 3).finish().fails_with(2);
    drop(silent);
}

#[test]
fn a_command_fails_if_its_host_dies_and_can_be_repeated() {
    let lab = fleet!();
    let network = network(&lab);
    let lock = network.hold_lock();
    let running = lab.start("add-port-forward", &network.document(&network.forward_fields(&forward())));
    await_start_on_host(&lab);
    lab.first_host().loses_sshd();
    let outcome = running.finish();
    outcome.fails_with(2);
    assert!(outcome.output.contains(FIRST_HOST) && outcome.output.contains("lost"), "{outcome:?}");
    await_end_on_host(&lab);
    drop(lock);
    lab.first_host().gets_sshd();
    network.add_port_forward(&forward());
}

#[test]
fn a_command_fails_long_before_the_deadline_if_its_host_falls_silent() {
    let lab = fleet!();
    let network = network(&lab);
    let _lock = network.hold_lock();
    let running = lab.start("add-port-forward", &network.document(&network.forward_fields(&forward())));
    await_start_on_host(&lab);
    lab.first_host().is_cut_off();
    let outcome = running.finish();
    outcome.fails_with(2);
    assert!(outcome.duration < Duration::from_secs(25), "{outcome:?}");
}

#[test]
fn a_connection_whose_ssh_was_killed_is_replaced() {
    let lab = fleet!();
    let network = network(&lab);
    for signal in ["-KILL", "-TERM"] {
        for process in connections(&lab) {
            lab.server().output("kill", &[signal, &process.to_string()]);
        }
        network.add_port_forward(&forward()).delete_port_forward(&forward());
    }
}

#[test]
fn a_connection_whose_ssh_hangs_is_replaced() {
    let lab = fleet!();
    let network = network(&lab);
    let hanging = connections(&lab);
    for process in &hanging {
        lab.server().output("kill", &["-STOP", &process.to_string()]);
    }
    network.add_port_forward(&forward());
    for process in hanging {
        lab.server().output("kill", &["-KILL", &process.to_string()]);
    }
    network.delete_port_forward(&forward());
}

#[test]
fn a_host_that_was_restarted_gets_a_new_connection() {
    let lab = fleet!();
    let network = network(&lab);
    lab.first_host().loses_sshd();
    lab.first_host().gets_sshd();
    network.add_port_forward(&forward());
    assert_eq!(connections(&lab).len(), 1);
}

#[test]
fn the_host_stops_at_the_deadline() {
    let lab = fleet!();
    let network = network(&lab);
    let lock = network.hold_lock();
    let document = as_gson_writes(&network.document(&network.forward_fields(&forward())));
    let outcome = lab.start_with("add-port-forward", &document, 1).finish();
    outcome.fails_with(4);
    assert!(outcome.duration < Duration::from_secs(3), "{outcome:?}");
    await_end_on_host(&lab);
    drop(lock);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
    network.add_port_forward(&forward());
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
}

#[test]
fn the_host_stops_if_the_command_is_terminated() {
    let lab = fleet!();
    let network = network(&lab);
    let _lock = network.hold_lock();
    let running = lab.start("add-port-forward", &network.document(&network.forward_fields(&forward())));
    await_start_on_host(&lab);
    running.signal(Signal::SIGTERM);
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(143), "{outcome:?}");
    assert!(outcome.duration < Duration::from_secs(5), "{outcome:?}");
    await_end_on_host(&lab);
    assert!(lab.log().contains("interrupted"), "{}", lab.log());
}

#[test]
fn the_host_stops_if_the_proxy_is_killed() {
    let lab = fleet!();
    let network = network(&lab);
    let _lock = network.hold_lock();
    let running = lab.start("add-port-forward", &network.document(&network.forward_fields(&forward())));
    await_start_on_host(&lab);
    running.signal(Signal::SIGKILL);
    await_end_on_host(&lab);
}
