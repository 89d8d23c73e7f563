//! The ingress firewall: what public addresses let in, by the destination that a packet came with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::FirewallSubject;

use super::ends::Ends;
use super::matches::{self, Match, networks};
use super::ruleset::Ruleset;
use crate::model::Router;
use crate::plan::Field;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    let ends: BTreeMap<Ipv4Addr, Ends> = router
        .public_addresses()
        .map(|(public, address)| (public, Ends::of(router, public, address)))
        .collect();
    let named: BTreeSet<Ipv4Addr> = router
        .tiers
        .values()
        .flat_map(|tier| tier.firewall.iter().flat_map(|all| &all.rules))
        .filter_map(|rule| public_ip(rule.subject))
        .collect();
    for (public, address) in router.public_addresses() {
        // One tier with rules is enough: another that shares the address opens nothing by having none.
        let mut users = ends[&public].tiers().chain(address.network);
        let has_rules = |user| router.tiers.get(&user).is_some_and(|tier| tier.firewall.is_some());
        if named.contains(&public) || users.any(has_rules) {
            ruleset.add("firewalled", [Field::Ipv4(public)]);
        }
    }
    let rules = router.implemented_tiers().flat_map(|(network, tier)| {
        let rules = tier.firewall.iter().flat_map(|all| &all.rules);
        rules.map(move |rule| (network, rule))
    });
    let allowed = rules.flat_map(|(network, rule)| {
        let public = public_ip(rule.subject);
        let traffic = public.map_or_else(Vec::new, |public| {
            ends.get(&public).map_or_else(|| vec![rule.traffic], |ends| ends.part_of(network, rule.traffic))
        });
        let sources = if traffic.is_empty() { Vec::new() } else { networks(&rule.source_cidrs) };
        let destination = Ipv4Net::from(public.unwrap_or(Ipv4Addr::UNSPECIFIED));
        traffic.into_iter().flat_map(move |traffic| {
            sources.clone().into_iter().map(move |source| Match { source, destination, traffic })
        })
    });
    matches::compile(ruleset, "ingress_allowed", allowed, "accept");
}

/// The public address that a rule opens.
fn public_ip(subject: FirewallSubject) -> Option<Ipv4Addr> {
    match subject {
        FirewallSubject::Ingress { public_ip } => Some(public_ip),
        _ => None,
    }
}
