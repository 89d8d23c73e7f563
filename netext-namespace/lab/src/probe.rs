//! Single probes on the wire: does TCP, UDP, ICMP or another IP protocol get through?

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::sandbox::Sandbox;

/// The reply that a probe expects. It also decides how long the probe waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// A reply: waits 2 s for it.
    Answered,
    /// No reply: gives up after 300 ms.
    Refused,
}

impl Expectation {
    pub(crate) fn patience(self) -> Duration {
        match self {
            Self::Answered => Duration::from_secs(2),
            Self::Refused => Duration::from_millis(300),
        }
    }
}

/// The greeting of a server of the lab: its name, and the source address that it saw.
#[derive(Clone, Debug)]
pub struct ProbeReply {
    source: IpAddr,
    server: String,
}

impl ProbeReply {
    /// Reads the greeting `<address of the client> <name of the server>`.
    pub(crate) fn parse(greeting: &str) -> Result<Self, String> {
        let malformed = || format!("{greeting:?} is not the greeting of a server of the lab");
        let (source, server) = greeting.trim_end().split_once(' ').ok_or_else(malformed)?;
        let source = source.parse().map_err(|_| malformed())?;
        Ok(Self { source, server: server.to_owned() })
    }

    /// The source address that the server saw.
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// The name of the node whose server replied: its first address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asserts the source address that the server saw.
    #[track_caller]
    pub fn seen_as(&self, address: &str) -> &Self {
        assert_eq!(self.source.to_string(), address, "the source address that {} saw", self.server);
        self
    }

    /// Asserts which node's server replied, by that node's first address.
    #[track_caller]
    pub fn answered_by(&self, name: &str) -> &Self {
        assert_eq!(self.server, name, "the server that replied");
        self
    }
}

/// The sender of probes: a sandbox, and the source address of the packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prober<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) source: Option<IpAddr>,
}

impl Prober<'_> {
    /// Connects and reads the greeting.
    pub(crate) fn tcp(
        self,
        target: SocketAddr,
        expected: Expectation,
    ) -> Result<(TcpStream, ProbeReply), String> {
        let deadline = Instant::now() + expected.patience();
        let socket = self.open(target, Type::STREAM, Protocol::TCP)?;
        socket.connect_timeout(&target.into(), expected.patience()).map_err(|error| error.to_string())?;
        let mut stream = TcpStream::from(socket);
        let mut greeting = Vec::new();
        let mut byte = [0];
        while greeting.last() != Some(&b'\n') {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match stream.read(&mut byte) {
                Ok(1) => greeting.push(byte[0]),
                Ok(_) => return Err("connected, but closed without a greeting".to_owned()),
                // A read with a timeout is interrupted when the process is stopped for a moment.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("connected, but no greeting: {error}")),
            }
        }
        let reply = ProbeReply::parse(&String::from_utf8_lossy(&greeting))?;
        Ok((stream, reply))
    }

    /// Opens a UDP socket that exchanges datagrams with `target` only, and probes with it.
    pub(crate) fn udp(
        self,
        target: SocketAddr,
        expected: Expectation,
    ) -> Result<(Socket, ProbeReply), String> {
        let socket = self.open(target, Type::DGRAM, Protocol::UDP)?;
        socket.connect(&target.into()).map_err(|error| error.to_string())?;
        let reply = exchange_datagram(&socket, expected)?;
        Ok((socket, reply))
    }

    /// Sends an ICMP request repeatedly until `target` replies.
    pub(crate) fn icmp(
        self,
        target: IpAddr,
        request: IcmpRequest,
        expected: Expectation,
    ) -> Result<(), String> {
        static IDENTIFIER: AtomicU16 = AtomicU16::new(1);
        let v6 = target.is_ipv6();
        let protocol = if v6 { Protocol::ICMPV6 } else { Protocol::ICMPV4 };
        let target = SocketAddr::new(target, 0);
        let socket = self.open(target, Type::RAW, protocol)?;
        socket.connect(&target.into()).map_err(|error| error.to_string())?;
        let (kind, reply) = match (request, v6) {
            (IcmpRequest::Echo, false) => (8, 0),
            (IcmpRequest::Echo, true) => (128, 129),
            (IcmpRequest::Timestamp, false) => (13, 14),
            (IcmpRequest::Timestamp, true) => return Err("ICMPv6 has no timestamps".to_owned()),
        };
        let identifier = IDENTIFIER.fetch_add(1, Ordering::Relaxed);
        let packet = icmp_packet(kind, identifier);
        let mut last = "no reply".to_owned();
        let mut buffer = [0; 512];
        until(expected.patience(), |slice| {
            if let Err(error) = socket.send(&packet) {
                last = error.to_string();
                std::thread::sleep(slice.min(Duration::from_millis(20)));
                return None;
            }
            let end = Instant::now() + slice;
            while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                let _ = socket.set_read_timeout(Some(left));
                let Ok(length) = (&socket).read(&mut buffer) else { continue };
                // A raw IPv4 socket returns the IP header too.
                let start = if v6 { 0 } else { usize::from(buffer[0] & 0x0f) * 4 };
                let message = buffer[..length].get(start..).unwrap_or_default();
                if message.len() >= 8 && message[0] == reply && message[4..6] == identifier.to_be_bytes() {
                    return Some(());
                }
            }
            None
        })
        .ok_or(last)
    }

    /// Sends packets of an IP protocol repeatedly until one arrives at `receiver`.
    pub(crate) fn ip(
        self,
        target: IpAddr,
        protocol: u8,
        receiver: &Sandbox,
        expected: Expectation,
    ) -> Result<(), String> {
        let (target, protocol) = (SocketAddr::new(target, 0), Protocol::from(i32::from(protocol)));
        let receiver = Prober { sandbox: receiver, source: None }.open(target, Type::RAW, protocol)?;
        let sender = self.open(target, Type::RAW, protocol)?;
        let mut buffer = [0; 512];
        until(expected.patience(), |slice| {
            let _ = sender.send_to(&[0; 16], &target.into());
            let _ = receiver.set_read_timeout(Some(slice));
            (&receiver).read(&mut buffer).ok().map(|_| ())
        })
        .ok_or_else(|| "nothing arrived".to_owned())
    }

    fn open(self, target: SocketAddr, kind: Type, protocol: Protocol) -> Result<Socket, String> {
        self.sandbox
            .run(|| {
                let socket = Socket::new(Domain::for_address(target), kind, Some(protocol))?;
                if let Some(source) = self.source {
                    socket.bind(&SocketAddr::new(source, 0).into())?;
                }
                Ok(socket)
            })
            .map_err(|error: std::io::Error| format!("socket in {}: {error}", self.sandbox.name()))
    }
}

/// A request that hosts reply to in ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IcmpRequest {
    /// Type 8, in IPv6 type 128.
    Echo,
    /// Type 13, IPv4 only.
    Timestamp,
}

/// Sends a datagram repeatedly until one is answered.
pub(crate) fn exchange_datagram(socket: &Socket, expected: Expectation) -> Result<ProbeReply, String> {
    let mut last = "no reply".to_owned();
    let mut buffer = [0; 512];
    until(expected.patience(), |slice| {
        let _ = socket.set_read_timeout(Some(slice));
        // The next send reports an ICMP error for an earlier datagram: not a verdict yet.
        if let Err(error) = socket.send(b"anyone there?") {
            last = error.to_string();
        }
        match (&*socket).read(&mut buffer) {
            Ok(length) => Some(ProbeReply::parse(&String::from_utf8_lossy(&buffer[..length]))),
            Err(error) if timed_out(&error) => None,
            Err(error) => {
                last = error.to_string();
                std::thread::sleep(Duration::from_millis(20));
                None
            }
        }
    })
    .unwrap_or(Err(last))
}

fn icmp_packet(kind: u8, identifier: u16) -> [u8; 20] {
    let mut packet = [0; 20];
    packet[0] = kind;
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    packet[7] = 1;
    let mut sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap_or_default();
    packet[2..4].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// Repeats `attempt`, which may take a slice of time, until it has a result or the time is over.
fn until<T>(patience: Duration, mut attempt: impl FnMut(Duration) -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        if let Some(result) = attempt(left.min(Duration::from_millis(200))) {
            return Some(result);
        }
    }
}

fn timed_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
