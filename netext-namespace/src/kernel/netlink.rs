//! Netlink, synchronous and in batches.
//!
//! The kernel works off every message of one `send` in order and answers each; so a batch of changes costs
//! two system calls and a little copying, and the answers come back in order. Messages are built with the
//! `netlink-packet` crates; of what comes back only the attributes that are asked for are looked at, so that
//! nothing else about a host's interfaces can make a command fail.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use netlink_packet_core::{
    DefaultNla, Emitable, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR,
    NLM_F_REPLACE, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkSerializable, Nla, NlasIterator,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size_force;

use crate::drift::{DifferenceKind, Pass, RouterPart};

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// The largest piece in which the kernel hands over a dump is 32 KiB.
const RECEIVE: usize = 64 * 1024;
/// Requests in one `send`: their answers must fit into the socket's receive buffer all at once.
const BATCH: usize = 64;
const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;
const NFNL_BATCH_GENID: u16 = 1;
/// How often a dump that changed under our eyes is repeated.
const DUMP_ATTEMPTS: usize = 16;

/// Something that was asked of the kernel over netlink and not done.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted}: {source}{}", .explanation.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
pub struct NetlinkError {
    /// What was attempted and on what, to be read after "cannot".
    attempted: String,
    /// The kernel's own words, where it has any.
    explanation: Option<String>,
    source: io::Error,
}

impl NetlinkError {
    pub(crate) fn new(attempted: impl Into<String>, source: io::Error) -> Self {
        Self { attempted: attempted.into(), explanation: None, source }
    }

    pub(crate) fn is(&self, errno: Errno) -> bool {
        self.source.raw_os_error() == Some(errno.raw_os_error())
    }
}

/// One request to the kernel.
#[derive(Debug, Clone)]
pub(crate) struct NetlinkRequest {
    attempted: String,
    incidental: bool,
    tolerated: &'static [Errno],
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl NetlinkRequest {
    /// A request of the routing family; `attempted` is read after "cannot".
    pub(crate) fn route(attempted: impl Into<String>, message: &RouteNetlinkMessage, flags: u16) -> Self {
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
    pub(crate) fn netfilter<A: Nla>(
        attempted: impl Into<String>,
        (subsystem, message): (u8, u8),
        family: u8,
        attributes: &[A],
    ) -> Self {
        // `struct nfgenmsg`: family, version 0, resource id 0.
        let mut body = vec![0; 4 + attributes.buffer_len()];
        body[0] = family;
        attributes.emit(&mut body[4..]);
        let kind = u16::from_be_bytes([subsystem, message]);
        Self { attempted: attempted.into(), incidental: false, tolerated: &[], kind, flags: 0, body }
    }

    /// Refusals that mean that there is nothing left to do, such as deleting what is absent.
    pub(crate) fn tolerating(mut self, tolerated: &'static [Errno]) -> Self {
        self.tolerated = tolerated;
        self
    }

    /// A request that goes along with another one, or with none: it puts nothing right by itself.
    pub(crate) fn incidental(self) -> Self {
        Self { incidental: true, ..self }
    }

    /// What a request of the routing family changes, if anything: its types come in fours, new, delete, get, set.
    fn change(&self) -> Option<DifferenceKind> {
        match self.kind % 4 {
            _ if self.incidental => None,
            0 if self.flags & NLM_F_REPLACE == 0 => Some(DifferenceKind::Add),
            0 | 3 => Some(DifferenceKind::Modify),
            1 => Some(DifferenceKind::Remove),
            _ => None,
        }
    }

    /// With flags that the message type gives a meaning of its own.
    pub(crate) fn with_flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    /// The beginning or the end of a transaction of a netfilter subsystem.
    fn bracket(kind: u16, subsystem: u8, attributes: &[DefaultNla]) -> Self {
        let mut bracket = Self::netfilter("begin a transaction", (0, 0), 0, attributes);
        bracket.kind = kind;
        // The resource id says whose transaction it is.
        bracket.body[2..4].copy_from_slice(&u16::from(subsystem).to_be_bytes());
        bracket
    }

    fn emit(&self, flags: u16, sequence: u32, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        let length = HEADER + self.body.len();
        let mut header = NetlinkHeader::default();
        header.length = u32::try_from(length).expect("requests are small");
        header.message_type = self.kind;
        header.flags = self.flags | flags | NLM_F_REQUEST;
        header.sequence_number = sequence;
        buffer.resize(start + length.next_multiple_of(4), 0);
        header.emit(&mut buffer[start..]);
        buffer[start + HEADER..start + length].copy_from_slice(&self.body);
    }

    fn failed(&self, source: io::Error) -> NetlinkError {
        NetlinkError::new(self.attempted.clone(), source)
    }
}

/// The body of a reply, or `None` where a request has none or was refused in a tolerated way.
pub(crate) type NetlinkReply = Option<Vec<u8>>;

/// A netlink socket; it belongs to the namespace of the thread that opened it, whoever uses it then.
#[derive(Debug)]
pub(crate) struct NetlinkSocket {
    channel: netlink_sys::Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl NetlinkSocket {
    /// Opens a socket of the routing family in this thread's namespace.
    pub(crate) fn route() -> Result<Self, NetlinkError> {
        let socket =
            Self::open(NETLINK_ROUTE).map_err(|e| NetlinkError::new("open a route netlink socket", e))?;
        // Makes the kernel filter dumps by what the request names (since 4.20).
        let strict = socket.channel.set_netlink_get_strict_chk(true);
        strict.map_err(|e| NetlinkError::new("ask for strict netlink dumps", e))?;
        Ok(socket)
    }

    /// Opens a socket of the netfilter family in this thread's namespace.
    pub(crate) fn netfilter() -> Result<Self, NetlinkError> {
        Self::open(NETLINK_NETFILTER).map_err(|e| NetlinkError::new("open a netfilter netlink socket", e))
    }

    fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = netlink_sys::Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.set_ext_ack(true)?;
        // Errors need not carry the whole request back.
        socket.set_cap_ack(true)?;
        Ok(Self { channel: socket, sequence: 0, buffer: Vec::with_capacity(RECEIVE) })
    }

    /// Has the kernel work off all requests in order and returns their replies, or the first error.
    ///
    /// A request that is refused does not keep the kernel from working off the ones behind it.
    pub(crate) fn exchange(
        &mut self,
        requests: &[NetlinkRequest],
    ) -> Result<Vec<NetlinkReply>, NetlinkError> {
        let mut replies = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            self.exchange_batch(batch, &mut replies)?;
        }
        Ok(replies)
    }

    /// Has the kernel make changes of the routing family, unless the pass only rehearses.
    pub(crate) fn carry_out(
        &mut self,
        requests: &[NetlinkRequest],
        part: RouterPart,
        pass: &mut Pass,
    ) -> Result<(), NetlinkError> {
        for request in requests {
            if let Some(change) = request.change() {
                pass.differs(part, change, &request.attempted);
            }
        }
        if pass.acts() { self.exchange(requests).map(|_| ()) } else { Ok(()) }
    }

    fn exchange_batch(
        &mut self,
        batch: &[NetlinkRequest],
        replies: &mut Vec<NetlinkReply>,
    ) -> Result<(), NetlinkError> {
        let first = self.sequence.wrapping_add(1);
        let mut message = Vec::new();
        for request in batch {
            self.sequence = self.sequence.wrapping_add(1);
            request.emit(NLM_F_ACK, self.sequence, &mut message);
        }
        let Some(opening) = batch.first() else { return Ok(()) };
        self.send(&message).map_err(|e| opening.failed(e))?;

        let offset = replies.len();
        replies.resize(offset + batch.len(), None);
        let mut error = None;
        let mut pending = batch.len();
        while pending > 0 {
            self.receive().map_err(|e| opening.failed(e))?;
            for answer in messages(&self.buffer) {
                let position = answer.sequence_number().wrapping_sub(first) as usize;
                let Some(request) = batch.get(position) else { continue };
                if answer.message_type() == NLMSG_ERROR {
                    pending -= 1;
                    if let Err(refusal) = verdict(&answer, request) {
                        error.get_or_insert(refusal);
                    }
                } else {
                    replies[offset + position] = Some(answer.payload().to_vec());
                }
            }
        }
        error.map_or(Ok(()), Err)
    }

    /// Has a netfilter subsystem carry out all requests or none, provided that its generation is still the one
    /// given: else the kernel answers `ERESTART`.
    pub(crate) fn transaction(
        &mut self,
        subsystem: u8,
        generation: u32,
        requests: &[NetlinkRequest],
    ) -> Result<(), NetlinkError> {
        let Some(opening) = requests.first() else { return Ok(()) };
        let generation = DefaultNla::new(NFNL_BATCH_GENID, generation.to_be_bytes().to_vec());
        let first = self.sequence.wrapping_add(1);
        let mut message = Vec::new();
        NetlinkRequest::bracket(NFNL_MSG_BATCH_BEGIN, subsystem, &[generation]).emit(0, first, &mut message);
        for (sequence, request) in (first.wrapping_add(1)..).zip(requests) {
            request.emit(NLM_F_ACK, sequence, &mut message);
        }
        self.sequence = first.wrapping_add(u32::try_from(requests.len()).unwrap_or(u32::MAX)).wrapping_add(1);
        NetlinkRequest::bracket(NFNL_MSG_BATCH_END, subsystem, &[]).emit(0, self.sequence, &mut message);

        // A transaction is one message to the kernel, however long.
        set_socket_send_buffer_size_force(self.channel.as_fd(), message.len().max(RECEIVE) * 2)
            .map_err(|e| opening.failed(e.into()))?;
        self.send(&message).map_err(|e| opening.failed(e))?;
        let mut pending = requests.len();
        while pending > 0 {
            self.receive().map_err(|e| opening.failed(e))?;
            for answer in messages(&self.buffer) {
                let position = answer.sequence_number().wrapping_sub(first) as usize;
                // Of the brackets only a refusal is told.
                verdict(&answer, requests.get(position.wrapping_sub(1)).unwrap_or(opening))?;
                pending -= usize::from((1..=requests.len()).contains(&position));
            }
        }
        Ok(())
    }

    /// Dumps what the request asks for, keeping what `read` makes of each entry.
    ///
    /// A dump that the kernel says was disturbed by a change is repeated.
    pub(crate) fn dump<T>(
        &mut self,
        request: &NetlinkRequest,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, NetlinkError> {
        let mut entries = Vec::new();
        for _ in 0..DUMP_ATTEMPTS {
            entries.clear();
            if self.dump_once(request, |entry| entries.extend(read(entry)))? {
                return Ok(entries);
            }
        }
        Err(request
            .failed(io::Error::other(format!("changed under our eyes {DUMP_ATTEMPTS} times in a row"))))
    }

    /// Whether the dump was whole.
    fn dump_once(
        &mut self,
        request: &NetlinkRequest,
        mut entry: impl FnMut(&[u8]),
    ) -> Result<bool, NetlinkError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = Vec::new();
        request.emit(NLM_F_DUMP, self.sequence, &mut message);
        self.send(&message).map_err(|e| request.failed(e))?;
        let mut whole = true;
        loop {
            match self.receive() {
                Ok(()) => {}
                // Pieces were lost; the rest still comes, and must be taken off the socket.
                Err(e) if e.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => {
                    whole = false;
                    continue;
                }
                Err(e) => return Err(request.failed(e)),
            }
            for answer in messages(&self.buffer) {
                if answer.sequence_number() != self.sequence {
                    continue;
                }
                whole &= answer.flags() & NLM_F_DUMP_INTR == 0;
                match answer.message_type() {
                    NLMSG_ERROR | NLMSG_DONE => return verdict(&answer, request).map(|()| whole),
                    _ => entry(answer.payload()),
                }
            }
        }
    }

    fn send(&self, message: &[u8]) -> io::Result<()> {
        retrying(|| self.channel.send(message, 0)).map(|_| ())
    }

    fn receive(&mut self) -> io::Result<()> {
        let Self { channel, buffer, .. } = self;
        buffer.clear();
        retrying(|| channel.recv(buffer, 0)).map(|_| ())
    }
}

fn retrying(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// The messages of one datagram.
fn messages(mut datagram: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(datagram).ok()?;
        let length = (message.length() as usize).next_multiple_of(4).min(datagram.len());
        datagram = &datagram[length..];
        Some(message)
    })
}

/// What an acknowledgement, or the end of a dump, says about its request.
fn verdict(answer: &NetlinkBuffer<&[u8]>, request: &NetlinkRequest) -> Result<(), NetlinkError> {
    let payload = answer.payload();
    let code = number(payload).unwrap_or(0).cast_signed();
    if code >= 0 || request.tolerated.iter().any(|errno| errno.raw_os_error() == -code) {
        return Ok(());
    }
    let mut error = request.failed(io::Error::from_raw_os_error(-code));
    if answer.flags() & NLM_F_ACK_TLVS != 0 {
        // The request follows the code: its header alone when capped.
        let request_length = if answer.flags() & NLM_F_CAPPED != 0 {
            HEADER
        } else {
            payload.get(4..).and_then(number).unwrap_or(0) as usize
        };
        let attributes_start = 4 + request_length.next_multiple_of(4);
        let words = attributes(payload.get(attributes_start..).unwrap_or_default());
        error.explanation =
            words.into_iter().find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG).map(|(_, text)| string(text));
    }
    Err(error)
}

/// The attributes in `bytes`, as pairs of kind and value.
pub(crate) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).map(|attribute| {
        let length = usize::from(attribute.length());
        (attribute.kind(), &attribute.into_inner()[4..length])
    })
}

/// A number in the machine's byte order at the beginning of `value`.
pub(crate) fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// An address of either family.
pub(crate) fn address(value: &[u8]) -> Option<IpAddr> {
    let ipv4 = || <[u8; 4]>::try_from(value).ok().map(IpAddr::from);
    ipv4().or_else(|| <[u8; 16]>::try_from(value).ok().map(IpAddr::from))
}

/// A string that ends with a zero byte.
pub(crate) fn string(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}
