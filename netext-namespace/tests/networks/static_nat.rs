//! A static NAT gives an instance its own public address.

use netext_lab::{Firewall, Lab, Network, Rule, SourceNat, lab};

use crate::setup::network;

/// A network with a static NAT of 198.51.100.11 to 10.1.1.10.
fn network_with_static_nat(lab: &Lab) -> Network<'_> {
    let network = network(lab);
    network.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.10");
    network
}

#[test]
fn clients_reach_the_instance_with_every_protocol() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_udp(53));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.10").seen_as("203.0.113.5");
    client.exchanges_udp_with("198.51.100.11:53").answered_by("10.1.1.10").seen_as("203.0.113.5");
    client.pings("198.51.100.11");
    // A router does not answer timestamp requests for others.
    client.asks_the_time_of("198.51.100.11");
}

#[test]
fn the_instance_leaves_with_its_own_address_and_others_with_the_source_nat_address() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let (own, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_udp(53));
    own.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
    own.exchanges_udp_with("203.0.113.5:53").seen_as("198.51.100.11");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.10");

    network.delete_static_nat("198.51.100.11", "10.1.1.10");
    own.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn a_static_nat_works_without_any_source_nat_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.11", SourceNat::No);
    network.add_static_nat("198.51.100.11", "10.1.1.10");
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);
    client.connects_to("198.51.100.11:22");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
}

#[test]
fn a_deleted_static_nat_cuts_its_connections() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), guest.listen_udp(53), client.listen_tcp(80));
    let mut incoming = client.talks_to("198.51.100.11:22");
    let mut datagrams = client.talks_udp_with("198.51.100.11:53");
    let mut outgoing = guest.talks_to("203.0.113.5:80");
    for flow in [&mut incoming, &mut datagrams, &mut outgoing] {
        flow.goes_on();
    }

    network.delete_static_nat("198.51.100.11", "10.1.1.10");
    assert_eq!(network.router().connections_to("198.51.100.11", None), [""; 0]);
    for flow in [&mut incoming, &mut datagrams, &mut outgoing] {
        flow.is_cut();
    }
    client.cannot_connect_to("198.51.100.11:22");
}

#[test]
fn releasing_the_address_cuts_its_connections() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.11:22");
    flow.goes_on();
    network.release_ip("198.51.100.11");
    flow.is_cut();
    assert_eq!(network.router().connections_to("198.51.100.11", None), [""; 0]);
    client.cannot_connect_to("198.51.100.11:22");
    lab.upstream().cannot_ping("198.51.100.11");
}

#[test]
fn deleting_one_static_nat_does_not_disturb_the_connections_of_others() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    network.assign_ip("198.51.100.12", SourceNat::No).add_static_nat("198.51.100.12", "10.1.1.11");
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);
    let mut kept = client.talks_to("198.51.100.12:22");
    let mut kept_outgoing = other.talks_to("203.0.113.5:80");
    network.delete_static_nat("198.51.100.11", "10.1.1.10").release_ip("198.51.100.11");
    kept.goes_on();
    kept_outgoing.goes_on();
}

#[test]
fn an_address_moves_to_another_instance() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let mut old = client.talks_to("198.51.100.11:22");
    network.delete_static_nat("198.51.100.11", "10.1.1.10").add_static_nat("198.51.100.11", "10.1.1.11");
    old.is_cut();
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");

    // A late delete is about the old mapping.
    network.delete_static_nat("198.51.100.11", "10.1.1.10");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
}

#[test]
fn a_guest_reaches_another_through_its_public_address() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let (server, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (server.listen_tcp(22), server.listen_udp(53));
    other.connects_to("198.51.100.11:22").answered_by("10.1.1.10");
    other.exchanges_udp_with("198.51.100.11:53").answered_by("10.1.1.10");

    network.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress("198.51.100.11").tcp(22)));
    other.connects_to("198.51.100.11:22").answered_by("10.1.1.10");
    other.gets_no_udp_from("198.51.100.11:53");
}

#[test]
fn a_guest_reaches_itself_through_its_public_address() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.11"));
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_udp(53));
    guest.connects_to("198.51.100.11:22").answered_by("10.1.1.10");
    guest.exchanges_udp_with("198.51.100.11:53").answered_by("10.1.1.10");
    guest.pings("198.51.100.11");
}

#[test]
fn two_instances_with_static_nats_reach_each_other_through_them() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    network.assign_ip("198.51.100.12", SourceNat::No).add_static_nat("198.51.100.12", "10.1.1.11");
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    one.connects_to("198.51.100.12:22").answered_by("10.1.1.11");
    other.connects_to("198.51.100.11:22").answered_by("10.1.1.10");
}

#[test]
fn instances_of_two_networks_reach_each_other_through_public_addresses() {
    let lab = lab!();
    let network = network_with_static_nat(&lab);
    let other_network = lab.network(210).on_vlan("1911");
    other_network.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    other_network.guest("10.1.1.10").connects_to("198.51.100.11:22").seen_as("198.51.100.20");
}
