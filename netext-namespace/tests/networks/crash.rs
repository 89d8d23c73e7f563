//! A command killed at any moment leaves a state that the next command repairs.

use std::time::Duration;

use netext_lab::{Firewall, Forward, Network, Rule, Signal, SourceNat, lab};
use serde_json::{Value, json};

/// The number of moments, within a command's usual time, at which it is killed.
const ROUNDS: u32 = 40;

/// Kills the command at the moment of a round: in the first round at once, in the last one after its end.
fn killed(network: &Network<'_>, command: &str, fields: &Value, usual: Duration, round: u32) {
    let running = network.start(command, fields);
    std::thread::sleep(usual * 5 / 4 * round / ROUNDS);
    running.signal(Signal::SIGKILL);
    running.finish();
}

/// How long the command takes if it is not killed.
#[track_caller]
fn usual(network: &Network<'_>, command: &str, fields: &Value) -> Duration {
    network.command(command, fields).succeeds_silently().duration
}

#[test]
fn while_adding_a_forward() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let first = Forward::tcp("198.51.100.10:2999", "10.1.1.10:22");
    let usual = usual(&network, "add-port-forward", &network.forward_fields(&first));
    for round in 0..ROUNDS {
        let public = format!("198.51.100.10:{}", 3000 + round);
        let forward = Forward::tcp(&public, "10.1.1.10:22");
        killed(&network, "add-port-forward", &network.forward_fields(&forward), usual, round);
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        // The next command is the same one or another one.
        if round % 2 == 0 {
            network.add_port_forward(&forward);
            client.connects_to(&public).answered_by("10.1.1.10");
        } else {
            network.prepare_nic("10.1.1.10").delete_port_forward(&forward);
        }
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    }
}

#[test]
fn while_applying_firewall_rules() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    for port in ["2222", "2223"] {
        network.add_port_forward(&Forward::tcp(&format!("198.51.100.10:{port}"), "10.1.1.10:22"));
    }
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let always = || Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").tcp(2222));
    let usual = usual(&network, "apply-fw-rules", &network.firewall_fields(&always()));
    for round in 0..ROUNDS {
        let wider = always().with(Rule::ingress("198.51.100.10").tcp(2223));
        killed(&network, "apply-fw-rules", &network.firewall_fields(&wider), usual, round);
        client.connects_to("198.51.100.10:2222");
        network.apply_firewall(&always());
        client.connects_to("198.51.100.10:2222");
        if round % 8 == 0 {
            client.cannot_connect_to("198.51.100.10:2223");
        }
    }
}

#[test]
fn while_implementing_a_new_network() {
    let lab = lab!();
    let web = lab.client("203.0.113.5").listen_tcp(80);
    let first = lab.network(299);
    let usual = usual(&first, "implement-network", &first.extension_field());
    first.destroy();
    for round in 0..ROUNDS {
        let network = lab.network(300 + round);
        network.assign_ip("198.51.100.10", SourceNat::Yes);
        killed(&network, "implement-network", &network.extension_field(), usual, round);
        network.implement();
        let guest = network.guest("10.1.1.10");
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        network.destroy();
        assert!(!lab.has_namespace(&network.namespace()));
    }
    assert_eq!(web.seen().len(), ROUNDS as usize, "one connection a round");
    assert_eq!(lab.interfaces(), ["brnone-101", "brnone-1910", "lo"]);
}

#[test]
fn while_assigning_an_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let guest = network.guest("10.1.1.10");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    let fields = network.public_fields("198.51.100.10", SourceNat::Yes);
    let usual = usual(&network, "assign-ip", &fields);
    network.release_ip("198.51.100.10");
    for round in 0..ROUNDS {
        killed(&network, "assign-ip", &fields, usual, round);
        network.assign_ip("198.51.100.10", SourceNat::Yes);
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        network.release_ip("198.51.100.10");
    }
}

#[test]
fn while_shutting_down_and_destroying() {
    let lab = lab!();
    let network = lab.network(209);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let usual = usual(&network, "destroy-network", &json!({}));
    for round in 0..ROUNDS {
        network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
        let command = if round % 2 == 0 { "destroy-network" } else { "shutdown-network" };
        killed(&network, command, &json!({}), usual, round);
        if round % 4 < 2 {
            network.destroy();
            assert!(!lab.has_namespace("cs-net-209"));
            assert_eq!(lab.interfaces(), ["brnone-101", "brnone-1910", "lo"]);
        } else {
            network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
            network.guest("10.1.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        }
    }
}

#[test]
fn a_killed_command_leaves_no_process_and_no_lock() {
    let lab = lab!();
    let network = lab.network(209);
    let usual = usual(&network, "implement-network", &network.extension_field());
    for round in 0..ROUNDS {
        killed(&network, "implement-network", &network.extension_field(), usual, round);
        drop(network.hold_lock());
    }
    network.destroy();
    assert_eq!(lab.processes(), []);
}
