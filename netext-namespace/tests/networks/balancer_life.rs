//! The life of haproxy: start, handover under load, repair, end.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use netext_lab::{Balancer, Expectation, Firewall, Forward, Rule, Signal, SourceNat, lab};

use crate::setup::{haproxies, network, two_tiers, vpc, within};

pub(crate) fn rule(id: u32, port: u16) -> Balancer {
    Balancer::tcp(id, &format!("198.51.100.10:{port}"))
}

#[test]
fn no_connection_is_lost_while_rules_change() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(8080), other.listen_tcp(8080));
    let balanced = rule(9, 80).member("10.1.1.10:8080").member("10.1.1.11:8080");
    network.apply_balancers(&[&balanced]);
    let client = lab.client("203.0.113.5");
    let mut long: Vec<_> = (0..4).map(|_| client.talks_to("198.51.100.10:80")).collect();

    let (ended, made) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let callers = ["203.0.113.6", "203.0.113.7"].map(|address| {
            let client = lab.client(address);
            let (ended, made) = (&ended, &made);
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    client.tries_tcp("198.51.100.10:80", Expectation::Answered)?;
                    made.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, String>(())
            })
        });
        for round in 0..30 {
            // In turns, another rule comes and goes, and the rule itself changes its members.
            let another = rule(10, 81).member("10.1.1.10:8080");
            match round % 3 {
                0 => network.apply_balancers(&[&another]),
                1 => network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080"), &another]),
                _ => network.apply_balancers(&[&balanced, &another.revoked()]),
            };
            long.push(client.talks_to("198.51.100.10:80"));
            for flow in &mut long {
                flow.goes_on();
            }
        }
        ended.store(true, Ordering::Relaxed);
        for caller in callers {
            let called = caller.join().unwrap();
            assert!(called.is_ok(), "a connection failed: {called:?}");
        }
    });
    assert!(made.into_inner() > 100, "there was no load");
    long.clear();
    // Each predecessor ends with its last connection.
    within(Duration::from_secs(5), "the end of all but one haproxy", || haproxies(&lab).len() == 1);
}

#[test]
fn a_command_without_a_change_starts_no_handover() {
    let lab = lab!();
    let network = network(&lab);
    let balanced = rule(9, 80).member("10.1.1.10:8080");
    network.apply_balancers(&[&balanced]);
    let before = haproxies(&lab);
    assert_eq!(before.len(), 1);
    network.apply_balancers(&[&balanced]).apply_balancers(&[]);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_balancers(&[&balanced.field("name", "another name")]);
    assert_eq!(haproxies(&lab), before);
}

#[test]
fn rules_that_a_command_does_not_name_stay() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let client = lab.client("203.0.113.5");
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    network.apply_balancers(&[&rule(10, 81).member("10.1.1.10:8080")]);
    for port in ["198.51.100.10:80", "198.51.100.10:81"] {
        client.connects_to(port);
    }
    network.apply_balancers(&[&rule(9, 80).revoked()]);
    client.cannot_connect_to("198.51.100.10:80");
    client.connects_to("198.51.100.10:81");
    // A rule may move to another port.
    network.apply_balancers(&[&rule(10, 82).member("10.1.1.10:8080")]);
    client.cannot_connect_to("198.51.100.10:81");
    client.connects_to("198.51.100.10:82");
    // A late revoke of a rule that lost its port to a newer rule changes nothing.
    network.apply_balancers(&[&rule(11, 82).member("10.1.1.10:8080")]);
    network.apply_balancers(&[&rule(10, 82).revoked()]);
    client.connects_to("198.51.100.10:82");
}

#[test]
fn haproxy_ends_with_the_last_rule() {
    let lab = lab!();
    let network = network(&lab);
    assert!(haproxies(&lab).is_empty());
    let (one, other) = (rule(9, 80).member("10.1.1.10:80"), rule(10, 81).member("10.1.1.10:80"));
    network.apply_balancers(&[&one, &other]);
    network.apply_balancers(&[&one.clone().revoked()]);
    within(Duration::from_secs(5), "the end of the predecessor", || haproxies(&lab).len() == 1);
    network.apply_balancers(&[&other.revoked()]);
    assert!(haproxies(&lab).is_empty());
    network.apply_balancers(&[&one]).release_ip("198.51.100.10");
    assert!(haproxies(&lab).is_empty());

    network.assign_ip("198.51.100.10", SourceNat::Yes);
    assert!(haproxies(&lab).is_empty(), "a rule that was released with its address does not come back");
    network.apply_balancers(&[&one]).destroy();
    assert!(haproxies(&lab).is_empty());
    assert!(lab.files().iter().all(|(path, ..)| !path.ends_with("haproxy")));
}

#[test]
fn revoking_a_rule_cuts_its_connections_and_revoking_a_member_does_not() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(8080), other.listen_tcp(8080));
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080"), &rule(10, 81).member("10.1.1.10:8080")]);
    let client = lab.client("203.0.113.5");
    let (mut of_rule, mut of_member) =
        (client.talks_to("198.51.100.10:80"), client.talks_to("198.51.100.10:81"));
    network.apply_balancers(&[
        &rule(9, 80).revoked(),
        &rule(10, 81).revoked_member("10.1.1.10:8080").member("10.1.1.11:8080"),
    ]);
    of_rule.is_cut();
    of_member.goes_on();
    client.connects_to("198.51.100.10:81").answered_by("10.1.1.11");
    client.cannot_connect_to("198.51.100.10:80");
}

#[test]
fn a_killed_haproxy_is_healed_by_the_next_command() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    let client = lab.client("203.0.113.5");
    for process in haproxies(&lab) {
        lab.kills(process);
    }
    client.cannot_connect_to("198.51.100.10:80");
    network.prepare_nic("10.1.1.10");
    client.connects_to("198.51.100.10:80");
    assert_eq!(haproxies(&lab).len(), 1);
}

#[test]
fn rules_return_after_a_restart_with_cleanup_once_they_are_replayed() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(8080), guest.listen_udp(53));
    let open = Firewall::egress_allowed()
        .with(Rule::ingress("198.51.100.10").tcp(80))
        .with(Rule::ingress("198.51.100.10").udp(53));
    let tcp = rule(9, 80).member("10.1.1.10:8080");
    let udp = Balancer::udp(10, "198.51.100.10:53").member("10.1.1.10:53");
    network.apply_firewall(&open).apply_balancers(&[&tcp, &udp]);
    let client = lab.client("203.0.113.5");
    let works = || {
        client.connects_to("198.51.100.10:80");
        client.exchanges_udp_with("198.51.100.10:53");
    };
    works();
    network.shutdown();
    assert!(haproxies(&lab).is_empty());
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes).apply_firewall(&open);
    // The server replays the rules; the router kept none.
    client.cannot_connect_to("198.51.100.10:80");
    client.gets_no_udp_from("198.51.100.10:53");
    network.apply_balancers(&[&tcp, &udp]);
    works();
}

#[test]
fn rules_may_come_before_the_network_and_before_the_address() {
    let lab = lab!();
    let network = lab.network(209);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    assert!(haproxies(&lab).is_empty());
    network.implement();
    assert!(haproxies(&lab).is_empty());
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    network.assign_ip("198.51.100.10", SourceNat::Yes);
    lab.client("203.0.113.5").connects_to("198.51.100.10:80");
}

#[test]
fn revoking_a_rule_that_never_existed_leaves_nothing() {
    let lab = lab!();
    lab.network(209).apply_balancers(&[&rule(9, 80).revoked()]);
    assert!(!lab.has_namespace("cs-net-209"));
    assert!(lab.files().iter().all(|(path, ..)| !path.ends_with("state.json")));
}

#[test]
fn networks_do_not_share_a_haproxy() {
    let lab = lab!();
    let one = network(&lab);
    let other = lab.network(2090).on_vlan("1911").with_subnet("10.2.1.1", "10.2.1.0/24");
    other.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    let guest = other.guest("10.2.1.10");
    let _server = guest.listen_tcp(8080);
    one.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    other.apply_balancers(&[&Balancer::tcp(10, "198.51.100.20:80").member("10.2.1.10:8080")]);
    assert_eq!(haproxies(&lab).len(), 2);
    one.shutdown().destroy();
    assert_eq!(haproxies(&lab).len(), 1);
    lab.client("203.0.113.5").connects_to("198.51.100.20:80").answered_by("10.2.1.10");
}

#[test]
fn the_next_command_repairs_a_command_that_was_killed_at_any_moment() {
    const ROUNDS: u32 = 24;
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    network.apply_balancers(&[&rule(1, 80).member("10.1.1.10:8080")]);
    let client = lab.client("203.0.113.5");
    let first = rule(2, 3000).member("10.1.1.10:8080");
    let usual = network.command("apply-lb-rules", &network.balancer_fields(&[&first])).duration;
    for round in 0..ROUNDS {
        let public = format!("198.51.100.10:{}", 3001 + round);
        let balancer = Balancer::tcp(10 + round, &public).member("10.1.1.10:8080");
        let running = network.start("apply-lb-rules", &network.balancer_fields(&[&balancer]));
        thread::sleep(usual * 5 / 4 * round / ROUNDS);
        running.signal(Signal::SIGKILL);
        running.finish();
        if round % 2 == 0 {
            network.apply_balancers(&[&balancer]);
            client.connects_to(&public);
        } else {
            network.apply_balancers(&[&balancer.revoked()]);
            client.cannot_connect_to(&public);
        }
        client.connects_to("198.51.100.10:80");
    }
    within(Duration::from_secs(5), "the end of all but one haproxy", || haproxies(&lab).len() == 1);
}

#[test]
fn a_tiers_balancers_start_and_end_with_the_tier() {
    let lab = lab!();
    let (vpc, one, other) = two_tiers(&lab);
    one.assign_ip("198.51.100.11", SourceNat::No);
    other.assign_ip("198.51.100.12", SourceNat::No);
    let (web, names) = (one.guest("10.2.1.10"), other.guest("10.2.2.10"));
    let _servers = (web.listen_tcp(8080), names.listen_tcp(8080), names.listen_udp(53));
    one.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.11:80").member("10.2.1.10:8080"),
        // On an address that both tiers share.
        &Balancer::tcp(12, "198.51.100.12:81").member("10.2.1.10:8080"),
    ]);
    other.apply_balancers(&[
        &Balancer::tcp(10, "198.51.100.12:80").member("10.2.2.10:8080"),
        &Balancer::udp(11, "198.51.100.12:53").member("10.2.2.10:53"),
        &Balancer::tcp(13, "198.51.100.11:81").member("10.2.2.10:8080"),
    ]);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:80").answered_by("10.2.1.10");
    client.connects_to("198.51.100.12:81").answered_by("10.2.1.10");
    let mut flow = client.talks_to("198.51.100.12:80");
    let others_work = || {
        client.connects_to("198.51.100.12:80").answered_by("10.2.2.10");
        client.connects_to("198.51.100.11:81").answered_by("10.2.2.10");
        client.exchanges_udp_with("198.51.100.12:53").answered_by("10.2.2.10");
    };
    others_work();
    // Guests of both tiers reach it, too.
    web.connects_to("198.51.100.12:80");
    names.connects_to("198.51.100.12:80");

    one.shutdown();
    client.cannot_connect_to("198.51.100.11:80");
    client.cannot_connect_to("198.51.100.12:81");
    others_work();
    one.destroy();
    others_work();
    flow.goes_on();
    other.destroy();
    assert!(haproxies(&lab).is_empty());
    vpc.shutdown();
}

#[test]
fn a_new_source_nat_address_does_not_disturb_balancers() {
    let lab = lab!();
    let vpc = vpc(&lab);
    let tier = vpc.tier(1);
    tier.implement().assign_ip("198.51.100.11", SourceNat::No);
    let guest = tier.guest("10.2.1.10");
    let _server = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    tier.apply_balancers(&[&Balancer::tcp(9, "198.51.100.11:2223").member("10.2.1.10:22")]);
    let mut flow = client.talks_to("198.51.100.11:2223");
    vpc.leave_by("198.51.100.12");
    flow.goes_on();
    client.connects_to("198.51.100.11:2223");
}
