//! Rules as sets: which packets a list of rules matches, whatever their number.
//!
//! A range of ports is a few blocks that a mask describes, as a network is: 1000-1005 is 1000/14 and 1004/15.
//! So every rule becomes elements of the form "these bits of the packet have these values", and one hash set
//! holds all elements that look at the same bits. A packet is looked up in as many sets as there are ways to
//! look that occur: a handful in practice, and never more because of more rules.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};
use netext_protocol::Traffic;

use super::ruleset::{Ruleset, Set};
use crate::plan::Field;

/// One thing that is matched: packets from a network to a network.
pub(super) struct Match {
    pub(super) source: Ipv4Net,
    pub(super) destination: Ipv4Net,
    pub(super) traffic: Traffic,
}

/// Which bits of a packet are looked at: how many leading ones of its source, its destination, and of what
/// comes behind them.
type Look = (Family, u8, u8, u8);

/// Adds the sets that hold the matches, and for each a rule with the verdict to the chain. Sets are named
/// after the chain.
pub(super) fn compile(
    ruleset: &mut Ruleset,
    chain: &str,
    matches: impl Iterator<Item = Match>,
    verdict: &str,
) {
    let mut looks = BTreeSet::new();
    for Match { source, destination, traffic } in matches {
        let (family, protocol, numbers) = family_of(traffic);
        for (number, len) in blocks(numbers) {
            let look = (family, source.prefix_len(), destination.prefix_len(), len);
            let set = set_name(chain, look);
            if looks.insert(look) {
                ruleset.sets.insert(set.clone(), Set::of(family.element_type()));
            }
            let (source, destination) = (Field::Ipv4(source.network()), Field::Ipv4(destination.network()));
            let [high, low] = number.to_be_bytes();
            match family {
                Family::Ports => {
                    ruleset.add(&set, [source, destination, Field::Protocol(protocol), Field::Port(number)]);
                }
                Family::Icmp => ruleset.add(&set, [source, destination, Field::Icmp(high), Field::Icmp(low)]),
                Family::Protocols => ruleset.add(&set, [source, destination, Field::Protocol(high)]),
            }
        }
    }
    for look in looks {
        ruleset.rule(chain, format!("{} @{} {verdict}", lookup(look), set_name(chain, look)));
    }
}

fn set_name(chain: &str, (family, source, destination, len): Look) -> String {
    format!("{chain}_{}_{source}_{destination}_{len}", family.name())
}

/// The expression that takes the bits from a packet.
fn lookup((family, source, destination, len): Look) -> String {
    let network = |field: &str, len: u8| match len {
        32 => field.to_owned(),
        _ => format!("{field} & {}", Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, len).netmask()),
    };
    let mask = mask(len);
    let [high, low] = mask.to_be_bytes();
    let masked = |field: &str, mask: u16, all: u16| {
        if mask == all { field.to_owned() } else { format!("{field} & {mask:#x}") }
    };
    let rest = match family {
        Family::Ports => format!("meta l4proto . {}", masked("th dport", mask, u16::MAX)),
        Family::Icmp => {
            format!("{} . {}", masked("icmp type", high.into(), 0xff), masked("icmp code", low.into(), 0xff))
        }
        Family::Protocols => masked("meta l4proto", high.into(), 0xff),
    };
    format!("{} . {} . {rest}", network("ip saddr", source), network("ip daddr", destination))
}

/// A range as blocks: numbers that share so many leading bits. At most 30.
pub(super) fn blocks(range: RangeInclusive<u16>) -> impl Iterator<Item = (u16, u8)> {
    let (mut first, last) = (u32::from(*range.start()), u32::from(*range.end()));
    std::iter::from_fn(move || {
        if first > last {
            return None;
        }
        let aligned = if first == 0 { 16 } else { first.trailing_zeros().min(16) };
        let fitting = (last - first + 1).ilog2();
        let size = aligned.min(fitting);
        let block = (u16::try_from(first).ok()?, 16 - u8::try_from(size).ok()?);
        first += 1 << size;
        Some(block)
    })
}

/// The leading bits of a 16-bit number.
pub(super) fn mask(len: u8) -> u16 {
    u16::MAX.checked_shl(16 - u32::from(len)).unwrap_or(0)
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
}

/// Traffic as a protocol and a range of numbers: ports, ICMP type and code as one number, or protocols in the
/// higher byte.
fn family_of(traffic: Traffic) -> (Family, u8, RangeInclusive<u16>) {
    let bytes = |high: Option<u8>, low: Option<u8>| {
        let first = u16::from_be_bytes([high.unwrap_or(0), low.unwrap_or(0)]);
        first..=u16::from_be_bytes([high.unwrap_or(u8::MAX), low.unwrap_or(u8::MAX)])
    };
    match traffic {
        Traffic::Tcp(ports) => (Family::Ports, 6, ports.ports()),
        Traffic::Udp(ports) => (Family::Ports, 17, ports.ports()),
        Traffic::Icmp { icmp_type, icmp_code } => (Family::Icmp, 1, bytes(icmp_type, icmp_code)),
        Traffic::Protocol(number) => (Family::Protocols, number, bytes(Some(number), None)),
        _ => (Family::Protocols, 0, bytes(None, None)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use netext_protocol::PortRange;
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

    /// Whether a packet's bits, masked as the set's name says, are an element of the set.
    fn looked_up(ruleset: &Ruleset, packet: Packet) -> bool {
        ruleset.sets.iter().any(|(name, set)| {
            let mut words = name.split('_').skip(1);
            let family = words.next().unwrap();
            let [source, destination, len] = [(); 3].map(|()| words.next().unwrap().parse::<u8>().unwrap());
            let network =
                |octets, len| Field::Ipv4(Ipv4Net::new(Ipv4Addr::from(octets), len).unwrap().network());
            let [high_mask, low_mask] = mask(len).to_be_bytes();
            let [icmp_type, icmp_code] = packet.number.to_be_bytes();
            let mut key = vec![network(packet.source, source), network(packet.destination, destination)];
            match (family, packet.protocol) {
                ("ports", 6 | 17) => {
                    key.extend([Field::Protocol(packet.protocol), Field::Port(packet.number & mask(len))]);
                }
                ("icmp", 1) => {
                    key.extend([Field::Icmp(icmp_type & high_mask), Field::Icmp(icmp_code & low_mask)]);
                }
                ("protocols", protocol) => key.push(Field::Protocol(protocol & high_mask)),
                _ => return false,
            }
            set.keys().any(|element| element.0 == key)
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
        fn sets_match_what_the_rules_match(
            rules in prop::collection::vec((network(), network(), traffic()), 0..12),
            packets in prop::collection::vec(packet(), 1..60),
        ) {
            let mut ruleset = Ruleset::default();
            let matches = rules.iter().map(|&(source, destination, traffic)| Match { source, destination, traffic });
            compile(&mut ruleset, "test", matches, "accept");
            for packet in packets {
                let address = |octets| Ipv4Net::from(Ipv4Addr::from(octets));
                let wanted = rules.iter().any(|(source, destination, traffic)| {
                    source.contains(&address(packet.source))
                        && destination.contains(&address(packet.destination))
                        && traffic_matches(*traffic, packet)
                });
                prop_assert_eq!(looked_up(&ruleset, packet), wanted, "{:?} in {:?}", packet, ruleset);
            }
        }

        #[test]
        fn blocks_are_the_range_and_nothing_else(first: u16, more: u16) {
            let last = first.saturating_add(more);
            let blocks: Vec<_> = blocks(first..=last).collect();
            prop_assert!(blocks.len() <= 30);
            let mut next = u32::from(first);
            for (number, len) in blocks {
                prop_assert_eq!(u32::from(number), next);
                prop_assert_eq!(number & mask(len), number);
                next += 1 << (16 - len);
            }
            prop_assert_eq!(next, u32::from(last) + 1);
        }
    }
}
