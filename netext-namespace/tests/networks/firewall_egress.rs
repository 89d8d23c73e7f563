//! Firewall rules and policy for traffic from guests to the outside.

use netext_lab::{Firewall, Forward, Rule, SourceNat, lab};

use crate::setup::network;

#[test]
fn with_egress_denied_and_no_rule_guests_reach_nothing_outside() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(&Firewall::egress_denied());
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let client = lab.client("203.0.113.5");
    let (web, names, local) = (client.listen_tcp(80), client.listen_udp(53), other.listen_tcp(80));
    one.cannot_connect_to("203.0.113.5:80");
    one.gets_no_udp_from("203.0.113.5:53");
    one.cannot_ping("203.0.113.5");
    web.saw_no_client();
    names.saw_no_client();
    // The gateway and other guests are not outside.
    one.pings("10.1.1.1");
    one.connects_to("10.1.1.11:80");
    assert_eq!(local.seen(), ["10.1.1.10"]);
}

#[test]
fn with_egress_denied_rules_allow_by_guest_destination_and_port() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(
        &Firewall::egress_denied()
            .with(Rule::egress().udp(53))
            .with(Rule::egress().protocol("tcp").ports(80, 81).from("10.1.1.10/32"))
            .with(Rule::egress().from("10.1.1.12/32").to("203.0.113.64/26")),
    );
    let [one, other, third] = ["10.1.1.10", "10.1.1.11", "10.1.1.12"].map(|address| network.guest(address));
    let (near, far) = (lab.client("203.0.113.5"), lab.client("203.0.113.70"));
    let _tcp = [80, 81, 82].map(|port| near.listen_tcp(port));
    let _others = (near.listen_udp(53), near.listen_udp(54), far.listen_tcp(80), far.listen_udp(54));

    for guest in [&one, &other, &third] {
        guest.exchanges_udp_with("203.0.113.5:53").seen_as("198.51.100.10");
    }
    one.gets_no_udp_from("203.0.113.5:54");
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    one.connects_to("203.0.113.5:81");
    one.connects_to("203.0.113.70:80");
    one.cannot_connect_to("203.0.113.5:82");
    other.cannot_connect_to("203.0.113.5:80");
    third.cannot_connect_to("203.0.113.5:80");
    third.connects_to("203.0.113.70:80");
    third.exchanges_udp_with("203.0.113.70:54");
    third.pings("203.0.113.70");
    third.cannot_ping("203.0.113.5");
    one.cannot_ping("203.0.113.70");
}

#[test]
fn with_egress_allowed_rules_deny_by_guest_destination_and_port() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_firewall(
        &Firewall::egress_allowed()
            .with(Rule::egress().tcp(25))
            .with(Rule::egress().protocol("tcp").ports(80, 81).from("10.1.1.10/32"))
            .with(Rule::egress().from("10.1.1.12/32").to("203.0.113.64/26")),
    );
    let [one, other, third] = ["10.1.1.10", "10.1.1.11", "10.1.1.12"].map(|address| network.guest(address));
    let (near, far) = (lab.client("203.0.113.5"), lab.client("203.0.113.70"));
    let _tcp = [25, 80, 81, 82].map(|port| near.listen_tcp(port));
    let _others = (near.listen_udp(25), far.listen_tcp(82));

    for guest in [&one, &other, &third] {
        guest.cannot_connect_to("203.0.113.5:25");
        guest.exchanges_udp_with("203.0.113.5:25");
        guest.connects_to("203.0.113.5:82").seen_as("198.51.100.10");
    }
    one.cannot_connect_to("203.0.113.5:80");
    one.cannot_connect_to("203.0.113.5:81");
    other.connects_to("203.0.113.5:80");
    third.connects_to("203.0.113.5:80");
    third.cannot_connect_to("203.0.113.70:82");
    third.cannot_ping("203.0.113.70");
    one.pings("203.0.113.70");
}

#[test]
fn a_rule_may_have_several_sources_and_destinations() {
    let lab = lab!();
    let network = network(&lab);
    let rule = Rule::egress()
        .tcp(80)
        .from("10.1.1.10/32")
        .from("10.1.1.64/26")
        .to("203.0.113.5/32")
        .to("203.0.113.128/25");
    network.apply_firewall(&Firewall::egress_denied().with(rule));
    let [one, other, third] = ["10.1.1.10", "10.1.1.70", "10.1.1.11"].map(|address| network.guest(address));
    let _servers = ["203.0.113.5", "203.0.113.130", "203.0.113.6"].map(|it| lab.client(it).listen_tcp(80));
    for guest in [&one, &other] {
        guest.connects_to("203.0.113.5:80");
        guest.connects_to("203.0.113.130:80");
        guest.cannot_connect_to("203.0.113.6:80");
    }
    third.cannot_connect_to("203.0.113.5:80");
}

#[test]
fn egress_icmp_rules_match_their_type() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    network.apply_firewall(&Firewall::egress_denied().with(Rule::egress().icmp(8, 0)));
    guest.pings("203.0.113.5");
    guest.cannot_ask_the_time_of("203.0.113.5");
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::egress().icmp(8, -1)));
    guest.cannot_ping("203.0.113.5");
    guest.asks_the_time_of("203.0.113.5");
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::egress().icmp(-1, -1)));
    guest.cannot_ask_the_time_of("203.0.113.5");
}

#[test]
fn the_policy_also_applies_to_instances_with_a_static_nat() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.10");
    network.apply_firewall(&Firewall::egress_denied().with(Rule::egress().tcp(80)));
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_tcp(81));
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
    guest.cannot_connect_to("203.0.113.5:81");
}

#[test]
fn replies_to_clients_pass_with_every_egress_policy() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(&Firewall::egress_denied().open("198.51.100.10").open("198.51.100.11"));
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22), other.listen_udp(53));
    let client = lab.client("203.0.113.5");
    client.talks_to("198.51.100.10:2222").goes_on();
    client.talks_to("198.51.100.11:22").goes_on();
    client.exchanges_udp_with("198.51.100.11:53");
    client.pings("198.51.100.11");
}

#[test]
fn the_policy_can_be_reversed() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (client.listen_tcp(80), client.listen_tcp(81));
    for _ in 0..2 {
        network.apply_firewall(&Firewall::egress_allowed().with(Rule::egress().tcp(80)));
        guest.cannot_connect_to("203.0.113.5:80");
        guest.connects_to("203.0.113.5:81");
        network.apply_firewall(&Firewall::egress_denied().with(Rule::egress().tcp(80)));
        guest.connects_to("203.0.113.5:80");
        guest.cannot_connect_to("203.0.113.5:81");
    }
}
