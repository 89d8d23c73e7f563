//! Which tier a public address leads to, port by port.
//!
//! Tiers of a VPC may share a public address, and the rules of each are rules for its own guests: what one tier
//! allows must not open what leads to another.

use std::net::Ipv4Addr;

use netext_protocol::{NetworkId, PortRange, Traffic, TransportProtocol};

use crate::model::{PublicAddress, Router};

/// The ends of a public address.
pub(super) struct Ends {
    /// The ports that are balanced or forwarded, each once, with the tier that they lead to.
    ports: Vec<(TransportProtocol, PortRange, NetworkId)>,
    /// The tier that everything else leads to by static NAT.
    rest: Option<NetworkId>,
}

impl Ends {
    pub(super) fn of(router: &Router, public: Ipv4Addr, address: &PublicAddress) -> Self {
        let of_guest = |guest| router.tier_of_guest(guest).or(address.network);
        let balancers = router.tiers.iter().flat_map(|(network, tier)| {
            let rules = tier.balancers.values().filter(|rule| *rule.public.ip() == public);
            rules.map(|rule| (rule.transport(), PortRange::single(rule.public.port()), Some(*network)))
        });
        let forwards = address.forwards.iter();
        let forwards = forwards.map(|(key, to)| (key.protocol, key.ports, of_guest(to.guest)));
        let mut ends = Self { ports: Vec::new(), rest: address.static_nat.and_then(of_guest) };
        // The narrower goes before the wider, as packets are translated.
        for (protocol, range, network) in balancers.chain(forwards) {
            let free = without(range, ends.ports_of(protocol).map(|(taken, _)| taken));
            ends.ports.extend(free.into_iter().filter_map(|range| Some((protocol, range, network?))));
        }
        ends
    }

    /// The tiers that the address leads to.
    pub(super) fn tiers(&self) -> impl Iterator<Item = NetworkId> {
        self.ports.iter().map(|(_, _, network)| *network).chain(self.rest)
    }

    /// The part of some traffic to the address that leads to a tier, or nowhere but to the router itself.
    pub(super) fn part_of(&self, network: NetworkId, traffic: Traffic) -> Vec<Traffic> {
        if self.tiers().all(|tier| tier == network) {
            return vec![traffic];
        }
        let ports = |protocol, range, kind: fn(PortRange) -> Traffic| {
            self.own_ports(network, protocol, range).into_iter().map(kind)
        };
        let tcp = |range| ports(TransportProtocol::Tcp, range, Traffic::Tcp);
        let udp = |range| ports(TransportProtocol::Udp, range, Traffic::Udp);
        let any_icmp = Traffic::Icmp { icmp_type: None, icmp_code: None };
        match traffic {
            Traffic::Tcp(range) => tcp(range).collect(),
            Traffic::Udp(range) => udp(range).collect(),
            Traffic::All => {
                let icmp = self.has_rest(network).then_some(any_icmp);
                tcp(PortRange::ALL).chain(udp(PortRange::ALL)).chain(icmp).collect()
            }
            portless => Some(portless).filter(|_| self.has_rest(network)).into_iter().collect(),
        }
    }

    /// Whether what is neither balanced nor forwarded is not another tier's.
    fn has_rest(&self, network: NetworkId) -> bool {
        self.rest.is_none_or(|tier| tier == network)
    }

    fn own_ports(&self, network: NetworkId, protocol: TransportProtocol, range: PortRange) -> Vec<PortRange> {
        let own = self.ports_of(protocol).filter(|(_, tier)| *tier == network);
        let own = own.filter_map(|(ports, _)| {
            PortRange::new(ports.first().max(range.first()), ports.last().min(range.last()))
        });
        let rest = if self.has_rest(network) {
            without(range, self.ports_of(protocol).map(|(ports, _)| ports))
        } else {
            Vec::new()
        };
        own.chain(rest).collect()
    }

    fn ports_of(&self, protocol: TransportProtocol) -> impl Iterator<Item = (PortRange, NetworkId)> {
        let of_protocol = self.ports.iter().filter(move |(of, ..)| *of == protocol);
        of_protocol.map(|(_, ports, network)| (*ports, *network))
    }
}

/// What is left of a range without others.
fn without(range: PortRange, others: impl Iterator<Item = PortRange>) -> Vec<PortRange> {
    others.fold(vec![range], |left, other| {
        let pieces = left.into_iter().flat_map(|range| {
            if !range.overlaps(other) {
                return [Some(range), None];
            }
            let before = other.first().checked_sub(1).and_then(|last| PortRange::new(range.first(), last));
            let after = other.last().checked_add(1).and_then(|first| PortRange::new(first, range.last()));
            [before, after]
        });
        pieces.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> PortRange {
        text.parse().unwrap()
    }

    fn left(of: &str, others: &[&str]) -> Vec<String> {
        let others = others.iter().map(|text| range(text));
        without(range(of), others).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_range_without_others_is_what_is_between_them() {
        assert_eq!(left("1-10", &[]), ["1-10"]);
        assert_eq!(left("1-10", &["20-30"]), ["1-10"]);
        assert_eq!(left("1-10", &["3", "5-6"]), ["1-2", "4", "7-10"]);
        assert_eq!(left("1-10", &["1-3", "10-65535"]), ["4-9"]);
        assert_eq!(left("0-65535", &["0", "65535"]), ["1-65534"]);
        assert!(left("5-6", &["1-10"]).is_empty());
    }
}
