//! Messages of netlink: requests, and the attributes of answers.

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    DefaultNla, Emitable, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkSerializable, NlasIterator,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::io::Errno;

use super::uapi::{NFGENMSG, NLMSG_HDRLEN};
use crate::drift::DifferenceKind;

/// The flags that create something, and not over something of the same key that is not ours.
pub(in crate::kernel) const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// A request over netlink that the kernel refused, or that could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted}")]
pub struct NetlinkError {
    /// What was attempted and on what, to be read after "cannot".
    attempted: String,
    source: NetlinkRefusal,
}

/// The kernel's answer to a request that it refused, or the failure of a system call.
#[derive(Debug, thiserror::Error)]
#[error("{error}{}", .explanation.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
struct NetlinkRefusal {
    error: io::Error,
    /// The kernel's explanation, if it gives one.
    explanation: Option<String>,
}

impl NetlinkError {
    pub(in crate::kernel) fn new(attempted: impl Into<String>, error: io::Error) -> Self {
        Self { attempted: attempted.into(), source: NetlinkRefusal { error, explanation: None } }
    }

    pub(in crate::kernel) fn is(&self, errno: Errno) -> bool {
        self.source.error.raw_os_error() == Some(errno.raw_os_error())
    }
}

/// One request to the kernel.
#[derive(Debug, Clone)]
pub(in crate::kernel) struct NetlinkRequest {
    attempted: String,
    incidental: bool,
    tolerated: &'static [Errno],
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl NetlinkRequest {
    /// A request of the routing family; `attempted` is read after "cannot".
    pub(in crate::kernel) fn route(
        attempted: impl Into<String>,
        message: &RouteNetlinkMessage,
        flags: u16,
    ) -> Self {
        let mut body = vec![0; NetlinkSerializable::buffer_len(message)];
        message.serialize(&mut body);
        Self {
            attempted: attempted.into(),
            incidental: false,
            tolerated: &[],
            kind: message.message_type(),
            flags,
            body,
        }
    }

    /// A request of a netfilter subsystem: its message type, protocol family and attributes.
    pub(in crate::kernel) fn netfilter(
        attempted: impl Into<String>,
        (subsystem, message): (u8, u8),
        family: u8,
        attributes: &[DefaultNla],
    ) -> Self {
        // `struct nfgenmsg`: family, version 0, resource id 0.
        let mut body = vec![0; NFGENMSG + attributes.buffer_len()];
        body[0] = family;
        attributes.emit(&mut body[NFGENMSG..]);
        let kind = u16::from_be_bytes([subsystem, message]);
        Self { attempted: attempted.into(), incidental: false, tolerated: &[], kind, flags: 0, body }
    }

    /// Refusals that mean that there is nothing to do, as when deleting something that does not exist.
    pub(in crate::kernel) fn tolerating(mut self, tolerated: &'static [Errno]) -> Self {
        self.tolerated = tolerated;
        self
    }

    /// A request that repairs nothing by itself: it accompanies another one.
    pub(in crate::kernel) fn incidental(self) -> Self {
        Self { incidental: true, ..self }
    }

    /// The kind of change that a request of the routing family makes, if any: its types come in fours, new, delete,
    /// get, set.
    pub(super) fn change(&self) -> Option<DifferenceKind> {
        match self.kind % 4 {
            _ if self.incidental => None,
            0 if self.flags & NLM_F_REPLACE == 0 => Some(DifferenceKind::Add),
            0 | 3 => Some(DifferenceKind::Modify),
            1 => Some(DifferenceKind::Remove),
            _ => None,
        }
    }

    /// With flags that the message type gives a meaning of its own.
    pub(in crate::kernel) fn with_flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    /// The beginning or the end of a transaction of a netfilter subsystem.
    pub(super) fn bracket(kind: u16, subsystem: u8, attributes: &[DefaultNla]) -> Self {
        let mut bracket = Self::netfilter("begin a transaction", (0, 0), 0, attributes);
        bracket.kind = kind;
        // The resource id says whose transaction it is.
        bracket.body[2..4].copy_from_slice(&u16::from(subsystem).to_be_bytes());
        bracket
    }

    pub(super) fn emit(&self, flags: u16, sequence: u32, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        let length = NLMSG_HDRLEN + self.body.len();
        let mut header = NetlinkHeader::default();
        header.length = u32::try_from(length).expect("requests are small");
        header.message_type = self.kind;
        header.flags = self.flags | flags | NLM_F_REQUEST;
        header.sequence_number = sequence;
        buffer.resize(start + length.next_multiple_of(4), 0);
        header.emit(&mut buffer[start..]);
        buffer[start + NLMSG_HDRLEN..start + length].copy_from_slice(&self.body);
    }

    pub(super) fn attempted(&self) -> &str {
        &self.attempted
    }

    pub(super) fn tolerates(&self, errno: i32) -> bool {
        self.tolerated.iter().any(|tolerated| tolerated.raw_os_error() == errno)
    }

    pub(super) fn failed(&self, source: io::Error) -> NetlinkError {
        self.refused(source, None)
    }

    pub(super) fn refused(&self, error: io::Error, explanation: Option<String>) -> NetlinkError {
        NetlinkError { attempted: self.attempted.clone(), source: NetlinkRefusal { error, explanation } }
    }
}

/// The attributes in `bytes`, as pairs of kind and value.
pub(in crate::kernel) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).map(|attribute| {
        let length = usize::from(attribute.length());
        (attribute.kind(), &attribute.into_inner()[4..length])
    })
}

/// The value of the first attribute of a kind.
pub(in crate::kernel) fn attribute(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// A number in the machine's byte order at the beginning of `value`, as the routing family has it.
pub(in crate::kernel) fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// A number in network byte order at the beginning of `value`, as netfilter has it.
pub(in crate::kernel) fn network_number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A counter of netfilter.
pub(in crate::kernel) fn counter(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// An address of either family.
pub(in crate::kernel) fn address(value: &[u8]) -> Option<IpAddr> {
    let ipv4 = || <[u8; 4]>::try_from(value).ok().map(IpAddr::from);
    ipv4().or_else(|| <[u8; 16]>::try_from(value).ok().map(IpAddr::from))
}

/// A string that ends with a zero byte.
pub(in crate::kernel) fn string(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}
