//! The access lists of tiers.
//!
//! A list decides about what enters its tier and what leaves it, by the addresses and ports of the guests: packets
//! to public addresses are translated before. Each tier has its own chains and sets. A list that allows a packet
//! only does not deny it: the rest of `forward` decides.
//!
//! `forward` does not see the client of a connection that is balanced over TCP: the connection ends in the router,
//! and haproxy opens another one to a member. So the lists are applied before haproxy accepts it. What a list says
//! of a member and its port becomes a list of clients, and only clients that may reach every member may reach the
//! public port. Most members do not differ in anything that a list names, so most rules share one chain.
//!
//! Members of one rule may be guests of several tiers. As in `forward`, the list of a tier decides what enters that
//! tier: it is applied to the members that are its guests, whichever tier has the rule, and to no others. The list
//! of a tier whose guests are clients is applied to members outside of that tier.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use ipnet::Ipv4Net;
use netext_protocol::{AclAction, AclRule, Direction, Traffic, TransportProtocol};

use super::matches::{PacketMatch, layers, networks};
use super::ruleset::Ruleset;
use crate::model::{BalancerInForce, InterfaceName, Router, guest_interface};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    forwarded(router, ruleset);
    balanced(router, balancers, ruleset);
}

/// Access lists for packets that are forwarded.
fn forwarded(router: &Router, ruleset: &mut Ruleset) {
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let ordered = in_order(list);
        for (direction, map) in [(Direction::Egress, "acl_egress"), (Direction::Ingress, "acl_ingress")] {
            let chain = format!("{map}_{network}");
            ruleset.map(
                map,
                [ElementField::Interface(interface.clone())],
                [ElementField::Verdict(format!("jump {chain}"))],
            );
            ruleset.rule(&chain, within(&interface, direction));
            let items = ordered.iter().filter(|item| item.direction == direction);
            layers::compile(ruleset, &chain, items.flat_map(|item| matches(item)));
            ruleset.rule(&chain, "drop");
        }
    }
}

/// The items in the order in which they decide.
fn in_order(list: &[AclRule]) -> Vec<&AclRule> {
    let mut ordered: Vec<_> = list.iter().collect();
    ordered.sort_by_key(|item| item.number);
    ordered
}

/// Guests that reach each other through a public address have not left their subnet.
fn within(interface: &InterfaceName, direction: Direction) -> String {
    let other_end = if direction == Direction::Ingress { "iifname" } else { "oifname" };
    format!("{other_end} {interface} return")
}

/// An allowed packet is only not denied.
fn verdict(action: AclAction) -> &'static str {
    match action {
        AclAction::Allow => "return",
        AclAction::Deny => "drop",
    }
}

/// The packets that an item names: by the other end, and perhaps by the tier's own.
fn matches(item: &AclRule) -> impl Iterator<Item = (PacketMatch, &'static str)> {
    let verdict = verdict(item.action);
    let tiers_ends = networks(&item.dest_cidrs);
    let (traffic, direction) = (item.traffic, item.direction);
    let ends = move |other: Ipv4Net, own: Ipv4Net| match direction {
        Direction::Ingress => PacketMatch { source: other, destination: own, traffic },
        Direction::Egress => PacketMatch { source: own, destination: other, traffic },
    };
    networks(&item.source_cidrs)
        .into_iter()
        .flat_map(move |other| tiers_ends.clone().into_iter().map(move |own| (ends(other, own), verdict)))
}

/// Access lists for connections that are balanced over TCP.
fn balanced(router: &Router, balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    let balanced = |balancer: &&BalancerInForce<'_>| {
        balancer.rule.transport() == TransportProtocol::Tcp && !balancer.members.is_empty()
    };
    let balanced: Vec<_> = balancers.iter().filter(balanced).collect();
    if balanced.is_empty() {
        return;
    }
    // The chains that a connection must pass on the way into the members' tiers.
    let mut on_the_way_in: BTreeMap<SocketAddrV4, (u64, BTreeSet<String>)> = BTreeMap::new();
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let list = in_order(list);
        let (_, interface) = guest_interface(router.id, &tier.segment());
        // Guests that reach each other through a public address have not left their subnet.
        let within = format!("iifname {interface} return");
        let mut ingress =
            MemberChains::new(&list, Direction::Ingress, format!("balanced_ingress_{network}"), Some(within));
        let egress_prefix = format!("balanced_egress_{network}");
        let mut egress = MemberChains::new(&list, Direction::Egress, egress_prefix.clone(), None);
        for balancer in &balanced {
            let (own, others): (Vec<_>, Vec<_>) =
                balancer.members.iter().partition(|member| tier.may_have_guest(*member.ip()));
            let public = balancer.rule.public;
            if !own.is_empty() {
                let (_, chains) =
                    on_the_way_in.entry(public).or_insert_with(|| (balancer.id, BTreeSet::new()));
                chains.extend(ingress.chains(ruleset, own));
            }
            if !others.is_empty() {
                let chains = egress.chains(ruleset, others);
                let verdict = pass_all(ruleset, &egress_prefix, balancer.id, chains);
                let from_tier = ElementField::Interface(interface.clone());
                ruleset.map("balanced_egress", [from_tier, address(public), port(public)], [verdict]);
            }
        }
    }
    for (public, (id, chains)) in on_the_way_in {
        let verdict = pass_all(ruleset, "balanced_ingress", id, chains);
        ruleset.map("balanced_ingress", [address(public), port(public)], [verdict]);
    }
}

fn address(public: SocketAddrV4) -> ElementField {
    ElementField::Ipv4(*public.ip())
}

fn port(public: SocketAddrV4) -> ElementField {
    ElementField::Port(public.port())
}

/// Jumps to all of the chains: directly if there is one, through a chain of the rule if there are several.
fn pass_all(ruleset: &mut Ruleset, prefix: &str, rule: u64, chains: BTreeSet<String>) -> ElementField {
    let Some(only) = chains.first().filter(|_| chains.len() == 1) else {
        let chain = format!("{prefix}_rule_{rule}");
        for each in chains {
            ruleset.rule(&chain, format!("jump {each}"));
        }
        return ElementField::Verdict(format!("jump {chain}"));
    };
    ElementField::Verdict(format!("jump {only}"))
}

/// The clients that may and may not reach a member, in the order of a list's items.
type MemberClients = Vec<(Vec<Ipv4Net>, &'static str)>;

/// The chains of one list and direction, one for each different list of clients.
struct MemberChains<'a> {
    items: Vec<&'a AclRule>,
    direction: Direction,
    prefix: String,
    /// The rule before the list.
    first: Option<String>,
    made: Vec<MemberClients>,
}

impl<'a> MemberChains<'a> {
    fn new(list: &[&'a AclRule], direction: Direction, prefix: String, first: Option<String>) -> Self {
        let items = list.iter().copied().filter(|item| item.direction == direction).collect();
        Self { items, direction, prefix, first, made: Vec::new() }
    }

    /// The chains for members.
    fn chains<'m>(
        &mut self,
        ruleset: &mut Ruleset,
        members: impl IntoIterator<Item = &'m SocketAddrV4>,
    ) -> BTreeSet<String> {
        members.into_iter().map(|member| self.chain(ruleset, *member)).collect()
    }

    fn chain(&mut self, ruleset: &mut Ruleset, member: SocketAddrV4) -> String {
        let clients: MemberClients =
            self.items.iter().filter_map(|item| clients(item, self.direction, member)).collect();
        let known = self.made.iter().position(|made| *made == clients);
        let chain = format!("{}_{}", self.prefix, known.unwrap_or(self.made.len()));
        if known.is_none() {
            if let Some(first) = &self.first {
                ruleset.rule(&chain, first);
            }
            let matches = clients.iter().flat_map(|(sources, verdict)| {
                let each = |source: &Ipv4Net| PacketMatch {
                    source: *source,
                    destination: Ipv4Net::default(),
                    traffic: Traffic::All,
                };
                sources.iter().map(move |source| (each(source), *verdict))
            });
            layers::compile(ruleset, &chain, matches);
            ruleset.rule(&chain, "drop");
            self.made.push(clients);
        }
        chain
    }
}

/// The clients that an item names for a member; `None` if it does not name the member.
fn clients(
    item: &AclRule,
    direction: Direction,
    member: SocketAddrV4,
) -> Option<(Vec<Ipv4Net>, &'static str)> {
    let of_port = match item.traffic {
        Traffic::Tcp(ports) => ports.ports().contains(&member.port()),
        Traffic::Udp(_) | Traffic::Icmp { .. } => false,
        Traffic::Protocol(number) => number == TransportProtocol::Tcp.number(),
        _ => true,
    };
    let (other, own) = (networks(&item.source_cidrs), networks(&item.dest_cidrs));
    let (clients, members) = match direction {
        Direction::Ingress => (other, own),
        Direction::Egress => (own, other),
    };
    let of_member = members.iter().any(|network| network.contains(member.ip()));
    (of_port && of_member).then(|| (clients, verdict(item.action)))
}
