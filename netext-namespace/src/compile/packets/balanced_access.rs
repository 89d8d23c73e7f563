//! Access lists before what is balanced over TCP.
//!
//! A list speaks of guests, and `forward` asks it when a packet is on its way to one. A balanced connection over TCP
//! ends in the router, and who has opened it is forgotten when haproxy connects to a member. So the list is asked
//! before: what it says of a member and its port becomes a list of clients, and only who may reach every member may
//! reach the public port. Members mostly differ in nothing that a list speaks of, so that most rules share one chain.
//!
//! Members of one rule may be guests of several tiers. As in `forward`, the list of a tier decides what enters that
//! tier: it is asked about the members that are its guests, whichever tier's rule it is, and about no others. A tier
//! whose guests are clients is asked about the members that they leave it for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use ipnet::Ipv4Net;
use netext_protocol::{AclRule, Direction, Traffic, TransportProtocol};

use super::acl::{in_order, verdict};
use super::matches::{PacketMatch, layers, networks};
use super::ruleset::Ruleset;
use crate::model::{Router, guest_interface};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    let balanced: Vec<_> = router
        .balancers_in_force()
        .into_iter()
        .filter(|balancer| {
            balancer.rule.transport() == TransportProtocol::Tcp && !balancer.members.is_empty()
        })
        .collect();
    if balanced.is_empty() {
        return;
    }
    // The chains to pass on the way into the members' tiers.
    let mut on_the_way_in: BTreeMap<SocketAddrV4, (u64, BTreeSet<String>)> = BTreeMap::new();
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let list = in_order(list);
        let (_, interface) = guest_interface(router.id, &tier.segment());
        // Guests who meet each other through a public address have not left their subnet.
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

/// Asks all of the chains: themselves if there is one, in a chain of the rule's own if there are several.
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

/// Who may reach a member, as the items of a list say one after the other.
type MemberClients = Vec<(Vec<Ipv4Net>, &'static str)>;

/// The chains of one list and direction, one for each different answer.
struct MemberChains<'a> {
    items: Vec<&'a AclRule>,
    direction: Direction,
    prefix: String,
    /// What comes before the list.
    first: Option<String>,
    made: Vec<MemberClients>,
}

impl<'a> MemberChains<'a> {
    fn new(list: &[&'a AclRule], direction: Direction, prefix: String, first: Option<String>) -> Self {
        let items = list.iter().copied().filter(|item| item.direction == direction).collect();
        Self { items, direction, prefix, first, made: Vec::new() }
    }

    /// The chains that ask about members.
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

/// The clients that an item speaks of when they want a member; `None` if it does not speak of the member.
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
