//! One rule about packets: what the wire says, and what it matches.

use std::fmt;
use std::net::Ipv4Addr;

use super::cidr::Cidr;
use super::packet::{Content, ICMP, TCP, UDP};
use crate::firewall::Rule;

/// The packets that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PacketMatch {
    pub(super) kind: PacketKind,
    pub(super) sources: Vec<Cidr>,
    pub(super) destinations: Vec<Cidr>,
}

/// Protocol, and ports or ICMP type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketKind {
    All,
    Tcp(Option<(u16, u16)>),
    Udp(Option<(u16, u16)>),
    /// `None` is any type, or any code.
    Icmp(Option<u8>, Option<u8>),
    /// A protocol by its number, with ports for TCP and UDP.
    Number(u8, Option<(u16, u16)>),
}

impl PacketKind {
    pub(super) fn matches(self, content: Content) -> bool {
        let port_is_in = |ports: Option<(u16, u16)>| {
            ports.is_none_or(|(first, last)| content.port().is_some_and(|port| first <= port && port <= last))
        };
        match self {
            Self::All => true,
            Self::Tcp(ports) => content.protocol() == TCP && port_is_in(ports),
            Self::Udp(ports) => content.protocol() == UDP && port_is_in(ports),
            Self::Number(number, ports) => content.protocol() == number && port_is_in(ports),
            Self::Icmp(wanted_kind, wanted_code) => match content {
                Content::Icmp { kind, code, .. } => {
                    wanted_kind.is_none_or(|wanted| wanted == kind)
                        && wanted_code.is_none_or(|wanted| wanted == code)
                }
                _ => false,
            },
        }
    }

    /// The ports that it names.
    pub(super) fn ports(self) -> Option<(u16, u16)> {
        match self {
            Self::Tcp(ports) | Self::Udp(ports) | Self::Number(_, ports) => ports,
            Self::All | Self::Icmp(..) => None,
        }
    }

    /// The protocol that it names, if it names one.
    pub(super) fn protocol(self) -> Option<u8> {
        match self {
            Self::All => None,
            Self::Tcp(_) => Some(TCP),
            Self::Udp(_) => Some(UDP),
            Self::Icmp(..) => Some(ICMP),
            Self::Number(number, _) => Some(number),
        }
    }
}

impl PacketMatch {
    /// Whether it matches a packet with these ends. No networks match every address.
    pub(super) fn matches(&self, source: Ipv4Addr, destination: Ipv4Addr, content: Content) -> bool {
        let is_in = |networks: &[Cidr], address| {
            networks.is_empty() || networks.iter().any(|network| network.contains(address))
        };
        self.kind.matches(content) && is_in(&self.sources, source) && is_in(&self.destinations, destination)
    }

    /// The fields of a rule of the lab.
    pub(super) fn put_into(&self, rule: Rule) -> Rule {
        let with_ports = |rule: Rule, ports: Option<(u16, u16)>| match ports {
            Some((first, last)) => rule.ports(first.into(), last.into()),
            None => rule,
        };
        let number = |value: Option<u8>| value.map_or(-1, i32::from);
        let rule = match self.kind {
            PacketKind::All => rule,
            PacketKind::Tcp(ports) => with_ports(rule.protocol("tcp"), ports),
            PacketKind::Udp(ports) => with_ports(rule.protocol("udp"), ports),
            PacketKind::Icmp(kind, code) => rule.icmp(number(kind), number(code)),
            PacketKind::Number(protocol, ports) => with_ports(rule.protocol(&protocol.to_string()), ports),
        };
        let rule = self.sources.iter().fold(rule, |rule, network| rule.from(&network.to_string()));
        self.destinations.iter().fold(rule, |rule, network| rule.to(&network.to_string()))
    }
}

impl fmt::Display for PacketMatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_any = |value: Option<u8>| value.map_or("any".to_owned(), |value| value.to_string());
        match self.kind {
            PacketKind::All => formatter.write_str("all")?,
            PacketKind::Tcp(_) => formatter.write_str("tcp")?,
            PacketKind::Udp(_) => formatter.write_str("udp")?,
            PacketKind::Icmp(kind, code) => write!(formatter, "icmp {}/{}", or_any(kind), or_any(code))?,
            PacketKind::Number(number, _) => write!(formatter, "protocol {number}")?,
        }
        if let Some((first, last)) = self.kind.ports() {
            write!(formatter, " ports {first}-{last}")?;
        }
        for (word, networks) in [("from", &self.sources), ("to", &self.destinations)] {
            for network in networks {
                write!(formatter, " {word} {network}")?;
            }
        }
        Ok(())
    }
}
