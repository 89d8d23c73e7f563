//! Load balancers whose members are in several tiers of a VPC.

use netext_lab::{AccessList, Balancer, Lab, Listener, Network, Node, Rule, SourceNat, lab};

const TCP: &str = "198.51.100.21:80";
const PROXY: &str = "198.51.100.21:81";
const UDP: &str = "198.51.100.21:5353";

/// A tier with balancers, another tier with members, and a client.
struct Site<'lab> {
    web: Network<'lab>,
    app: Network<'lab>,
    front: Node,
    member: Node,
    client: Node,
    _servers: Vec<Listener>,
}

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let vpc = lab.vpc(7);
        vpc.implement_with("198.51.100.20");
        let (web, app) = (vpc.tier(1), vpc.tier(2));
        web.implement();
        web.assign_ip("198.51.100.21", SourceNat::No);
        app.implement();
        let (front, member) = (web.guest("10.2.1.10"), app.guest("10.2.2.10"));
        let servers = vec![front.listen_tcp(8080), member.listen_tcp(8080), member.listen_udp(53)];
        let client = lab.client("203.0.113.5");
        Self { web, app, front, member, client, _servers: servers }
    }

    fn balance_to_the_other_tier(&self) {
        self.web.apply_balancers(&[
            &Balancer::tcp(9, TCP).member("10.2.2.10:8080"),
            &Balancer::udp(10, UDP).member("10.2.2.10:53"),
        ]);
    }
}

#[track_caller]
fn reaches(client: &Node) {
    client.connects_to(TCP).answered_by("10.2.2.10");
    client.exchanges_udp_with(UDP);
}

#[track_caller]
fn is_kept_out(client: &Node) {
    client.cannot_connect_to(TCP);
    client.gets_no_udp_from(UDP);
}

#[test]
fn a_member_in_another_tier_is_balanced() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.balance_to_the_other_tier();
    reaches(&site.client);
    // Guests of either tier reach it as well, the member itself included.
    reaches(&site.front);
    site.member.connects_to(TCP).answered_by("10.2.2.10");

    // Members of both tiers take turns.
    let both = Balancer::tcp(9, TCP).member("10.2.1.10:8080").member("10.2.2.10:8080");
    site.web.apply_balancers(&[&both, &Balancer::tcp_proxy(11, PROXY).member("10.2.2.10:8080")]);
    let mut answers: Vec<_> = (0..4).map(|_| site.client.connects_to(TCP).server().to_owned()).collect();
    answers.sort();
    assert_eq!(answers, ["10.2.1.10", "10.2.1.10", "10.2.2.10", "10.2.2.10"]);
    site.client.connects_to(PROXY).answered_by("10.2.2.10");
    let unplugged = lab.reboot();
    lab.start_bare(&["reconcile", "--all"]).finish().succeeds();
    unplugged.plug_in();
    site.client.connects_to(PROXY).answered_by("10.2.2.10");
}

#[test]
fn the_list_of_the_members_tier_says_who_may_enter_it() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.balance_to_the_other_tier();
    let stranger = lab.client("203.0.113.77");
    let list = AccessList::new()
        .with(Rule::allow_in(10).tcp(8080).from("203.0.113.5/32"))
        .with(Rule::allow_in(20).udp(53).from("203.0.113.5/32"));
    site.app.apply_access_list(&list);
    reaches(&site.client);
    is_kept_out(&stranger);
    is_kept_out(&site.front);
    // The list of the balancer's own tier is not asked: nothing enters that tier.
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_out(10)));
    reaches(&site.client);
    // With members in both tiers, both lists are asked.
    let both = Balancer::tcp(9, TCP).member("10.2.1.10:8080").member("10.2.2.10:8080");
    site.web.apply_balancers(&[&both]);
    site.client.cannot_connect_to(TCP);
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10)).with(Rule::allow_out(10)));
    site.client.connects_to(TCP);
    stranger.cannot_connect_to(TCP);
}

#[test]
fn a_guest_reaches_no_member_that_its_own_tiers_list_denies() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.balance_to_the_other_tier();
    let list = AccessList::new().with(Rule::allow_in(10)).with(Rule::deny_out(10).from("10.2.2.0/24"));
    site.web.apply_access_list(&list.clone().with(Rule::allow_out(20)));
    is_kept_out(&site.front);
    reaches(&site.client);
    site.web.apply_access_list(&list.without(10).with(Rule::allow_in(10)).with(Rule::allow_out(20)));
    reaches(&site.front);
}

#[test]
fn members_come_and_go_with_their_tier() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.app.shutdown();
    // The rule comes before the tier of its members.
    site.balance_to_the_other_tier();
    is_kept_out(&site.client);
    site.app.implement();
    reaches(&site.client);
    // Taking down the balancer's own tier takes the balancer down.
    site.web.shutdown();
    is_kept_out(&site.client);
    site.web.implement();
    site.web.assign_ip("198.51.100.21", SourceNat::No);
    site.balance_to_the_other_tier();
    reaches(&site.client);
    site.app.destroy();
    is_kept_out(&site.client);
}

#[test]
fn a_member_outside_of_the_vpc_is_refused() {
    let lab = lab!();
    let site = Site::new(&lab);
    for stranger in ["10.9.1.10", "203.0.113.5", "10.2.2.1", "10.2.1.1", "10.2.2.0", "10.2.2.255"] {
        let rule = Balancer::tcp(9, TCP).member(&format!("{stranger}:8080"));
        let fields = site.web.balancer_fields(&[&rule]);
        let words = format!("backend {stranger} is no guest");
        site.web.command("apply-lb-rules", &fields).is_refused_naming(&[&words]);
    }
    // A network that stands alone has no other tiers.
    let alone = lab.network(209);
    alone.implement();
    alone.assign_ip("198.51.100.30", SourceNat::Yes);
    let rule = Balancer::tcp(9, "198.51.100.30:80").member("10.2.2.10:8080");
    alone.command("apply-lb-rules", &alone.balancer_fields(&[&rule])).is_refused_naming(&["10.2.2.10"]);
}
