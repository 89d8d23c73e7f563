//! Machines of the lab: the upstream, clients, neighbours and guests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::conversation::Conversation;
use crate::listener::{ClientSource, Listener};
use crate::probe::Expectation::{Answered, Refused};
use crate::probe::{Expectation, IcmpRequest, ProbeReply, Prober};
use crate::sandbox::Sandbox;

/// A machine with addresses on one of the lab's segments, or a view from inside a router.
///
/// It sends from its own address of the target's family. It stays on its segment until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Node {
    sandbox: Sandbox,
    addresses: Vec<IpAddr>,
    plug: Option<Arc<Plug>>,
}

/// The host's end of the cable to a machine. It is unplugged with the machine's last handle, so that a machine with
/// the same address can follow at once; the kernel alone would take its time.
#[derive(Debug)]
struct Plug {
    host: Sandbox,
    interface: String,
}

impl Drop for Plug {
    fn drop(&mut self) {
        let _ = self.host.try_ip(&format!("link set {} nomaster down\n", self.interface));
    }
}

impl Node {
    pub(crate) fn new(sandbox: Sandbox, addresses: Vec<IpAddr>) -> Self {
        Self { sandbox, addresses, plug: None }
    }

    /// A machine that `interface` of the host connects.
    pub(crate) fn plugged(
        sandbox: Sandbox,
        addresses: Vec<IpAddr>,
        host: &Sandbox,
        interface: String,
    ) -> Self {
        let plug = Plug { host: host.clone(), interface };
        Self { sandbox, addresses, plug: Some(Arc::new(plug)) }
    }

    /// The node's namespace.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The same machine, sending from another of its addresses.
    pub(crate) fn speaking_as(&self, address: IpAddr) -> Self {
        Self { sandbox: self.sandbox.clone(), addresses: vec![address], plug: self.plug.clone() }
    }

    /// Serves TCP on `port` of the node's own address, or of every address if it has none of its own.
    #[track_caller]
    pub fn listen_tcp(&self, port: u16) -> Listener {
        self.listen_tcp_on(&self.own(port).to_string())
    }

    /// Serves TCP on `address:port`.
    #[track_caller]
    pub fn listen_tcp_on(&self, address: &str) -> Listener {
        Listener::tcp(&self.sandbox, &self.name(), parse(address), ClientSource::Peer)
    }

    /// Serves TCP on `port` of the node's own address; the client is the one that the PROXY header names.
    #[track_caller]
    pub fn listen_proxied_tcp(&self, port: u16) -> Listener {
        Listener::tcp(&self.sandbox, &self.name(), self.own(port), ClientSource::ProxyHeader)
    }

    /// Serves UDP on `port` of the node's own address, or of every address if it has none of its own.
    #[track_caller]
    pub fn listen_udp(&self, port: u16) -> Listener {
        self.listen_udp_on(&self.own(port).to_string())
    }

    /// Serves UDP on `address:port`.
    #[track_caller]
    pub fn listen_udp_on(&self, address: &str) -> Listener {
        Listener::udp(&self.sandbox, &self.name(), parse(address))
    }

    /// Asserts that a TCP connection to `address:port` is answered, and returns the server's greeting.
    #[track_caller]
    pub fn connects_to(&self, address: &str) -> ProbeReply {
        self.talks_to(address).reply().clone()
    }

    /// Asserts that a TCP connection to `address:port` is not answered.
    #[track_caller]
    pub fn cannot_connect_to(&self, address: &str) {
        if let Ok(reply) = self.tries_tcp(address, Refused) {
            panic!("{} must not reach tcp {address}, but got {reply:?}", self.name());
        }
    }

    /// Asserts that no TCP connection to any of these is answered; tries all at once.
    #[track_caller]
    pub fn cannot_connect_to_any_of(&self, addresses: &[String]) {
        let answered = std::thread::scope(|scope| {
            let try_one =
                |address: &String| self.tries_tcp(address, Refused).ok().map(|it| (address.clone(), it));
            let trying: Vec<_> =
                addresses.iter().map(|address| scope.spawn(move || try_one(address))).collect();
            trying.into_iter().filter_map(|it| it.join().ok().flatten()).collect::<Vec<_>>()
        });
        assert!(answered.is_empty(), "{} must reach none of {addresses:?}: {answered:?}", self.name());
    }

    /// Opens a TCP connection to `address:port` that stays open.
    #[track_caller]
    pub fn talks_to(&self, address: &str) -> Conversation {
        match self.tries_to_talk(address, Answered) {
            Ok(conversation) => conversation,
            Err(error) => panic!("{} cannot reach tcp {address}: {error}", self.name()),
        }
    }

    /// Asserts that UDP to `address:port` is answered, and returns the server's greeting.
    #[track_caller]
    pub fn exchanges_udp_with(&self, address: &str) -> ProbeReply {
        self.talks_udp_with(address).reply().clone()
    }

    /// Asserts that UDP to `address:port` is not answered.
    #[track_caller]
    pub fn gets_no_udp_from(&self, address: &str) {
        if let Ok(reply) = self.tries_udp(address, Refused) {
            panic!("{} must not reach udp {address}, but got {reply:?}", self.name());
        }
    }

    /// Begins an exchange of datagrams with `address:port` from one socket that stays open.
    #[track_caller]
    pub fn talks_udp_with(&self, address: &str) -> Conversation {
        let target: SocketAddr = parse(address);
        match self.prober(target.ip()).udp(target, Answered) {
            Ok((socket, reply)) => Conversation::udp(socket, reply),
            Err(error) => panic!("{} cannot reach udp {address}: {error}", self.name()),
        }
    }

    /// Asserts that an ICMP echo to `address` is answered.
    #[track_caller]
    pub fn pings(&self, address: &str) {
        self.probes_icmp(address, IcmpRequest::Echo, Answered);
    }

    /// Asserts that an ICMP echo to `address` is not answered.
    #[track_caller]
    pub fn cannot_ping(&self, address: &str) {
        self.probes_icmp(address, IcmpRequest::Echo, Refused);
    }

    /// Asserts that an ICMP timestamp request (type 13) to `address` is answered.
    #[track_caller]
    pub fn asks_the_time_of(&self, address: &str) {
        self.probes_icmp(address, IcmpRequest::Timestamp, Answered);
    }

    /// Asserts that an ICMP timestamp request (type 13) to `address` is not answered.
    #[track_caller]
    pub fn cannot_ask_the_time_of(&self, address: &str) {
        self.probes_icmp(address, IcmpRequest::Timestamp, Refused);
    }

    #[track_caller]
    fn probes_icmp(&self, address: &str, request: IcmpRequest, expected: Expectation) {
        match (self.tries_icmp(address, request, expected), expected) {
            (Err(error), Answered) => {
                panic!("{} gets no ICMP {request:?} reply from {address}: {error}", self.name())
            }
            (Ok(()), Refused) => {
                panic!("{} must get no ICMP {request:?} reply from {address}, but does", self.name())
            }
            _ => {}
        }
    }

    /// Asserts that packets of this IP protocol, sent to `address`, arrive at `guest`.
    #[track_caller]
    pub fn gets_protocol_through(&self, protocol: u8, address: &str, guest: &Self) {
        self.probes_protocol(protocol, address, guest, Answered);
    }

    /// Asserts that packets of this IP protocol, sent to `address`, do not arrive at `guest`.
    #[track_caller]
    pub fn gets_no_protocol_through(&self, protocol: u8, address: &str, guest: &Self) {
        self.probes_protocol(protocol, address, guest, Refused);
    }

    #[track_caller]
    fn probes_protocol(&self, protocol: u8, address: &str, guest: &Self, expected: Expectation) {
        let target: IpAddr = parse(address);
        let arrived = self.prober(target).ip(target, protocol, &guest.sandbox, expected);
        assert_eq!(
            arrived.is_ok(),
            expected == Answered,
            "packets of protocol {protocol} from {} to {address} arrive at {}: {arrived:?}",
            self.name(),
            guest.name()
        );
    }

    /// Connects by TCP to `address:port` and returns the server's greeting. The error says why there was none.
    pub fn tries_tcp(&self, address: &str, expected: Expectation) -> Result<ProbeReply, String> {
        self.tries_to_talk(address, expected).map(|conversation| conversation.reply().clone())
    }

    /// Connects by TCP to `address:port` and keeps the connection.
    pub fn tries_to_talk(&self, address: &str, expected: Expectation) -> Result<Conversation, String> {
        let target: SocketAddr = parse(address);
        let (stream, reply) = self.prober(target.ip()).tcp(target, expected)?;
        Ok(Conversation::tcp(stream, reply))
    }

    /// Sends datagrams to `address:port` and returns the server's greeting. The error says why there was none.
    pub fn tries_udp(&self, address: &str, expected: Expectation) -> Result<ProbeReply, String> {
        let target: SocketAddr = parse(address);
        self.prober(target.ip()).udp(target, expected).map(|(_, reply)| reply)
    }

    /// Sends ICMP echo requests to `address`. The error says why there was no reply.
    pub fn tries_ping(&self, address: &str, expected: Expectation) -> Result<(), String> {
        self.tries_icmp(address, IcmpRequest::Echo, expected)
    }

    fn tries_icmp(&self, address: &str, request: IcmpRequest, expected: Expectation) -> Result<(), String> {
        let target = parse(address);
        self.prober(target).icmp(target, request, expected)
    }

    /// Adds a route to `destination` (a network, or `default`) through the router `via`.
    #[track_caller]
    pub fn routes(&self, destination: &str, via: &str) {
        let everywhere = if parse::<IpAddr>(via).is_ipv6() { "::/0" } else { "0.0.0.0/0" };
        let destination = if destination == "default" { everywhere } else { destination };
        self.sandbox.ip(&format!("route replace {destination} via {via} dev eth0\n"));
    }

    /// The MAC address of the neighbour `address` in the node's ARP table.
    #[track_caller]
    pub fn mac_of(&self, address: &str) -> String {
        // /proc/net shows the namespace of the process's first thread; this thread is in another one.
        let table = self.sandbox.run(|| std::fs::read_to_string("/proc/thread-self/net/arp"));
        let table = table.expect("the node's ARP table");
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(address));
        let line = line.unwrap_or_else(|| panic!("{} knows no neighbour {address}", self.name()));
        line.split_whitespace().nth(3).unwrap_or_default().to_owned()
    }

    /// The name of the node's servers: its first address, or else its namespace.
    pub fn name(&self) -> String {
        self.addresses.first().map_or_else(|| self.sandbox.name().to_owned(), ToString::to_string)
    }

    fn own(&self, port: u16) -> SocketAddr {
        let address = self.addresses.first().copied();
        SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port)
    }

    fn prober(&self, target: IpAddr) -> Prober<'_> {
        let source = self.addresses.iter().copied().find(|own| own.is_ipv4() == target.is_ipv4());
        Prober { sandbox: &self.sandbox, source }
    }
}

#[track_caller]
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("the test says {text:?}, which is no {}", std::any::type_name::<T>()))
}
