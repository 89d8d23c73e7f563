//! Public addresses that several tiers of a VPC share: what the rules of one close, another never opens.

use netext_lab::{Balancer, Firewall, Forward, Lab, Listener, Network, Node, Rule, SourceNat, lab};

const SHARED: &str = "198.51.100.21";
const ONE: &str = "198.51.100.21:2222";
const OTHER: &str = "198.51.100.21:2224";

/// Two tiers, a guest with a server in each, and two clients: one that the first tier's rules let in, and a stranger.
struct Site<'lab> {
    one: Network<'lab>,
    other: Network<'lab>,
    friend: Node,
    stranger: Node,
    guests: Vec<(Node, Listener)>,
}

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let vpc = lab.vpc(7);
        vpc.implement_with("198.51.100.20");
        let (one, other) = (vpc.tier(1), vpc.tier(2));
        one.implement();
        other.implement();
        let guests = [one.guest("10.2.1.10"), other.guest("10.2.2.10")].map(|guest| {
            let server = guest.listen_tcp(22);
            (guest, server)
        });
        let (friend, stranger) = (lab.client("203.0.113.5"), lab.client("203.0.113.77"));
        Self { one, other, friend, stranger, guests: guests.into() }
    }

    /// The first tier is reached on the port 2222, as its rules allow it.
    fn use_by_one(&self) {
        self.one.assign_ip(SHARED, SourceNat::No);
        self.one.apply_firewall(&only_friends(2222));
        self.one.add_port_forward(&Forward::tcp(ONE, "10.2.1.10:22"));
    }

    /// The second tier is reached on the port 2224, and never gets rules.
    fn use_by_other(&self) {
        self.other.assign_ip(SHARED, SourceNat::No);
        self.other.add_port_forward(&Forward::tcp(OTHER, "10.2.2.10:22"));
    }

    #[track_caller]
    fn one_is_for_friends_only(&self) {
        self.friend.connects_to(ONE).answered_by("10.2.1.10");
        self.stranger.cannot_connect_to(ONE);
    }
}

fn only_friends(port: u32) -> Firewall {
    Firewall::egress_allowed().with(Rule::ingress(SHARED).tcp(port).from("203.0.113.0/28"))
}

#[test]
fn a_tier_without_rules_opens_nothing_that_another_tiers_rules_close() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.use_by_one();
    site.one_is_for_friends_only();
    site.use_by_other();
    site.one_is_for_friends_only();
    // What no rule of the address allows is dropped.
    site.stranger.cannot_connect_to(OTHER);
    // An empty list is no rule: it comes for tiers whose addresses were never restricted.
    site.other.apply_firewall(&Firewall::egress_allowed());
    site.one_is_for_friends_only();
}

#[test]
fn it_makes_no_difference_which_tier_comes_first() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.use_by_other();
    site.stranger.connects_to(OTHER);
    site.use_by_one();
    site.one_is_for_friends_only();
    // The address is used by the other tier last.
    site.other.assign_ip(SHARED, SourceNat::No);
    site.one_is_for_friends_only();
}

#[test]
fn a_tiers_rules_open_only_what_leads_to_the_tier() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.use_by_one();
    site.use_by_other();
    let wide = Firewall::egress_allowed().with(Rule::ingress(SHARED).protocol("tcp").ports(1, 65535));
    site.other.apply_firewall(&wide);
    site.stranger.connects_to(OTHER).answered_by("10.2.2.10");
    site.one_is_for_friends_only();
    site.other.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress(SHARED).protocol("all")));
    site.stranger.connects_to(OTHER).answered_by("10.2.2.10");
    site.one_is_for_friends_only();
    // A rule is asked about a forward that comes after it.
    site.other.add_port_forward(&Forward::tcp("198.51.100.21:2000-2100", "10.2.2.10:22"));
    site.stranger.connects_to("198.51.100.21:2050").answered_by("10.2.2.10");
    site.one.add_port_forward(&Forward::tcp("198.51.100.21:2050", "10.2.1.10:22"));
    site.stranger.cannot_connect_to("198.51.100.21:2050");
}

#[test]
fn a_balancer_and_a_static_nat_are_ends_like_a_forward() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.one.assign_ip(SHARED, SourceNat::No);
    site.one.apply_firewall(&only_friends(2222));
    site.one.apply_balancers(&[&Balancer::tcp(9, ONE).member("10.2.1.10:22")]);
    site.one_is_for_friends_only();
    site.use_by_other();
    let wide = Firewall::egress_allowed().with(Rule::ingress(SHARED).protocol("tcp").ports(1, 65535));
    site.other.apply_firewall(&wide);
    site.one_is_for_friends_only();
    site.stranger.connects_to(OTHER);
    // All other ports are one instance's of the first tier.
    site.one.add_static_nat(SHARED, "10.2.1.10");
    site.stranger.cannot_connect_to("198.51.100.21:22");
    site.stranger.connects_to(OTHER);
}

#[test]
fn a_tier_that_goes_takes_its_rules_along_and_one_that_comes_back_is_shut_until_it_has_them() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.use_by_one();
    site.use_by_other();
    site.one.shutdown();
    site.stranger.cannot_connect_to(ONE);
    site.stranger.connects_to(OTHER);
    site.one.implement();
    site.one.assign_ip(SHARED, SourceNat::No);
    site.one.add_port_forward(&Forward::tcp(ONE, "10.2.1.10:22"));
    site.friend.cannot_connect_to(ONE);
    site.one.apply_firewall(&only_friends(2222));
    site.one_is_for_friends_only();
    let unplugged = lab.reboot();
    lab.start_bare(&["reconcile", "--all"]).finish().succeeds();
    unplugged.plug_in();
    site.one_is_for_friends_only();
    site.stranger.cannot_connect_to(OTHER);
}

#[test]
fn rules_that_are_gone_shut_what_they_opened() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.use_by_one();
    site.one.apply_firewall(&Firewall::egress_allowed());
    site.friend.cannot_connect_to(ONE);
    site.stranger.cannot_connect_to(ONE);
}

#[test]
fn an_empty_list_of_a_tier_that_never_had_rules_restricts_nothing() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.other.apply_firewall(&Firewall::egress_denied());
    site.use_by_other();
    site.stranger.connects_to(OTHER);
    let internet = site.stranger.listen_tcp(80);
    site.guests[1].0.connects_to("203.0.113.77:80");
    drop(internet);
}
