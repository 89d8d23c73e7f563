//! haproxy's life: begun, handed over under load, healed, ended; and what is refused.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use netext_lab::{Balancer, Expectation, Firewall, Forward, Rule, Signal, SourceNat, joined, lab};
use serde_json::json;

use crate::balancer::{haproxies, network, within};

fn rule(id: u32, port: u16) -> Balancer {
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
            // By turns another rule comes and goes, and the rule itself has other members.
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
    // Each ends with its last connection.
    within(Duration::from_secs(5), "the end of all but one haproxy", || haproxies(&lab).len() == 1);
}

#[test]
fn what_changes_nothing_hands_nothing_over() {
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
fn rules_that_are_not_named_stay() {
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
    // The late revoke of one that lost its port to a newer one changes nothing.
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
    assert!(haproxies(&lab).is_empty(), "what was released with the address does not come back");
    network.apply_balancers(&[&one]).destroy();
    assert!(haproxies(&lab).is_empty());
    assert!(lab.files().iter().all(|(path, ..)| !path.ends_with("haproxy")));
}

#[test]
fn connections_of_a_revoked_rule_are_cut_and_those_of_a_revoked_member_end_as_they_will() {
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
        lab.host().output("kill", &["-9", &process.to_string()]);
    }
    client.cannot_connect_to("198.51.100.10:80");
    network.prepare_nic("10.1.1.10");
    client.connects_to("198.51.100.10:80");
    assert_eq!(haproxies(&lab).len(), 1);
}

#[test]
fn restart_with_cleanup() {
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
    // The server replays the rules; nothing of them was kept.
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
fn revoking_what_never_was_leaves_nothing() {
    let lab = lab!();
    lab.network(209).apply_balancers(&[&rule(9, 80).revoked()]);
    assert!(!lab.has_namespace("cs-net-209"));
    assert!(lab.files().iter().all(|(path, ..)| !path.ends_with("state.json")));
}

#[test]
fn what_cannot_be_understood_is_refused_and_changes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let good = rule(9, 80).member("10.1.1.10:8080");
    network.apply_balancers(&[&good]);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.10:80");
    let before = (haproxies(&lab), lab.files());

    let refuses = |hostile: Balancer, words: &[&str]| {
        // A good rule before it: all are refused as a whole.
        let fields = network.balancer_fields(&[&rule(11, 83).member("10.1.1.10:8080"), &hostile]);
        network.command("apply-lb-rules", &fields).is_refused_naming(words);
    };
    let base = || rule(10, 81);
    refuses(base().by("roundrobin\n    bind *:22"), &["algorithm"]);
    refuses(base().by("random"), &["algorithm", "random"]);
    refuses(base().field("protocol", "http"), &["protocol", "http"]);
    refuses(base().field("publicIp", "0.0.0.0/0"), &["publicIp"]);
    refuses(base().field("publicIp", "::1"), &["publicIp", "::1"]);
    refuses(base().field("publicPort", 70000), &["publicPort", "70000"]);
    refuses(base().field("publicPort", 0), &["publicPort", "0"]);
    refuses(base().field("privatePort", 0), &["privatePort", "0"]);
    refuses(base().field("id", "9; x"), &["id"]);
    refuses(base().any_member(&json!({"ip": "10.1.1.10 ssl", "port": 80})), &["ip", "10.1.1.10 ssl"]);
    refuses(base().member("10.1.1.10:0"), &["port", "0"]);
    // The router itself, the loopback, strangers, everybody: none is a guest.
    for stranger in ["10.1.1.1", "127.0.0.1", "203.0.113.5", "10.1.1.255", "10.1.1.0", "224.0.0.1", "0.0.0.0"]
    {
        refuses(base().member(&format!("{stranger}:80")), &["rule 10", stranger, "10.1.1.0/24"]);
    }
    flow.goes_on();
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to_any_of(&["198.51.100.10:81", "198.51.100.10:83"].map(str::to_owned));
    let after = (haproxies(&lab), lab.files());
    assert_eq!(before.0, after.0);
    let states = |files: &[(std::path::PathBuf, u32, String)]| {
        files.iter().filter(|(path, ..)| !path.ends_with("lab-router.log")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(states(&before.1), states(&after.1));
}

#[test]
fn a_rules_name_is_nobodys_configuration() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let name = "web\n    bind 198.51.100.10:22\nlisten x # ' \" { } $HOME";
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080").field("name", name)]);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to("198.51.100.10:22");
    let said = lab.files().into_iter().filter(|(path, _, content)| {
        !path.ends_with("lab-router.log")
            && (content.contains("HOME") || content.contains("bind 198.51.100.10:22"))
    });
    assert_eq!(said.count(), 0, "foreign text is kept nowhere");
}

#[test]
fn without_haproxy_a_command_fails_and_what_was_there_serves_on() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _server = guest.listen_tcp(8080);
    let (good, more) = (rule(9, 80).member("10.1.1.10:8080"), rule(10, 81).member("10.1.1.10:8080"));
    let client = lab.client("203.0.113.5");

    lab.breaks("haproxy");
    let fields = network.balancer_fields(&[&good]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("haproxy of network-209"), "{outcome:?}");
    assert!(!outcome.output.contains("putting back"), "{outcome:?}");
    client.cannot_connect_to("198.51.100.10:80");
    lab.mends("haproxy");
    network.apply_balancers(&[&good]);
    let mut flow = client.talks_to("198.51.100.10:80");

    lab.breaks("haproxy");
    let fields = network.balancer_fields(&[&more]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("haproxy of network-209"), "{outcome:?}");
    assert!(!outcome.output.contains("putting back"), "{outcome:?}");
    flow.goes_on();
    client.connects_to("198.51.100.10:80");
    client.cannot_connect_to("198.51.100.10:81");
    // Other commands have no need of it.
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:8080"));
    lab.mends("haproxy");
    network.apply_balancers(&[&more]);
    client.connects_to("198.51.100.10:81");
    flow.goes_on();
}

#[test]
fn a_port_that_somebody_else_has_in_the_router_fails_the_command_by_name() {
    let lab = lab!();
    let network = network(&lab);
    let good = rule(9, 80).member("10.1.1.10:8080");
    network.apply_balancers(&[&good]);
    let before = haproxies(&lab);
    let squatter = network.router().node().listen_tcp_on("198.51.100.10:81");
    let fields = network.balancer_fields(&[&rule(10, 81).member("10.1.1.10:8080")]);
    let outcome = network.command("apply-lb-rules", &fields);
    assert!(outcome.fails_with(3).output.contains("198.51.100.10:81"), "{outcome:?}");
    assert_eq!(haproxies(&lab), before);
    drop(squatter);
    network.apply_balancers(&[&rule(10, 81).member("10.1.1.10:8080")]);
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
fn a_command_killed_at_any_moment_is_made_up_for() {
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
fn a_late_revoke_needs_no_sense() {
    let lab = lab!();
    let network = network(&lab);
    network.apply_balancers(&[&rule(9, 80).member("10.1.1.10:8080")]);
    let senseless = rule(9, 80).field("publicPort", 0).member("203.0.113.5:1").revoked();
    network
        .command("apply-lb-rules", &joined(&network.balancer_fields(&[&senseless]), &json!({})))
        .succeeds_silently();
    assert!(haproxies(&lab).is_empty());
}

#[test]
fn a_tiers_balancers_live_and_go_with_the_tier() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.10");
    let (one, other) = (vpc.tier(1), vpc.tier(2));
    for tier in [&one, &other] {
        tier.implement();
    }
    one.assign_ip("198.51.100.11", SourceNat::No);
    other.assign_ip("198.51.100.12", SourceNat::No);
    let (web, names) = (one.guest("10.2.1.10"), other.guest("10.2.2.10"));
    let _servers = (web.listen_tcp(8080), names.listen_tcp(8080), names.listen_udp(53));
    one.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.11:80").member("10.2.1.10:8080"),
        // On an address that is shared with the other tier.
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
    // Guests of the other tier and of the same reach it, too.
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
fn a_new_source_nat_address_leaves_balancers_alone() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.10");
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
