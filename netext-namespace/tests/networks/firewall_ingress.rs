//! Firewall rules for traffic to a public address.

use netext_lab::{Firewall, Rule, SourceNat, lab};

use crate::setup::network_with_ways_in;

fn egress_allowed(rules: impl IntoIterator<Item = Rule>) -> Firewall {
    rules.into_iter().fold(Firewall::egress_allowed(), Firewall::with)
}

#[test]
fn an_address_without_a_rule_is_closed_once_rules_are_known() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let (forwarded, translated) = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2222");
    client.connects_to("198.51.100.11:22");

    network.apply_firewall(&Firewall::egress_allowed());
    let before = (forwarded.seen(), translated.seen());
    client.cannot_connect_to("198.51.100.10:2222");
    client.cannot_connect_to("198.51.100.11:22");
    client.cannot_ping("198.51.100.11");
    assert_eq!((forwarded.seen(), translated.seen()), before);

    // The same for a later address.
    network.assign_ip("198.51.100.12", SourceNat::No).add_static_nat("198.51.100.12", "10.1.1.10");
    client.cannot_connect_to("198.51.100.12:22");
}

#[test]
fn adding_a_rule_opens_and_deleting_it_closes() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let guest = network.guest("10.1.1.11");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    network.apply_firewall(&Firewall::egress_allowed());
    for _ in 0..2 {
        client.cannot_connect_to("198.51.100.11:22");
        network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.11").tcp(22)]));
        client.connects_to("198.51.100.11:22");
        network.apply_firewall(&Firewall::egress_allowed());
    }
    client.cannot_connect_to("198.51.100.11:22");
}

#[test]
fn a_rule_opens_only_its_port_protocol_and_address() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.assign_ip("198.51.100.12", SourceNat::No).add_static_nat("198.51.100.12", "10.1.1.10");
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.11").tcp(53)]));
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(53), other.listen_tcp(53), other.listen_udp(53), other.listen_tcp(54));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:53");
    client.gets_no_udp_from("198.51.100.11:53");
    client.cannot_connect_to("198.51.100.11:54");
    client.cannot_connect_to("198.51.100.12:53");
    client.cannot_ping("198.51.100.11");
}

#[test]
fn a_rule_matches_the_public_port_not_the_private_one() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.10").tcp(22)]));
    client.cannot_connect_to("198.51.100.10:2222");
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.10").tcp(2222)]));
    client.connects_to("198.51.100.10:2222");
    client.cannot_connect_to("198.51.100.10:22");
}

#[test]
fn ranges_include_their_ends() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let rule = |protocol| Rule::ingress("198.51.100.11").protocol(protocol).ports(8000, 8002);
    network.apply_firewall(&egress_allowed([rule("tcp"), rule("UDP")]));
    let guest = network.guest("10.1.1.11");
    let _tcp = [7999, 8000, 8001, 8002, 8003].map(|port| guest.listen_tcp(port));
    let _udp = [7999, 8000, 8002, 8003].map(|port| guest.listen_udp(port));
    let client = lab.client("203.0.113.5");
    for port in [8000, 8001, 8002] {
        client.connects_to(&format!("198.51.100.11:{port}"));
    }
    for port in [8000, 8002] {
        client.exchanges_udp_with(&format!("198.51.100.11:{port}"));
    }
    for port in [7999, 8003] {
        client.cannot_connect_to(&format!("198.51.100.11:{port}"));
        client.gets_no_udp_from(&format!("198.51.100.11:{port}"));
    }
}

#[test]
fn overlapping_and_nested_ranges_add_up() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let range =
        |first, last, from| Rule::ingress("198.51.100.11").protocol("tcp").ports(first, last).from(from);
    network.apply_firewall(&egress_allowed([
        range(80, 100, "203.0.113.0/25"),
        range(90, 120, "203.0.113.0/24"),
        range(95, 96, "203.0.113.200/32"),
        range(95, 96, "203.0.113.200/32"),
    ]));
    let guest = network.guest("10.1.1.11");
    let _servers = [85, 95, 110].map(|port| guest.listen_tcp(port));
    for (client, port, open) in [
        ("203.0.113.5", 85, true),
        ("203.0.113.5", 95, true),
        ("203.0.113.5", 110, true),
        ("203.0.113.200", 85, false),
        ("203.0.113.200", 95, true),
        ("203.0.113.200", 110, true),
    ] {
        let (client, target) = (lab.client(client), format!("198.51.100.11:{port}"));
        if open {
            client.connects_to(&target);
        } else {
            client.cannot_connect_to(&target);
        }
    }
}

#[test]
fn a_rule_opens_only_to_its_source_networks() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let rule = Rule::ingress("198.51.100.11").tcp(22).from("203.0.113.64/28").from("203.0.113.7/32");
    network.apply_firewall(&egress_allowed([rule]));
    let guest = network.guest("10.1.1.11");
    let _ssh = guest.listen_tcp(22);
    for inside in ["203.0.113.7", "203.0.113.64", "203.0.113.79"] {
        lab.client(inside).connects_to("198.51.100.11:22").seen_as(inside);
    }
    for outside in ["203.0.113.6", "203.0.113.63", "203.0.113.80"] {
        lab.client(outside).cannot_connect_to("198.51.100.11:22");
    }
    lab.upstream().cannot_connect_to("198.51.100.11:22");
}

#[test]
fn icmp_rules_match_their_type() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let _guest = network.guest("10.1.1.11");
    let client = lab.client("203.0.113.5");
    let apply = |kind, code| {
        network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.11").icmp(kind, code)]));
    };
    apply(-1, -1);
    client.pings("198.51.100.11");
    client.asks_the_time_of("198.51.100.11");
    apply(8, -1);
    client.pings("198.51.100.11");
    client.cannot_ask_the_time_of("198.51.100.11");
    apply(8, 0);
    client.pings("198.51.100.11");
    apply(13, 0);
    client.asks_the_time_of("198.51.100.11");
    client.cannot_ping("198.51.100.11");
    apply(8, 5);
    client.cannot_ping("198.51.100.11");
}

#[test]
fn the_router_answers_echo_on_the_source_nat_address_only_if_a_rule_allows_it() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let client = lab.client("203.0.113.5");
    network.apply_firewall(&Firewall::egress_allowed());
    client.cannot_ping("198.51.100.10");
    let rule = Rule::ingress("198.51.100.10").icmp(8, 0).from("203.0.113.0/28");
    network.apply_firewall(&egress_allowed([rule]));
    client.pings("198.51.100.10");
    lab.client("203.0.113.77").cannot_ping("198.51.100.10");
}

#[test]
fn a_rule_for_all_protocols_opens_the_address() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.11").from("203.0.113.0/24")]));
    let guest = network.guest("10.1.1.11");
    let _servers = (guest.listen_tcp(4242), guest.listen_udp(4242));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:4242");
    client.exchanges_udp_with("198.51.100.11:4242");
    client.pings("198.51.100.11");
    lab.upstream().cannot_connect_to("198.51.100.11:4242");
}

#[test]
fn established_flows_continue_when_their_rule_is_deleted() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.11").tcp(22)]));
    let guest = network.guest("10.1.1.11");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.11:22");
    network.apply_firewall(&Firewall::egress_allowed());
    client.cannot_connect_to("198.51.100.11:22");
    flow.goes_on();
}

#[test]
fn applying_rules_does_not_disturb_flows() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let rules = || (1000..1200).map(|port| Rule::ingress("198.51.100.11").tcp(port));
    network.apply_firewall(&egress_allowed(rules()));
    let guest = network.guest("10.1.1.11");
    let _server = guest.listen_tcp(1100);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.11:1100");
    for _ in 0..5 {
        network.apply_firewall(&egress_allowed(rules()));
        flow.goes_on();
        client.connects_to("198.51.100.11:1100");
    }
}

#[test]
fn rules_may_come_before_their_address() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.apply_firewall(&egress_allowed([Rule::ingress("198.51.100.12").tcp(22)]));
    network.assign_ip("198.51.100.12", SourceNat::No).add_static_nat("198.51.100.12", "10.1.1.10");
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_tcp(23));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.12:22");
    client.cannot_connect_to("198.51.100.12:23");
}
