//! Public addresses on several VLANs: every packet leaves through the segment of its address.
//!
//! The lab's upstream drops packets that arrive through another segment than its own route back (strict reverse path
//! filter). So a reply proves that the packet took the right way.

use netext_lab::{Expectation, Firewall, Forward, Lab, Network, SourceNat, joined, lab};
use serde_json::json;

use crate::setup::{self, network_with_forward, two_tiers, vpc};

/// The rules of a router that has no choice between segments.
const PLAIN: [&str; 3] = ["0:", "32766:", "32767:"];

/// A network with its source NAT address on VLAN 101, a forward on VLAN 102 and a static NAT on VLAN 103.
fn network(lab: &Lab) -> Network<'_> {
    lab.public_vlan(102);
    lab.public_vlan(103);
    let network = network_with_forward(lab);
    further_segments(&network);
    network
}

fn further_segments(network: &Network<'_>) {
    network.assign_ip("198.18.102.10", SourceNat::No);
    network.add_port_forward(&Forward::tcp("198.18.102.10:2222", "10.1.1.10:22"));
    network.add_port_forward(&Forward::udp("198.18.102.10:5353", "10.1.1.10:53"));
    network.assign_ip("198.18.103.10", SourceNat::No).add_static_nat("198.18.103.10", "10.1.1.11");
}

fn release_further_segments(network: &Network<'_>) {
    network.delete_static_nat("198.18.103.10", "10.1.1.11").release_ip("198.18.103.10");
    network.release_ip("198.18.102.10");
}

/// The priorities of the router's rules.
fn priorities(network: &Network<'_>) -> Vec<String> {
    let rules = network.router().ip("rule show");
    rules.iter().filter_map(|rule| rule.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn replies_leave_through_the_segment_of_the_request() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), one.listen_udp(53), other.listen_tcp(22), other.listen_udp(53));
    let client = lab.client("203.0.113.5");
    for address in ["198.51.100.10:2222", "198.18.102.10:2222"] {
        client.connects_to(address).answered_by("10.1.1.10").seen_as("203.0.113.5");
    }
    client.exchanges_udp_with("198.18.102.10:5353").answered_by("10.1.1.10");
    client.connects_to("198.18.103.10:22").answered_by("10.1.1.11").seen_as("203.0.113.5");
    client.exchanges_udp_with("198.18.103.10:53").answered_by("10.1.1.11");
    client.pings("198.18.103.10");
}

#[test]
fn guests_leave_through_the_segment_of_their_public_address() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_udp(53));
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    other.connects_to("203.0.113.5:80").seen_as("198.18.103.10");
    other.exchanges_udp_with("203.0.113.5:53").seen_as("198.18.103.10");
    other.pings("203.0.113.5");
    // More than the first packets.
    for guest in [&one, &other] {
        let mut conversation = guest.talks_to("203.0.113.5:80");
        conversation.goes_on();
        conversation.goes_on();
    }

    network.assign_ip("198.18.102.11", SourceNat::Yes);
    one.connects_to("203.0.113.5:80").seen_as("198.18.102.11");
    other.connects_to("203.0.113.5:80").seen_as("198.18.103.10");
}

#[test]
fn replies_to_machines_of_a_segment_take_the_way_of_the_request() {
    let lab = lab!();
    let network = network(&lab);
    let upstream = lab.upstream().sandbox();
    upstream.run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("an upstream that forwards");
    // Like a stateful firewall, the upstream must see both directions of a connection.
    for words in [
        "add table ip stateful",
        "add chain ip stateful forward { type filter hook forward priority 0; }",
        "add rule ip stateful forward ct state invalid drop",
    ] {
        assert!(upstream.output("nft", &[words]).status.success());
    }
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let neighbour = lab.plug("brnone-102", &["198.18.102.66/24"]);
    neighbour.routes("default", "198.18.102.1");
    // Directly on its own segment, and through both gateways on another one.
    neighbour.connects_to("198.18.102.10:2222").seen_as("198.18.102.66");
    neighbour.connects_to("198.51.100.10:2222").seen_as("198.18.102.66");
    neighbour.connects_to("198.18.103.10:22").seen_as("198.18.102.66");
    let _web = neighbour.listen_tcp(80);
    one.connects_to("198.18.102.66:80").seen_as("198.51.100.10");
    other.connects_to("198.18.102.66:80").seen_as("198.18.103.10");
}

#[test]
fn the_router_itself_replies_through_the_segment_of_its_address() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10").open("198.18.102.10"));
    let client = lab.client("203.0.113.5");
    client.pings("198.51.100.10");
    client.pings("198.18.102.10");
}

#[test]
fn addresses_answer_only_on_their_own_segment() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(&Firewall::egress_allowed().open("198.18.102.10"));
    let at_home = lab.plug("brnone-102", &["198.18.102.66/24"]);
    at_home.pings("198.18.102.10");
    let stranger = lab.plug("brnone-103", &["198.18.102.66/24"]);
    stranger.cannot_ping("198.18.102.10");
}

#[test]
fn connections_continue_while_segments_come_and_go() {
    let lab = lab!();
    lab.public_vlan(102);
    lab.public_vlan(103);
    let vpc = vpc(&lab);
    let tier = vpc.tier(1);
    tier.implement();
    tier.add_port_forward(&Forward::tcp("198.51.100.20:2222", "10.2.1.10:22"));
    let guest = tier.guest("10.2.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    let (mut incoming, mut outgoing) =
        (client.talks_to("198.51.100.20:2222"), guest.talks_to("203.0.113.5:80"));
    let mut both_go_on = || {
        incoming.goes_on();
        outgoing.goes_on();
    };

    // Segments before and after it in order, and a new segment for the guests.
    tier.assign_ip("198.18.102.10", SourceNat::No);
    both_go_on();
    tier.assign_ip("198.18.103.10", SourceNat::No);
    both_go_on();
    vpc.leave_by("198.18.103.11");
    both_go_on();
    guest.connects_to("203.0.113.5:80").seen_as("198.18.103.11");
    tier.release_ip("198.18.102.10");
    both_go_on();
    vpc.leave_by("198.51.100.20");
    tier.release_ip("198.18.103.10").release_ip("198.18.103.11");
    both_go_on();
    assert_eq!(priorities(&tier), PLAIN);
}

#[test]
fn with_one_segment_there_are_no_extra_rules_and_routes() {
    let lab = lab!();
    let network = network(&lab);
    assert_ne!(priorities(&network), PLAIN);
    let has_choice = || network.router().ruleset().contains("way");
    assert!(has_choice());
    release_further_segments(&network);
    assert_eq!(priorities(&network), PLAIN);
    assert!(!has_choice());
    assert_eq!(network.router().ip("-4 route show table all proto 110"), Vec::<String>::new());
    further_segments(&network);
    assert!(has_choice());
    network.shutdown().implement().assign_ip("198.51.100.10", SourceNat::Yes);
    assert_eq!(priorities(&network), PLAIN);
}

#[test]
fn two_gateways_on_one_vlan_serve_their_own_addresses() {
    let lab = lab!();
    let network = setup::network(&lab);
    let other_range = joined(
        &network.public_fields("192.0.2.10", SourceNat::No),
        &json!({"public_gateway": "192.0.2.1", "private_ip": "10.1.1.11"}),
    );
    network.command("add-static-nat", &other_range).succeeds_silently();
    let other_gateway = lab.plug(netext_lab::PUBLIC_BRIDGE, &["192.0.2.1/24", "192.0.2.200/32"]);
    other_gateway.sandbox().ip("address add 192.88.99.9/32 dev lo\n");
    let guest = network.guest("10.1.1.11");
    let _servers = (guest.listen_tcp(22), other_gateway.listen_tcp_on("192.88.99.9:80"));
    other_gateway.connects_to("192.0.2.10:22").answered_by("10.1.1.11");
    guest.connects_to("192.88.99.9:80").seen_as("192.0.2.10");
}

#[test]
fn tiers_reach_each_other_across_segments() {
    let lab = lab!();
    lab.public_vlan(102);
    let (_vpc, web, database) = two_tiers(&lab);
    database.assign_ip("198.18.102.10", SourceNat::No);
    database.add_port_forward(&Forward::tcp("198.18.102.10:2222", "10.2.2.10:22"));
    web.assign_ip("198.18.102.11", SourceNat::No).add_static_nat("198.18.102.11", "10.2.1.10");
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    one.connects_to("10.2.2.10:22").seen_as("10.2.1.10");
    other.connects_to("10.2.1.10:22").seen_as("10.2.2.10");
    one.connects_to("198.18.102.10:2222").answered_by("10.2.2.10").seen_as("10.2.1.10");
    other.connects_to("198.18.102.11:22").answered_by("10.2.1.10");
    // A tier also reaches itself through its public address.
    web.guest("10.2.1.11").connects_to("198.18.102.11:22").answered_by("10.2.1.10").seen_as("10.2.1.1");
}

#[test]
fn policy_routes_apply_to_connections_of_guests_but_not_to_their_replies() {
    let lab = lab!();
    let network = network(&lab);
    let second = lab.plug("brnone-102", &["198.18.102.77/24", "192.0.2.9/32"]);
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    let diverted = second.listen_udp_on("192.0.2.9:53");
    network.acts("pbr-create-table", &json!({"table-id": "100", "table-name": "isp2"}));
    network.acts("pbr-add-route", &json!({"table": "isp2", "route": "default via 198.18.102.77"}));
    network.acts("pbr-add-rule", &json!({"table": "isp2", "rule": "from 10.1.1.0/24"}));
    guest.cannot_connect_to("203.0.113.5:80");
    let _ = guest.tries_udp("192.0.2.9:53", Expectation::Refused);
    assert_eq!(diverted.seen().first().map(String::as_str), Some("198.51.100.10"));
    for address in ["198.51.100.10:2222", "198.18.102.10:2222"] {
        client.connects_to(address).answered_by("10.1.1.10");
    }
    network.acts("pbr-delete-table", &json!({"table": "isp2"}));
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn the_next_command_repairs_rules_and_tables_that_were_flushed() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.18.102.10:2222");
    for damage in
        ["rule flush\nrule add from all lookup main pref 32766\n", "route flush table all proto 110\n"]
    {
        network.router().node().sandbox().ip(damage);
        client.cannot_connect_to("198.18.102.10:2222");
        network.prepare_nic("10.1.1.10");
        client.connects_to("198.18.102.10:2222");
    }
}
