//! Packets of probes: as the model sees them, and as bytes on the wire.
//!
//! A probe's number is in every packet of it, so that a packet is recognised after any translation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Marks the payload of a probe.
const MARK: [u8; 4] = *b"prb!";
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// The protocol numbers of IP.
pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Addresses and content of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) content: Content,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The first packet of a connection, or the answer to it.
    Tcp {
        from: u16,
        to: u16,
    },
    Udp {
        from: u16,
        to: u16,
    },
    /// A message of ICMP, or of `ICMPv6` between IPv6 addresses.
    Icmp {
        kind: u8,
        code: u8,
        identifier: u16,
    },
    /// Another protocol of IP.
    Other(u8),
}

/// A packet of a probe, as it was seen on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) number: u32,
    pub(super) packet: Packet,
    /// Whether it answers the probe's first packet.
    pub(super) is_answer: bool,
}

impl Content {
    /// The protocol's number.
    pub(super) fn protocol(self) -> u8 {
        match self {
            Self::Tcp { .. } => TCP,
            Self::Udp { .. } => UDP,
            Self::Icmp { .. } => ICMP,
            Self::Other(protocol) => protocol,
        }
    }

    /// The port that it is sent to, if it has ports.
    pub(super) fn port(self) -> Option<u16> {
        match self {
            Self::Tcp { to, .. } | Self::Udp { to, .. } => Some(to),
            Self::Icmp { .. } | Self::Other(_) => None,
        }
    }

    /// The same content to another port, if it has ports.
    pub(super) fn to_port(self, port: u16) -> Self {
        match self {
            Self::Tcp { from, .. } => Self::Tcp { from, to: port },
            Self::Udp { from, .. } => Self::Udp { from, to: port },
            other => other,
        }
    }
}

impl Packet {
    /// The packet that answers it.
    pub(super) fn answer(self) -> Self {
        let content = match self.content {
            Content::Tcp { from, to } => Content::Tcp { from: to, to: from },
            Content::Udp { from, to } => Content::Udp { from: to, to: from },
            // Connection tracking expects the code of the request.
            Content::Icmp { kind: 8, code, identifier } => Content::Icmp { kind: 0, code, identifier },
            // Timestamp, information, address mask, and echo of `ICMPv6`: the answer's type is the next.
            Content::Icmp { kind, code, identifier } => Content::Icmp { kind: kind + 1, code, identifier },
            other @ Content::Other(_) => other,
        };
        Self { source: self.destination, destination: self.source, content }
    }

    /// The frame that carries it, as a packet of probe `number`.
    pub(super) fn frame(&self, number: u32, is_answer: bool, from: [u8; 6], to: [u8; 6]) -> Vec<u8> {
        let body = self.body(number, is_answer);
        let length = u16::try_from(body.len()).expect("probes are short");
        let protocol = self.protocol();
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut header =
                    [&[0x45, 0][..], &(length + 20).to_be_bytes(), &[0, 0, 0, 0, 64, protocol, 0, 0]]
                        .concat();
                header.extend(source.octets().iter().chain(&destination.octets()));
                let sum = checksum(&header);
                header[10..12].copy_from_slice(&sum);
                [&to[..], &from, &IPV4, &header, &body].concat()
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let header = [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[protocol, 64]].concat();
                [&to[..], &from, &IPV6, &header, &source.octets(), &destination.octets(), &body].concat()
            }
            _ => panic!("{self}: addresses of two families"),
        }
    }

    fn protocol(&self) -> u8 {
        match self.content {
            Content::Icmp { .. } if self.source.is_ipv6() => ICMPV6,
            content => content.protocol(),
        }
    }

    fn body(&self, number: u32, is_answer: bool) -> Vec<u8> {
        let payload = [&MARK[..], &number.to_be_bytes(), &[u8::from(is_answer), 0, 0, 0]].concat();
        let (mut body, place) = match self.content {
            Content::Tcp { from, to } => {
                let (sequence, acknowledged, flags) =
                    if is_answer { (0, number.wrapping_add(1), SYN | ACK) } else { (number, 0u32, SYN) };
                let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
                let numbers = [sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat();
                ([&ports[..], &numbers, &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]].concat(), 16)
            }
            Content::Udp { from, to } => {
                let length = u16::try_from(8 + payload.len()).expect("probes are short");
                let header = [from, to, length, 0].map(u16::to_be_bytes).concat();
                ([header, payload].concat(), 6)
            }
            Content::Icmp { kind, code, identifier } => {
                let header = [&[kind, code, 0, 0][..], &identifier.to_be_bytes(), &[0, 1]].concat();
                ([header, payload].concat(), 2)
            }
            Content::Other(_) => return payload,
        };
        let is_summed_alone = matches!(self.content, Content::Icmp { .. }) && self.source.is_ipv4();
        let pseudo = if is_summed_alone { Vec::new() } else { self.pseudo_header(body.len()) };
        let sum = checksum(&[pseudo, body.clone()].concat());
        body[place..place + 2].copy_from_slice(&sum);
        body
    }

    /// What a checksum covers besides the body.
    fn pseudo_header(&self, length: usize) -> Vec<u8> {
        let length = u32::try_from(length).expect("probes are short").to_be_bytes();
        let octets = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let end = [0, 0, 0, self.protocol()];
        [octets(self.source), octets(self.destination), length.to_vec(), end.to_vec()].concat()
    }
}

impl Sighting {
    /// The packet of a probe in a frame; `None` if the frame carries something else.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let (kind, packet) = (frame.get(12..14)?, frame.get(14..)?);
        let (source, destination, protocol, body) = if kind == IPV4 {
            let start = usize::from(packet.first()? & 0x0f) * 4;
            let end = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
            let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
            let destination: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            let ends = (IpAddr::from(Ipv4Addr::from(source)), IpAddr::from(Ipv4Addr::from(destination)));
            (ends.0, ends.1, *packet.get(9)?, packet.get(start..end)?)
        } else if kind == IPV6 {
            let source: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
            let destination: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            let ends = (IpAddr::from(Ipv6Addr::from(source)), IpAddr::from(Ipv6Addr::from(destination)));
            (ends.0, ends.1, *packet.get(6)?, packet.get(40..)?)
        } else {
            return None;
        };
        let (content, number, is_answer) = Self::read(protocol, body)?;
        Some(Self { number, packet: Packet { source, destination, content }, is_answer })
    }

    fn read(protocol: u8, body: &[u8]) -> Option<(Content, u32, bool)> {
        let port = |start: usize| Some(u16::from_be_bytes([*body.get(start)?, *body.get(start + 1)?]));
        let number = |start: usize| Some(u32::from_be_bytes(body.get(start..start + 4)?.try_into().ok()?));
        let marked = |start: usize| {
            let is_probe = body.get(start..start + 4)? == MARK;
            is_probe.then_some((number(start + 4)?, *body.get(start + 8)? == 1))
        };
        Some(match protocol {
            TCP => {
                let content = Content::Tcp { from: port(0)?, to: port(2)? };
                match body.get(13)? & (SYN | ACK | 0x04) {
                    SYN => (content, number(4)?, false),
                    flags if flags == SYN | ACK => (content, number(8)?.wrapping_sub(1), true),
                    _ => return None,
                }
            }
            UDP => {
                let (number, is_answer) = marked(8)?;
                (Content::Udp { from: port(0)?, to: port(2)? }, number, is_answer)
            }
            ICMP | ICMPV6 => {
                let (number, is_answer) = marked(8)?;
                let (kind, code, identifier) = (body[0], body[1], port(4)?);
                let answers = if protocol == ICMP { matches!(kind, 0 | 14 | 16 | 18) } else { kind == 129 };
                (Content::Icmp { kind, code, identifier }, number, is_answer || answers)
            }
            other => {
                let (number, is_answer) = marked(0)?;
                (Content::Other(other), number, is_answer)
            }
        })
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, content } = self;
        match content {
            Content::Tcp { from, to } => write!(formatter, "tcp {source}:{from} -> {destination}:{to}"),
            Content::Udp { from, to } => write!(formatter, "udp {source}:{from} -> {destination}:{to}"),
            Content::Icmp { kind, code, .. } => {
                write!(formatter, "icmp {kind}/{code} {source} -> {destination}")
            }
            Content::Other(protocol) => write!(formatter, "protocol {protocol} {source} -> {destination}"),
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; 2] {
    let pairs =
        bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])));
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap_or_default()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let ends = [
            (IpAddr::from([203, 0, 113, 5]), IpAddr::from([198, 51, 100, 10])),
            (
                IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 5]),
                IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, 1]),
            ),
        ];
        let contents = [
            Content::Tcp { from: 20_001, to: 80 },
            Content::Udp { from: 20_001, to: 53 },
            Content::Icmp { kind: 8, code: 0, identifier: 77 },
            Content::Other(99),
        ];
        for (source, destination) in ends {
            for content in contents {
                let packet = Packet { source, destination, content };
                for is_answer in [false, true] {
                    let read = Sighting::of(&packet.frame(42, is_answer, [2; 6], [4; 6]));
                    assert_eq!(read, Some(Sighting { number: 42, packet, is_answer }), "{packet}");
                }
            }
        }
    }
}
