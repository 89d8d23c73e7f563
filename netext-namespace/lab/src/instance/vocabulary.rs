//! What tests say about instances beside running scripts on them.

use std::net::{Ipv6Addr, SocketAddr};

use crate::node::parse;
use crate::probe::Answer;

use super::{Instance, Lease};

/// What asks for a lease, once a second and not for ever in vain. It stays, to renew what it got.
const UDHCPC: &str = "udhcpc -n -T 1 -i eth0 -s /bin/lease -O search -O mtu -O staticroutes";

impl Instance {
    /// Asks for a lease by DHCP, asserts that it is for `address` and takes it: address, routes, resolvers
    /// and host name become what it says.
    #[track_caller]
    pub fn takes_lease(&self, address: &str) -> Lease {
        let lease = self.tries_lease().unwrap_or_else(|trouble| panic!("{trouble}"));
        lease.with("ip", address);
        lease
    }

    /// Asks for a lease by DHCP and takes it, or tells why it got none.
    #[track_caller]
    pub fn tries_lease(&self) -> Result<Lease, String> {
        let ran = self.tries(&format!("{UDHCPC} -t 5 >&2 && cat /tmp/lease"));
        match ran.code {
            0 => Ok(Lease::parse(&String::from_utf8_lossy(&ran.output))),
            _ => Err(format!("{} ought to get a lease, but: {ran:?}", self.name())),
        }
    }

    /// Asserts that nobody answers when it asks for a lease.
    #[track_caller]
    pub fn gets_no_lease(&self) {
        let ran = self.tries(&format!("{UDHCPC} -t 2 >&2"));
        assert!(ran.code != 0, "{} ought to get no lease: {ran:?}", self.name());
    }

    /// Takes an address such as `10.1.1.10/24` and a default route without asking anyone.
    #[track_caller]
    pub fn takes_address(&self, address: &str, gateway: &str) {
        self.runs(&format!("ip address add {address} dev eth0 && ip route add default via {gateway}"));
    }

    /// Waits until router advertisements gave it `address`.
    #[track_caller]
    pub fn configures_itself(&self, address: &str) {
        // As the instance spells it.
        let address: Ipv6Addr = parse(address);
        self.runs(&format!(
            "for attempt in $(seq 100); do\n\
             ip -6 address show dev eth0 | grep -q ' {address}/64 scope global dynamic' && exit\n\
             usleep 100000\n\
             done\n\
             ip -6 address show dev eth0 >&2; exit 1"
        ));
    }

    /// Serves TCP on `port` until it is switched off, like a [`Listener`](crate::Listener) that is named
    /// like the instance.
    #[track_caller]
    pub fn listens_tcp(&self, port: u16) {
        self.runs(&format!(
            "nc -ll -p {port} -e /bin/greet &\n\
             until netstat -ltn | grep -q ':{port} '; do usleep 10000; done"
        ));
    }

    /// Asserts that a TCP connection to `address:port` is answered by a server of the lab, and tells what
    /// that saw.
    #[track_caller]
    pub fn connects_to(&self, address: &str) -> Answer {
        let ran = self.tries(&connecting(address));
        match Answer::parse(&ran.errors) {
            Ok(answer) => answer,
            Err(trouble) => panic!("{} ought to reach tcp {address}, but: {trouble}, {ran:?}", self.name()),
        }
    }

    /// Asserts that a TCP connection to `address:port` is not answered.
    #[track_caller]
    pub fn cannot_connect_to(&self, address: &str) {
        let ran = self.tries(&connecting(address));
        assert!(ran.code != 0, "{} ought not to reach tcp {address}, but: {ran:?}", self.name());
    }

    /// Asserts that an ICMP echo to `address` is answered.
    #[track_caller]
    pub fn pings(&self, address: &str) {
        self.runs(&format!("ping -c 1 -W 2 {address}"));
    }
}

#[track_caller]
fn connecting(address: &str) -> String {
    let target: SocketAddr = parse(address);
    format!("nc -w 2 {} {} -e /bin/hear", target.ip(), target.port())
}
