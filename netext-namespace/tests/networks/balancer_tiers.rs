//! Load balancers of a tier whose members are instances of other tiers of the same VPC.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use netext_lab::{
    AccessList, Balancer, Firewall, Lab, Listener, Network, Node, Rule, SourceNat, Vpc, joined, lab,
};
use serde_json::json;

use crate::setup::{haproxies, network, reboot, vpc, within};

const TCP: &str = "198.51.100.21:80";
const UDP: &str = "198.51.100.21:5353";
const PROXIED: &str = "198.51.100.21:81";

/// A tier whose balancers have one member in this tier and one in another.
struct Site<'lab> {
    vpc: Vpc<'lab>,
    web: Network<'lab>,
    database: Network<'lab>,
    client: Node,
}

/// An instance that serves every balanced port.
struct Instance {
    node: Node,
    tcp: Listener,
    udp: Listener,
}

impl<'lab> Site<'lab> {
    /// The second tier is not implemented yet, but the rules name its instance.
    fn new(lab: &'lab Lab) -> Self {
        let vpc = vpc(lab);
        let (web, database) = (vpc.tier(1), vpc.tier(2));
        web.implement().assign_ip("198.51.100.21", SourceNat::No);
        Self { vpc, web, database, client: lab.client("203.0.113.5") }
    }

    fn whole(lab: &'lab Lab) -> (Self, Instance, Instance) {
        let site = Self::new(lab);
        site.database.implement();
        site.web.apply_balancers(&[&tcp(), &udp()]);
        let (one, other) = (serve(&site.web, "10.2.1.10"), serve(&site.database, "10.2.2.10"));
        (site, one, other)
    }

    #[track_caller]
    fn is_answered_by(&self, members: &[&str]) {
        let answers = |answers: Vec<String>| answers.into_iter().collect::<BTreeSet<_>>();
        let members = answers(members.iter().map(|it| (*it).to_owned()).collect());
        let over_tcp = (0..6).map(|_| self.client.connects_to(TCP).server().to_owned()).collect();
        assert_eq!(answers(over_tcp), members, "over TCP");
        let over_udp = (0..6).map(|_| self.client.exchanges_udp_with(UDP).server().to_owned()).collect();
        assert_eq!(answers(over_udp), members, "over UDP");
    }

    #[track_caller]
    fn is_shut(&self) {
        self.client.cannot_connect_to(TCP);
        self.client.gets_no_udp_from(UDP);
    }
}

fn tcp() -> Balancer {
    Balancer::tcp(9, TCP).member("10.2.1.10:8080").member("10.2.2.10:8080")
}

fn udp() -> Balancer {
    Balancer::udp(10, UDP).member("10.2.1.10:53").member("10.2.2.10:53")
}

fn serve(tier: &Network<'_>, address: &str) -> Instance {
    let node = tier.guest(address);
    let (tcp, udp) = (node.listen_tcp(8080), node.listen_udp(53));
    Instance { node, tcp, udp }
}

const BOTH: [&str; 2] = ["10.2.1.10", "10.2.2.10"];

#[test]
fn members_of_every_tier_take_turns() {
    let lab = lab!();
    let (site, one, other) = Site::whole(&lab);
    site.is_answered_by(&BOTH);
    site.client.exchanges_udp_with(UDP).seen_as("203.0.113.5");
    // Guests of every tier, and members, through the public address back to themselves.
    let third = site.web.guest("10.2.1.11");
    for guest in [&one.node, &other.node, &third] {
        for _ in 0..2 {
            guest.connects_to(TCP);
            guest.exchanges_udp_with(UDP);
        }
    }
    // A single member in another tier, which learns the client's address.
    let proxied = other.node.listen_proxied_tcp(8081);
    site.web.apply_balancers(&[&Balancer::tcp_proxy(11, PROXIED).member("10.2.2.10:8081")]);
    site.client.connects_to(PROXIED).answered_by("10.2.2.10").seen_as("203.0.113.5");
    assert_eq!(proxied.seen(), ["10.2.2.1"]);
    // A revoked member is removed, and a revoked rule with all of its members.
    site.web.apply_balancers(&[
        &Balancer::tcp(9, TCP).member("10.2.1.10:8080").revoked_member("10.2.2.10:8080"),
        &Balancer::udp(10, UDP).member("10.2.1.10:53").revoked_member("10.2.2.10:53"),
    ]);
    site.is_answered_by(&["10.2.1.10"]);
    site.web.apply_balancers(&[&tcp().revoked(), &udp().revoked()]);
    site.is_shut();
}

#[test]
fn a_member_joins_with_its_tier_and_leaves_with_it() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.web.apply_balancers(&[&tcp(), &udp()]);
    let _one = serve(&site.web, "10.2.1.10");
    site.is_answered_by(&["10.2.1.10"]);
    site.database.implement();
    let _other = serve(&site.database, "10.2.2.10");
    site.is_answered_by(&BOTH);

    // The server does not send the rules of one tier again when another restarts.
    site.database.shutdown();
    site.is_answered_by(&["10.2.1.10"]);
    site.database.implement();
    site.is_answered_by(&BOTH);

    // A later tier with the same subnet has other instances.
    site.database.destroy();
    site.is_answered_by(&["10.2.1.10"]);
    let later = site.vpc.tier(2).on_vlan("2003");
    later.implement();
    let _stranger = serve(&later, "10.2.2.10");
    site.is_answered_by(&["10.2.1.10"]);
    site.web.apply_balancers(&[&tcp(), &udp()]);
    site.is_answered_by(&BOTH);
}

#[test]
fn connections_to_a_member_end_with_its_tier_and_those_to_others_go_on() {
    let lab = lab!();
    let (site, one, _other) = Site::whole(&lab);
    let mut over_tcp: Vec<_> = (0..2).map(|_| site.client.talks_to(TCP)).collect();
    let mut over_udp: Vec<_> = (0..2).map(|_| site.client.talks_udp_with(UDP)).collect();
    site.database.destroy();
    for flow in &mut over_tcp {
        match flow.reply().server() {
            "10.2.2.10" => flow.is_cut(),
            _ => flow.goes_on(),
        }
    }
    // Datagrams go to the remaining member.
    let before = one.udp.seen().len();
    over_udp.iter_mut().for_each(netext_lab::Conversation::goes_on);
    assert_eq!(one.udp.seen().len(), before + 2);
    site.is_answered_by(&["10.2.1.10"]);
}

#[test]
fn a_rule_ends_with_its_own_tier_and_does_not_disturb_the_members_tier() {
    let lab = lab!();
    let (site, _one, other) = Site::whole(&lab);
    site.database.assign_ip("198.51.100.22", SourceNat::No);
    site.database.apply_balancers(&[&Balancer::tcp(12, "198.51.100.22:80").member("10.2.2.10:8080")]);
    let internet = site.client.listen_tcp(80);
    let rules = || {
        site.web.assign_ip("198.51.100.21", SourceNat::No).apply_balancers(&[&tcp(), &udp()]);
    };
    site.web.shutdown();
    site.is_shut();
    site.client.connects_to("198.51.100.22:80").answered_by("10.2.2.10");
    site.web.implement();
    site.is_shut();
    rules();
    site.is_answered_by(&BOTH);
    site.web.destroy();
    site.is_shut();
    site.client.connects_to("198.51.100.22:80").answered_by("10.2.2.10");
    other.node.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    assert!(!internet.seen().is_empty());
    site.database.destroy();
    assert!(haproxies(&lab).is_empty());
}

#[test]
fn the_access_list_of_the_members_tier_decides_which_clients_reach_it() {
    let lab = lab!();
    let (site, one, other) = Site::whole(&lab);
    let stranger = lab.client("203.0.113.77");
    let list = AccessList::new()
        .with(Rule::deny_in(10).from("203.0.113.77/32"))
        .with(Rule::allow_in(20).tcp(8080).from("203.0.113.0/24"))
        .with(Rule::allow_in(30).udp(53).from("203.0.113.0/24"));
    let mut flow = stranger.talks_to(TCP);
    let alone = |id, public: &str| Balancer::tcp(id, public).member("10.2.2.10:8080");
    site.web.apply_balancers(&[&alone(13, PROXIED)]);
    site.database.apply_access_list(&list);
    flow.goes_on();
    site.is_answered_by(&BOTH);
    site.client.connects_to(PROXIED).answered_by("10.2.2.10");
    for port in [TCP, PROXIED] {
        stranger.cannot_connect_to(port);
        // A guest of another tier is a client like any other.
        one.node.cannot_connect_to(port);
        // Traffic of a tier's own guests does not leave the tier.
    }
    other.node.connects_to(PROXIED).answered_by("10.2.2.10");

    // The list of the rule's tier does not apply to traffic into another tier.
    site.database.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    site.web.apply_access_list(&AccessList::new().with(Rule::deny_in(10)).with(Rule::allow_out(10)));
    site.client.connects_to(PROXIED).answered_by("10.2.2.10");
    // Both lists apply where both tiers have members that a client can reach.
    let from =
        |client: &str| AccessList::new().with(Rule::allow_in(10).from(client)).with(Rule::allow_out(20));
    site.web.apply_access_list(&from("203.0.113.0/28"));
    site.database.apply_access_list(&from("203.0.113.0/24"));
    site.client.connects_to(TCP);
    stranger.cannot_connect_to(TCP);
    stranger.connects_to(PROXIED);
}

#[test]
fn a_tier_that_denies_every_client_gets_none_and_does_not_block_the_other() {
    let lab = lab!();
    let (site, _one, other) = Site::whole(&lab);
    site.database.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    site.is_answered_by(&BOTH);
    let mut flows: Vec<_> = (0..2).map(|_| site.client.talks_to(TCP)).collect();
    flows.extend((0..2).map(|_| site.client.talks_udp_with(UDP)));
    let before = other.tcp.seen().len();
    site.database.apply_access_list(&AccessList::new().with(Rule::deny_in(10)));
    flows.iter_mut().for_each(netext_lab::Conversation::goes_on);
    site.is_answered_by(&["10.2.1.10"]);
    assert_eq!(other.tcp.seen().len(), before, "no new client reached it");

    // Also after a restart, until the list is applied again.
    site.database.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    site.is_answered_by(&BOTH);
    site.database.shutdown().implement();
    site.is_answered_by(&["10.2.1.10"]);
    site.database.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    site.is_answered_by(&BOTH);
}

#[test]
fn a_tier_cannot_bypass_its_access_list_through_another_tiers_balancer() {
    let lab = lab!();
    let (site, one, other) = Site::whole(&lab);
    let third = site.vpc.tier(3);
    third.implement();
    let neighbour = third.guest("10.2.3.10");
    let but = |subnet: &str| AccessList::new().with(Rule::deny_out(10).to(subnet)).with(Rule::allow_out(20));
    neighbour.connects_to(TCP);
    third.apply_access_list(&but("10.2.2.0/24"));
    neighbour.cannot_connect_to(TCP);
    third.apply_access_list(&AccessList::new().with(Rule::allow_out(10)));
    neighbour.connects_to(TCP);
    // The same for the rule's tier; traffic to its own members does not leave it.
    site.web.apply_access_list(&but("10.2.2.0/24"));
    one.node.cannot_connect_to(TCP);
    site.web.apply_balancers(&[&Balancer::tcp(9, TCP).member("10.2.1.10:8080")]);
    one.node.connects_to(TCP);
    // And for a member's tier, if the other member is in another tier.
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10)).with(Rule::allow_out(20)));
    site.web.apply_balancers(&[&tcp()]);
    site.database.apply_access_list(&but("10.2.1.0/24"));
    other.node.cannot_connect_to(TCP);
    site.database.apply_access_list(&but("10.2.3.0/24"));
    other.node.connects_to(TCP);
}

#[test]
fn the_firewall_of_the_rules_tier_decides_at_the_public_port() {
    let lab = lab!();
    let (site, _one, _other) = Site::whole(&lab);
    let open = |port| {
        Firewall::egress_allowed().with(Rule::ingress("198.51.100.21").tcp(port).from("203.0.113.0/28"))
    };
    site.web.apply_firewall(&open(80));
    site.client.connects_to(TCP);
    lab.client("203.0.113.77").cannot_connect_to(TCP);
    site.web.apply_firewall(&open(8080));
    site.client.cannot_connect_to(TCP);
}

#[test]
fn members_that_cannot_be_guests_of_the_vpc_are_refused() {
    let lab = lab!();
    let (site, _one, _other) = Site::whole(&lab);
    let before = haproxies(&lab);
    for stranger in
        ["10.3.1.10", "203.0.113.5", "127.0.0.1", "10.2.2.1", "10.2.2.0", "10.2.2.255", "10.2.255.255"]
    {
        let hostile = Balancer::tcp(15, PROXIED).member(&format!("{stranger}:80"));
        let fields = site.web.balancer_fields(&[&hostile]);
        let refused = site.web.command("apply-lb-rules", &fields);
        refused.is_refused_naming(&["rule 15", stranger, "VPC", "10.2.0.0/16"]);
    }
    assert_eq!(haproxies(&lab), before);
    site.is_answered_by(&BOTH);
}

#[test]
fn without_the_vpcs_range_its_tiers_decide_which_addresses_may_be_members() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.command("implement-vpc", &json!({"vpc_cidr": null})).succeeds_silently();
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement().assign_ip("198.51.100.21", SourceNat::No);
    let refused = web.command("apply-lb-rules", &web.balancer_fields(&[&tcp()]));
    refused.is_refused_naming(&["rule 9", "10.2.2.10", "10.2.1.0/24"]);
    database.implement();
    web.apply_balancers(&[&tcp(), &udp()]);
    let _others = (serve(&web, "10.2.1.10"), serve(&database, "10.2.2.10"));
    let client = lab.client("203.0.113.5");
    let answers: BTreeSet<_> = (0..4).map(|_| client.connects_to(TCP).server().to_owned()).collect();
    assert_eq!(answers.len(), 2);
}

#[test]
fn members_of_an_isolated_network_must_be_its_guests() {
    let lab = lab!();
    let network = network(&lab);
    let other = lab.network(2090).on_vlan("1911").with_subnet("10.2.1.1", "10.2.1.0/24");
    other.implement();
    let fields = network.balancer_fields(&[&Balancer::tcp(9, "198.51.100.10:80").member("10.2.1.10:80")]);
    // Also if the command does not contain the subnet.
    for own in [json!({}), json!({"cidr": null, "gateway": null})] {
        let refused = network.command("apply-lb-rules", &joined(&fields, &own));
        refused.is_refused_naming(&["rule 9", "10.2.1.10", "the network (10.1.1.0/24)"]);
    }
}

#[test]
fn a_rebooted_host_balances_over_all_tiers_again() {
    let lab = lab!();
    let (site, _one, _other) = Site::whole(&lab);
    site.database.apply_access_list(&AccessList::new().with(Rule::allow_in(10).from("203.0.113.0/28")));
    reboot(&lab);
    // haproxy takes members back that it could not reach.
    within(Duration::from_secs(15), "the return of the members", || {
        let answers: BTreeSet<_> = (0..4).map(|_| site.client.connects_to(TCP).server().to_owned()).collect();
        thread::sleep(Duration::from_millis(100));
        answers.len() == 2
    });
    site.is_answered_by(&BOTH);
    lab.client("203.0.113.77").cannot_connect_to(TCP);
}
