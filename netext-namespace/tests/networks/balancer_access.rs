//! Access lists of tiers: a load balancer does not bypass them.

use netext_lab::{AccessList, Balancer, Lab, Listener, Network, Node, Rule, SourceNat, lab};

use crate::setup::two_tiers;

const TCP: &str = "198.51.100.21:80";
const UDP: &str = "198.51.100.21:5353";

/// A balanced tier with two members, and another tier with a guest.
struct Site<'lab> {
    lab: &'lab Lab,
    web: Network<'lab>,
    other: Network<'lab>,
    member: Node,
    neighbour: Node,
    client: Node,
    _servers: Vec<Listener>,
    _second: Node,
}

impl<'lab> Site<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let (_, web, other) = two_tiers(lab);
        web.assign_ip("198.51.100.21", SourceNat::No);
        let (member, second, neighbour) =
            (web.guest("10.2.1.10"), web.guest("10.2.1.11"), other.guest("10.2.2.10"));
        let mut servers: Vec<_> =
            [&member, &second].into_iter().map(|guest| guest.listen_tcp(8080)).collect();
        servers.push(member.listen_udp(53));
        let tcp = Balancer::tcp(9, TCP).member("10.2.1.10:8080").member("10.2.1.11:8080");
        web.apply_balancers(&[&tcp, &Balancer::udp(10, UDP).member("10.2.1.10:53")]);
        let client = lab.client("203.0.113.5");
        Self { lab, web, other, member, neighbour, client, _servers: servers, _second: second }
    }

    #[track_caller]
    fn stranger_cannot_connect(&self) {
        let stranger = self.lab.client("203.0.113.77");
        stranger.cannot_connect_to(TCP);
        stranger.gets_no_udp_from(UDP);
    }
}

#[test]
fn a_client_that_the_list_denies_cannot_connect_through_the_balancer() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.client.connects_to(TCP);
    let mut flow = site.client.talks_to(TCP);
    // The list is about the members' ports.
    let list = AccessList::new()
        .with(Rule::deny_in(10).from("203.0.113.77/32"))
        .with(Rule::allow_in(20).protocol("tcp").ports(8000, 8090).from("203.0.113.0/24"))
        .with(Rule::allow_in(30).udp(53).from("203.0.113.0/24"));
    site.web.apply_access_list(&list);
    site.client.connects_to(TCP);
    site.client.exchanges_udp_with(UDP);
    site.stranger_cannot_connect();

    // The first matching item decides.
    site.web.apply_access_list(&list.clone().with(Rule::deny_in(5).tcp(8080)));
    site.client.cannot_connect_to(TCP);
    site.client.exchanges_udp_with(UDP);
    site.web.apply_access_list(&list.clone().with(Rule::deny_in(25).tcp(8080)));
    site.client.connects_to(TCP);
    // The list is not about the public port.
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10).tcp(80)));
    site.client.cannot_connect_to(TCP);
    flow.goes_on();
    // An empty list allows only traffic between the tier's own guests.
    site.web.apply_access_list(&AccessList::new());
    site.client.cannot_connect_to(TCP);
    site.neighbour.cannot_connect_to(TCP);
    site.member.connects_to(TCP);
}

#[test]
fn the_list_also_applies_to_a_rule_that_is_added_later() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10).tcp(8080).from("203.0.113.5/32")));
    let late = |port, member| Balancer::tcp(port, &format!("198.51.100.21:{port}")).member(member);
    site.web.apply_balancers(&[&late(81, "10.2.1.10:8080"), &late(82, "10.2.1.10:22")]);
    let _ssh = site.member.listen_tcp(22);
    site.client.connects_to("198.51.100.21:81");
    site.client.cannot_connect_to("198.51.100.21:82");
    lab.client("203.0.113.77").cannot_connect_to("198.51.100.21:81");
    // A client must be allowed to reach every member of a rule.
    site.web.apply_balancers(&[&late(81, "10.2.1.10:8080").member("10.2.1.10:22")]);
    site.client.cannot_connect_to("198.51.100.21:81");
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10).from("203.0.113.5/32")));
    site.client.connects_to("198.51.100.21:81");
    site.client.connects_to("198.51.100.21:82");
}

#[test]
fn a_tier_cannot_bypass_its_access_list_through_the_balancer() {
    let lab = lab!();
    let site = Site::new(&lab);
    site.neighbour.connects_to(TCP);
    let all_but_web =
        AccessList::new().with(Rule::deny_out(10).from("10.2.1.0/24")).with(Rule::allow_out(20));
    site.other.apply_access_list(&all_but_web);
    site.neighbour.cannot_connect_to(TCP);
    site.neighbour.gets_no_udp_from(UDP);
    site.other.apply_access_list(&all_but_web.clone().with(Rule::allow_out(5).tcp(8080)));
    site.neighbour.connects_to(TCP);
    // A tier's list does not apply to guests of another tier, nor to the tier's own balancer.
    site.other.apply_access_list(&all_but_web.without(20));
    site.client.connects_to(TCP);
    site.member.connects_to(TCP);
    site.web.apply_access_list(&AccessList::new().with(Rule::allow_in(10)));
    site.member.connects_to(TCP);
    site.client.connects_to(TCP);
}
