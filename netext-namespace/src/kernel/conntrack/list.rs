//! The tracked connections of a namespace, for people.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;

use super::{ConntrackError, IPCTNL_MSG_CT_GET, NFNL_SUBSYS_CTNETLINK};
use crate::kernel::namespace::Namespace;
use crate::kernel::netlink::{NetlinkRequest, NetlinkSocket, address, attributes};
use crate::model::IpProtocol;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_STATUS: u16 = 3;
const CTA_PROTOINFO: u16 = 4;
const CTA_TIMEOUT: u16 = 7;
const CTA_COUNTERS_ORIG: u16 = 9;
const CTA_COUNTERS_REPLY: u16 = 10;
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
/// Sources of IPv4 and IPv6 are 1 and 3, destinations 2 and 4.
const CTA_IP_SRC: [u16; 2] = [1, 3];
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_SRC_PORT: u16 = 2;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_PROTOINFO_TCP: u16 = 1;
const CTA_PROTOINFO_TCP_STATE: u16 = 1;
const CTA_COUNTERS_PACKETS: u16 = 1;
const CTA_COUNTERS_BYTES: u16 = 2;
/// Both ends were heard.
const IPS_SEEN_REPLY: u32 = 1 << 1;
/// As the kernel numbers them.
const TCP_STATES: [&str; 10] = [
    "none",
    "syn-sent",
    "syn-recv",
    "established",
    "fin-wait",
    "close-wait",
    "last-ack",
    "time-wait",
    "close",
    "syn-sent2",
];

/// A tracked connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackedConnection {
    /// Its protocol.
    pub protocol: Option<IpProtocol>,
    /// What its first packet said, before any translation.
    pub original: ConnectionEnd,
    /// What the answers say, before they are translated back.
    pub reply: ConnectionEnd,
    /// The state of a TCP connection.
    pub state: Option<&'static str>,
    /// Whether it was answered.
    pub is_answered: bool,
    /// Seconds until it is forgotten if no more packets come.
    pub timeout: Option<u32>,
    /// Packets and bytes from the one who began it, where the kernel counts them.
    pub sent: Option<(u64, u64)>,
    /// Packets and bytes of the answers, where the kernel counts them.
    pub received: Option<(u64, u64)>,
}

/// One direction of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionEnd {
    /// The sender.
    pub source: Option<IpAddr>,
    /// The sender's port.
    pub source_port: Option<u16>,
    /// The receiver.
    pub destination: Option<IpAddr>,
    /// The receiver's port.
    pub destination_port: Option<u16>,
}

/// Which connections are wanted; what is `None` may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// An address of any of the four that a connection has.
    pub address: Option<IpAddr>,
    /// A port of any of the four.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Option<IpProtocol>,
}

/// Connections, and how many there are of them in all.
#[derive(Debug, Default)]
pub struct ConnectionList {
    /// As many as were asked for.
    pub connections: Vec<TrackedConnection>,
    /// How many matched.
    pub matched: usize,
}

impl ConnectionFilter {
    fn matches(&self, connection: &TrackedConnection) -> bool {
        let ends = [&connection.original, &connection.reply];
        let has_address =
            |address| ends.iter().any(|end| end.source == Some(address) || end.destination == Some(address));
        let has_port =
            |port| ends.iter().any(|end| end.source_port == Some(port) || end.destination_port == Some(port));
        self.address.is_none_or(has_address)
            && self.port.is_none_or(has_port)
            && self.protocol.is_none_or(|protocol| connection.protocol == Some(protocol))
    }
}

/// Lists the tracked connections of both families that are wanted, `limit` of them at most.
pub fn list(
    namespace: &Namespace,
    wanted: &ConnectionFilter,
    limit: usize,
) -> Result<ConnectionList, ConntrackError> {
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let none: [DefaultNla; 0] = [];
    // Family 0 is any.
    let attempted = format!("list the tracked connections of {}", namespace.name());
    let request = NetlinkRequest::netfilter(attempted, (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET), 0, &none);
    let mut matched = 0;
    let connections = socket.dump(&request, |entry| {
        let connection = TrackedConnection::read(entry).filter(|connection| wanted.matches(connection))?;
        matched += 1;
        (matched <= limit).then_some(connection)
    })?;
    Ok(ConnectionList { connections, matched })
}

impl TrackedConnection {
    fn read(entry: &[u8]) -> Option<Self> {
        let mut connection = Self::default();
        for (kind, value) in attributes(entry.get(4..)?) {
            match kind {
                CTA_TUPLE_ORIG => (connection.original, connection.protocol) = ConnectionEnd::read(value),
                CTA_TUPLE_REPLY => connection.reply = ConnectionEnd::read(value).0,
                CTA_STATUS => connection.is_answered = number(value)? & IPS_SEEN_REPLY != 0,
                CTA_TIMEOUT => connection.timeout = number(value),
                CTA_PROTOINFO => connection.state = tcp_state(value),
                CTA_COUNTERS_ORIG => connection.sent = counters(value),
                CTA_COUNTERS_REPLY => connection.received = counters(value),
                _ => {}
            }
        }
        Some(connection)
    }
}

impl ConnectionEnd {
    fn read(tuple: &[u8]) -> (Self, Option<IpProtocol>) {
        let (mut end, mut protocol) = (Self::default(), None);
        for (part, fields) in attributes(tuple) {
            for (kind, value) in attributes(fields) {
                match (part, kind) {
                    (CTA_TUPLE_IP, kind) if CTA_IP_SRC.contains(&kind) => end.source = address(value),
                    (CTA_TUPLE_IP, _) => end.destination = address(value),
                    (CTA_TUPLE_PROTO, CTA_PROTO_NUM) => {
                        protocol = value.first().copied().map(IpProtocol::new);
                    }
                    (CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT) => end.source_port = port(value),
                    (CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT) => end.destination_port = port(value),
                    _ => {}
                }
            }
        }
        (end, protocol)
    }
}

fn tcp_state(information: &[u8]) -> Option<&'static str> {
    let (_, tcp) = attributes(information).find(|(kind, _)| *kind == CTA_PROTOINFO_TCP)?;
    let (_, state) = attributes(tcp).find(|(kind, _)| *kind == CTA_PROTOINFO_TCP_STATE)?;
    TCP_STATES.get(usize::from(*state.first()?)).copied()
}

fn counters(nested: &[u8]) -> Option<(u64, u64)> {
    let counter = |wanted| {
        let (_, value) = attributes(nested).find(|(kind, _)| *kind == wanted)?;
        value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
    };
    Some((counter(CTA_COUNTERS_PACKETS)?, counter(CTA_COUNTERS_BYTES)?))
}

/// Connection tracking has its numbers in network order.
fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn port(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}
