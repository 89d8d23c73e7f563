//! The content of the picture, which is the same in every format.

use std::net::Ipv4Addr;

use crate::model::{PublicAddress, Router, Tier, bridge_name};

/// How many instances of a tier are drawn one by one.
const DRAWN: usize = 12;

/// A router and its surroundings. Every node is a few lines of text, and the first line names it.
pub(super) struct Topology {
    pub(super) router: Vec<String>,
    /// Public segments, with the addresses of the router there.
    pub(super) upstream: Vec<Vec<String>>,
    pub(super) tiers: Vec<TierNode>,
}

/// A guest network with its instances.
pub(super) struct TierNode {
    pub(super) label: Vec<String>,
    pub(super) instances: Vec<Vec<String>>,
}

impl Topology {
    pub(super) fn of(router: &Router) -> Self {
        let upstream = router.addresses_by_segment().map(|(segment, addresses)| {
            let name =
                format!("public segment {segment} ({})", bridge_name(&router.devices.public, &segment));
            std::iter::once(name)
                .chain(addresses.flat_map(|(ip, address)| of_address(router, ip, address)))
                .collect()
        });
        let tiers = router.implemented_tiers().map(|(network, tier)| {
            let bridge = bridge_name(&router.devices.guest, &tier.segment());
            TierNode { label: of_tier(network.get(), tier, bridge.as_ref()), instances: of_instances(tier) }
        });
        Self {
            router: vec![router.id.to_string(), format!("namespace {}", router.id.namespace())],
            upstream: upstream.collect(),
            tiers: tiers.collect(),
        }
    }
}

fn of_address(router: &Router, ip: Ipv4Addr, address: &PublicAddress) -> Vec<String> {
    let mut lines = Vec::new();
    if router.source_nat == Some(ip) {
        lines.push(format!("{ip} source NAT"));
    }
    lines.extend(address.static_nat.map(|guest| format!("{ip} static NAT to {guest}")));
    for (key, to) in &address.forwards {
        lines.push(format!("{ip} {} {} to {}:{}", key.protocol, key.ports, to.guest, to.ports));
    }
    for balancer in router.tiers.values().flat_map(|tier| tier.balancers.values()) {
        if *balancer.public.ip() == ip {
            let (protocol, port, members) =
                (balancer.protocol, balancer.public.port(), balancer.members.len());
            lines.push(format!("{ip} {protocol} {port} balanced over {members}"));
        }
    }
    if lines.is_empty() { vec![ip.to_string()] } else { lines }
}

fn of_tier(network: u64, tier: &Tier, bridge: &str) -> Vec<String> {
    let mut label =
        vec![format!("network-{network}"), format!("{} {} ({bridge})", tier.guest_type(), tier.segment())];
    label.extend(tier.subnet().map(|subnet| subnet.to_string()));
    label.extend(tier.address().map(|address| format!("router at {}", address.addr())));
    label.extend(tier.ipv6.map(|ipv6| ipv6.cidr.to_string()));
    label
}

fn of_instances(tier: &Tier) -> Vec<Vec<String>> {
    let mut drawn: Vec<_> = tier
        .nics
        .iter()
        .take(DRAWN)
        .map(|nic| {
            let name = nic.hostname.as_ref().map(ToString::to_string);
            let name = name.or_else(|| nic.mac.map(|mac| mac.to_string()));
            let addresses =
                nic.ip.map(|ip| ip.to_string()).into_iter().chain(nic.ip6.map(|ip| ip.to_string()));
            name.into_iter().chain(addresses).collect()
        })
        .collect();
    if let more @ 1.. = tier.nics.len().saturating_sub(DRAWN) {
        drawn.push(vec![format!("and {more} more")]);
    }
    drawn
}
