//! Access lists before what is balanced over TCP.
//!
//! A list speaks of guests, and `forward` asks it when a packet is on its way to one. A balanced connection over TCP
//! ends in the router, and who has opened it is forgotten when haproxy connects to a member. So the list is asked
//! before: what it says of a member and its port becomes a list of clients, and only who may reach every member may
//! reach the public port. Members mostly differ in nothing that a list speaks of, so that most rules share one chain.
//!
//! Members may be guests of any tier of the VPC. The list of the tier that a member is in says who may enter there; the
//! list of the tier that a client is in says which members of other tiers it may reach.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::Ipv4Net;
use netext_protocol::{AclRule, Direction, Traffic, TransportProtocol};

use super::acl::{in_order, verdict};
use super::matches::{Match, layers, networks};
use super::ruleset::Ruleset;
use crate::compile::balancers::{balancers, guest_of};
use crate::model::{Router, guest_interface};
use crate::plan::Field;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    let balanced: Vec<_> = balancers(router)
        .into_iter()
        .filter(|balancer| {
            balancer.rule.transport() == TransportProtocol::Tcp && !balancer.members.is_empty()
        })
        .collect();
    if balanced.is_empty() {
        return;
    }
    let mut ingress: BTreeMap<(Ipv4Addr, u16), BTreeSet<String>> = BTreeMap::new();
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let list = in_order(list);
        let (_, interface) = guest_interface(router.id, &tier.segment());
        // Guests who meet each other through a public address have not left their subnet.
        let within = format!("iifname {interface} return");
        let mut entering =
            Chains::new(&list, Direction::Ingress, format!("balanced_ingress_{network}"), Some(within));
        let mut leaving = Chains::new(&list, Direction::Egress, format!("balanced_egress_{network}"), None);
        for balancer in &balanced {
            let is_own = |member: &&SocketAddrV4| guest_of(router, *member.ip()) == Some(network);
            let (own, others): (Vec<&SocketAddrV4>, Vec<&SocketAddrV4>) =
                balancer.members.iter().partition(is_own);
            let public = balancer.rule.public;
            let asked = ingress.entry((*public.ip(), public.port())).or_default();
            asked.extend(own.into_iter().map(|member| entering.chain(ruleset, *member)));
            let asked: BTreeSet<_> =
                others.into_iter().map(|member| leaving.chain(ruleset, *member)).collect();
            if let Some(verdict) = ask(ruleset, asked, || format!("{}_rule_{}", leaving.prefix, balancer.id))
            {
                let (address, port) = (Field::Ipv4(*public.ip()), Field::Port(public.port()));
                ruleset.map(
                    "balanced_egress",
                    [Field::Interface(interface.clone()), address, port],
                    [verdict],
                );
            }
        }
    }
    for ((address, port), asked) in ingress {
        let chain = || format!("balanced_ingress_{}_{port}", address.to_string().replace('.', "_"));
        if let Some(verdict) = ask(ruleset, asked, chain) {
            ruleset.map("balanced_ingress", [Field::Ipv4(address), Field::Port(port)], [verdict]);
        }
    }
}

/// Asks all of some chains, by one that is named for it where there are several; none if there are none to ask.
fn ask(ruleset: &mut Ruleset, chains: BTreeSet<String>, name: impl FnOnce() -> String) -> Option<Field> {
    let mut chains = chains.into_iter();
    let first = chains.next()?;
    let Some(second) = chains.next() else { return Some(Field::Verdict(format!("jump {first}"))) };
    let name = name();
    for chain in [first, second].into_iter().chain(chains) {
        ruleset.rule(&name, format!("jump {chain}"));
    }
    Some(Field::Verdict(format!("jump {name}")))
}

/// Who may reach a member, as the items of a list say one after the other.
type Clients = Vec<(Vec<Ipv4Net>, &'static str)>;

/// The chains of one list and direction, one for each different answer.
struct Chains<'a> {
    items: Vec<&'a AclRule>,
    direction: Direction,
    prefix: String,
    /// What comes before the list.
    first: Option<String>,
    made: Vec<Clients>,
}

impl<'a> Chains<'a> {
    fn new(list: &[&'a AclRule], direction: Direction, prefix: String, first: Option<String>) -> Self {
        let items = list.iter().copied().filter(|item| item.direction == direction).collect();
        Self { items, direction, prefix, first, made: Vec::new() }
    }

    /// The chain that says who may reach a member.
    fn chain(&mut self, ruleset: &mut Ruleset, member: SocketAddrV4) -> String {
        let clients: Clients =
            self.items.iter().filter_map(|item| clients(item, self.direction, member)).collect();
        let known = self.made.iter().position(|made| *made == clients);
        let chain = format!("{}_{}", self.prefix, known.unwrap_or(self.made.len()));
        if known.is_none() {
            if let Some(first) = &self.first {
                ruleset.rule(&chain, first);
            }
            let matches = clients.iter().flat_map(|(sources, verdict)| {
                let each = |source: &Ipv4Net| Match {
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
