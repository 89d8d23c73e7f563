//! Single questions put on the wire: does TCP, UDP or ICMP get through from here to there?

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use crate::place::Place;

/// How long something that ought to work may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before something that ought to fail is held to have failed.
pub(crate) const DOUBT: Duration = Duration::from_millis(300);

/// What a server of the lab told the one who reached it.
#[derive(Clone, Debug)]
pub struct Answer {
    seen_as: IpAddr,
    by: String,
}

impl Answer {
    /// Reads the greeting `<address of the client> <name of the server>`.
    pub(crate) fn parse(greeting: &str) -> Result<Self, String> {
        let strange = || format!("no server of the lab says {greeting:?}");
        let (address, by) = greeting.trim_end().split_once(' ').ok_or_else(strange)?;
        let seen_as = address.parse().map_err(|_| strange())?;
        Ok(Self { seen_as, by: by.to_owned() })
    }

    /// The source address that the server saw.
    pub fn source(&self) -> IpAddr {
        self.seen_as
    }

    /// The name of the node whose server answered: its first address.
    pub fn server(&self) -> &str {
        &self.by
    }

    /// Asserts the source address that the server saw.
    #[track_caller]
    pub fn seen_as(&self, address: &str) -> &Self {
        assert_eq!(self.seen_as.to_string(), address, "the source address that {} saw", self.by);
        self
    }

    /// Asserts which node's server answered, by that node's first address.
    #[track_caller]
    pub fn answered_by(&self, name: &str) -> &Self {
        assert_eq!(self.by, name, "the server that answered");
        self
    }
}

/// Connects and reads the greeting.
pub(crate) fn tcp(
    place: &Place,
    source: Option<IpAddr>,
    target: SocketAddr,
    patience: Duration,
) -> Result<(TcpStream, Answer), String> {
    let deadline = Instant::now() + patience;
    let socket = open(place, source, target, Type::STREAM, Some(Protocol::TCP))?;
    socket.connect_timeout(&target.into(), patience).map_err(|error| error.to_string())?;
    let mut stream = TcpStream::from(socket);
    let mut greeting = Vec::new();
    let mut byte = [0];
    while greeting.last() != Some(&b'\n') {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        match stream.read(&mut byte) {
            Ok(1) => greeting.push(byte[0]),
            Ok(_) => return Err("connected, but closed without a greeting".to_owned()),
            // A read with a timeout is interrupted whenever the process is stopped for a moment.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("connected, but no greeting: {error}")),
        }
    }
    let answer = Answer::parse(&String::from_utf8_lossy(&greeting))?;
    Ok((stream, answer))
}

/// A UDP socket that speaks with `target` only.
pub(crate) fn udp_socket(
    place: &Place,
    source: Option<IpAddr>,
    target: SocketAddr,
) -> Result<Socket, String> {
    let socket = open(place, source, target, Type::DGRAM, Some(Protocol::UDP))?;
    socket.connect(&target.into()).map_err(|error| error.to_string())?;
    Ok(socket)
}

/// Sends a datagram every now and then until one is answered.
pub(crate) fn udp(socket: &Socket, patience: Duration) -> Result<Answer, String> {
    let mut last = "no answer".to_owned();
    let mut buffer = [0; 512];
    until(patience, |slice| {
        let _ = socket.set_read_timeout(Some(slice));
        // An ICMP error for an earlier datagram is told at the next send: not yet a verdict.
        if let Err(error) = socket.send(b"anyone there?") {
            last = error.to_string();
        }
        match (&*socket).read(&mut buffer) {
            Ok(length) => Some(Answer::parse(&String::from_utf8_lossy(&buffer[..length]))),
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

/// A question that hosts answer in ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// "Are you there?" (type 8, in IPv6 type 128)
    Echo,
    /// "What time is it?" (type 13, IPv4 only)
    Timestamp,
}

/// Asks in ICMP, every now and then, until an answer comes back from `target`.
pub(crate) fn icmp(
    place: &Place,
    source: Option<IpAddr>,
    target: IpAddr,
    question: Question,
    patience: Duration,
) -> Result<(), String> {
    static IDENTIFIER: AtomicU16 = AtomicU16::new(1);
    let v6 = target.is_ipv6();
    let protocol = if v6 { Protocol::ICMPV6 } else { Protocol::ICMPV4 };
    let target = SocketAddr::new(target, 0);
    let socket = open(place, source, target, Type::RAW, Some(protocol))?;
    socket.connect(&target.into()).map_err(|error| error.to_string())?;
    let (ask, reply) = match (question, v6) {
        (Question::Echo, false) => (8, 0),
        (Question::Echo, true) => (128, 129),
        (Question::Timestamp, false) => (13, 14),
        (Question::Timestamp, true) => return Err("ICMPv6 has no timestamps".to_owned()),
    };
    let identifier = IDENTIFIER.fetch_add(1, Ordering::Relaxed);
    let packet = icmp_packet(ask, identifier);
    let mut last = "no answer".to_owned();
    let mut buffer = [0; 512];
    until(patience, |slice| {
        if let Err(error) = socket.send(&packet) {
            last = error.to_string();
            std::thread::sleep(slice.min(Duration::from_millis(20)));
            return None;
        }
        let end = Instant::now() + slice;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let _ = socket.set_read_timeout(Some(left));
            let Ok(length) = (&socket).read(&mut buffer) else { continue };
            // A raw IPv4 socket hands over the IP header too.
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

/// Sends packets of a protocol of IP every now and then until one arrives at a machine.
pub(crate) fn arrives(
    place: &Place,
    source: Option<IpAddr>,
    target: IpAddr,
    protocol: u8,
    at: &Place,
    patience: Duration,
) -> Result<(), String> {
    let (target, protocol) = (SocketAddr::new(target, 0), Protocol::from(i32::from(protocol)));
    let receiver = open(at, None, target, Type::RAW, Some(protocol))?;
    let sender = open(place, source, target, Type::RAW, Some(protocol))?;
    let mut buffer = [0; 512];
    until(patience, |slice| {
        let _ = sender.send_to(&[0; 16], &target.into());
        let _ = receiver.set_read_timeout(Some(slice));
        (&receiver).read(&mut buffer).ok().map(|_| ())
    })
    .ok_or_else(|| "nothing arrived".to_owned())
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

fn open(
    place: &Place,
    source: Option<IpAddr>,
    target: SocketAddr,
    kind: Type,
    protocol: Option<Protocol>,
) -> Result<Socket, String> {
    place
        .run(|| {
            let socket = Socket::new(Domain::for_address(target), kind, protocol)?;
            if let Some(source) = source {
                socket.bind(&SocketAddr::new(source, 0).into())?;
            }
            Ok(socket)
        })
        .map_err(|error: std::io::Error| format!("socket in {}: {error}", place.name()))
}

/// Repeats `attempt`, which may take a slice of time, until it has a result or patience ends.
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
