//! Public addresses that several tiers of a VPC share: no tier opens what another one's rules close.

use netext_lab::{Balancer, Firewall, Forward, Lab, Listener, Network, Node, Rule, SourceNat, Vpc, lab};

const SHARED: &str = "198.51.100.21";
const TO_ONE: &str = "198.51.100.21:2222";
const TO_OTHER: &str = "198.51.100.21:2224";

/// Two tiers with an instance each that serves TCP on 22 and 80 and UDP on 53, no address yet.
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
        let vpc = lab.vpc(7);
        vpc.implement_with("198.51.100.20");
        let (one, other) = (vpc.tier(1), vpc.tier(2));
        one.implement();
        other.implement();
        let nodes = [one.guest("10.2.1.10"), other.guest("10.2.2.10")];
        let serve = |node: &Node| vec![node.listen_tcp(22), node.listen_tcp(80), node.listen_udp(53)];
        let servers = [serve(&nodes[0]), serve(&nodes[1])];
        let strangers = [lab.client("203.0.113.77"), lab.upstream().clone()];
        Self { vpc, one, other, nodes, servers, friend: lab.client("203.0.113.5"), strangers }
    }

    /// The first tier's forward, which its rules open to friends.
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
        self.strangers.iter().for_each(|stranger| stranger.cannot_connect_to(TO_ONE));
    }

    #[track_caller]
    fn is_shut(&self, address: &str) {
        self.friend.cannot_connect_to(address);
        self.strangers.iter().for_each(|stranger| stranger.cannot_connect_to(address));
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
    // The address lets in what rules allow, whoever else it leads to.
    site.is_shut(TO_OTHER);
    site.one.apply_firewall(&rules().with(friends(SHARED, 2224)));
    site.friend.connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.strangers.iter().for_each(|stranger| stranger.cannot_connect_to(TO_OTHER));
    site.is_open_to_friends_only();
}

#[test]
fn it_does_not_matter_which_tier_came_first() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.second();
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.first();
    site.is_open_to_friends_only();
    site.is_shut(TO_OTHER);
    site.second();
    site.is_open_to_friends_only();
    // Rules that came before the address wait for it, and hold for everyone who takes it up.
    site.one.apply_firewall(&rules().with(friends("198.51.100.22", 2222)));
    site.other.assign_ip("198.51.100.22", SourceNat::No);
    site.other.add_port_forward(&Forward::tcp("198.51.100.22:2224", "10.2.2.10:22"));
    site.is_shut("198.51.100.22:2224");
}

#[test]
fn a_tiers_rules_do_not_restrict_an_address_that_is_the_neighbours_alone() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.other.assign_ip("198.51.100.22", SourceNat::No);
    site.other.add_port_forward(&Forward::tcp("198.51.100.22:2224", "10.2.2.10:22"));
    site.strangers[0].connects_to("198.51.100.22:2224").answered_by("10.2.2.10");
    site.is_open_to_friends_only();
}

#[test]
fn neither_an_empty_list_nor_a_static_nat_nor_a_balancer_opens_anything() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.other.apply_firewall(&Firewall::egress_allowed());
    site.second();
    site.is_open_to_friends_only();
    site.is_shut(TO_OTHER);

    site.other.add_static_nat(SHARED, "10.2.2.10");
    site.is_open_to_friends_only();
    for address in [TO_OTHER, "198.51.100.21:22", "198.51.100.21:80"] {
        site.is_shut(address);
    }
    site.strangers[0].gets_no_udp_from("198.51.100.21:53");
    site.strangers[0].cannot_ping(SHARED);
    site.other.delete_static_nat(SHARED, "10.2.2.10");

    site.other.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.21:81").member("10.2.2.10:80"),
        &Balancer::udp(10, "198.51.100.21:5353").member("10.2.2.10:53"),
    ]);
    site.is_open_to_friends_only();
    site.is_shut("198.51.100.21:81");
    site.friend.gets_no_udp_from("198.51.100.21:5353");
}

#[test]
fn a_tiers_own_rules_decide_what_is_led_to_it() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    // As wide as can be, on the shared address.
    site.other.apply_firewall(&Firewall::egress_allowed().open(SHARED));
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.is_open_to_friends_only();

    // The same for every way in, and for the ports of each.
    site.other.add_port_forward(&Forward::tcp("198.51.100.21:8000-8010", "10.2.2.10:80"));
    site.one.apply_balancers(&[
        &Balancer::tcp(9, "198.51.100.21:8005").member("10.2.1.10:80"),
        &Balancer::udp(10, "198.51.100.21:5353").member("10.2.1.10:53"),
    ]);
    site.strangers[0].connects_to("198.51.100.21:8004").answered_by("10.2.2.10");
    site.is_shut("198.51.100.21:8005");
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
    site.is_shut("198.51.100.21:80");
    site.strangers[0].cannot_ping(SHARED);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.is_open_to_friends_only();

    // Rules that a tier does not have any more let nothing in to it, whatever the other one's say.
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_shut(TO_ONE);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
}

#[test]
fn a_tier_that_restarts_leaves_the_address_as_shut_as_it_was() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let before = site.servers[0][0].seen().len();
    site.one.shutdown();
    site.is_shut(TO_ONE);
    site.is_shut(TO_OTHER);
    site.one.implement();
    site.is_shut(TO_OTHER);
    site.first_way_in();
    site.second();
    site.is_shut(TO_ONE);
    site.is_shut(TO_OTHER);
    assert_eq!(site.servers[0][0].seen().len(), before);
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();

    // The restart of the other one changes nothing for it.
    site.other.shutdown();
    site.is_open_to_friends_only();
    site.other.implement();
    site.second();
    site.is_open_to_friends_only();
    site.other.destroy();
    site.is_open_to_friends_only();
}

#[test]
fn a_vpc_that_restarts_is_shut_until_the_rules_are_replayed() {
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
    site.is_shut(TO_OTHER);
    site.one.implement();
    site.first_way_in();
    site.is_shut(TO_ONE);
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();
}

#[test]
fn a_tier_that_is_destroyed_takes_its_rules_along() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.second();
    site.first();
    site.is_shut(TO_OTHER);
    site.one.destroy();
    site.is_shut(TO_ONE);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    // And the address is the other one's to release.
    site.other.release_ip(SHARED);
    site.is_shut(TO_OTHER);
    assert!(!site.vpc.router().addresses().contains(&format!("{SHARED}/24")));
}

#[test]
fn a_release_by_one_tier_takes_nothing_from_the_other() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let mut flow = site.friend.talks_to(TO_ONE);
    site.other.release_ip(SHARED);
    site.is_open_to_friends_only();
    flow.goes_on();
    site.is_shut(TO_OTHER);

    // The other way round: it was the first tier's rules that shut it.
    site.second();
    site.one.delete_port_forward(&Forward::tcp(TO_ONE, "10.2.1.10:22"));
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_shut(TO_OTHER);
    site.one.release_ip(SHARED);
    site.strangers[0].connects_to(TO_OTHER).answered_by("10.2.2.10");
    site.other.release_ip(SHARED);
    assert!(!site.vpc.router().addresses().contains(&format!("{SHARED}/24")));
}

#[test]
fn the_vpcs_own_address_is_shared_as_any_other() {
    let lab = lab!();
    let site = Site::new(&lab);
    let (to_one, to_other) = ("198.51.100.20:2222", "198.51.100.20:2224");
    site.one.apply_firewall(&Firewall::egress_allowed().with(friends("198.51.100.20", 2222)));
    site.one.add_port_forward(&Forward::tcp(to_one, "10.2.1.10:22"));
    site.other.assign_ip("198.51.100.20", SourceNat::Yes);
    site.other.add_port_forward(&Forward::tcp(to_other, "10.2.2.10:22"));
    site.vpc.leave_by("198.51.100.20");
    site.friend.connects_to(to_one).answered_by("10.2.1.10");
    site.strangers.iter().for_each(|stranger| stranger.cannot_connect_to(to_one));
    site.is_shut(to_other);
}

#[test]
fn rules_for_other_addresses_do_not_shut_the_vpcs_own() {
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
fn a_vpcs_empty_list_is_no_restriction_until_there_was_a_rule() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first_way_in();
    // The server may not know the rules of the VPC's own firewall, and then sends none.
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.strangers[0].connects_to(TO_ONE);
    site.one.shutdown().implement();
    site.first_way_in();
    site.strangers[0].connects_to(TO_ONE);
    // Deleting the last rule does not open what it restricted.
    site.one.apply_firewall(&rules());
    site.is_open_to_friends_only();
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.is_shut(TO_ONE);
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.one.shutdown().implement();
    site.first_way_in();
    site.is_shut(TO_ONE);
}

#[test]
fn each_tiers_egress_is_its_own() {
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
    // Also for a guest that leaves by the shared address.
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
fn a_rebooted_host_is_as_shut_as_before() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.first();
    site.second();
    let unplugged = lab.reboot();
    let outcome = lab.start_bare(&["reconcile", "--all"]).finish();
    assert_eq!(outcome.code, Some(0), "{}", outcome.output);
    unplugged.plug_in();
    site.is_open_to_friends_only();
    site.is_shut(TO_OTHER);
}
