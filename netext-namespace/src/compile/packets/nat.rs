//! Address translation.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use netext_protocol::TransportProtocol;

use super::matches::{blocks, mask};
use super::ruleset::{ElementSet, Ruleset};
use crate::model::{ForwardKey, ForwardTarget, Router};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
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
        // In this place nft takes a mask on the first field only.
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

/// A range that keeps its ports leads to an address alone, block by block; see [`super::matches`]. Forwards
/// of one address do not overlap, so no block is in the way of another's. Returns the blocks' lengths.
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

/// The kernel cannot shift a range, so one that leads to other ports is an element per port.
fn forward_ports(ruleset: &mut Ruleset, public: Ipv4Addr, key: ForwardKey, forward: ForwardTarget) {
    // A single port takes whatever comes to any of the public ones.
    let guest_ports = forward.ports.ports().chain(std::iter::repeat(forward.ports.last()));
    for (port, guest_port) in key.ports.ports().zip(guest_ports) {
        let guest = [ElementField::Ipv4(forward.guest), ElementField::Port(guest_port)];
        ruleset.map("forwards", public_end(public, key.protocol, port), guest);
    }
}

fn public_end(public: Ipv4Addr, protocol: TransportProtocol, port: u16) -> [ElementField; 3] {
    [ElementField::Ipv4(public), ElementField::Protocol(protocol.number()), ElementField::Port(port)]
}
