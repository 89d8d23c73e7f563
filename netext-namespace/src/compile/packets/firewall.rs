//! The firewall: what public addresses let in, by the original destination of a packet, and what guests may reach.
//!
//! An address lets in what the rules of any network allow. Where tiers share an address, this alone would let the
//! rules of one tier open what those of another close. A packet is led to one tier at most. So if that tier has
//! rules, they alone decide about the packet; if it has none, or the packet is led to no tier, the rules of all
//! tiers decide.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::{FirewallSubject, NetworkId, Traffic, TransportProtocol};

use super::matches::{self, PacketMatch, layers, networks};
use super::ruleset::Ruleset;
use crate::model::{BalancerInForce, PublicAddress, Router, Tier, guest_interface};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    ingress(router, balancers, ruleset);
    egress(router, ruleset);
}

fn ingress(router: &Router, balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    for (public, _) in router.public_addresses().filter(|(public, _)| router.is_restricted(*public)) {
        ruleset.add("firewalled", [ElementField::Ipv4(public)]);
    }
    shared(router, balancers, ruleset);
    let allowed = router.implemented_tiers().flat_map(|(_, tier)| allowed(tier, |_| true));
    matches::compile(ruleset, "ingress_allowed", allowed, "accept");
}

/// The packets that a tier's rules let in to some addresses.
fn allowed(tier: &Tier, of: impl Fn(Ipv4Addr) -> bool) -> impl Iterator<Item = PacketMatch> {
    let rules = tier.firewall.iter().flat_map(|all| &all.rules);
    let rules = rules.filter_map(move |rule| match rule.subject {
        FirewallSubject::Ingress { public_ip } if of(public_ip) => Some((rule, Ipv4Net::from(public_ip))),
        _ => None,
    });
    rules.flat_map(|(rule, destination)| {
        networks(&rule.source_cidrs).into_iter().map(move |source| PacketMatch {
            source,
            destination,
            traffic: rule.traffic,
        })
    })
}

/// Where rules of several tiers name one address: lets the rules of a tier alone decide about packets that are led
/// to it.
fn shared(router: &Router, balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    let with_rules: Vec<_> = router.implemented_tiers().filter(|(_, tier)| tier.firewall.is_some()).collect();
    if with_rules.is_empty() || router.tiers.len() < 2 {
        return;
    }
    let restricts = |network| router.tiers.get(&network).is_some_and(Tier::restricts_ingress);
    let (mut leads, mut addresses, mut asked) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (public, address) in router.public_addresses() {
        let named_by: Vec<_> =
            with_rules.iter().filter(|(_, tier)| tier.names(public)).map(|(network, _)| *network).collect();
        let of_address = leads_of(router, public, address, balancers);
        let opens_anothers = |to: NetworkId| restricts(to) && named_by.iter().any(|network| *network != to);
        if of_address.iter().any(|(_, to)| to.is_some_and(opens_anothers)) {
            addresses.insert(public);
            leads.extend(of_address.into_iter().map(|(traffic, to)| {
                let to = to.filter(|to| restricts(*to));
                asked.extend(to);
                let everyone =
                    PacketMatch { source: Ipv4Net::default(), destination: public.into(), traffic };
                (everyone, to.map_or_else(|| "return".to_owned(), |to| format!("goto {}", chain_of(to))))
            }));
        }
    }
    if leads.is_empty() {
        return;
    }
    ruleset.rule("ingress_allowed", "jump ingress_by_tier");
    layers::compile(
        ruleset,
        "ingress_by_tier",
        leads.iter().map(|(of_end, verdict)| (of_end.clone(), verdict.as_str())),
    );
    for network in asked {
        let chain = chain_of(network);
        let own = with_rules.iter().filter(|(id, _)| *id == network);
        let own = own.flat_map(|(_, tier)| allowed(tier, |public| addresses.contains(&public)));
        matches::compile(ruleset, &chain, own, "accept");
        ruleset.rule(&chain, "drop");
    }
}

fn chain_of(network: NetworkId) -> String {
    format!("ingress_of_{network}")
}

/// The networks that a public address leads traffic to, the narrower before the wider, as `translate_destination`
/// does.
fn leads_of(
    router: &Router,
    public: Ipv4Addr,
    address: &PublicAddress,
    balancers: &[BalancerInForce<'_>],
) -> Vec<(Traffic, Option<NetworkId>)> {
    let of_ports = |protocol, ports| match protocol {
        TransportProtocol::Udp => Traffic::Udp(ports),
        TransportProtocol::Tcp => Traffic::Tcp(ports),
    };
    let balanced = balancers.iter().filter(|balancer| *balancer.rule.public.ip() == public);
    let balanced = balanced.map(|balancer| {
        let port = balancer.rule.public.port().into();
        (of_ports(balancer.rule.transport(), port), Some(balancer.network))
    });
    let forwarded = address
        .forwards
        .iter()
        .map(|(key, to)| (of_ports(key.protocol, key.ports), router.network_of(to.guest)));
    let rest = address.static_nat.map(|guest| (Traffic::All, router.network_of(guest)));
    balanced.chain(forwarded).chain(rest).collect()
}

fn egress(router: &Router, ruleset: &mut Ruleset) {
    for (network, tier) in router.routed_tiers() {
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let interface = ElementField::Interface(interface);
        let Some(firewall) = &tier.firewall else {
            ruleset.map("egress", [interface], [ElementField::Verdict("accept".to_owned())]);
            continue;
        };
        // The rules are the exceptions from the default.
        let (listed, default) =
            if firewall.default_egress_allow { ("drop", "accept") } else { ("accept", "drop") };
        let chain = format!("egress_{network}");
        ruleset.map("egress", [interface], [ElementField::Verdict(format!("goto {chain}"))]);

        let rules = firewall.rules.iter().filter(|rule| rule.subject == FirewallSubject::Egress);
        let matched = rules.flat_map(|rule| {
            let destinations = networks(&rule.dest_cidrs);
            networks(&rule.source_cidrs).into_iter().flat_map(move |source| {
                destinations.clone().into_iter().map(move |destination| PacketMatch {
                    source,
                    destination,
                    traffic: rule.traffic,
                })
            })
        });
        matches::compile(ruleset, &chain, matched, listed);
        ruleset.rule(&chain, default);
    }
}
