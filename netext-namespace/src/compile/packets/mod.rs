//! The packet rules of a router: one nftables table of its own, `inet netext`.
//!
//! The chains are the same for every router and never change, except for the choice between several ways out. The
//! sets and maps that they look things up in hold what a router is. So one more forward is one more element:
//! neither the cost of a change nor the cost of a packet grows with the number of rules.
//!
//! A packet passes `guard` (spoofed sources, and the ingress firewall on its original destination),
//! `translate_destination`, then `deliver` (for the router itself) or `forward`, `translate_source`, and `leave`.
//! Packets of known connections pass `guard`, `deliver` and `forward` at their first rule.

mod access_lists;
mod firewall;
mod matches;
mod ruleset;
mod translation;

use netext_protocol::TransportProtocol::{self, Tcp, Udp};

use super::links::WayOut;
use crate::model::{BalancerInForce, InterfaceName, Router, guest_interface, public_interface};
use crate::plan::ElementField;

pub use ruleset::{ElementSet, RuleChain, Ruleset, RulesetChange};

/// The set that counts packets to public addresses.
pub const INCOMING: &str = "public_incoming";
/// The set that counts packets from public addresses.
pub const OUTGOING: &str = "public_outgoing";

/// The services of the router's own address for guests: DNS, metadata, passwords. A guest asks for DHCP before it
/// has an address, so DHCP has a rule of its own.
const SERVICES: [(TransportProtocol, u16); 4] = [(Udp, 53), (Tcp, 53), (Tcp, 80), (Tcp, 8080)];

/// The packet rules of a router, for the tiers that are in force.
pub(super) fn packets(router: &Router, balancers: &[BalancerInForce<'_>], ways_out: &[WayOut]) -> Ruleset {
    let mut ruleset = skeleton();
    interfaces(router, &mut ruleset);
    translation::compile(router, balancers, ways_out, &mut ruleset);
    firewall::compile(router, balancers, &mut ruleset);
    access_lists::compile(router, balancers, &mut ruleset);
    ruleset.complete()
}

/// The chains with their sets still empty.
fn skeleton() -> Ruleset {
    Ruleset {
        sets: sets().into_iter().map(|(name, set)| (name.to_owned(), set)).collect(),
        chains: chains()
            .into_iter()
            .map(|(name, hook, rules)| {
                (name.to_owned(), RuleChain { hook, rules: rules.into_iter().map(str::to_owned).collect() })
            })
            .collect(),
    }
}

fn sets() -> Vec<(&'static str, ElementSet)> {
    vec![
        // The router's interfaces by kind.
        ("guest_interfaces", ElementSet::of("ifname")),
        ("public_interfaces", ElementSet::of("ifname")),
        // The sources that an interface may have: the guests' subnets.
        ("guest_subnets", ElementSet::of("ifname . ipv4_addr").of_ranges()),
        ("guest_addresses", ElementSet::of("ipv4_addr").of_ranges()),
        // The router's own services for guests.
        ("guest_services", ElementSet::of("ifname . ipv4_addr . inet_proto . inet_service")),
        ("guest_services_ipv6", ElementSet::of("ifname . ipv6_addr . inet_proto . inet_service")),
        // Public addresses that let in only what their rules allow.
        ("firewalled", ElementSet::of("ipv4_addr")),
        // Packets to public addresses, and from them.
        (INCOMING, ElementSet::of("ipv4_addr").counted()),
        (OUTGOING, ElementSet::of("ipv4_addr").counted()),
        // Where packets to public addresses are led. Connections that are balanced over TCP are led to the router
        // itself.
        ("balanced_tcp", ElementSet::of("ipv4_addr . inet_service")),
        ("balanced_udp", ElementSet::map("ipv4_addr . inet_service : verdict")),
        // Access lists for connections to members, applied before haproxy accepts them.
        ("balanced_egress", ElementSet::map("ifname . ipv4_addr . inet_service : verdict")),
        ("balanced_ingress", ElementSet::map("ipv4_addr . inet_service : verdict")),
        ("forwards", ElementSet::map("ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service")),
        ("static_nat", ElementSet::map("ipv4_addr : ipv4_addr")),
        // The public addresses that guests leave by.
        ("static_nat_source", ElementSet::map("ipv4_addr : ipv4_addr")),
        ("source_nat", ElementSet::map("ipv4_addr : ipv4_addr").of_ranges()),
        // The address by which guests see each other when they go through a public address.
        ("hairpin", ElementSet::map("ifname : ipv4_addr")),
        // Access lists for packets that leave a tier, and that enter it.
        ("acl_egress", ElementSet::map("ifname : verdict")),
        ("acl_ingress", ElementSet::map("ifname : verdict")),
        // A tier with itself, every two tiers, and the range that belongs to the tiers.
        ("within_tiers", ElementSet::of("ifname . ifname")),
        ("between_tiers", ElementSet::of("ifname . ifname")),
        ("vpc_addresses", ElementSet::of("ipv4_addr").of_ranges()),
        // The destinations that guests of a tier may reach.
        ("egress", ElementSet::map("ifname : verdict")),
    ]
}

/// Each with its hook and its rules.
fn chains() -> Vec<(&'static str, Option<&'static str>, Vec<&'static str>)> {
    let established = "ct state established,related accept";
    let invalid = "ct state invalid drop";
    vec![
        (
            "guard",
            Some("type filter hook prerouting priority dstnat - 10; policy accept;"),
            vec![
                // Counts packets before any address is translated; the last chain counts after all are.
                "ip daddr @public_incoming",
                established,
                "iifname @public_interfaces ip saddr @guest_addresses drop",
                // An access list may allow the VPC's range: nobody outside may claim an address that no tier has.
                "iifname @public_interfaces ip saddr @vpc_addresses drop",
                // A guest without an address asks for one from 0.0.0.0.
                "iifname @guest_interfaces ip saddr != 0.0.0.0 iifname . ip saddr != @guest_subnets drop",
                "ip daddr @firewalled jump ingress",
            ],
        ),
        ("ingress", None, vec!["jump ingress_allowed", "drop"]),
        ("ingress_allowed", None, vec![]),
        (
            "translate_destination",
            Some("type nat hook prerouting priority dstnat; policy accept;"),
            vec![
                // The narrower goes before the wider: a port before all ports of a static NAT.
                "ip daddr . tcp dport @balanced_tcp accept",
                "ip daddr . udp dport vmap @balanced_udp",
                "jump forwards",
                "dnat ip to ip daddr map @static_nat",
            ],
        ),
        ("forwards", None, vec!["dnat ip to ip daddr . meta l4proto . th dport map @forwards"]),
        (
            "deliver",
            Some("type filter hook input priority filter; policy drop;"),
            vec![
                established,
                invalid,
                "iif lo accept",
                // Such a packet has passed the ingress firewall.
                "ip daddr @firewalled icmp type echo-request accept",
                "ip daddr . tcp dport @balanced_tcp goto deliver_balanced",
                "iifname @guest_interfaces jump deliver_from_guests",
            ],
        ),
        (
            "deliver_balanced",
            None,
            vec![
                "iifname . ip daddr . tcp dport vmap @balanced_egress",
                "ip daddr . tcp dport vmap @balanced_ingress",
                "accept",
            ],
        ),
        (
            "deliver_from_guests",
            None,
            vec![
                "icmp type echo-request accept",
                "icmpv6 type { echo-request, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept",
                "udp sport 68 udp dport 67 accept",
                "iifname . ip daddr . meta l4proto . th dport @guest_services accept",
                "iifname . ip6 daddr . meta l4proto . th dport @guest_services_ipv6 accept",
            ],
        ),
        (
            "forward",
            Some("type filter hook forward priority filter; policy drop;"),
            vec![
                established,
                // For an operator's route through a guest of the same tier, which guests could reach without the
                // router. Answers do not pass the router, so these connections look invalid.
                "meta nfproto ipv4 iifname . oifname @within_tiers accept",
                invalid,
                "iifname vmap @acl_egress",
                "oifname vmap @acl_ingress",
                // Such a packet was sent to a public address and has passed the ingress firewall.
                "ct status dnat accept",
                "meta nfproto ipv4 iifname . oifname @between_tiers accept",
                // Addresses of the VPC that no tier has are not outside either.
                "ip daddr @vpc_addresses drop",
                "oifname @public_interfaces iifname vmap @egress",
            ],
        ),
        (
            "translate_source",
            Some("type nat hook postrouting priority srcnat; policy accept;"),
            vec![
                "ct status dnat oifname . ip saddr @guest_subnets snat ip to oifname map @hairpin",
                "oifname @public_interfaces snat ip to ip saddr map @static_nat_source",
                "oifname @public_interfaces snat ip to ip saddr map @source_nat",
            ],
        ),
        (
            "leave",
            Some("type filter hook postrouting priority srcnat + 10; policy accept;"),
            // A guest's address must not be seen outside.
            vec!["oifname @public_interfaces ip saddr @guest_addresses drop", "ip saddr @public_outgoing"],
        ),
    ]
}

/// The router's interfaces, the guests behind them, and what the router itself answers to guests.
fn interfaces(router: &Router, ruleset: &mut Ruleset) {
    for (_, tier) in router.implemented_tiers() {
        let ranges = tier.ranges();
        if ranges.is_empty() {
            continue;
        }
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let interface = ElementField::Interface(interface);
        ruleset.add("guest_interfaces", [interface.clone()]);
        for range in &ranges {
            ruleset.add("guest_subnets", [interface.clone(), ElementField::Network(range.subnet)]);
            ruleset.add("guest_addresses", [ElementField::Network(range.subnet)]);
        }
        for (protocol, port) in SERVICES {
            let service = |address| {
                [
                    interface.clone(),
                    address,
                    ElementField::Protocol(protocol.number()),
                    ElementField::Port(port),
                ]
            };
            for range in &ranges {
                ruleset.add("guest_services", service(ElementField::Ipv4(range.address)));
            }
            if let Some(ipv6) = tier.ipv6.filter(|_| tier.routes()) {
                ruleset.add("guest_services_ipv6", service(ElementField::Ipv6(ipv6.gateway)));
            }
        }
        if let Some(address) = tier.address().filter(|_| tier.routes()) {
            ruleset.add("within_tiers", [interface.clone(), interface.clone()]);
            ruleset.map("hairpin", [interface], [ElementField::Ipv4(address.addr())]);
        }
    }
    for (one, other) in pairs_of_tiers(router) {
        ruleset.add("between_tiers", [ElementField::Interface(one), ElementField::Interface(other)]);
    }
    if let Some(cidr) = router.vpc.and_then(|vpc| vpc.cidr) {
        ruleset.add("vpc_addresses", [ElementField::Network(cidr)]);
    }
    for (ip, _) in router.public_addresses() {
        ruleset.add(INCOMING, [ElementField::Ipv4(ip)]);
        ruleset.add(OUTGOING, [ElementField::Ipv4(ip)]);
    }
    for (segment, _) in router.addresses_by_segment() {
        let (_, interface) = public_interface(router.id, &segment);
        ruleset.add("public_interfaces", [ElementField::Interface(interface)]);
    }
}

/// The interfaces of every two tiers that it routes between, both ways.
fn pairs_of_tiers(router: &Router) -> impl Iterator<Item = (InterfaceName, InterfaceName)> {
    let interfaces: Vec<_> =
        router.routed_tiers().map(|(_, tier)| guest_interface(router.id, &tier.segment()).1).collect();
    let all = interfaces.clone();
    let pairs = interfaces
        .into_iter()
        .flat_map(move |one| all.clone().into_iter().map(move |other| (one.clone(), other)));
    pairs.filter(|(one, other)| one != other)
}
