//! Tracked connections: listing them, and cutting those whose translation no longer holds.
//!
//! A rule that goes does not end the flows that it let in or translated: the kernel goes on translating them
//! from its connection table. An address that is given to the next tenant must not carry the last one's flows.

mod list;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netlink_packet_core::{DefaultNla, NLA_F_NESTED};
use rustix::io::Errno;

use super::namespace::{Namespace, NamespaceError};
use super::netlink::{NetlinkError, NetlinkRequest, NetlinkSocket, attributes};
use crate::plan::FlowMatch;

const NFNL_SUBSYS_CTNETLINK: u8 = 1;
const IPCTNL_MSG_CT_GET: u8 = 1;
const IPCTNL_MSG_CT_DELETE: u8 = 2;
const IPCTNL_MSG_CT_GET_STATS: u8 = 5;
const CTA_STATS_GLOBAL_ENTRIES: u16 = 1;
const NFPROTO_IPV4: u8 = 2;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;

const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_DST_PORT: u16 = 3;

pub use list::{ConnectionEnd, ConnectionFilter, ConnectionList, TrackedConnection, list};

/// Why connections could not be listed, or may live on.
#[derive(Debug, thiserror::Error)]
pub enum ConntrackError {
    /// The kernel refused, or knows no connection tracking.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

/// Deletes the tracked IPv4 connections that any of `flows` matches, and returns how many there were.
///
/// New rules are put in force before: a packet that comes after the cut starts a new connection under them.
pub fn cut(namespace: &Namespace, flows: &[FlowMatch]) -> Result<usize, ConntrackError> {
    if flows.iter().all(|flow| *flow == FlowMatch::default()) {
        return Ok(0);
    }
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let name = namespace.name();
    if is_empty(&mut socket, namespace)? {
        return Ok(0);
    }
    let none: [DefaultNla; 0] = [];
    let list = NetlinkRequest::netfilter(
        format!("list the tracked connections of {name}"),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET),
        NFPROTO_IPV4,
        &none,
    );
    let doomed = socket.dump(&list, |entry| {
        let flow = Flow::read(entry)?;
        flows.iter().any(|wanted| matches(wanted, &flow)).then(|| {
            NetlinkRequest::netfilter(
                format!("cut a tracked connection of {name}"),
                (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE),
                NFPROTO_IPV4,
                &flow.identity,
            )
            // It has ended, or made room for another one, by itself.
            .tolerating(&[Errno::NOENT])
        })
    })?;
    socket.exchange(&doomed)?;
    Ok(doomed.len())
}

/// Whether the namespace has no tracked connection at all.
///
/// All namespaces share one hash table; to list a single connection the kernel walks all of it, which takes some
/// 10 ms on a host with much memory.
fn is_empty(socket: &mut NetlinkSocket, namespace: &Namespace) -> Result<bool, NetlinkError> {
    let none: [DefaultNla; 0] = [];
    let count = NetlinkRequest::netfilter(
        format!("count the tracked connections of {}", namespace.name()),
        (NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS),
        0,
        &none,
    );
    let reply = socket.exchange(&[count])?.into_iter().flatten().next().unwrap_or_default();
    let mut statistics = attributes(reply.get(4..).unwrap_or_default());
    let entries = statistics.find(|(kind, _)| *kind == CTA_STATS_GLOBAL_ENTRIES);
    Ok(entries.is_some_and(|(_, value)| value.iter().all(|byte| *byte == 0)))
}

#[derive(Debug, Default)]
struct Tuple {
    source: Option<Ipv4Addr>,
    destination: Option<Ipv4Addr>,
    protocol: Option<u8>,
    destination_port: Option<u16>,
}

/// Whether a connection is one of those that are meant.
fn matches(wanted: &FlowMatch, flow: &Flow) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
        wanted.is_none() || wanted == found
    }
    let is_of = |wanted: Option<Ipv4Net>, found: Option<Ipv4Addr>| {
        wanted.is_none_or(|network| found.is_some_and(|address| network.contains(&address)))
    };
    *wanted != FlowMatch::default()
        && is_of(wanted.original_source, flow.original.source)
        && is(wanted.original_destination.as_ref(), flow.original.destination.as_ref())
        && is_of(wanted.reply_source, flow.reply.source)
        && is(wanted.reply_destination.as_ref(), flow.reply.destination.as_ref())
        && is(wanted.protocol.as_ref(), flow.original.protocol.as_ref())
        && wanted
            .original_destination_ports
            .as_ref()
            .is_none_or(|ports| flow.original.destination_port.is_some_and(|port| ports.contains(&port)))
}

#[derive(Debug, Default)]
struct Flow {
    original: Tuple,
    reply: Tuple,
    /// What names this connection and no other: its original tuple, zone and id, as the kernel put them.
    identity: Vec<DefaultNla>,
}

impl Flow {
    fn read(entry: &[u8]) -> Option<Self> {
        let mut flow = Self::default();
        for (kind, value) in attributes(entry.get(4..)?) {
            match kind {
                CTA_TUPLE_ORIG => {
                    flow.original = Tuple::read(value);
                    flow.identity.push(DefaultNla::new(kind | NLA_F_NESTED, value.to_vec()));
                }
                CTA_TUPLE_REPLY => flow.reply = Tuple::read(value),
                CTA_ID | CTA_ZONE => flow.identity.push(DefaultNla::new(kind, value.to_vec())),
                _ => {}
            }
        }
        Some(flow)
    }
}

impl Tuple {
    fn read(value: &[u8]) -> Self {
        let mut tuple = Self::default();
        let parts = attributes(value)
            .flat_map(|(part, fields)| attributes(fields).map(move |(kind, v)| (part, kind, v)));
        for (part, kind, value) in parts {
            match (part, kind) {
                (CTA_TUPLE_IP, CTA_IP_V4_SRC) => tuple.source = address(value),
                (CTA_TUPLE_IP, CTA_IP_V4_DST) => tuple.destination = address(value),
                (CTA_TUPLE_PROTO, CTA_PROTO_NUM) => tuple.protocol = value.first().copied(),
                (CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT) => {
                    tuple.destination_port = value.first_chunk().map(|port| u16::from_be_bytes(*port));
                }
                _ => {}
            }
        }
        tuple
    }
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    value.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes))
}
