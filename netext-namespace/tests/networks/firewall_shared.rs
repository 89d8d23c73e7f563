//! Public addresses that several tiers of a VPC share: no tier opens a port that another tier's rules close.

use netext_lab::{Balancer, Firewall, Forward, Lab, Listener, Network, Node, Rule, SourceNat, Vpc, lab};

use crate::setup::{reboot, two_tiers};

const SHARED: &str = "198.51.100.21";
const TO_ONE: &str = "198.51.100.21:2222";
const TO_OTHER: &str = "198.51.100.21:2224";

/// Two tiers without addresses, with an instance each that serves TCP on 22 and 80 and UDP on 53.
struct Site<'lab> {
    vpc: Vpc<'lab>,
    one: Network<'lab>,
    other: Network<'lab>,
    nodes: [Node; 2],
    servers: [Vec<Listener>; 2],
    friend: Node,
    strangers: [Node; 2],
}

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let (vpc, one, other) = two_tiers(lab);
        let nodes = [one.guest("10.2.1.10"), other.guest("10.2.2.10")];
        let serve = |node: &Node| vec![node.listen_tcp(22), node.listen_tcp(80), node.listen_udp(53)];
        let servers = [serve(&nodes[0]), serve(&nodes[1])];
        let strangers = [lab.client("203.0.113.77"), lab.upstream().clone()];
        Self { vpc, one, other, nodes, servers, friend: lab.client("203.0.113.5"), strangers }
    }

    /// Adds the first tier's forward, which its rules open to friends.
    fn first(&self) {
        self.first_way_in();
        self.one.apply_firewall(&rules());
    }

    fn first_way_in(&self) {
        self.one.assign_ip(SHARED, SourceNat::No);
        self.one.add_port_forward(&Forward::tcp(TO_ONE, "10.2.1.10:22"));
    }

    fn second(&self) {
        self.other.assign_ip(SHARED, SourceNat::No);
        self.other.add_port_forward(&Forward::tcp(TO_OTHER, "10.2.2.10:22"));
    }

    #[track_caller]
    fn is_open_to_friends_only(&self) {
        self.friend.connects_to(TO_ONE).answered_by("10.2.1.10");
        self.strangers_cannot_connect_to(TO_ONE);
    }

    #[track_caller]
    fn strangers_cannot_connect_to(&self, address: &str) {
        self.strangers.iter().for_each(|stranger| stranger.cannot_connect_to(address));
    }

    #[track_caller]
    fn is_closed(&self, address: &str) {
        self.friend.cannot_connect_to(address);
        self.strangers_cannot_connect_to(address);
    }
}

fn friends(address: &str, port: u32) -> Rule {
    Rule::ingress(address).tcp(port).from("203.0.113.0/28")
}

fn rules() -> Firewall {
    Firewall::egress_allowed().with(friends(SHARED, 2222))
}

#[test]
fn a_tier_without_rules_opens_nothing_on_a_neighbours_address() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.is_open_to_friends_only();
    site.other.assign_ip(SHARED, SourceNat::No);
    site.is_open_to_friends_only();
    site.second();
    site.is_open_to_friends_only();
    // The rules of the address apply to every tier that it leads to.
    site.is_closed(TO_OTHER);
    site.one.apply_firewall(&rules().with(friends(SHARED, 2224)));
    site.friend.connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.strangers_cannot_connect_to(TO_OTHER);
    site.is_open_to_friends_only();
}

#[test]
fn the_order_of_the_tiers_does_not_matter() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.second();
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.first();
    site.is_open_to_friends_only();
    site.is_closed(TO_OTHER);
    site.second();
    site.is_open_to_friends_only();
    // Rules may come before the address, and apply to every tier that gets it.
    site.one.apply_firewall(&rules().with(friends("198.51.100.22", 2222)));
    site.other.assign_ip("198.51.100.22", SourceNat::No);
    site.other.add_port_forward(&Forward::tcp("198.51.100.22:2224", "10.2.2.10:22"));
    site.is_closed("198.51.100.22:2224");
}

#[test]
fn a_tiers_rules_do_not_restrict_another_tiers_own_address() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.other.assign_ip("198.51.100.22", SourceNat::No);
    site.other.add_port_forward(&Forward::tcp("198.51.100.22:2224", "10.2.2.10:22"));
    site.strangers[0].connects_to("198.51.100.22:2224").answered_by("10.2.2.10");
    site.is_open_to_friends_only();
}

#[test]
fn an_empty_list_a_static_nat_and_a_balancer_open_nothing() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.other.apply_firewall(&Firewall::egress_allowed());
    site.second();
    site.is_open_to_friends_only();
    site.is_closed(TO_OTHER);

    site.other.add_static_nat(SHARED, "10.2.2.10");
    site.is_open_to_friends_only();
    for address in [TO_OTHER, "198.51.100.21:22", "198.51.100.21:80"] {
        site.is_closed(address);
    }
    site.strangers[0].gets_no_udp_from("198.51.100.21:53");
    site.strangers[0].cannot_ping(SHARED);
    site.other.delete_static_nat(SHARED, "10.2.2.10");

    site.other.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.21:81").member("10.2.2.10:80"),
        &Balancer::udp(10, "198.51.100.21:5353").member("10.2.2.10:53"),
    ]);
    site.is_open_to_friends_only();
    site.is_closed("198.51.100.21:81");
    site.friend.gets_no_udp_from("198.51.100.21:5353");
}

#[test]
fn a_tiers_own_rules_decide_about_traffic_to_it() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    // Opens everything on the shared address.
    site.other.apply_firewall(&Firewall::egress_allowed().open(SHARED));
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.is_open_to_friends_only();

    // The same for every way in, and for every port.
    site.other.add_port_forward(&Forward::tcp("198.51.100.21:8000-8010", "10.2.2.10:80"));
    site.one.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.21:8005").member("10.2.1.10:80"),
        &Balancer::udp(10, "198.51.100.21:5353").member("10.2.1.10:53"),
    ]);
    site.strangers[0].connects_to("198.51.100.21:8004").answered_by("10.2.2.10");
    site.is_closed("198.51.100.21:8005");
    site.friend.gets_no_udp_from("198.51.100.21:5353");
    site.one.apply_firewall(
        &rules().with(friends(SHARED, 8005)).with(Rule::ingress(SHARED).udp(5353).from("203.0.113.0/28")),
    );
    site.friend.connects_to("198.51.100.21:8005").answered_by("10.2.1.10");
    site.friend.exchanges_udp_with("198.51.100.21:5353").answered_by("10.2.1.10");
    site.strangers[0].cannot_connect_to("198.51.100.21:8005");
    site.strangers[0].gets_no_udp_from("198.51.100.21:5353");
    site.strangers[0].connects_to("198.51.100.21:8006").answered_by("10.2.2.10");

    // A static NAT takes the rest of the address.
    site.one.add_static_nat(SHARED, "10.2.1.10");
    site.is_closed("198.51.100.21:80");
    site.strangers[0].cannot_ping(SHARED);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.is_open_to_friends_only();

    // Without rules a tier is closed; the other tier's rules do not open it.
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_closed(TO_ONE);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
}

#[test]
fn the_restart_of_a_tier_opens_nothing_on_the_address() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let before = site.servers[0][0].seen().len();
    site.one.shutdown();
    site.is_closed(TO_ONE);
    site.is_closed(TO_OTHER);
    site.one.implement();
    site.is_closed(TO_OTHER);
    site.first_way_in();
    site.second();
    site.is_closed(TO_ONE);
    site.is_closed(TO_OTHER);
    assert_eq!(site.servers[0][0].seen().len(), before);
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();

    // The restart of the other tier changes nothing for this one.
    site.other.shutdown();
    site.is_open_to_friends_only();
    site.other.implement();
    site.second();
    site.is_open_to_friends_only();
    site.other.destroy();
    site.is_open_to_friends_only();
}

#[test]
fn a_restarted_vpc_is_closed_until_the_rules_are_replayed() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    site.one.shutdown();
    site.other.shutdown();
    site.vpc.shutdown();
    site.vpc.implement_with("198.51.100.20");
    site.other.implement();
    site.second();
    site.is_closed(TO_OTHER);
    site.one.implement();
    site.first_way_in();
    site.is_closed(TO_ONE);
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();
}

#[test]
fn the_rules_of_a_tier_end_with_it() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.second();
    site.first();
    site.is_closed(TO_OTHER);
    site.one.destroy();
    site.is_closed(TO_ONE);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    // The other tier may release the address.
    site.other.release_ip(SHARED);
    site.is_closed(TO_OTHER);
    assert!(!site.vpc.router().addresses().contains(&format!("{SHARED}/24")));
}

#[test]
fn a_release_by_one_tier_does_not_affect_the_other() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let mut flow = site.friend.talks_to(TO_ONE);
    site.other.release_ip(SHARED);
    site.is_open_to_friends_only();
    flow.goes_on();
    site.is_closed(TO_OTHER);

    // The other way round: the first tier's rules closed it.
    site.second();
    site.one.delete_port_forward(&Forward::tcp(TO_ONE, "10.2.1.10:22"));
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_closed(TO_OTHER);
    site.one.release_ip(SHARED);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.other.release_ip(SHARED);
    assert!(!site.vpc.router().addresses().contains(&format!("{SHARED}/24")));
}

#[test]
fn the_vpcs_own_address_is_shared_like_any_other() {
    let lab = lab!();
    let site = Site::new(&lab);
    let (to_one, to_other) = ("198.51.100.20:2222", "198.51.100.20:2224");
    site.one.apply_firewall(&Firewall::egress_allowed().with(friends("198.51.100.20", 2222)));
    site.one.add_port_forward(&Forward::tcp(to_one, "10.2.1.10:22"));
    site.other.assign_ip("198.51.100.20", SourceNat::Yes);
    site.other.add_port_forward(&Forward::tcp(to_other, "10.2.2.10:22"));
    site.vpc.leave_by("198.51.100.20");
    site.friend.connects_to(to_one).answered_by("10.2.1.10");
    site.strangers_cannot_connect_to(to_one);
    site.is_closed(to_other);
}

#[test]
fn rules_for_other_addresses_do_not_close_the_vpcs_own() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.one.assign_ip("198.51.100.20", SourceNat::Yes);
    site.other.add_port_forward(&Forward::tcp("198.51.100.20:2224", "10.2.2.10:22"));
    site.one.assign_ip("198.51.100.20", SourceNat::Yes);
    site.strangers[0].connects_to("198.51.100.20:2224").answered_by("10.2.2.10");
    site.is_open_to_friends_only();
}

#[test]
fn an_empty_list_closes_nothing_before_the_first_rule() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first_way_in();
    // The server sends no rules if it does not know those of the VPC's own firewall.
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.strangers[0].connects_to(TO_ONE);
    site.one.shutdown().implement();
    site.first_way_in();
    site.strangers[0].connects_to(TO_ONE);
    // Deleting the last rule does not open the port that it restricted.
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_closed(TO_ONE);
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.one.shutdown().implement();
    site.first_way_in();
    site.is_closed(TO_ONE);
}

#[test]
fn each_tier_has_its_own_egress_policy() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let _internet = (site.friend.listen_tcp(80), site.friend.listen_tcp(81));
    site.one
        .apply_firewall(&Firewall::egress_denied().with(friends(SHARED, 2222)).with(Rule::egress().tcp(80)));
    let [one, other] = &site.nodes;
    let holds = || {
        one.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
        one.cannot_connect_to("203.0.113.5:81");
        other.connects_to("203.0.113.5:81").seen_as("198.51.100.20");
    };
    holds();
    // Also for a guest that leaves with the shared address.
    site.other.add_static_nat(SHARED, "10.2.2.10");
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    one.cannot_connect_to("203.0.113.5:81");
    other.connects_to("203.0.113.5:81").seen_as(SHARED);
    site.other.delete_static_nat(SHARED, "10.2.2.10");
    site.other.apply_firewall(&Firewall::egress_denied());
    one.connects_to("203.0.113.5:80");
    other.cannot_connect_to("203.0.113.5:80");
    other.cannot_connect_to("203.0.113.5:81");
}

#[test]
fn a_rebooted_host_is_as_closed_as_before() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    reboot(&lab);
    site.is_open_to_friends_only();
    site.is_closed(TO_OTHER);
}
