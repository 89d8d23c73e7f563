//! Access lists before what is balanced over TCP.
//!
//! A list speaks of guests, and `forward` asks it when a packet is on its way to one. A balanced connection over TCP
//! ends in the router, and who has opened it is forgotten when haproxy connects to a member. So the list is asked
//! before: what it says of a member and its port becomes a list of clients, and only who may reach every member may
//! reach the public port. Members mostly differ in nothing that a list speaks of, so that most rules share one chain.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use ipnet::Ipv4Net;
use netext_protocol::{AclRule, Direction, Traffic, TransportProtocol};

use super::acl::{in_order, verdict};
use super::matches::{Match, layers, networks};
use super::ruleset::Ruleset;
use crate::compile::{InForce, balancers};
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
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let list = in_order(list);
        let (_, interface) = guest_interface(router.id, &tier.segment());
        // Guests who meet each other through a public address have not left their subnet.
        let within = format!("iifname {interface} return");
        let mut ingress =
            Chains::new(&list, Direction::Ingress, format!("balanced_ingress_{network}"), Some(within));
        let mut egress = Chains::new(&list, Direction::Egress, format!("balanced_egress_{network}"), None);
        for balancer in &balanced {
            let public = balancer.rule.public;
            let (address, port) = (Field::Ipv4(*public.ip()), Field::Port(public.port()));
            if balancer.network == network {
                let verdict = ingress.verdict(ruleset, balancer);
                ruleset.map("balanced_ingress", [address, port], [verdict]);
            } else {
                let verdict = egress.verdict(ruleset, balancer);
                let from_tier = Field::Interface(interface.clone());
                ruleset.map("balanced_egress", [from_tier, address, port], [verdict]);
            }
        }
    }
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

    /// What to do with a connection to a balanced port: ask about each member.
    fn verdict(&mut self, ruleset: &mut Ruleset, balancer: &InForce<'_>) -> Field {
        let chains: BTreeSet<String> =
            balancer.members.iter().map(|member| self.chain(ruleset, *member)).collect();
        let Some(only) = chains.first().filter(|_| chains.len() == 1) else {
            let chain = format!("{}_rule_{}", self.prefix, balancer.id);
            for of_member in chains {
                ruleset.rule(&chain, format!("jump {of_member}"));
            }
            return Field::Verdict(format!("jump {chain}"));
        };
        Field::Verdict(format!("jump {only}"))
    }

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
