//! Access lists: traffic into a tier and out of it.

use std::sync::atomic::{AtomicBool, Ordering};

use netext_lab::{
    AccessList, Expectation, Forward, Lab, Listener, Network, Node, Rule, SourceNat, joined, lab,
};
use serde_json::{Value, json};

use crate::setup::{two_tiers, vpc};

/// Two tiers with an instance each, forwards to both, and a static NAT of the first tier's instance.
struct Site<'lab> {
    web: Network<'lab>,
    database: Network<'lab>,
    one: Node,
    other: Node,
    client: Node,
}

const TO_WEB: &str = "198.51.100.21:2222";
const TO_DATABASE: &str = "198.51.100.22:2222";
const STATIC: &str = "198.51.100.23";

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let (_, web, database) = two_tiers(lab);
        Self::ways_in(&web, &database);
        let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
        Self { web, database, one, other, client: lab.client("203.0.113.5") }
    }

    fn ways_in(web: &Network<'_>, database: &Network<'_>) {
        web.assign_ip("198.51.100.21", SourceNat::No);
        web.add_port_forward(&Forward::tcp(TO_WEB, "10.2.1.10:22"));
        database.assign_ip("198.51.100.22", SourceNat::No);
        database.add_port_forward(&Forward::tcp(TO_DATABASE, "10.2.2.10:22"));
        web.assign_ip(STATIC, SourceNat::No).add_static_nat(STATIC, "10.2.1.10");
    }

    fn listeners(&self) -> Vec<Listener> {
        vec![self.one.listen_tcp(22), self.other.listen_tcp(22), self.client.listen_tcp(80)]
    }
}

/// Allows ICMP in and everything out; `ssh` allows or denies SSH in.
fn usual(ssh: fn(u32) -> Rule) -> AccessList {
    AccessList::new().with(Rule::allow_in(10).icmp(-1, -1)).with(ssh(20).tcp(22)).with(Rule::allow_out(30))
}

#[test]
fn changing_one_tiers_list_does_not_affect_another_tier() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    site.client.connects_to(TO_WEB);
    site.web.apply_access_list(&usual(Rule::deny_in));
    site.client.connects_to(TO_DATABASE);
    site.database.apply_access_list(&usual(Rule::allow_in));
    site.client.cannot_connect_to(TO_WEB);
    site.client.connects_to(TO_DATABASE).answered_by("10.2.2.10").seen_as("203.0.113.5");
    site.client.pings(STATIC);

    site.web.apply_access_list(&usual(Rule::deny_in).with(Rule::allow_in(5).tcp(22)));
    site.client.connects_to(TO_WEB).answered_by("10.2.1.10");
    site.client.connects_to(TO_DATABASE);

    site.database.apply_access_list(&usual(Rule::allow_in).without(20));
    site.client.connects_to(TO_WEB);
    site.client.cannot_connect_to(TO_DATABASE);
    for guest in [&site.one, &site.other] {
        guest.connects_to("203.0.113.5:80");
    }
}

#[test]
fn an_empty_list_denies_new_flows_both_ways_and_keeps_existing_ones() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let router = lab.inside(&site.web.namespace());
    let _names = router.listen_udp_on("10.2.1.1:53");
    let (mut incoming, mut outgoing) = (site.client.talks_to(TO_WEB), site.one.talks_to("203.0.113.5:80"));

    site.web.apply_access_list(&AccessList::new());
    incoming.goes_on();
    outgoing.goes_on();
    for address in [TO_WEB, "198.51.100.23:22"] {
        site.client.cannot_connect_to(address);
    }
    site.one.cannot_connect_to("203.0.113.5:80");
    site.one.cannot_connect_to("10.2.2.10:22");
    site.other.cannot_connect_to("10.2.1.10:22");
    // The router still serves the tier, and traffic inside the tier is not filtered.
    site.one.exchanges_udp_with("10.2.1.1:53");
    site.web.guest("10.2.1.11").connects_to("10.2.1.10:22");
    site.web.guest("10.2.1.11").connects_to(TO_WEB).answered_by("10.2.1.10");
    // The other tier has no list.
    site.client.connects_to(TO_DATABASE);
    site.other.connects_to("203.0.113.5:80");
}

#[test]
fn the_lowest_number_decides_in_any_order_on_the_wire() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let (exception, rest) = (Rule::deny_in(7).tcp(22).from("203.0.113.0/28"), Rule::allow_in(30).tcp(22));
    let stranger = lab.client("203.0.113.77");
    let items = [exception, rest].map(|item| AccessList::new().with(item).to_json()[0].clone());
    for order in [[0, 1], [1, 0]] {
        let rules = order.map(|index| items[index].clone());
        site.web.command("apply-network-acl", &json!({"acl_rules": rules})).succeeds_silently();
        site.client.cannot_connect_to(TO_WEB);
        stranger.connects_to(TO_WEB);
    }
}

#[test]
fn lists_match_the_private_addresses_and_ports_of_guests() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let _public_port = site.one.listen_tcp(2222);
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(1).tcp(2222)));
    site.client.cannot_connect_to(TO_WEB);
    site.client.connects_to("198.51.100.23:2222");
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(1).tcp(22)));
    site.client.connects_to(TO_WEB);
    site.client.cannot_connect_to("198.51.100.23:2222");
}

#[test]
fn ingress_items_apply_to_traffic_from_other_tiers() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let web_only = AccessList::new().with(Rule::allow_in(1).tcp(22).from("10.2.1.0/24"));
    site.database.apply_access_list(&web_only);
    site.one.connects_to("10.2.2.10:22").seen_as("10.2.1.10");
    site.client.cannot_connect_to(TO_DATABASE);
    site.one.cannot_ping("10.2.2.10");

    site.database
        .apply_access_list(&AccessList::new().with(Rule::allow_in(1).tcp(22).from("203.0.113.0/24")));
    site.one.cannot_connect_to("10.2.2.10:22");
    // Also not through the public address.
    site.one.cannot_connect_to(TO_DATABASE);
    site.client.connects_to(TO_DATABASE);
}

#[test]
fn traffic_between_tiers_needs_egress_from_one_and_ingress_to_the_other() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let (out, in_) =
        (Rule::allow_out(1).tcp(22).to("10.2.2.0/24"), Rule::allow_in(1).tcp(22).from("10.2.1.0/24"));
    for (egress, ingress) in [(true, false), (false, true), (true, true)] {
        let list = |item: &Rule, has: bool| {
            if has { AccessList::new().with(item.clone()) } else { AccessList::new() }
        };
        site.web.apply_access_list(&list(&out, egress));
        site.database.apply_access_list(&list(&in_, ingress));
        if egress && ingress {
            site.one.connects_to("10.2.2.10:22");
        } else {
            site.one.cannot_connect_to("10.2.2.10:22");
        }
    }
}

#[test]
fn the_networks_of_egress_items_are_destinations() {
    let lab = lab!();
    let site = Site::new(&lab);
    let far = lab.client("203.0.113.200");
    let _servers = (site.client.listen_tcp(80), far.listen_tcp(80), far.listen_udp(53));
    site.web.apply_access_list(
        &AccessList::new()
            .with(Rule::deny_out(10).to("203.0.113.128/25").protocol("tcp").ports(1, 1024))
            .with(Rule::allow_out(20).to("203.0.113.0/24"))
            // It would allow everything out if it were the source.
            .with(Rule::allow_out(30).to("10.2.1.0/24")),
    );
    site.one.connects_to("203.0.113.5:80");
    site.one.cannot_connect_to("203.0.113.200:80");
    site.one.exchanges_udp_with("203.0.113.200:53");
    site.one.cannot_ping("198.51.100.1");
}

#[test]
fn items_may_be_about_udp_icmp_and_protocols_by_number() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = [53, 54, 60].map(|port| site.one.listen_udp(port));
    site.web.apply_access_list(
        &AccessList::new()
            .with(Rule::deny_in(1).udp(54))
            .with(Rule::allow_in(2).protocol("udp").ports(53, 59))
            .with(Rule::allow_in(3).icmp(13, 0))
            .with(Rule::deny_in(4).protocol("50").from("203.0.113.0/28"))
            .with(Rule::allow_in(5).protocol("50"))
            .with(Rule::allow_in(6).protocol("17").ports(60, 60)),
    );
    site.client.exchanges_udp_with("198.51.100.23:53");
    site.client.gets_no_udp_from("198.51.100.23:54");
    site.client.exchanges_udp_with("198.51.100.23:60");
    site.client.asks_the_time_of(STATIC);
    site.client.cannot_ping(STATIC);
    lab.client("203.0.113.77").gets_protocol_through(50, STATIC, &site.one);
    site.client.gets_no_protocol_through(50, STATIC, &site.one);
    site.client.gets_no_protocol_through(47, STATIC, &site.one);

    site.web
        .apply_access_list(&AccessList::new().with(Rule::deny_in(1).icmp(13, -1)).with(Rule::allow_in(2)));
    site.client.cannot_ask_the_time_of(STATIC);
    site.client.pings(STATIC);
    site.client.gets_protocol_through(47, STATIC, &site.one);
}

#[test]
fn traffic_allowed_before_and_after_a_change_is_not_refused_in_between() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    let allowed = |number| Rule::allow_in(number).tcp(22).from("203.0.113.0/24");
    // The item moves between positions, and the list from short to long and back.
    let long = (0..200u32).fold(AccessList::new(), |list, number| {
        let network = format!("203.0.113.{}/32", number % 256);
        let item = if number % 2 == 0 { Rule::deny_in(number + 1) } else { Rule::allow_in(number + 1) };
        list.with(item.tcp(8000 + number).from(&network))
    });
    let lists = [
        AccessList::new().with(allowed(1)),
        long.clone().with(allowed(300)),
        long.with(Rule::deny_in(201).tcp(23)).with(allowed(300)).with(Rule::deny_in(301)),
        AccessList::new().with(Rule::deny_in(1).tcp(22).from("203.0.113.64/26")).with(allowed(2)),
    ];
    site.web.apply_access_list(&lists[0]);
    let mut lasting = site.client.talks_to(TO_WEB);
    let ended = AtomicBool::new(false);
    let (made, refused) = std::thread::scope(|scope| {
        let calling = scope.spawn(|| {
            let (mut made, mut refused) = (0, Vec::new());
            while !ended.load(Ordering::Relaxed) {
                match site.client.tries_tcp(TO_WEB, Expectation::Answered) {
                    Ok(_) => made += 1,
                    Err(error) => refused.push(error),
                }
            }
            (made, refused)
        });
        for _ in 0..4 {
            for list in &lists {
                site.web.apply_access_list(list);
            }
        }
        ended.store(true, Ordering::Relaxed);
        calling.join().expect("the calling thread")
    });
    assert!(made > 50, "{made} connections are too few for this test");
    assert_eq!(refused, Vec::<String>::new(), "of {made}");
    lasting.goes_on();
}

#[test]
fn a_list_that_comes_before_its_tier_is_in_force_from_the_start() {
    let lab = lab!();
    let vpc = vpc(&lab);
    let tier = vpc.tier(1);
    tier.apply_access_list(&AccessList::new().with(Rule::allow_in(1).tcp(22)));
    assert_eq!(vpc.router().interfaces(), ["vpn-101-7"], "a list does not create the tier");
    tier.implement().assign_ip(STATIC, SourceNat::No).add_static_nat(STATIC, "10.2.1.10");
    let guest = tier.guest("10.2.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_tcp(23));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.23:22");
    client.cannot_connect_to("198.51.100.23:23");
}

#[test]
fn a_restarted_tier_is_closed_until_its_list_is_replayed() {
    let lab = lab!();
    let site = Site::new(&lab);
    let servers = site.listeners();
    site.web.apply_access_list(&usual(Rule::allow_in));
    site.web.shutdown().implement();
    Site::ways_in(&site.web, &site.database);
    site.client.cannot_connect_to(TO_WEB);
    site.one.cannot_connect_to("203.0.113.5:80");
    assert!(servers[0].seen().is_empty());
    site.client.connects_to(TO_DATABASE);
    site.web.apply_access_list(&usual(Rule::allow_in));
    site.client.connects_to(TO_WEB);
    site.one.connects_to("203.0.113.5:80");
}

#[test]
fn a_restart_cuts_the_connections_of_a_tier() {
    let lab = lab!();
    let site = Site::new(&lab);
    let (_servers, _names) = (site.listeners(), site.one.listen_udp(53));
    let mut flows = [
        site.other.talks_to("10.2.1.10:22"),
        site.other.talks_udp_with("10.2.1.10:53"),
        site.one.talks_to("10.2.2.10:22"),
        site.one.talks_to("203.0.113.5:80"),
    ];
    let mut of_the_other = site.other.talks_to("203.0.113.5:80");
    site.web.apply_access_list(&AccessList::new());
    flows.iter_mut().for_each(netext_lab::Conversation::goes_on);

    site.web.shutdown().implement();
    flows.iter_mut().for_each(netext_lab::Conversation::is_cut);
    of_the_other.goes_on();
}

#[test]
fn a_list_ends_with_its_tier() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    site.web.apply_access_list(&AccessList::new());
    site.database.apply_access_list(&usual(Rule::allow_in));
    site.web.destroy();
    let rules = site.database.router().ruleset();
    assert!(!rules.contains("_701"), "rules of the tier remain: {rules}");
    site.client.connects_to(TO_DATABASE);
    site.web.implement();
    Site::ways_in(&site.web, &site.database);
    site.client.connects_to(TO_WEB);
}

#[test]
fn malformed_lists_are_refused_as_a_whole() {
    let lab = lab!();
    let site = Site::new(&lab);
    let _servers = site.listeners();
    site.web.apply_access_list(&usual(Rule::allow_in));
    let item = AccessList::new().with(Rule::allow_in(1).tcp(22)).to_json()[0].clone();
    let with = |fields: Value| joined(&item, &fields);
    let hostile = [
        (with(json!({"action": "permit"})), "action"),
        (with(json!({"action": ""})), "action"),
        (with(json!({"action": null})), "action"),
        (with(json!({"trafficType": "forward"})), "trafficType"),
        (with(json!({"protocol": "tcp; drop"})), "protocol"),
        (with(json!({"protocol": "256"})), "protocol"),
        (with(json!({"portStart": 70000})), "portStart"),
        (with(json!({"portStart": 23, "portEnd": 22})), "portEnd"),
        (with(json!({"sourceCidrs": ["0.0.0.0/33"]})), "sourceCidrs"),
        (with(json!({"sourceCidrs": ["any"]})), "sourceCidrs"),
        (with(json!({"sourceCidrs": null})), "sourceCidrs"),
        (with(json!({"number": "first"})), "number"),
        (with(json!({"icmpType": 8})), "icmp"),
        (json!("allow all"), "acl_rules"),
    ];
    for (bad, named) in hostile {
        // With a good item before and after it.
        let rules = json!([with(json!({"portEnd": 65535})), bad, with(json!({"portEnd": 65535}))]);
        let refused = site.web.command("apply-network-acl", &json!({"acl_rules": rules}));
        refused.is_refused_naming(&[named]);
    }
    site.web.command("apply-network-acl", &json!({})).is_refused_naming(&["acl_rules"]);
    site.client.connects_to(TO_WEB);
    site.client.cannot_connect_to("198.51.100.23:23");
}
