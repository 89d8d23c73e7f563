//! Load balancer rules over TCP: who is answered by whom, and who is not.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{
    Balancer, Expectation, Firewall, Forward, Lab, Listener, Network, Node, Rule, SourceNat, lab,
};

/// A network that leaves by 198.51.100.10, no rule applied yet.
pub(crate) fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network
}

/// Instances at 10.1.1.10 and up that serve TCP on port 8080.
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

/// The haproxy processes of the lab, with those that only wait for the end of their connections.
pub(crate) fn haproxies(lab: &Lab) -> Vec<i32> {
    let processes = lab.processes().into_iter();
    processes.filter(|(_, line)| line.starts_with("haproxy ")).map(|(process, _)| process).collect()
}

/// Waits for something that ought to come about.
#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, happens: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !happens() {
        assert!(Instant::now() < deadline, "{what} ought to come about within {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How often each server answers.
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
        // Each is gone before the next comes; haproxy learns of that a moment later.
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
    // Also when another member goes, and when the rules are made anew.
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
fn guests_reach_a_balanced_port_members_included() {
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
fn a_dead_member_is_taken_out_and_comes_back() {
    let lab = lab!();
    let network = network(&lab);
    let web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    let client = lab.client("203.0.113.5");
    assert_eq!(answers(&client, 4).len(), 2);

    // Silent, not shut down: nobody says that it is gone.
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
fn a_change_of_other_rules_sends_nobody_to_a_dead_member() {
    let lab = lab!();
    let network = network(&lab);
    let web = web(&network, 2);
    let (by_turns, by_source) = (rule(2), Balancer::tcp(10, "198.51.100.10:81").by("source"));
    let by_source = by_source.member("10.1.1.10:8080").member("10.1.1.11:8080");
    network.apply_balancers(&[&by_turns, &by_source]);
    let clients: Vec<_> = (1..=8).map(|last| lab.client(&format!("203.0.113.{last}"))).collect();
    let nobody_waits = || {
        let calls = clients.iter().flat_map(|client| [80, 81].map(|port| (client, port)));
        calls.into_iter().all(|(client, port)| {
            let begun = Instant::now();
            client.tries_tcp(&format!("198.51.100.10:{port}"), Expectation::Answered).is_ok()
                && begun.elapsed() < Duration::from_millis(500)
        })
    };
    // Silent, not shut down: who is sent there waits.
    web[1].0.sandbox().ip("link set eth0 down\n");
    within(Duration::from_secs(15), "the end of the dead member", nobody_waits);

    // More than one change: a successor tells what it was told itself.
    for id in 90..93 {
        network
            .apply_balancers(&[&Balancer::tcp(id, &format!("198.51.100.10:{id}")).member("10.1.1.10:8080")]);
        assert!(nobody_waits(), "after rule {id} came");
    }
    web[1].0.sandbox().ip("link set eth0 up\n");
    within(Duration::from_secs(10), "the return of the member", || answers(&clients[0], 2).len() == 2);
}

#[test]
fn a_haproxy_that_nobody_precedes_believes_no_member_to_be_dead() {
    let lab = lab!();
    let network = network(&lab);
    let _web = web(&network, 2);
    network.apply_balancers(&[&rule(2)]);
    // Left behind by a handover that was cut off.
    let told = std::path::PathBuf::from(format!("{}/network-209/haproxy/dead-members", lab.state_folder()));
    let process = haproxies(&lab).pop().unwrap().to_string();
    let lies = "1\n#\n0 rule-9 0 10.1.1.10:8080 10.1.1.10 0 0 1 1 0 8 2 0 6 0 0 0 - 8080 - 0 0 - - 0\n";
    lab.host().run(|| std::fs::write(&told, lies)).unwrap();
    lab.host().output("kill", &["-9", &process]);
    network.prepare_nic("10.1.1.10");
    assert_eq!(answers(&lab.client("203.0.113.5"), 4).len(), 2);
    assert!(!lab.host().run(|| told.exists()));
}

#[test]
fn a_member_that_refuses_is_passed_over_at_once() {
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
    // The member's own port opens nothing.
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
fn a_balanced_port_goes_before_a_forward_and_a_static_nat() {
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
    // Without members it refuses; it does not fall to the owner of the address.
    network.apply_balancers(&[&on_owned]);
    client.cannot_connect_to("198.51.100.11:80");
    network.apply_balancers(&[&on_owned.revoked()]);
    client.connects_to("198.51.100.11:80").answered_by("10.1.1.30");
}
