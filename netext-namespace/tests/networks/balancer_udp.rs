//! Load balancer rules over UDP.

use std::collections::BTreeSet;

use netext_lab::{Balancer, Firewall, Listener, Network, Node, Rule, lab};

use crate::setup::{haproxies, network};

/// Instances from 10.1.1.10 up that serve UDP on port 53.
fn servers(network: &Network<'_>, count: u8) -> Vec<(Node, Listener)> {
    let guest = |last| {
        let guest = network.guest(&format!("10.1.1.{last}"));
        let listener = guest.listen_udp(53);
        (guest, listener)
    };
    (10..10 + count).map(guest).collect()
}

/// A rule of port 5353 for the instances from 10.1.1.10 up.
fn rule(count: u8) -> Balancer {
    (10..10 + count)
        .fold(Balancer::udp(10, "198.51.100.10:5353"), |rule, last| rule.member(&format!("10.1.1.{last}:53")))
}

fn datagrams(servers: &[(Node, Listener)]) -> Vec<usize> {
    servers.iter().map(|(_, listener)| listener.seen().len()).collect()
}

#[test]
fn members_take_turns_and_see_the_client() {
    let lab = lab!();
    let network = network(&lab);
    let servers = servers(&network, 3);
    network.apply_balancers(&[&rule(3)]);
    for _ in 0..9 {
        lab.client("203.0.113.5").exchanges_udp_with("198.51.100.10:5353").seen_as("203.0.113.5");
    }
    assert_eq!(datagrams(&servers), [3, 3, 3]);
    assert!(haproxies(&lab).is_empty());
}

#[test]
fn members_take_turns_with_leastconn_too() {
    let lab = lab!();
    let network = network(&lab);
    let servers = servers(&network, 2);
    network.apply_balancers(&[&rule(2).by("leastconn")]);
    for _ in 0..4 {
        lab.client("203.0.113.5").exchanges_udp_with("198.51.100.10:5353");
    }
    assert_eq!(datagrams(&servers), [2, 2]);
}

#[test]
fn a_client_stays_with_its_member() {
    let lab = lab!();
    let network = network(&lab);
    let _servers = servers(&network, 2);
    network.apply_balancers(&[&rule(2).by("source")]);
    let member_of =
        |client: &str| lab.client(client).exchanges_udp_with("198.51.100.10:5353").server().to_owned();
    let clients: Vec<_> = (1..=16).map(|last| format!("203.0.113.{last}")).collect();
    let before: Vec<_> = clients.iter().map(|client| member_of(client)).collect();
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 2, "{before:?}");
    network.router().node().sandbox().output("nft", &["flush", "ruleset"]);
    network.implement();
    let after: Vec<_> = clients.iter().map(|client| member_of(client)).collect();
    assert_eq!(after, before, "also after the rules were rewritten");
}

#[test]
fn a_flow_stays_with_its_member() {
    let lab = lab!();
    let network = network(&lab);
    let servers = servers(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let mut flow = lab.client("203.0.113.5").talks_udp_with("198.51.100.10:5353");
    for _ in 0..5 {
        flow.goes_on();
    }
    let datagrams = datagrams(&servers);
    assert!(datagrams == [6, 0] || datagrams == [0, 6], "{datagrams:?}");
}

#[test]
fn a_revoked_member_loses_its_flows_and_the_others_keep_theirs() {
    let lab = lab!();
    let network = network(&lab);
    let servers = servers(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let client = lab.client("203.0.113.5");
    let (mut one, mut other) =
        (client.talks_udp_with("198.51.100.10:5353"), client.talks_udp_with("198.51.100.10:5353"));
    assert_ne!(one.reply().server(), other.reply().server());

    network.apply_balancers(&[&rule(1).revoked_member("10.1.1.11:53")]);
    let before = datagrams(&servers);
    one.goes_on();
    other.goes_on();
    let after = datagrams(&servers);
    assert_eq!((after[0] - before[0], after[1] - before[1]), (2, 0), "both went to the remaining member");
}

#[test]
fn a_revoked_rule_cuts_its_flows() {
    let lab = lab!();
    let network = network(&lab);
    let _servers = servers(&network, 1);
    network.apply_balancers(&[&rule(1)]);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_udp_with("198.51.100.10:5353");
    network.apply_balancers(&[&rule(1).revoked()]);
    flow.is_cut();
    client.gets_no_udp_from("198.51.100.10:5353");
    assert_eq!(network.router().connections_to("198.51.100.10", Some(5353)), [""; 0]);
}

#[test]
fn a_rule_without_members_drops_datagrams_before_a_static_nat() {
    let lab = lab!();
    let network = network(&lab);
    let owner = network.guest("10.1.1.30");
    let _server = owner.listen_udp(5353);
    network.add_static_nat("198.51.100.10", "10.1.1.30");
    let client = lab.client("203.0.113.5");
    network.apply_balancers(&[&Balancer::udp(10, "198.51.100.10:5353")]);
    client.gets_no_udp_from("198.51.100.10:5353");
    network.apply_balancers(&[&Balancer::udp(10, "198.51.100.10:5353").revoked()]);
    client.exchanges_udp_with("198.51.100.10:5353").answered_by("10.1.1.30");
}

#[test]
fn guests_and_members_reach_a_balanced_port() {
    let lab = lab!();
    let network = network(&lab);
    let servers = servers(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let other = network.guest("10.1.1.20");
    for guest in [&servers[0].0, &servers[1].0, &other] {
        for _ in 0..2 {
            guest.exchanges_udp_with("198.51.100.10:5353");
        }
    }
}

#[test]
fn the_firewall_applies_before_the_balancer() {
    let lab = lab!();
    let network = network(&lab);
    let _servers = servers(&network, 1);
    network.apply_balancers(&[&rule(1)]);
    let client = lab.client("203.0.113.5");
    let only = |port| Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").udp(port));
    network.apply_firewall(&only(53));
    client.gets_no_udp_from("198.51.100.10:5353");
    network.apply_firewall(&only(5353));
    client.exchanges_udp_with("198.51.100.10:5353");
}

#[test]
fn tcp_and_udp_on_one_port_are_two_rules() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(53), other.listen_udp(53));
    let tcp = Balancer::tcp(9, "198.51.100.10:53").member("10.1.1.10:53");
    let udp = Balancer::udp(10, "198.51.100.10:53").member("10.1.1.11:53");
    network.apply_balancers(&[&tcp]).apply_balancers(&[&udp]);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:53").answered_by("10.1.1.10");
    client.exchanges_udp_with("198.51.100.10:53").answered_by("10.1.1.11");
    network.apply_balancers(&[&udp.revoked()]);
    client.gets_no_udp_from("198.51.100.10:53");
    client.connects_to("198.51.100.10:53").answered_by("10.1.1.10");
}
