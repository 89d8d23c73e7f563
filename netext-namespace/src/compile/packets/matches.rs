//! Rules as sets: which packets a list of rules matches, whatever their number.
//!
//! A set of ranges must not hold overlapping elements, but rules overlap as people please. Rules whose
//! networks have the same prefix lengths have equal networks or disjoint ones; among equal networks, ranges of
//! ports are merged. So one set for each pair of prefix lengths that occurs holds any number of rules, and a
//! packet is looked up in as many sets as there are such pairs: one to three in practice, never more because
//! of more rules.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};
use netext_protocol::{PortRange, Traffic};

use super::ruleset::{Ruleset, Set};

/// One thing that is matched: packets from a network to a network.
pub(super) struct Match {
    pub(super) source: Ipv4Net,
    pub(super) destination: Ipv4Net,
    pub(super) traffic: Traffic,
}

/// What is matched from one network to another, for networks of the same prefix lengths: by protocol, ranges of
/// ports or the like.
type Layer = BTreeMap<(Ipv4Net, Ipv4Net, &'static str), Vec<RangeInclusive<u16>>>;

/// Adds the sets that hold the matches, and for each a rule with the verdict to the chain. Sets are named
/// after the chain.
pub(super) fn compile(
    ruleset: &mut Ruleset,
    chain: &str,
    matches: impl Iterator<Item = Match>,
    verdict: &str,
) {
    let mut layers: BTreeMap<(Family, u8, u8), Layer> = BTreeMap::new();
    for Match { source, destination, traffic } in matches {
        let (family, protocol, range) = family_of(traffic);
        let layer = layers.entry((family, source.prefix_len(), destination.prefix_len())).or_default();
        layer.entry((source.trunc(), destination.trunc(), protocol)).or_default().push(range);
    }
    for ((family, source_len, destination_len), layer) in layers {
        let set = format!("{chain}_{}_{source_len}_{destination_len}", family.name());
        ruleset.sets.insert(set.clone(), Set::of(family.element_type()).of_ranges());
        for ((source, destination, protocol), ranges) in layer {
            for range in merged(ranges) {
                ruleset.add(&set, format!("{source} . {destination} . {}", family.key(protocol, &range)));
            }
        }
        ruleset.rule(chain, format!("{} @{set} {verdict}", family.lookup()));
    }
}

/// The networks of a rule: those of a list, or any if there is no list. An IPv6 network holds no packet that
/// is looked up here.
pub(super) fn networks(cidrs: &[IpNet]) -> Vec<Ipv4Net> {
    if cidrs.is_empty() {
        return vec![Ipv4Net::default()];
    }
    let ipv4 = |cidr: &IpNet| match cidr {
        IpNet::V4(cidr) => Some(*cidr),
        IpNet::V6(_) => None,
    };
    cidrs.iter().filter_map(ipv4).collect()
}

/// What is looked up behind the addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    /// The protocol and the destination port.
    Ports,
    /// The ICMP type and code.
    Icmp,
    /// The protocol alone.
    Protocols,
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Self::Ports => "ports",
            Self::Icmp => "icmp",
            Self::Protocols => "protocols",
        }
    }

    fn element_type(self) -> &'static str {
        match self {
            Self::Ports => "ipv4_addr . ipv4_addr . inet_proto . inet_service",
            Self::Icmp => "ipv4_addr . ipv4_addr . icmp_type . icmp_code",
            Self::Protocols => "ipv4_addr . ipv4_addr . inet_proto",
        }
    }

    fn lookup(self) -> &'static str {
        match self {
            Self::Ports => "ip saddr . ip daddr . meta l4proto . th dport",
            Self::Icmp => "ip saddr . ip daddr . icmp type . icmp code",
            Self::Protocols => "ip saddr . ip daddr . meta l4proto",
        }
    }

    fn key(self, protocol: &str, range: &RangeInclusive<u16>) -> String {
        let (first, last) = (*range.start(), *range.end());
        match self {
            Self::Ports => format!("{protocol} . {}", written(first, last)),
            Self::Icmp => {
                let ([first_type, first_code], [last_type, last_code]) =
                    (first.to_be_bytes(), last.to_be_bytes());
                format!("{} . {}", written(first_type, last_type), written(first_code, last_code))
            }
            Self::Protocols => written(first, last),
        }
    }
}

fn written<T: PartialEq + std::fmt::Display>(first: T, last: T) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// Traffic as a range of numbers: ports, ICMP type and code as one number, or protocols.
fn family_of(traffic: Traffic) -> (Family, &'static str, RangeInclusive<u16>) {
    let protocols = |first: u8, last: u8| (Family::Protocols, "", first.into()..=last.into());
    let ports = |protocol, ports: PortRange| (Family::Ports, protocol, ports.ports());
    match traffic {
        Traffic::Tcp(range) => ports("tcp", range),
        Traffic::Udp(range) => ports("udp", range),
        Traffic::Icmp { icmp_type, icmp_code } => {
            let first = u16::from_be_bytes([icmp_type.unwrap_or(0), icmp_code.unwrap_or(0)]);
            let last = u16::from_be_bytes([icmp_type.unwrap_or(u8::MAX), icmp_code.unwrap_or(u8::MAX)]);
            (Family::Icmp, "", first..=last)
        }
        Traffic::Protocol(number) => protocols(number, number),
        _ => protocols(0, u8::MAX),
    }
}

/// The same numbers in ranges that do not overlap. Ranges that only touch stay apart: of ICMP types and codes
/// the union of two would not be a range of each.
fn merged(mut ranges: Vec<RangeInclusive<u16>>) -> Vec<RangeInclusive<u16>> {
    ranges.sort_by_key(|range| (*range.start(), *range.end()));
    let mut merged: Vec<RangeInclusive<u16>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start() <= last.end() => *last = *last.start()..=*last.end().max(range.end()),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    /// A packet as the lookups see it: `number` is the port, the ICMP type and code, or nothing.
    #[derive(Clone, Copy, Debug)]
    struct Packet {
        source: [u8; 4],
        destination: [u8; 4],
        protocol: u8,
        number: u16,
    }

    fn traffic_matches(traffic: Traffic, packet: Packet) -> bool {
        let [icmp_type, icmp_code] = packet.number.to_be_bytes();
        match traffic {
            Traffic::All => true,
            Traffic::Tcp(ports) => packet.protocol == 6 && ports.ports().contains(&packet.number),
            Traffic::Udp(ports) => packet.protocol == 17 && ports.ports().contains(&packet.number),
            Traffic::Icmp { icmp_type: wanted_type, icmp_code: wanted_code } => {
                packet.protocol == 1
                    && wanted_type.is_none_or(|wanted| wanted == icmp_type)
                    && wanted_code.is_none_or(|wanted| wanted == icmp_code)
            }
            Traffic::Protocol(number) => packet.protocol == number,
            _ => unreachable!("a kind of traffic that this test does not know"),
        }
    }

    /// An element as ranges of numbers, one per field.
    type Element = Vec<RangeInclusive<u32>>;

    fn element(key: &str) -> Element {
        key.split(" . ").map(field).collect()
    }

    fn field(text: &str) -> RangeInclusive<u32> {
        let number = |text: &str| match text {
            "tcp" => 6,
            "udp" => 17,
            _ => text.parse().unwrap(),
        };
        if text.contains('.') {
            let net: Ipv4Net = text.parse().unwrap();
            u32::from(net.network())..=u32::from(net.broadcast())
        } else if let Some((first, last)) = text.split_once('-') {
            number(first)..=number(last)
        } else {
            number(text)..=number(text)
        }
    }

    fn keys(set: &str, packet: Packet) -> Option<Vec<u32>> {
        let mut keys = vec![u32::from_be_bytes(packet.source), u32::from_be_bytes(packet.destination)];
        let [icmp_type, icmp_code] = packet.number.to_be_bytes();
        if set.contains("_icmp_") {
            keys.extend((packet.protocol == 1).then_some([u32::from(icmp_type), u32::from(icmp_code)])?);
        } else if set.contains("_ports_") {
            keys.extend(
                matches!(packet.protocol, 6 | 17)
                    .then_some([u32::from(packet.protocol), u32::from(packet.number)])?,
            );
        } else {
            keys.push(packet.protocol.into());
        }
        Some(keys)
    }

    fn looked_up(ruleset: &BTreeMap<String, Vec<Element>>, packet: Packet) -> bool {
        ruleset.iter().any(|(set, elements)| {
            let Some(keys) = keys(set, packet) else { return false };
            elements.iter().any(|element| element.iter().zip(&keys).all(|(range, key)| range.contains(key)))
        })
    }

    /// Few enough values that rules overlap and packets hit them.
    fn network() -> impl Strategy<Value = Ipv4Net> {
        (0u8..4, prop_oneof![Just(0u8), Just(8), Just(30), Just(31), Just(32)])
            .prop_map(|(host, len)| Ipv4Net::new(Ipv4Addr::new(10, 0, 0, host), len).unwrap())
    }

    fn traffic() -> impl Strategy<Value = Traffic> {
        let ports =
            || (0u16..6, 0u16..4).prop_map(|(first, more)| PortRange::new(first, first + more).unwrap());
        let icmp = (prop::option::of(0u8..3), prop::option::of(0u8..3)).prop_map(|(icmp_type, icmp_code)| {
            Traffic::Icmp { icmp_type, icmp_code: icmp_code.filter(|_| icmp_type.is_some()) }
        });
        prop_oneof![
            ports().prop_map(Traffic::Tcp),
            ports().prop_map(Traffic::Udp),
            icmp,
            (46u8..48).prop_map(Traffic::Protocol),
            Just(Traffic::All),
        ]
    }

    fn packet() -> impl Strategy<Value = Packet> {
        let number = prop_oneof![0u16..12, (0u8..4, 0u8..4).prop_map(|(a, b)| u16::from_be_bytes([a, b]))];
        (0u8..5, 0u8..5, prop_oneof![Just(1u8), Just(6), Just(17), Just(47)], number).prop_map(
            |(source, destination, protocol, number)| Packet {
                source: [10, 0, 0, source],
                destination: [10, 0, 0, destination],
                protocol,
                number,
            },
        )
    }

    proptest! {
        #[test]
        fn sets_match_what_the_rules_match_and_never_overlap(
            rules in prop::collection::vec((network(), network(), traffic()), 0..12),
            packets in prop::collection::vec(packet(), 1..60),
        ) {
            let mut ruleset = Ruleset::default();
            let matches = rules.iter().map(|&(source, destination, traffic)| Match { source, destination, traffic });
            compile(&mut ruleset, "test", matches, "accept");
            let sets: BTreeMap<String, Vec<Element>> = ruleset
                .sets
                .iter()
                .map(|(name, set)| (name.clone(), set.keys().map(element).collect()))
                .collect();

            for packet in packets {
                let address = |octets| Ipv4Net::from(Ipv4Addr::from(octets));
                let wanted = rules.iter().any(|(source, destination, traffic)| {
                    source.contains(&address(packet.source))
                        && destination.contains(&address(packet.destination))
                        && traffic_matches(*traffic, packet)
                });
                prop_assert_eq!(looked_up(&sets, packet), wanted, "{:?} in {:?}", packet, sets);
            }
            for elements in sets.values() {
                for (index, one) in elements.iter().enumerate() {
                    for other in &elements[index + 1..] {
                        let overlap = one.iter().zip(other).all(|(a, b)| a.start() <= b.end() && b.start() <= a.end());
                        prop_assert!(!overlap, "{:?} and {:?}", one, other);
                    }
                }
            }
        }
    }
}
