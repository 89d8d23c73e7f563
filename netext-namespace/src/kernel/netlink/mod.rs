//! Netlink, synchronous and in batches.
//!
//! The kernel handles the messages of one `send` in order and answers each: a batch of changes costs two system calls,
//! and the answers come back in order. Requests are built with the `netlink-packet` crates. Of answers, only the
//! attributes that are needed are read, so that nothing else about a host's interfaces can make a command fail.

mod message;
mod options;
pub(super) mod uapi;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NetlinkBuffer,
};
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use nix::sys::socket::getsockopt;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_send_buffer_size_force, set_socket_timeout};

pub use message::NetlinkError;
pub(super) use message::{
    CREATE, NetlinkRequest, address, attribute, attributes, counter, network_number, number, string,
};
use options::NamespaceCookie;
use uapi::{
    NFNL_BATCH_GENID, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NLMSG_DONE, NLMSG_ERROR, NLMSG_HDRLEN,
    NLMSGERR_ATTR_MSG,
};

use crate::drift::{Pass, RouterPart};

/// The kernel sends a dump in pieces of at most 32 KiB.
const RECEIVE: usize = 64 * 1024;
/// Requests in one `send`: the socket's receive buffer must have room for all of their answers.
const BATCH: usize = 64;
/// How long the kernel may take for an answer. It takes microseconds, and much more only while others change links.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a dump that changed while it was read is repeated.
const DUMP_ATTEMPTS: usize = 16;

/// The body of a reply, or `None` if a request has none or was refused in a tolerated way.
pub(super) type NetlinkReply = Option<Vec<u8>>;

/// A netlink socket. It belongs to the namespace of the thread that opened it, whichever thread uses it.
#[derive(Debug)]
pub(super) struct NetlinkSocket {
    channel: netlink_sys::Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl NetlinkSocket {
    /// Opens a socket of the routing family in this thread's namespace.
    pub(super) fn route() -> Result<Self, NetlinkError> {
        let socket =
            Self::open(NETLINK_ROUTE).map_err(|e| NetlinkError::new("open a route netlink socket", e))?;
        // Makes the kernel filter dumps by what the request names (since 4.20).
        let strict = socket.channel.set_netlink_get_strict_chk(true);
        strict.map_err(|e| NetlinkError::new("ask for strict netlink dumps", e))?;
        Ok(socket)
    }

    /// Opens a socket of the netfilter family in this thread's namespace.
    pub(super) fn netfilter() -> Result<Self, NetlinkError> {
        Self::open(NETLINK_NETFILTER).map_err(|e| NetlinkError::new("open a netfilter netlink socket", e))
    }

    /// The cookie of the socket's namespace: another namespace never has it before the next boot.
    pub(super) fn namespace_cookie(&self) -> Result<u64, NetlinkError> {
        getsockopt(&self.channel, NamespaceCookie)
            .map_err(|errno| NetlinkError::new("ask for the cookie of the namespace", errno.into()))
    }

    fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = netlink_sys::Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.set_ext_ack(true)?;
        // Errors need not carry the whole request back.
        socket.set_cap_ack(true)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { channel: socket, sequence: 0, buffer: Vec::with_capacity(RECEIVE) })
    }

    /// Sends all requests in order and returns their replies, or the first error.
    ///
    /// The kernel also handles the requests after one that it refuses.
    pub(super) fn exchange(
        &mut self,
        requests: &[NetlinkRequest],
    ) -> Result<Vec<NetlinkReply>, NetlinkError> {
        let mut replies = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            self.exchange_batch(batch, &mut replies)?;
        }
        Ok(replies)
    }

    /// Makes changes of the routing family, unless the pass only rehearses.
    pub(super) fn carry_out(
        &mut self,
        requests: &[NetlinkRequest],
        part: RouterPart,
        pass: &mut Pass,
    ) -> Result<(), NetlinkError> {
        for request in requests {
            if let Some(change) = request.change() {
                pass.differs(part, change, request.attempted());
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

    /// Has a netfilter subsystem carry out all requests or none, if its generation is still the one given: otherwise
    /// the kernel answers `ERESTART`.
    pub(super) fn transaction(
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

        // A transaction of any length is one message to the kernel.
        set_socket_send_buffer_size_force(self.channel.as_fd(), message.len().max(RECEIVE) * 2)
            .map_err(|e| opening.failed(e.into()))?;
        self.send(&message).map_err(|e| opening.failed(e))?;
        let mut pending = requests.len();
        while pending > 0 {
            self.receive().map_err(|e| opening.failed(e))?;
            for answer in messages(&self.buffer) {
                let position = answer.sequence_number().wrapping_sub(first) as usize;
                // The kernel answers the brackets only if it refuses them.
                verdict(&answer, requests.get(position.wrapping_sub(1)).unwrap_or(opening))?;
                pending -= usize::from((1..=requests.len()).contains(&position));
            }
        }
        Ok(())
    }

    /// Dumps the entries that the request asks for, as `read` reads them.
    ///
    /// A dump is repeated if the kernel reports that a change disturbed it.
    pub(super) fn dump<T>(
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
        Err(request.failed(io::Error::other(format!(
            "the list changed while it was read, {DUMP_ATTEMPTS} times in a row"
        ))))
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
                // Pieces were lost. The rest still comes, and must be taken off the socket.
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
        match retrying(|| channel.recv(buffer, 0)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let words = format!("the kernel did not answer within {} s", PATIENCE.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, words))
            }
            received => received.map(|_| ()),
        }
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
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(datagram).ok()?;
        let length = (message.length() as usize).next_multiple_of(4).min(datagram.len());
        datagram = &datagram[length..];
        Some(message)
    })
}

/// The result of a request, as its acknowledgement or the end of its dump reports it.
pub(super) fn verdict(answer: &NetlinkBuffer<&[u8]>, request: &NetlinkRequest) -> Result<(), NetlinkError> {
    let payload = answer.payload();
    let code = payload.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
    let errno = code.saturating_neg();
    if errno <= 0 || request.tolerates(errno) {
        return Ok(());
    }
    let mut explanation = None;
    if answer.flags() & NLM_F_ACK_TLVS != 0 {
        // The request follows the code: its header alone when capped.
        let request_length = if answer.flags() & NLM_F_CAPPED != 0 {
            NLMSG_HDRLEN
        } else {
            payload.get(4..).and_then(number).unwrap_or(0) as usize
        };
        let attributes_start = 4 + request_length.next_multiple_of(4);
        let attributes = payload.get(attributes_start..).unwrap_or_default();
        explanation = attribute(attributes, NLMSGERR_ATTR_MSG).map(string);
    }
    Err(request.refused(io::Error::from_raw_os_error(errno), explanation))
}
