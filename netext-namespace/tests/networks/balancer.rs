//! Load balancer rules over TCP: which member answers which client.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{Balancer, Expectation, Firewall, Forward, Listener, Network, Node, Rule, SourceNat, lab};

use crate::setup::{haproxies, network, within};

/// Instances from 10.1.1.10 up that serve TCP on port 8080.
fn web(network: &Network<'_>, count: u8) -> Vec<(Node, Listener)> {
    let guest = |last| {
        let guest = network.guest(&format!("10.1.1.{last}"));
        let listener = guest.listen_tcp(8080);
        (guest, listener)
    };
    (10..10 + count).map(guest).collect()
}

/// A rule of port 80 for the instances from 10.1.1.10 up.
fn rule(count: u8) -> Balancer {
    (10..10 + count)
        .fold(Balancer::tcp(9, "198.51.100.10:80"), |rule, last| rule.member(&format!("10.1.1.{last}:8080")))
}

/// The number of replies of each server.
fn answers(client: &Node, count: usize) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for _ in 0..count {
        let answer = client.connects_to("198.51.100.10:80");
        *answers.entry(answer.server().to_owned()).or_default() += 1;
    }
    answers
}

#[test]
fn the_smoke_tests_balancer_step_by_step() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    network.assign_ip("198.51.100.11", SourceNat::No);
    let open = Firewall::egress_allowed().with(Rule::ingress("198.51.100.11").tcp(22));
    let balancer = Balancer::tcp(9, "198.51.100.11:22");

    network.apply_firewall(&open).apply_balancers(&[&balancer]);
    client.cannot_connect_to("198.51.100.11:22");
    let with_member = balancer.clone().member("10.1.1.10:22");
    network.apply_balancers(&[&with_member]);
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.10").seen_as("10.1.1.1");
    network.apply_balancers(&[&balancer.clone().revoked_member("10.1.1.10:22")]);
    client.cannot_connect_to("198.51.100.11:22");
    network.apply_balancers(&[&balancer.revoked()]).release_ip("198.51.100.11");
    client.cannot_connect_to("198.51.100.11:22");
}

#[test]
fn members_take_turns() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 3);
    network.apply_balancers(&[&rule(3)]);
    let each = |answers: BTreeMap<String, usize>| answers.into_values().collect::<Vec<_>>();
    assert_eq!(each(answers(&lab.client("203.0.113.5"), 12)), [4, 4, 4]);
}

#[test]
fn the_member_with_the_fewest_connections_is_next() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 2);
    network.apply_balancers(&[&rule(2).by("leastconn")]);
    let client = lab.client("203.0.113.5");
    let held = client.talks_to("198.51.100.10:80");
    let busy = held.reply().server().to_owned();
    for _ in 0..6 {
        // Each connection ends before the next one; haproxy notices a moment later.
        let answer = client.connects_to("198.51.100.10:80");
        assert_ne!(answer.server(), busy);
        thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn a_client_stays_with_its_member() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 3);
    network.apply_balancers(&[&rule(3).by("source")]);
    let member_of = |client: &str| lab.client(client).connects_to("198.51.100.10:80").server().to_owned();
    let clients: Vec<_> = (1..=40).map(|last| format!("203.0.113.{last}")).collect();
    let before: Vec<_> = clients.iter().map(|client| member_of(client)).collect();
    for member in ["10.1.1.10", "10.1.1.11", "10.1.1.12"] {
        let share = before.iter().filter(|found| *found == member).count();
        assert!((4..=28).contains(&share), "{member} has {share} of 40 clients");
    }
    // Also when another member is removed, and when the rules are rewritten.
    network
        .apply_balancers(&[&rule(3).by("source").member("10.1.1.12:8080").revoked_member("10.1.1.10:8080")]);
    network.apply_balancers(&[&rule(2).by("source")]);
    for (client, before) in clients.iter().zip(&before) {
        let now = member_of(client);
        assert!(now == *before || before == "10.1.1.12", "{client} was with {before}, and is with {now}");
    }
}

#[test]
fn members_learn_the_clients_address_from_a_proxy_header() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let web = guest.listen_proxied_tcp(8080);
    network.apply_balancers(&[&Balancer::tcp_proxy(9, "198.51.100.10:80").member("10.1.1.10:8080")]);
    lab.client("203.0.113.5").connects_to("198.51.100.10:80").seen_as("203.0.113.5");
    lab.client("203.0.113.77").connects_to("198.51.100.10:80").seen_as("203.0.113.77");
    network.guest("10.1.1.20").connects_to("198.51.100.10:80").seen_as("10.1.1.20");
    assert!(web.seen().iter().all(|peer| peer == "10.1.1.1"), "{:?}", web.seen());
}

#[test]
fn guests_and_members_reach_a_balanced_port() {
    let lab = lab!();
    let network = network(&lab);
    let web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let other = network.guest("10.1.1.20");
    for guest in [&web[0].0, &web[1].0, &other] {
        for _ in 0..2 {
            guest.connects_to("198.51.100.10:80");
        }
    }
}

#[test]
fn a_dead_member_is_removed_and_comes_back() {
    let lab = lab!();
    let network = network(&lab);
    let web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let client = lab.client("203.0.113.5");
    assert_eq!(answers(&client, 4).len(), 2);

    // Silent, not shut down: nothing reports that it is gone.
    web[1].0.sandbox().ip("link set eth0 down\n");
    let all_quick = || {
        let quick = |_| {
            let begun = Instant::now();
            client.tries_tcp("198.51.100.10:80", Expectation::Answered).is_ok()
                && begun.elapsed() < Duration::from_millis(500)
        };
        (0..4).all(quick)
    };
    within(Duration::from_secs(10), "the end of the dead member", all_quick);
    assert_eq!(answers(&client, 6), BTreeMap::from([("10.1.1.10".to_owned(), 6)]));

    web[1].0.sandbox().ip("link set eth0 up\n");
    within(Duration::from_secs(10), "the return of the member", || answers(&client, 2).len() == 2);
}

#[test]
fn a_change_of_other_rules_sends_no_client_to_a_dead_member() {
    let lab = lab!();
    let network = network(&lab);
    let web = web(&network, 2);
    let (by_turns, by_source) = (rule(2), Balancer::tcp(10, "198.51.100.10:81").by("source"));
    let by_source = by_source.member("10.1.1.10:8080").member("10.1.1.11:8080");
    network.apply_balancers(&[&by_turns, &by_source]);
    let clients: Vec<_> = (1..=8).map(|last| lab.client(&format!("203.0.113.{last}"))).collect();
    let no_client_waits = || {
        let calls = clients.iter().flat_map(|client| [80, 81].map(|port| (client, port)));
        calls.into_iter().all(|(client, port)| {
            let begun = Instant::now();
            client.tries_tcp(&format!("198.51.100.10:{port}"), Expectation::Answered).is_ok()
                && begun.elapsed() < Duration::from_millis(500)
        })
    };
    // Silent, not shut down: a client that is sent there waits.
    web[1].0.sandbox().ip("link set eth0 down\n");
    within(Duration::from_secs(15), "the end of the dead member", no_client_waits);

    // More than one change: each successor hands its knowledge on.
    for id in 90..93 {
        network
            .apply_balancers(&[&Balancer::tcp(id, &format!("198.51.100.10:{id}")).member("10.1.1.10:8080")]);
        assert!(no_client_waits(), "after rule {id}");
    }
    web[1].0.sandbox().ip("link set eth0 up\n");
    within(Duration::from_secs(10), "the return of the member", || answers(&clients[0], 2).len() == 2);
}

#[test]
fn a_haproxy_without_a_predecessor_believes_that_all_members_are_alive() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    // An interrupted handover left this file behind.
    let handed_on =
        std::path::PathBuf::from(format!("{}/network-209/haproxy/dead-members", lab.state_folder()));
    let process = haproxies(&lab).pop().unwrap();
    let outdated = "1\n#\n0 rule-9 0 10.1.1.10:8080 10.1.1.10 0 0 1 1 0 8 2 0 6 0 0 0 - 8080 - 0 0 - - 0\n";
    lab.host().run(|| std::fs::write(&handed_on, outdated)).unwrap();
    lab.kills(process);
    network.prepare_nic("10.1.1.10");
    assert_eq!(answers(&lab.client("203.0.113.5"), 4).len(), 2);
    assert!(!lab.host().run(|| handed_on.exists()));
}

#[test]
fn a_member_that_refuses_connections_is_skipped_at_once() {
    let lab = lab!();
    let network = network(&lab);
    let mut web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let client = lab.client("203.0.113.5");
    let (_guest, listener) = web.pop().unwrap();
    drop(listener);
    assert_eq!(answers(&client, 8), BTreeMap::from([("10.1.1.10".to_owned(), 8)]));
}

#[test]
fn the_firewall_applies_before_the_balancer() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 1);
    network.apply_balancers(&[&rule(1)]);
    let (client, stranger) = (lab.client("203.0.113.5"), lab.client("203.0.113.77"));
    stranger.connects_to("198.51.100.10:80");

    let closed = Firewall::egress_allowed();
    network.apply_firewall(&closed);
    client.cannot_connect_to("198.51.100.10:80");
    network
        .apply_firewall(&closed.clone().with(Rule::ingress("198.51.100.10").tcp(80).from("203.0.113.0/28")));
    client.connects_to("198.51.100.10:80");
    stranger.cannot_connect_to("198.51.100.10:80");
    // A rule for the member's own port opens nothing.
    network.apply_firewall(&closed.with(Rule::ingress("198.51.100.10").tcp(8080)));
    client.cannot_connect_to("198.51.100.10:80");
    client.cannot_connect_to("198.51.100.10:8080");
}

#[test]
fn only_the_public_port_answers() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No);
    let _web = web(&network, 1);
    network.apply_balancers(&[&rule(1)]);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:80");
    let closed = ["198.51.100.10:8080", "198.51.100.10:81", "198.51.100.11:80"].map(str::to_owned);
    client.cannot_connect_to_any_of(&closed);
    client.gets_no_udp_from("198.51.100.10:80");
    network.guest("10.1.1.20").cannot_connect_to("10.1.1.1:8080");
}

#[test]
fn a_balanced_port_has_priority_over_a_forward_and_a_static_nat() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No);
    let owner = network.guest("10.1.1.30");
    let _servers = (owner.listen_tcp(80), owner.listen_tcp(81), owner.listen_udp(80));
    let _web = web(&network, 1);
    network.add_static_nat("198.51.100.11", "10.1.1.30");
    network.add_port_forward(&Forward::tcp("198.51.100.10:70-90", "10.1.1.30:70-90"));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:80").answered_by("10.1.1.30");

    let on_owned = Balancer::tcp(10, "198.51.100.11:80");
    network.apply_balancers(&[&rule(1), &on_owned.clone().member("10.1.1.10:8080")]);
    for (public, of_owner) in
        [("198.51.100.11:80", "198.51.100.11:81"), ("198.51.100.10:80", "198.51.100.10:81")]
    {
        client.connects_to(public).answered_by("10.1.1.10");
        client.connects_to(of_owner).answered_by("10.1.1.30");
    }
    client.exchanges_udp_with("198.51.100.11:80").answered_by("10.1.1.30");
    // Without members it refuses connections; they do not reach the owner of the address.
    network.apply_balancers(&[&on_owned]);
    client.cannot_connect_to("198.51.100.11:80");
    network.apply_balancers(&[&on_owned.revoked()]);
    client.connects_to("198.51.100.11:80").answered_by("10.1.1.30");
}
