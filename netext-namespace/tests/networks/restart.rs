//! Restarts and lost namespaces: the rules in force come back, and until then nothing gets in.

use netext_lab::{Firewall, Forward, Lab, Network, Rule, SourceNat, lab};

/// Everything that the server replays after `implement-network`, without the firewall rules.
fn addresses_and_nat(network: &Network<'_>) {
    network.assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
}

fn firewall() -> Firewall {
    Firewall::egress_allowed()
        .with(Rule::ingress("198.51.100.10").tcp(2222))
        .with(Rule::ingress("198.51.100.11").tcp(22))
        .with(Rule::egress().tcp(25))
}

fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement();
    addresses_and_nat(&network);
    network.apply_firewall(&firewall());
    network
}

#[test]
fn a_restart_with_cleanup_in_the_servers_order_works() {
    let lab = lab!();
    let network = network(&lab);
    network.prepare_nic("10.1.1.10").prepare_nic("10.1.1.11");
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let _internet = (client.listen_tcp(80), client.listen_tcp(25));
    let everything_works = || {
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10").seen_as("203.0.113.5");
        client.connects_to("198.51.100.11:22").answered_by("10.1.1.11").seen_as("203.0.113.5");
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        other.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
        one.cannot_connect_to("203.0.113.5:25");
        client.cannot_connect_to("198.51.100.11:23");
    };
    everything_works();

    network.shutdown();
    client.cannot_connect_to("198.51.100.10:2222");
    network.implement();
    addresses_and_nat(&network);
    network.apply_firewall(&firewall());
    everything_works();
}

#[test]
fn a_restarted_network_is_closed_until_the_rules_are_replayed() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let (forwarded, translated) = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");

    network.shutdown().implement();
    addresses_and_nat(&network);
    client.cannot_connect_to("198.51.100.10:2222");
    client.cannot_connect_to("198.51.100.11:22");
    forwarded.saw_no_client();
    translated.saw_no_client();

    network.apply_firewall(&firewall());
    client.connects_to("198.51.100.10:2222");
    client.connects_to("198.51.100.11:22");
}

#[test]
fn rules_that_the_server_does_not_replay_are_gone_after_a_restart() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    addresses_and_nat(&network);
    let one = network.guest("10.1.1.10");
    let ssh = one.listen_tcp(22);
    network.shutdown().implement().assign_ip("198.51.100.10", SourceNat::Yes);
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
    lab.upstream().cannot_ping("198.51.100.11");
    ssh.saw_no_client();
}

#[test]
fn the_next_implement_repairs_a_namespace_that_vanished_with_all_its_rules() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let _internet = (client.listen_tcp(80), client.listen_tcp(25));

    for at_once in [false, true] {
        lab.host().ip("netns delete cs-net-209\n");
        if !at_once {
            lab.await_end_of_interface("vph-101-209");
            client.cannot_connect_to("198.51.100.10:2222");
        }
        network.implement();

        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        one.cannot_connect_to("203.0.113.5:25");
        client.cannot_connect_to("198.51.100.11:23");
    }
}

#[test]
fn the_next_implement_repairs_a_rule_set_that_was_flushed() {
    let lab = lab!();
    let network = network(&lab);
    let one = network.guest("10.1.1.10");
    let _ssh = one.listen_tcp(22);
    network.router().node().sandbox().output("nft", &["flush", "ruleset"]);
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
    network.implement();
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
}

#[test]
fn the_next_command_repairs_a_namespace_that_was_replaced_in_any_generation() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    let guest = network.guest("10.1.1.10");
    for transactions in 0..5 {
        lab.host().ip("netns delete cs-net-209\nnetns add cs-net-209\n");
        for table in 0..transactions {
            network
                .router()
                .node()
                .sandbox()
                .output("nft", &["add", "table", "ip", &format!("foreign{table}")]);
        }
        network.add_port_forward(&Forward::tcp(
            "198.51.100.10:2222",
            &format!("10.1.1.10:{}", 22 + transactions),
        ));
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    }
}

#[test]
fn the_next_implement_repairs_a_veth_that_was_deleted() {
    let lab = lab!();
    let network = network(&lab);
    let one = network.guest("10.1.1.10");
    let _ssh = one.listen_tcp(22);
    for veth in ["vh-1910-209", "vph-101-209"] {
        lab.host().ip(&format!("link delete {veth}\n"));
    }
    network.implement();
    one.pings("10.1.1.1");
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
}

#[test]
fn the_garbage_collectors_shutdown_and_the_next_deployment_work() {
    let lab = lab!();
    let network = lab.network(209);
    for _ in 0..3 {
        network.implement();
        addresses_and_nat(&network);
        network.apply_firewall(&firewall()).prepare_nic("10.1.1.10");
        let guest = network.guest("10.1.1.10");
        let _ssh = guest.listen_tcp(22);
        lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        network.release_nic("10.1.1.10").shutdown();
    }
    network.destroy();
}
