//! Real instances: a machine with its own kernel, plugged into a bridge of the host.
//!
//! A [`Node`](crate::Node) is quicker, and enough to test packets. An instance is for tests of a whole machine: that it
//! boots on the network with nothing but the network's services.

use std::net::{Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use crate::guest_services::Lease;
use crate::machine::{Machine, MachineBlueprint, MachineNic};
use crate::node::parse;
use crate::probe::ProbeReply;
use crate::testbed::Testbed;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Asks for a lease once a second, and gives up in the end. It stays, to renew its lease.
const UDHCPC: &str = "udhcpc -n -T 1 -i eth0 -s /bin/lease -O search -O mtu -O staticroutes";

/// An instance that has booted; its interface is up and has no address yet.
#[derive(Debug)]
pub struct Instance {
    machine: Machine,
}

impl Testbed {
    /// Boots an instance with the host name `name` and the MAC address `mac`, plugged into the host's bridge `bridge`,
    /// which is created if absent.
    #[track_caller]
    pub fn instance(&self, bridge: &str, name: &str, mac: &str) -> Instance {
        let nics = [MachineNic { bridge, mac }];
        let blueprint = MachineBlueprint { memory: 128, nics: &nics, modules: &[], disks: &[] };
        Instance { machine: Machine::boot(self, name, &blueprint, PATIENCE) }
    }
}

/// An instance runs scripts as any machine does.
impl Deref for Instance {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Instance {
    /// Gets a lease for `address` by DHCP, and configures address, routes, resolvers and host name with it.
    #[track_caller]
    pub fn takes_lease(&self, address: &str) -> Lease {
        let lease = self.tries_lease().unwrap_or_else(|error| panic!("{error}"));
        lease.with("ip", address);
        lease
    }

    /// Gets a lease by DHCP and configures it. The error says why there is none.
    #[track_caller]
    pub fn tries_lease(&self) -> Result<Lease, String> {
        let ran = self.tries(&format!("{UDHCPC} -t 5 >&2 && cat /tmp/lease"));
        match ran.code {
            0 => Ok(Lease::parse(&String::from_utf8_lossy(&ran.output))),
            _ => Err(format!("{} gets no lease: {ran:?}", self.name())),
        }
    }

    /// Asserts that no server offers it a lease.
    #[track_caller]
    pub fn gets_no_lease(&self) {
        let ran = self.tries(&format!("{UDHCPC} -t 2 >&2"));
        assert!(ran.code != 0, "{} must get no lease: {ran:?}", self.name());
    }

    /// Configures an address such as `10.1.1.10/24` and a default route by hand.
    #[track_caller]
    pub fn takes_address(&self, address: &str, gateway: &str) {
        self.runs(&format!("ip address add {address} dev eth0 && ip route add default via {gateway}"));
    }

    /// Waits until it has `address` from router advertisements.
    #[track_caller]
    pub fn configures_itself(&self, address: &str) {
        // In the spelling of the instance.
        let address: Ipv6Addr = parse(address);
        self.runs(&format!(
            "for attempt in $(seq 100); do\n\
             ip -6 address show dev eth0 | grep -q ' {address}/64 scope global dynamic' && exit\n\
             usleep 100000\n\
             done\n\
             ip -6 address show dev eth0 >&2; exit 1"
        ));
    }

    /// Serves TCP on `port` until it is switched off, like a [`Listener`](crate::Listener) with the instance's name.
    #[track_caller]
    pub fn listens_tcp(&self, port: u16) {
        self.runs(&format!(
            "nc -ll -p {port} -e /bin/greet &\n\
             until netstat -ltn | grep -q ':{port} '; do usleep 10000; done"
        ));
    }

    /// Asserts that a server of the lab answers a TCP connection to `address:port`, and returns its greeting.
    #[track_caller]
    pub fn connects_to(&self, address: &str) -> ProbeReply {
        let ran = self.tries(&connecting(address));
        match ProbeReply::parse(&ran.errors) {
            Ok(reply) => reply,
            Err(error) => panic!("{} cannot reach tcp {address}: {error}, {ran:?}", self.name()),
        }
    }

    /// Asserts that a TCP connection to `address:port` is not answered.
    #[track_caller]
    pub fn cannot_connect_to(&self, address: &str) {
        let ran = self.tries(&connecting(address));
        assert!(ran.code != 0, "{} must not reach tcp {address}: {ran:?}", self.name());
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
