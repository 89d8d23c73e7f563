//! Probes: random packets at the edges of a router's rules.

use std::net::{IpAddr, Ipv4Addr};

use super::expected::{ExpectedNetwork, ExpectedRouter, KnownFirewall};
use super::packet::{Content, ICMP, Packet, TCP, UDP};
use super::random::{Random, outside_address};
use super::rule::{PacketKind, PacketMatch};
use super::site::{GUESTS, PUBLIC_VLANS, Place, Tier, public_address, public_vlan};

/// The types of ICMP that begin a connection: echo, timestamp, information, address mask.
const REQUESTS: [u8; 4] = [8, 13, 15, 17];

/// A packet that is sent to the router from a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) from: Place,
    pub(super) packet: Packet,
}

/// Chooses what to send.
#[derive(Debug)]
pub(super) struct ProbeSource<'a> {
    router: &'a ExpectedRouter,
    random: &'a mut Random,
    /// What every rule is about.
    aims: Vec<Aim>,
    /// What the next probe is about; `None` for nothing known.
    aim: Option<Aim>,
    next_port: &'a mut u16,
}

/// What a rule is about: probes are sent to its edges.
#[derive(Clone, Debug)]
struct Aim {
    public: Option<Ipv4Addr>,
    packets: PacketMatch,
}

impl<'a> ProbeSource<'a> {
    /// `next_port` is the last port that a probe was sent from: no two connections have the same ends.
    pub(super) fn new(router: &'a ExpectedRouter, random: &'a mut Random, next_port: &'a mut u16) -> Self {
        let aims = router.networks.iter().flat_map(Aim::all_of).collect();
        Self { router, random, aims, aim: None, next_port }
    }

    /// A probe; `None` if there is no such place now.
    pub(super) fn next(&mut self) -> Option<Probe> {
        self.aim = self.random.choose(&self.aims);
        let networks: Vec<_> = self.router.in_force().map(|network| network.tier).collect();
        match (self.random.below(20), self.random.choose(&networks)) {
            (0..9, _) | (_, None) => self.incoming(),
            (9, Some(_)) => self.ipv6(),
            (_, Some(tier)) => Some(self.outgoing(tier)),
        }
    }

    fn incoming(&mut self) -> Option<Probe> {
        let vlans: Vec<_> = PUBLIC_VLANS.into_iter().filter(|vlan| self.router.is_on(*vlan)).collect();
        let vlan = self.random.choose(&vlans)?;
        let addresses: Vec<_> = self.router.addresses.iter().map(|(address, _)| *address).collect();
        let aimed = self.aim.as_ref().and_then(|aim| aim.public);
        let destination = match (self.random.below(15), aimed) {
            (0, _) => public_address(vlan, 7),
            (1, _) => self.guest_address(),
            (2..12, Some(public)) => public,
            _ => self.random.choose(&addresses)?,
        };
        let source = if self.random.one_in(20) { self.guest_address() } else { self.other_end() };
        let own = public_vlan(destination);
        let from = Place::Outside(if self.router.is_on(own) { own } else { vlan });
        Some(self.probe(from, source, destination))
    }

    fn outgoing(&mut self, tier: Tier) -> Probe {
        let site = self.router.site;
        let own = site.guest(tier, self.random.pick(&GUESTS));
        let source = match self.random.below(25) {
            0 => self.guest_address(),
            1 => self.other_end(),
            _ => own,
        };
        let addresses: Vec<_> = self.router.addresses.iter().map(|(address, _)| *address).collect();
        let destination = match (self.random.below(20), self.random.choose(&addresses)) {
            (0..6, Some(address)) => address,
            (6..10, _) => self.guest_address(),
            (10, _) => site.gateway(tier),
            (11, _) => Ipv4Addr::new(10, 2, 9, 9),
            _ => self.other_end(),
        };
        self.probe(Place::Guests(tier), source, destination)
    }

    fn ipv6(&mut self) -> Option<Probe> {
        let gateway = self.router.site.ip6_gateway()?;
        let guest: IpAddr = "2001:db8:1::10".parse().expect("an address");
        let outside: IpAddr = "2001:db8:ff::66".parse().expect("an address");
        let (from, source, destination) = match self.random.below(3) {
            0 => (Place::Guests(1), guest, IpAddr::V6(gateway)),
            1 => (Place::Guests(1), guest, outside),
            _ => (Place::Outside(101), outside, guest),
        };
        let port = self.own_port();
        let content = match self.random.below(3) {
            0 => Content::Tcp { from: port, to: 22 },
            1 => Content::Udp { from: port, to: 5000 },
            _ => Content::Icmp { kind: 128, code: 0, identifier: port },
        };
        self.router.is_on(101).then_some(Probe { from, packet: Packet { source, destination, content } })
    }

    fn probe(&mut self, from: Place, source: Ipv4Addr, destination: Ipv4Addr) -> Probe {
        let content = self.content();
        Probe { from, packet: Packet { source: source.into(), destination: destination.into(), content } }
    }

    /// An address of the internet: of a rule's network, just outside it, or any.
    fn other_end(&mut self) -> Ipv4Addr {
        let packets = self.aim.as_ref().map(|aim| &aim.packets);
        let networks = packets.map(|packets| [&packets.sources[..], &packets.destinations].concat());
        let networks = networks.unwrap_or_default();
        let is_outside = |address: &Ipv4Addr| {
            !matches!(address.octets(), [0 | 10 | 127 | 224.., ..] | [198, 18 | 51, ..] | [169, 254, ..])
        };
        if self.random.one_in(4) {
            return outside_address(self.random);
        }
        let edge = self.random.choose(&networks).map(|network| self.random.pick(&network.edges()));
        edge.filter(is_outside).unwrap_or_else(|| outside_address(self.random))
    }

    fn guest_address(&mut self) -> Ipv4Addr {
        let tier = self.random.pick(self.router.site.tiers());
        self.router.site.guest(tier, self.random.pick(&GUESTS))
    }

    /// A port that nothing of this router was sent from before.
    fn own_port(&mut self) -> u16 {
        *self.next_port = if *self.next_port >= 60_000 { 20_000 } else { *self.next_port + 1 };
        *self.next_port
    }

    fn content(&mut self) -> Content {
        let kind = self.aim.as_ref().map(|aim| aim.packets.kind).filter(|_| !self.random.one_in(5));
        let from = self.own_port();
        let protocol = kind.and_then(PacketKind::protocol);
        let protocol =
            protocol.unwrap_or_else(|| self.random.pick(&[TCP, UDP, ICMP, TCP, UDP, ICMP, 50, 99]));
        let to = match kind.and_then(PacketKind::ports) {
            Some((first, last)) => {
                let within = self.random.between(first, last);
                self.random.pick(&[
                    first,
                    last,
                    within,
                    first.saturating_sub(1).max(1),
                    last.saturating_add(1),
                ])
            }
            None => self.random.pick(&[22, 53, 80, 443, 8080, 5000]),
        };
        match protocol {
            TCP => Content::Tcp { from, to },
            UDP => Content::Udp { from, to },
            ICMP => {
                let (kind, code) = match kind {
                    Some(PacketKind::Icmp(kind, code)) => (kind.unwrap_or(8), code.unwrap_or(0)),
                    _ => (8, 0),
                };
                let is_stray = !REQUESTS.contains(&kind) || self.random.one_in(4);
                let kind = if is_stray { self.random.pick(&REQUESTS) } else { kind };
                let code = if self.random.one_in(8) { 1 } else { code };
                Content::Icmp { kind, code, identifier: from }
            }
            other => Content::Other(other),
        }
    }
}

impl Aim {
    /// Everything that the rules of a network are about.
    fn all_of(network: &ExpectedNetwork) -> Vec<Self> {
        let any = |kind| PacketMatch { kind, sources: Vec::new(), destinations: Vec::new() };
        let to = |public, packets| Self { public: Some(public), packets };
        let ports = |protocol, ports| any(PacketKind::Number(protocol, Some(ports)));
        let mut aims = Vec::new();
        if let KnownFirewall::Rules(firewall) = &network.firewall {
            aims.extend(firewall.ingress.iter().map(|(public, packets)| to(*public, packets.clone())));
            aims.extend(
                firewall.egress.iter().map(|packets| Self { public: None, packets: packets.clone() }),
            );
        }
        for (public, _) in &network.statics {
            aims.push(to(*public, any(PacketKind::All)));
        }
        for forward in &network.forwards {
            aims.push(to(forward.public, ports(forward.protocol, forward.ports)));
        }
        for rule in &network.balancers {
            aims.push(to(rule.public, ports(rule.protocol, (rule.port, rule.port))));
        }
        // What enters a tier was sent to one of its public addresses, or by another tier.
        let ways_in: Vec<_> = network.statics.iter().map(|(public, _)| *public).collect();
        for (position, item) in network.list.iter().flatten().enumerate() {
            let public = ways_in.get(position % ways_in.len().max(1)).copied();
            aims.push(Self { public: public.filter(|_| item.is_ingress), packets: item.packets.clone() });
        }
        aims
    }
}
