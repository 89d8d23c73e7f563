//! Rules as sets, so that the cost per packet does not depend on the number of rules.
//!
//! A range of ports is a few blocks with a mask, like networks: 1000-1005 is 1000/14 and 1004/15. So every rule
//! becomes elements of the form "these bits of the packet have these values", and one hash set holds all elements
//! that look at the same bits. A packet is looked up once for each combination of bits that occurs: a handful in
//! practice.

pub(super) mod layers;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};
use netext_protocol::Traffic;

use super::ruleset::{ElementSet, Ruleset};
use crate::plan::ElementField;

/// The packets that a rule matches.
#[derive(Clone)]
pub(super) struct PacketMatch {
    pub(super) source: Ipv4Net,
    pub(super) destination: Ipv4Net,
    pub(super) traffic: Traffic,
}

/// The bits of a packet that a set looks at: how many leading bits of its source, its destination, and what
/// follows.
type BitsLookedAt = (MatchFamily, u8, u8, u8);

/// The part of a rule that one element of a hash set holds: packets whose leading bits have certain values.
#[derive(Clone, Copy)]
pub(super) struct PacketBlock {
    source: Ipv4Net,
    destination: Ipv4Net,
    family: MatchFamily,
    protocol: u8,
    /// The port, the ICMP type and code, or the protocol in the higher byte.
    number: u16,
    /// How many leading bits of the number count.
    len: u8,
}

impl PacketMatch {
    /// The blocks that it consists of.
    fn blocks(self) -> impl Iterator<Item = PacketBlock> {
        let Self { source, destination, traffic } = self;
        let (family, protocol, numbers) = family_of(traffic);
        blocks(numbers).map(move |(number, len)| PacketBlock {
            source,
            destination,
            family,
            protocol,
            number,
            len,
        })
    }
}

impl PacketBlock {
    fn look(&self) -> BitsLookedAt {
        (self.family, self.source.prefix_len(), self.destination.prefix_len(), self.len)
    }

    fn add_to(&self, ruleset: &mut Ruleset, set: &str) {
        let (source, destination) =
            (ElementField::Ipv4(self.source.network()), ElementField::Ipv4(self.destination.network()));
        let [high, low] = self.number.to_be_bytes();
        match self.family {
            MatchFamily::Ports => {
                let protocol = ElementField::Protocol(self.protocol);
                ruleset.add(set, [source, destination, protocol, ElementField::Port(self.number)]);
            }
            MatchFamily::Icmp => {
                ruleset.add(set, [source, destination, ElementField::Icmp(high), ElementField::Icmp(low)]);
            }
            MatchFamily::Protocols => ruleset.add(set, [source, destination, ElementField::Protocol(high)]),
        }
    }
}

/// Adds the sets that hold the matches, and for each set a rule with the verdict to the chain. Sets are named after
/// the chain.
pub(super) fn compile(
    ruleset: &mut Ruleset,
    chain: &str,
    matches: impl Iterator<Item = PacketMatch>,
    verdict: &str,
) {
    look_up(ruleset, chain, chain, matches.flat_map(PacketMatch::blocks), verdict);
}

/// The same for blocks, with a prefix for the names of the sets.
fn look_up(
    ruleset: &mut Ruleset,
    chain: &str,
    sets: &str,
    blocks: impl Iterator<Item = PacketBlock>,
    verdict: &str,
) {
    let mut looks = BTreeSet::new();
    for block in blocks {
        let look = block.look();
        let set = set_name(sets, look);
        if looks.insert(look) {
            ruleset.sets.insert(set.clone(), ElementSet::of(look.0.element_type()));
        }
        block.add_to(ruleset, &set);
    }
    for look in looks {
        ruleset.rule(chain, format!("{} @{} {verdict}", lookup(look), set_name(sets, look)));
    }
}

fn set_name(sets: &str, (family, source, destination, len): BitsLookedAt) -> String {
    format!("{sets}_{}_{source}_{destination}_{len}", family.name())
}

/// The expression that takes the bits from a packet.
fn lookup((family, source, destination, len): BitsLookedAt) -> String {
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
        MatchFamily::Ports => format!("meta l4proto . {}", masked("th dport", mask, u16::MAX)),
        MatchFamily::Icmp => {
            format!("{} . {}", masked("icmp type", high.into(), 0xff), masked("icmp code", low.into(), 0xff))
        }
        MatchFamily::Protocols => masked("meta l4proto", high.into(), 0xff),
    };
    format!("{} . {} . {rest}", network("ip saddr", source), network("ip daddr", destination))
}

/// A range as blocks: a number, and how many of its leading bits count. At most 30.
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

/// The networks of a rule: those of a list, or any if the list is empty. IPv6 networks match no packet that is
/// looked up here.
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

/// The fields that are looked up after the addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum MatchFamily {
    /// The protocol and the destination port.
    Ports,
    /// The ICMP type and code.
    Icmp,
    /// The protocol alone.
    Protocols,
}

impl MatchFamily {
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
fn family_of(traffic: Traffic) -> (MatchFamily, u8, RangeInclusive<u16>) {
    let bytes = |high: Option<u8>, low: Option<u8>| {
        let first = u16::from_be_bytes([high.unwrap_or(0), low.unwrap_or(0)]);
        first..=u16::from_be_bytes([high.unwrap_or(u8::MAX), low.unwrap_or(u8::MAX)])
    };
    match traffic {
        Traffic::Tcp(ports) => (MatchFamily::Ports, 6, ports.ports()),
        Traffic::Udp(ports) => (MatchFamily::Ports, 17, ports.ports()),
        Traffic::Icmp { icmp_type, icmp_code } => (MatchFamily::Icmp, 1, bytes(icmp_type, icmp_code)),
        Traffic::Protocol(number) => (MatchFamily::Protocols, number, bytes(Some(number), None)),
        _ => (MatchFamily::Protocols, 0, bytes(None, None)),
    }
}

#[cfg(test)]
mod tests;
