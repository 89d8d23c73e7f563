//! The ingress firewall: what public addresses let in, by the destination that a packet came with.

use ipnet::Ipv4Net;
use netext_protocol::FirewallSubject;

use super::matches::{self, Match, networks};
use super::ruleset::Ruleset;
use crate::model::Router;
use crate::plan::Field;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for (public, address) in router.public_addresses() {
        let tier = address.network.and_then(|network| router.tiers.get(&network));
        if tier.is_some_and(|tier| tier.firewall.is_some()) {
            ruleset.add("firewalled", [Field::Ipv4(public)]);
        }
    }
    let rules =
        router.implemented_tiers().filter_map(|(_, tier)| tier.firewall.as_ref()).flat_map(|all| &all.rules);
    let allowed = rules.flat_map(|rule| {
        let public = match rule.subject {
            FirewallSubject::Ingress { public_ip } => Some(Ipv4Net::from(public_ip)),
            _ => None,
        };
        let sources = if public.is_some() { networks(&rule.source_cidrs) } else { Vec::new() };
        public.into_iter().flat_map(move |destination| {
            sources.clone().into_iter().map(move |source| Match {
                source,
                destination,
                traffic: rule.traffic,
            })
        })
    });
    matches::compile(ruleset, "ingress_allowed", allowed, "accept");
}
