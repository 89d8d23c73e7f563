//! Guests leave with the network's source NAT address.

use netext_lab::{Firewall, SourceNat, joined, lab};
use serde_json::json;

use crate::setup::network;

#[test]
fn guests_leave_with_the_source_nat_address() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_udp(53));
    for guest in [&one, &other] {
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
        guest.exchanges_udp_with("203.0.113.5:53").seen_as("198.51.100.10");
        guest.pings("203.0.113.5");
    }
    let neighbour = lab.neighbour("198.51.100.66");
    let _web = neighbour.listen_tcp(80);
    one.connects_to("198.51.100.66:80").seen_as("198.51.100.10");
}

#[test]
fn no_guest_leaves_without_a_source_nat_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.11", SourceNat::No);
    let guest = network.guest("10.1.1.10");
    let web = lab.upstream().listen_tcp(80);
    guest.cannot_connect_to("198.51.100.1:80");
    web.saw_no_client();
}

#[test]
fn further_addresses_do_not_become_the_source() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.9", SourceNat::No);
    network.assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    let guest = network.guest("10.1.1.10");
    let _web = lab.upstream().listen_tcp(80);
    for _ in 0..8 {
        guest.connects_to("198.51.100.1:80").seen_as("198.51.100.10");
    }
}

#[test]
fn a_forward_on_the_source_nat_address_does_not_make_it_an_ordinary_one() {
    let lab = lab!();
    let network = network(&lab);
    // In the payload of a port forward the server always sends source_nat false.
    network.add_port_forward(&netext_lab::Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let _web = lab.upstream().listen_tcp(80);
    guest.connects_to("198.51.100.1:80").seen_as("198.51.100.10");
}

#[test]
fn a_public_cidr_may_contain_the_network_instead_of_the_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let fields = network.public_fields("198.51.100.10", SourceNat::Yes);
    let fields = joined(&fields, &json!({"public_cidr": "198.51.100.0/24"}));
    network.command("assign-ip", &fields).succeeds_silently();
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    network.guest("10.1.1.10").connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn an_untagged_public_segment_works_like_a_vlan() {
    let lab = lab!();
    let network = lab.network(209).on_public_vlan("vlan://untagged");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let upstream = lab.plug("brnone-untagged", &["198.51.100.1/24"]);
    let _web = upstream.listen_tcp(80);
    network.guest("10.1.1.10").connects_to("198.51.100.1:80").seen_as("198.51.100.10");
}

#[test]
fn a_public_segment_may_be_a_plain_vlan_number() {
    let lab = lab!();
    let network = lab.network(209).on_public_vlan("101");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let _web = lab.upstream().listen_tcp(80);
    network.guest("10.1.1.10").connects_to("198.51.100.1:80").seen_as("198.51.100.10");
}

#[test]
fn releasing_the_source_nat_address_cuts_its_connections() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_udp(53));
    let mut tcp = guest.talks_to("203.0.113.5:80");
    let mut udp = guest.talks_udp_with("203.0.113.5:53");
    tcp.goes_on();
    udp.goes_on();

    network.release_ip("198.51.100.10");
    tcp.is_cut();
    udp.is_cut();
    guest.cannot_connect_to("203.0.113.5:80");
    lab.upstream().cannot_ping("198.51.100.10");
    let left = network.router().connections_to("203.0.113.5", None);
    assert!(left.iter().all(|line| !line.contains("198.51.100.10")), "{left:?}");
}

#[test]
fn another_address_takes_over_as_the_source() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    network.release_ip("198.51.100.10").assign_ip("198.51.100.12", SourceNat::Yes);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.12");
}

#[test]
fn a_released_address_serves_the_next_tenant_at_once() {
    let lab = lab!();
    let (one, other) = (lab.network(209), lab.network(210).on_vlan("1911"));
    for (network, address) in [(&one, "198.51.100.10"), (&other, "198.51.100.20")] {
        network.implement().assign_ip(address, SourceNat::Yes);
    }
    let (guest_of_one, guest_of_other) = (one.guest("10.1.1.10"), other.guest("10.1.1.10"));
    let _servers = (guest_of_one.listen_tcp(22), guest_of_other.listen_tcp(23));
    let client = lab.client("203.0.113.5");
    one.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.10");
    let mut old = client.talks_to("198.51.100.11:22");
    old.goes_on();

    one.delete_static_nat("198.51.100.11", "10.1.1.10").release_ip("198.51.100.11");
    other.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.10");
    // The upstream's ARP cache still has the first router, until an announcement.
    client.connects_to("198.51.100.11:23");
    client.cannot_connect_to("198.51.100.11:22");
    old.is_cut();
}

#[test]
fn only_replies_to_guests_come_in() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(&Firewall::egress_allowed());
    let guest = network.guest("10.1.1.10");
    let listening = guest.listen_tcp(80);
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);
    guest.talks_to("203.0.113.5:80").goes_on();
    client.cannot_connect_to("198.51.100.10:80");
    client.cannot_ping("198.51.100.10");
    listening.saw_no_client();
}
