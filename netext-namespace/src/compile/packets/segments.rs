//! The router's interfaces, the guests behind them, and what the router itself answers to guests.

use netext_protocol::TransportProtocol::{self, Tcp, Udp};

use super::chains::{INCOMING, OUTGOING};
use super::ruleset::Ruleset;
use crate::model::{InterfaceName, Router, guest_interface, public_interface};
use crate::plan::ElementField;

/// What guests may ask of the router's own address: DNS, metadata, passwords. DHCP comes before they have an
/// address to ask from, so it has a rule of its own.
const SERVICES: [(TransportProtocol, u16); 4] = [(Udp, 53), (Tcp, 53), (Tcp, 80), (Tcp, 8080)];

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
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
