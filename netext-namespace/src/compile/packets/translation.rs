//! Where packets are led: address translation, balanced ports, and the choice between ways out.
//!
//! Ports that are balanced over TCP are delivered to haproxy, which runs in the router. Over UDP they are
//! translated to a member here.
//!
//! The public address of a connection decides by which way its packets leave: for an answer the address that the
//! connection was opened to, for a connection of a guest the address that it is translated to. Connection tracking
//! knows both, so this needs no memory of its own, and also works for connections that are older than the choice.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use netext_protocol::{LoadBalancerAlgorithm, TransportProtocol};

use super::matches::{blocks, mask};
use super::ruleset::{ElementSet, RuleChain, Ruleset};
use crate::compile::links::WayOut;
use crate::model::{BalancerInForce, ForwardKey, ForwardTarget, Router};
use crate::plan::ElementField;

/// Fixed, so that clients keep their members when the rules are replaced.
const SEED: &str = "0x6e657478";

pub(super) fn compile(
    router: &Router,
    balancers: &[BalancerInForce<'_>],
    ways_out: &[WayOut],
    ruleset: &mut Ruleset,
) {
    addresses(router, ruleset);
    balanced(balancers, ruleset);
    ways(router, ways_out, ruleset);
}

fn addresses(router: &Router, ruleset: &mut Ruleset) {
    let mut lens = BTreeSet::new();
    for (public, address) in router.public_addresses() {
        if let Some(guest) = address.static_nat {
            ruleset.map("static_nat", [ElementField::Ipv4(public)], [ElementField::Ipv4(guest)]);
            ruleset.map("static_nat_source", [ElementField::Ipv4(guest)], [ElementField::Ipv4(public)]);
        }
        for (key, forward) in &address.forwards {
            if keeps_its_ports(*key, *forward) {
                lens.extend(forward_range(ruleset, public, *key, forward.guest));
            } else {
                forward_ports(ruleset, public, *key, *forward);
            }
        }
    }
    for len in lens {
        // nft accepts a mask on the first field only here.
        let lookup = format!("th dport & {:#x} . ip daddr . meta l4proto", mask(len));
        ruleset.rule("forwards", format!("dnat ip to {lookup} map @{}", range_map(len)));
    }
    if let Some(public) = router.source_nat {
        for (_, tier) in router.routed_tiers() {
            if let Some(subnet) = tier.subnet() {
                ruleset.map("source_nat", [ElementField::Network(subnet)], [ElementField::Ipv4(public)]);
            }
        }
    }
}

fn keeps_its_ports(key: ForwardKey, forward: ForwardTarget) -> bool {
    !key.ports.is_single() && key.ports == forward.ports
}

/// A range that keeps its ports leads to an address alone, block by block; see [`super::matches`]. Forwards of one
/// address do not overlap, and neither do their blocks. Returns the lengths of the blocks.
fn forward_range(ruleset: &mut Ruleset, public: Ipv4Addr, key: ForwardKey, guest: Ipv4Addr) -> Vec<u8> {
    let each = |(port, len)| {
        let map = range_map(len);
        let of_blocks = || ElementSet::map("inet_service . ipv4_addr . inet_proto : ipv4_addr");
        ruleset.sets.entry(map.clone()).or_insert_with(of_blocks);
        let [address, protocol, port] = public_end(public, key.protocol, port);
        ruleset.map(&map, [port, address, protocol], [ElementField::Ipv4(guest)]);
        len
    };
    blocks(key.ports.ports()).map(each).collect()
}

fn range_map(len: u8) -> String {
    format!("forward_ranges_{len}")
}

/// The kernel cannot shift a range, so a range that leads to other ports is one element per port.
fn forward_ports(ruleset: &mut Ruleset, public: Ipv4Addr, key: ForwardKey, forward: ForwardTarget) {
    // A single port serves all of the public ones.
    let guest_ports = forward.ports.ports().chain(std::iter::repeat(forward.ports.last()));
    for (port, guest_port) in key.ports.ports().zip(guest_ports) {
        let guest = [ElementField::Ipv4(forward.guest), ElementField::Port(guest_port)];
        ruleset.map("forwards", public_end(public, key.protocol, port), guest);
    }
}

fn public_end(public: Ipv4Addr, protocol: TransportProtocol, port: u16) -> [ElementField; 3] {
    [ElementField::Ipv4(public), ElementField::Protocol(protocol.number()), ElementField::Port(port)]
}

fn balanced(balancers: &[BalancerInForce<'_>], ruleset: &mut Ruleset) {
    for balancer in balancers {
        let public = balancer.rule.public;
        let public = [ElementField::Ipv4(*public.ip()), ElementField::Port(public.port())];
        match (balancer.rule.transport(), balancer.members.as_slice()) {
            (TransportProtocol::Udp, []) => {
                ruleset.map("balanced_udp", public, [ElementField::Verdict("drop".to_owned())]);
            }
            (TransportProtocol::Udp, members) => {
                let chain = format!("balancer_{}", balancer.id);
                ruleset.map("balanced_udp", public, [ElementField::Verdict(format!("goto {chain}"))]);
                let choice = choice(balancer.rule.algorithm, members);
                ruleset.rule(&chain, format!("meta l4proto udp dnat ip to {choice}"));
            }
            _ => ruleset.add("balanced_tcp", public),
        }
    }
}

/// The member that a packet is led to. The kernel does not count the flows of a member, so it cannot prefer the one
/// with the fewest connections: members take turns.
fn choice(algorithm: LoadBalancerAlgorithm, members: &[SocketAddrV4]) -> String {
    if let [member] = members {
        return member.to_string();
    }
    let count = members.len();
    let number = match algorithm {
        LoadBalancerAlgorithm::Source => format!("jhash ip saddr mod {count} seed {SEED}"),
        _ => format!("numgen inc mod {count}"),
    };
    let members = members.iter().enumerate();
    let members = members.map(|(number, member)| format!("{number} : {} . {}", member.ip(), member.port()));
    format!("{number} map {{ {} }}", members.collect::<Vec<_>>().join(", "))
}

fn ways(router: &Router, ways: &[WayOut], ruleset: &mut Ruleset) {
    if ways.is_empty() {
        return;
    }
    let maps = [
        ("ways_of_answers", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_addresses", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_guests", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_subnets", ElementSet::map("ipv4_addr : mark").of_ranges()),
    ];
    ruleset.sets.extend(maps.map(|(name, map)| (name.to_owned(), map)));
    for way in ways {
        let own = || [ElementField::Mark(way.own_mark())];
        for ip in &way.addresses {
            ruleset.map(
                "ways_of_answers",
                [ElementField::Ipv4(*ip)],
                [ElementField::Mark(way.answer_mark())],
            );
            ruleset.map("ways_of_addresses", [ElementField::Ipv4(*ip)], own());
            if let Some(guest) = router.addresses.get(ip).and_then(|address| address.static_nat) {
                ruleset.map("ways_of_guests", [ElementField::Ipv4(guest)], own());
            }
            if router.source_nat == Some(*ip) {
                for subnet in router.routed_tiers().filter_map(|(_, tier)| tier.subnet()) {
                    ruleset.map("ways_of_subnets", [ElementField::Network(subnet)], own());
                }
            }
        }
    }

    let chains = [
        (
            "choose_way_out",
            // After the translation of destinations.
            "type filter hook prerouting priority dstnat + 10; policy accept;",
            &[
                "iifname != @guest_interfaces accept",
                "ip daddr @guest_addresses accept",
                "ct direction reply meta mark set ct original ip daddr map @ways_of_answers accept",
                "ct direction original meta mark set ct reply ip daddr map @ways_of_addresses accept",
                // The first packet has no translation yet.
                "meta mark set ip saddr map @ways_of_guests accept",
                "meta mark set ip saddr map @ways_of_subnets",
            ][..],
        ),
        (
            // Answers of the router itself from a public address.
            "choose_own_way_out",
            "type route hook output priority mangle; policy accept;",
            &["ip daddr @guest_addresses accept", "meta mark set ip saddr map @ways_of_answers"],
        ),
    ];
    for (name, hook, rules) in chains {
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        ruleset.chains.insert(name.to_owned(), RuleChain { hook: Some(hook), rules });
    }
}
