//! The filter of a capture.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::IpProtocol;

const ETHERNET: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: [u16; 2] = [0x8100, 0x88a8];
/// Headers of IPv6 that stand between it and what it carries: hop-by-hop, routing, destination options.
const IPV6_OPTIONS: [u8; 3] = [0, 43, 60];
const IPV6_FRAGMENT: u8 = 44;
/// TCP, UDP and SCTP begin with their ports.
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// Which frames a capture keeps. `None` matches anything, including frames that are not IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameFilter {
    /// The sender or the receiver.
    pub(super) host: Option<IpAddr>,
    /// The sender's or the receiver's port.
    pub(super) port: Option<u16>,
    /// What IP carries.
    pub(super) protocol: Option<IpProtocol>,
}

/// The fields of an IP packet that a filter can match.
#[derive(Debug, PartialEq, Eq)]
struct CapturedPacket {
    ends: [IpAddr; 2],
    protocol: u8,
    ports: Option<[u16; 2]>,
}

impl FrameFilter {
    pub(super) fn matches(&self, frame: &[u8]) -> bool {
        if *self == Self::default() {
            return true;
        }
        CapturedPacket::read(frame).is_some_and(|packet| {
            self.host.is_none_or(|host| packet.ends.contains(&host))
                && self.port.is_none_or(|port| packet.ports.is_some_and(|ports| ports.contains(&port)))
                && self.protocol.is_none_or(|protocol| packet.protocol == protocol.number())
        })
    }
}

impl CapturedPacket {
    fn read(frame: &[u8]) -> Option<Self> {
        let mut rest = frame.get(ETHERNET - 2..)?;
        while VLAN.contains(&number(rest)?) {
            rest = rest.get(4..)?;
        }
        match number(rest)? {
            IPV4 => Self::ipv4(rest.get(2..)?),
            IPV6 => Self::ipv6(rest.get(2..)?),
            _ => None,
        }
    }

    fn ipv4(packet: &[u8]) -> Option<Self> {
        let header = usize::from(packet.first()? & 0x0f) * 4;
        let protocol = *packet.get(9)?;
        let address =
            |at: usize| packet.get(at..)?.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes));
        // The offset is behind three flags.
        let is_first = number(packet.get(6..)?)? << 3 == 0;
        let ports = if is_first { ports(protocol, packet.get(header..)?) } else { None };
        Some(Self { ends: [address(12)?.into(), address(16)?.into()], protocol, ports })
    }

    fn ipv6(packet: &[u8]) -> Option<Self> {
        let address =
            |at: usize| packet.get(at..)?.first_chunk().map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes));
        let ends = [address(8)?.into(), address(24)?.into()];
        let (mut protocol, mut rest, mut is_first) = (*packet.get(6)?, packet.get(40..)?, true);
        loop {
            let length = match protocol {
                IPV6_FRAGMENT => {
                    is_first = number(rest.get(2..)?)? & 0xfff8 == 0;
                    8
                }
                options if IPV6_OPTIONS.contains(&options) => usize::from(*rest.get(1)?) * 8 + 8,
                _ => break,
            };
            protocol = *rest.first()?;
            rest = rest.get(length..)?;
        }
        let ports = if is_first { ports(protocol, rest) } else { None };
        Some(Self { ends, protocol, ports })
    }
}

fn ports(protocol: u8, segment: &[u8]) -> Option<[u16; 2]> {
    WITH_PORTS.contains(&protocol).then(|| Some([number(segment)?, number(segment.get(2..)?)?]))?
}

fn number(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame with a UDP datagram from 10.1.1.10 port 4000 to 203.0.113.5 port 53.
    fn udp() -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 1, 10, 203, 0, 113, 5]);
        frame.extend([0x0f, 0xa0, 0, 53, 0, 8, 0, 0]);
        frame
    }

    fn wanted(host: Option<&str>, port: Option<u16>, protocol: Option<u8>) -> FrameFilter {
        FrameFilter {
            host: host.map(|host| host.parse().unwrap()),
            port,
            protocol: protocol.map(IpProtocol::new),
        }
    }

    #[test]
    fn a_frame_matches_if_all_fields_match() {
        for (host, port, protocol, expected) in [
            (None, None, None, true),
            (Some("10.1.1.10"), None, None, true),
            (Some("203.0.113.5"), Some(4000), Some(17), true),
            (Some("10.1.1.11"), None, None, false),
            (None, Some(54), None, false),
            (None, None, Some(6), false),
            (Some("fd00::1"), None, None, false),
        ] {
            assert_eq!(
                wanted(host, port, protocol).matches(&udp()),
                expected,
                "{host:?} {port:?} {protocol:?}"
            );
        }
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        let mut frame = udp();
        frame[ETHERNET + 7] = 1;
        assert!(!wanted(None, Some(53), None).matches(&frame));
        assert!(wanted(None, None, Some(17)).matches(&frame));
    }

    #[test]
    fn tags_and_options_are_skipped() {
        let mut tagged = udp();
        tagged.splice(12..12, [0x81, 0, 0, 100]);
        assert!(wanted(None, Some(53), None).matches(&tagged));

        let mut frame = vec![0; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 0, 64]);
        frame.extend([0xfd; 16]);
        frame.extend([0xfe; 16]);
        frame.extend([17, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0xa0, 0, 53, 0, 8, 0, 0]);
        assert!(wanted(None, Some(53), Some(17)).matches(&frame));
    }

    #[test]
    fn truncated_frames_do_no_harm() {
        let frame = udp();
        for length in 0..frame.len() {
            wanted(None, Some(53), None).matches(&frame[..length]);
        }
        assert!(wanted(None, None, None).matches(&[]));
    }
}
