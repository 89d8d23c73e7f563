//! Tracked connections: listing them, and cutting those whose translation no longer holds.
//!
//! Removing a rule does not end the flows that it let in or translated: the kernel goes on translating them from its
//! connection table. An address that is given to the next tenant must not carry the last one's flows.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use netlink_packet_core::{DefaultNla, NLA_F_NESTED};
use rustix::io::Errno;

use super::namespace::{Namespace, NamespaceError};
use super::netlink::uapi::{
    CTA_COUNTERS_BYTES, CTA_COUNTERS_ORIG, CTA_COUNTERS_PACKETS, CTA_COUNTERS_REPLY, CTA_ID, CTA_IP_V4_DST,
    CTA_IP_V4_SRC, CTA_IP_V6_DST, CTA_IP_V6_SRC, CTA_PROTO_DST_PORT, CTA_PROTO_NUM, CTA_PROTO_SRC_PORT,
    CTA_PROTOINFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE, CTA_STATS_GLOBAL_ENTRIES, CTA_STATUS,
    CTA_TIMEOUT, CTA_TUPLE_IP, CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_TUPLE_REPLY, CTA_ZONE,
    IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_GET_STATS, IPS_SEEN_REPLY, NFGENMSG,
    NFNL_SUBSYS_CTNETLINK, NFPROTO_IPV4, NFPROTO_UNSPEC,
};
use super::netlink::{
    NetlinkError, NetlinkRequest, NetlinkSocket, address, attribute, attributes, counter, network_number,
};
use crate::model::IpProtocol;
use crate::plan::FlowMatch;

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

/// Why connections could not be listed or cut.
#[derive(Debug, thiserror::Error)]
pub enum ConntrackError {
    /// The kernel refused, or has no connection tracking.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

/// A tracked connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackedConnection {
    /// Its protocol.
    pub protocol: Option<IpProtocol>,
    /// Its first packet, before any translation.
    pub original: ConnectionTuple,
    /// Its answers, before they are translated back.
    pub reply: ConnectionTuple,
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
pub struct ConnectionTuple {
    /// The sender.
    pub source: Option<IpAddr>,
    /// The sender's port.
    pub source_port: Option<u16>,
    /// The receiver.
    pub destination: Option<IpAddr>,
    /// The receiver's port.
    pub destination_port: Option<u16>,
}

/// The connections to list. A field that is `None` matches anything.
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

/// Lists the tracked connections of both families that match the filter, at most `limit` of them.
pub fn list(
    namespace: &Namespace,
    filter: &ConnectionFilter,
    limit: usize,
) -> Result<ConnectionList, ConntrackError> {
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let attempted = format!("list the tracked connections of {}", namespace.name());
    let request = request(attempted, IPCTNL_MSG_CT_GET, NFPROTO_UNSPEC, &[]);
    let mut matched = 0;
    let connections = socket.dump(&request, |entry| {
        let connection = TrackedConnection::read(entry).filter(|connection| filter.matches(connection))?;
        matched += 1;
        (matched <= limit).then_some(connection)
    })?;
    Ok(ConnectionList { connections, matched })
}

/// Deletes the tracked IPv4 connections that any of `flows` matches, and returns how many there were.
///
/// New rules must be in force before: a packet that comes after the cut starts a new connection under them.
pub fn cut(namespace: &Namespace, flows: &[FlowMatch]) -> Result<usize, ConntrackError> {
    if flows.iter().all(|flow| *flow == FlowMatch::default()) {
        return Ok(0);
    }
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let name = namespace.name();
    if is_empty(&mut socket, namespace)? {
        return Ok(0);
    }
    let attempted = format!("list the tracked connections of {name}");
    let doomed = socket.dump(&request(attempted, IPCTNL_MSG_CT_GET, NFPROTO_IPV4, &[]), |entry| {
        let connection = TrackedConnection::read(entry)?;
        flows.iter().any(|flow| matches(flow, &connection)).then(|| {
            let attempted = format!("cut a tracked connection of {name}");
            request(attempted, IPCTNL_MSG_CT_DELETE, NFPROTO_IPV4, &identity(entry))
                // It may have ended, or given way to another one, by itself.
                .tolerating(&[Errno::NOENT])
        })
    })?;
    socket.exchange(&doomed)?;
    Ok(doomed.len())
}

/// Whether the namespace has no tracked connection at all.
///
/// All namespaces share one hash table. To list a single connection the kernel walks all of it, which takes about 10 ms
/// on a host with much memory.
fn is_empty(socket: &mut NetlinkSocket, namespace: &Namespace) -> Result<bool, NetlinkError> {
    let attempted = format!("count the tracked connections of {}", namespace.name());
    let count = request(attempted, IPCTNL_MSG_CT_GET_STATS, NFPROTO_UNSPEC, &[]);
    let reply = socket.exchange(&[count])?.into_iter().flatten().next().unwrap_or_default();
    let entries = attribute(reply.get(NFGENMSG..).unwrap_or_default(), CTA_STATS_GLOBAL_ENTRIES);
    Ok(entries.and_then(network_number) == Some(0))
}

fn request(attempted: String, message: u8, family: u8, attributes: &[DefaultNla]) -> NetlinkRequest {
    NetlinkRequest::netfilter(attempted, (NFNL_SUBSYS_CTNETLINK, message), family, attributes)
}

fn matches(flow: &FlowMatch, connection: &TrackedConnection) -> bool {
    let is = |wanted: Option<Ipv4Addr>, found: Option<IpAddr>| {
        wanted.is_none_or(|wanted| found == Some(IpAddr::V4(wanted)))
    };
    let is_of = |wanted: Option<Ipv4Net>, found: Option<IpAddr>| {
        wanted.is_none_or(|network| matches!(found, Some(IpAddr::V4(address)) if network.contains(&address)))
    };
    let TrackedConnection { original, reply, protocol, .. } = connection;
    *flow != FlowMatch::default()
        && is_of(flow.original_source, original.source)
        && is(flow.original_destination, original.destination)
        && is_of(flow.reply_source, reply.source)
        && is(flow.reply_destination, reply.destination)
        && flow.protocol.is_none_or(|wanted| protocol.map(IpProtocol::number) == Some(wanted))
        && flow
            .original_destination_ports
            .as_ref()
            .is_none_or(|ports| original.destination_port.is_some_and(|port| ports.contains(&port)))
}

/// The attributes that identify a connection, as the kernel wrote them: its original tuple, its zone and its id.
fn identity(entry: &[u8]) -> Vec<DefaultNla> {
    let kept = attributes(entry.get(NFGENMSG..).unwrap_or_default()).filter_map(|(kind, value)| match kind {
        CTA_TUPLE_ORIG => Some(DefaultNla::new(kind | NLA_F_NESTED, value.to_vec())),
        CTA_ID | CTA_ZONE => Some(DefaultNla::new(kind, value.to_vec())),
        _ => None,
    });
    kept.collect()
}

impl TrackedConnection {
    pub(super) fn read(entry: &[u8]) -> Option<Self> {
        let mut connection = Self::default();
        for (kind, value) in attributes(entry.get(NFGENMSG..)?) {
            match kind {
                CTA_TUPLE_ORIG => (connection.original, connection.protocol) = ConnectionTuple::read(value),
                CTA_TUPLE_REPLY => connection.reply = ConnectionTuple::read(value).0,
                CTA_STATUS => connection.is_answered = network_number(value)? & IPS_SEEN_REPLY != 0,
                CTA_TIMEOUT => connection.timeout = network_number(value),
                CTA_PROTOINFO => connection.state = tcp_state(value),
                CTA_COUNTERS_ORIG => connection.sent = counters(value),
                CTA_COUNTERS_REPLY => connection.received = counters(value),
                _ => {}
            }
        }
        Some(connection)
    }
}

impl ConnectionTuple {
    /// A tuple, and its protocol.
    fn read(tuple: &[u8]) -> (Self, Option<IpProtocol>) {
        let (mut end, mut protocol) = (Self::default(), None);
        let port = |value: &[u8]| value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        for (part, fields) in attributes(tuple) {
            for (kind, value) in attributes(fields) {
                match (part, kind) {
                    (CTA_TUPLE_IP, CTA_IP_V4_SRC | CTA_IP_V6_SRC) => end.source = address(value),
                    (CTA_TUPLE_IP, CTA_IP_V4_DST | CTA_IP_V6_DST) => end.destination = address(value),
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
    let state = attribute(attribute(information, CTA_PROTOINFO_TCP)?, CTA_PROTOINFO_TCP_STATE)?;
    TCP_STATES.get(usize::from(*state.first()?)).copied()
}

fn counters(nested: &[u8]) -> Option<(u64, u64)> {
    let packets = attribute(nested, CTA_COUNTERS_PACKETS).and_then(counter)?;
    let bytes = attribute(nested, CTA_COUNTERS_BYTES).and_then(counter)?;
    Some((packets, bytes))
}
