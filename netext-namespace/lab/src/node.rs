//! Machines of the lab: the upstream, clients, neighbours and guests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::conversation::Conversation;
use crate::listener::{Client, Listener};
use crate::place::Place;
use crate::probe::{self, Answer, DOUBT, PATIENCE, Question};

/// A machine with addresses on one of the lab's segments, or a view from inside a router.
///
/// What it sends bears its own address of the target's family as source. It stays on its segment until
/// the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Node {
    place: Place,
    addresses: Vec<IpAddr>,
    plug: Option<Arc<Plug>>,
}

/// The host's end of the cable to a machine. Pulled out with the machine's last handle, so that one with
/// the same address can follow at once; the kernel alone would take its time.
#[derive(Debug)]
struct Plug {
    host: Place,
    interface: String,
}

impl Drop for Plug {
    fn drop(&mut self) {
        let _ = self.host.try_ip(&format!("link set {} nomaster down\n", self.interface));
    }
}

impl Node {
    pub(crate) fn new(place: Place, addresses: Vec<IpAddr>) -> Self {
        Self { place, addresses, plug: None }
    }

    /// A machine that `interface` of the host connects.
    pub(crate) fn plugged(place: Place, addresses: Vec<IpAddr>, host: &Place, interface: String) -> Self {
        let plug = Plug { host: host.clone(), interface };
        Self { place, addresses, plug: Some(Arc::new(plug)) }
    }

    /// The namespace the node is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The same machine speaking with another of its addresses.
    pub(crate) fn speaking_as(&self, address: IpAddr) -> Self {
        Self { place: self.place.clone(), addresses: vec![address], plug: self.plug.clone() }
    }

    /// Serves TCP on `port` of the node's own address (on every address where it has none of its own).
    #[track_caller]
    pub fn listen_tcp(&self, port: u16) -> Listener {
        self.listen_tcp_on(&self.own(port).to_string())
    }

    /// Serves TCP on `address:port`.
    #[track_caller]
    pub fn listen_tcp_on(&self, address: &str) -> Listener {
        Listener::tcp(&self.place, &self.name(), target(address), Client::Peer)
    }

    /// Serves TCP on `port` of the node's own address, and takes for the client whom the PROXY header names.
    #[track_caller]
    pub fn listen_proxied_tcp(&self, port: u16) -> Listener {
        Listener::tcp(&self.place, &self.name(), self.own(port), Client::Proxied)
    }

    /// Serves UDP on `port` of the node's own address (on every address where it has none of its own).
    #[track_caller]
    pub fn listen_udp(&self, port: u16) -> Listener {
        self.listen_udp_on(&self.own(port).to_string())
    }

    /// Serves UDP on `address:port`.
    #[track_caller]
    pub fn listen_udp_on(&self, address: &str) -> Listener {
        Listener::udp(&self.place, &self.name(), target(address))
    }

    /// Asserts that a TCP connection to `address:port` is answered, and tells what the server saw.
    #[track_caller]
    pub fn connects_to(&self, address: &str) -> Answer {
        self.talks_to(address).answer().clone()
    }

    /// Asserts that a TCP connection to `address:port` is not answered.
    #[track_caller]
    pub fn cannot_connect_to(&self, address: &str) {
        let target = target(address);
        if let Ok((_, answer)) = probe::tcp(&self.place, self.source(target.ip()), target, DOUBT) {
            panic!("{} ought not to reach tcp {address}, but was answered: {answer:?}", self.name());
        }
    }

    /// Asserts that TCP connections to none of these are answered, asking all at once.
    #[track_caller]
    pub fn cannot_connect_to_any_of(&self, addresses: &[String]) {
        let answered = std::thread::scope(|scope| {
            let ask = |address: &String| {
                let target = target(address);
                let asked = probe::tcp(&self.place, self.source(target.ip()), target, DOUBT);
                asked.ok().map(|(_, answer)| (address.clone(), answer))
            };
            let asking: Vec<_> = addresses.iter().map(|address| scope.spawn(move || ask(address))).collect();
            let asked = asking.into_iter().filter_map(|asking| asking.join().ok().flatten());
            asked.collect::<Vec<_>>()
        });
        assert!(answered.is_empty(), "{} ought to reach none of {addresses:?}: {answered:?}", self.name());
    }

    /// Opens a TCP connection to `address:port` that stays open.
    #[track_caller]
    pub fn talks_to(&self, address: &str) -> Conversation {
        let target = target(address);
        match probe::tcp(&self.place, self.source(target.ip()), target, PATIENCE) {
            Ok((stream, answer)) => Conversation::tcp(stream, answer),
            Err(error) => panic!("{} ought to reach tcp {address}, but: {error}", self.name()),
        }
    }

    /// Asserts that UDP to `address:port` is answered, and tells what the server saw.
    #[track_caller]
    pub fn exchanges_udp_with(&self, address: &str) -> Answer {
        self.talks_udp_with(address).answer().clone()
    }

    /// Asserts that UDP to `address:port` is not answered.
    #[track_caller]
    pub fn gets_no_udp_from(&self, address: &str) {
        let target = target(address);
        let socket = probe::udp_socket(&self.place, self.source(target.ip()), target);
        if let Ok(answer) = socket.and_then(|socket| probe::udp(&socket, DOUBT)) {
            panic!("{} ought not to reach udp {address}, but was answered: {answer:?}", self.name());
        }
    }

    /// Begins an exchange of datagrams with `address:port` from one socket that stays open.
    #[track_caller]
    pub fn talks_udp_with(&self, address: &str) -> Conversation {
        let target = target(address);
        let begun = probe::udp_socket(&self.place, self.source(target.ip()), target)
            .and_then(|socket| probe::udp(&socket, PATIENCE).map(|answer| (socket, answer)));
        match begun {
            Ok((socket, answer)) => Conversation::udp(socket, answer),
            Err(error) => panic!("{} ought to reach udp {address}, but: {error}", self.name()),
        }
    }

    /// Asserts that an ICMP echo to `address` is answered.
    #[track_caller]
    pub fn pings(&self, address: &str) {
        self.icmp(address, Question::Echo, true);
    }

    /// Asserts that an ICMP echo to `address` is not answered.
    #[track_caller]
    pub fn cannot_ping(&self, address: &str) {
        self.icmp(address, Question::Echo, false);
    }

    /// Asserts that an ICMP timestamp request (type 13) to `address` is answered.
    #[track_caller]
    pub fn asks_the_time_of(&self, address: &str) {
        self.icmp(address, Question::Timestamp, true);
    }

    /// Asserts that an ICMP timestamp request (type 13) to `address` is not answered.
    #[track_caller]
    pub fn cannot_ask_the_time_of(&self, address: &str) {
        self.icmp(address, Question::Timestamp, false);
    }

    #[track_caller]
    fn icmp(&self, address: &str, question: Question, expected: bool) {
        let target: IpAddr = parse(address);
        let patience = if expected { PATIENCE } else { DOUBT };
        match probe::icmp(&self.place, self.source(target), target, question, patience) {
            Err(error) if expected => {
                panic!("{} ought to get ICMP {question:?} from {address}, but: {error}", self.name())
            }
            Ok(()) if !expected => {
                panic!("{} ought not to get ICMP {question:?} from {address}, but does", self.name())
            }
            _ => {}
        }
    }

    /// Asserts that packets of this protocol of IP, sent to `address`, arrive at `guest`.
    #[track_caller]
    pub fn gets_protocol_through(&self, protocol: u8, address: &str, guest: &Self) {
        self.protocol(protocol, address, guest, true);
    }

    /// Asserts that packets of this protocol of IP, sent to `address`, do not arrive at `guest`.
    #[track_caller]
    pub fn gets_no_protocol_through(&self, protocol: u8, address: &str, guest: &Self) {
        self.protocol(protocol, address, guest, false);
    }

    #[track_caller]
    fn protocol(&self, protocol: u8, address: &str, guest: &Self, expected: bool) {
        let target: IpAddr = parse(address);
        let patience = if expected { PATIENCE } else { DOUBT };
        let arrived =
            probe::arrives(&self.place, self.source(target), target, protocol, &guest.place, patience);
        assert_eq!(
            arrived.is_ok(),
            expected,
            "packets of protocol {protocol} from {} to {address} arrive at {}: {arrived:?}",
            self.name(),
            guest.name()
        );
    }

    /// Sends what goes to `destination` (a network, or `default`) to the router `via`.
    #[track_caller]
    pub fn routes(&self, destination: &str, via: &str) {
        let everywhere = if parse::<IpAddr>(via).is_ipv6() { "::/0" } else { "0.0.0.0/0" };
        let destination = if destination == "default" { everywhere } else { destination };
        self.place.ip(&format!("route replace {destination} via {via} dev eth0\n"));
    }

    /// The MAC address at which the node knows its neighbour `address`.
    #[track_caller]
    pub fn mac_of(&self, address: &str) -> String {
        // /proc/net is the view of a process's first thread; this thread is elsewhere.
        let table = self.place.run(|| std::fs::read_to_string("/proc/thread-self/net/arp"));
        let table = table.expect("the kernel's table of neighbours");
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(address));
        let line = line.unwrap_or_else(|| panic!("{} knows no neighbour {address}", self.name()));
        line.split_whitespace().nth(3).unwrap_or_default().to_owned()
    }

    /// What the node's servers call themselves: its first address, or else its namespace.
    pub fn name(&self) -> String {
        self.addresses.first().map_or_else(|| self.place.name().to_owned(), ToString::to_string)
    }

    fn own(&self, port: u16) -> SocketAddr {
        let address = self.addresses.first().copied();
        SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port)
    }

    pub(crate) fn source(&self, target: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|own| own.is_ipv4() == target.is_ipv4())
    }
}

#[track_caller]
pub(crate) fn target(text: &str) -> SocketAddr {
    parse(text)
}

#[track_caller]
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("the test says {text:?}, which is no {}", std::any::type_name::<T>()))
}
