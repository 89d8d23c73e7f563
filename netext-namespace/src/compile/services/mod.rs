//! What guests are served with: DHCP and DNS by dnsmasq, router advertisements by radvd.
//!
//! Nothing that a tenant can write is a word of a configuration: names are [`HostName`]s and [`DomainName`]s,
//! option values are [`OptionValue`]s, and a name that dnsmasq could take for something else (`10.1.1.9`, `2m`,
//! `ignore`) never stands where it could.

mod advertisements;
mod dhcp;
mod dnsmasq;
mod haproxy;
mod metadata;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::Ipv6Net;
use netext_protocol::{DomainName, HostName, MacAddr, NetworkId};

use crate::model::{InterfaceName, OptionValue, ServedRange, joined};
use crate::plan::{Account, Daemon, DaemonPlan};
pub use haproxy::{haproxy, haproxy_daemon};
pub use metadata::{MetadataTier, instances_folder, metadata_daemon, metadata_server};

/// What the guests of one network are served with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestServices {
    /// The network.
    pub network: NetworkId,
    /// The router's interface in it.
    pub interface: InterfaceName,
    /// The guests' ranges of addresses, each with its gateway and the router's address; the network's own comes first.
    pub ranges: Vec<ServedRange>,
    /// Whether DHCP is served.
    pub dhcp: bool,
    /// Whether DNS is served.
    pub dns: bool,
    /// The resolvers that guests are told of, and that questions are forwarded to.
    pub resolvers: Vec<IpAddr>,
    /// The network's domain.
    pub domain: Option<DomainName>,
    /// Who gets an address. If an address is reserved twice, the reservation with the higher MAC stands.
    pub reservations: BTreeMap<MacAddr, Reservation>,
    /// Whose name is answered for which address.
    pub records: BTreeMap<IpAddr, HostName>,
    /// The IPv6 subnet that is advertised.
    pub ipv6: Option<AdvertisedPrefix>,
    /// The IPv6 resolvers that guests are told of.
    pub dns6: Vec<Ipv6Addr>,
}

/// An address reserved for a NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The address.
    pub ip: Ipv4Addr,
    /// The instance's host name.
    pub hostname: Option<HostName>,
    /// Whether the host name is for the instance alone. Otherwise DNS answers it while the instance has a lease, even if
    /// there is no record of it.
    pub is_unnamed: bool,
    /// Whether the instance's default route leads through this NIC; otherwise it is told of no router.
    pub default_nic: bool,
    /// The NIC's own options by number, which go before the network's.
    pub options: BTreeMap<u8, OptionValue>,
}

/// An IPv6 subnet that a router advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisedPrefix {
    /// The router's address in it.
    pub gateway: Ipv6Addr,
    /// The subnet.
    pub prefix: Ipv6Net,
}

/// The accounts that the daemons run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonAccounts {
    /// dnsmasq's.
    pub dnsmasq: Account,
    /// radvd's.
    pub radvd: Account,
}

/// The daemons that serve a network's guests, with their configuration below the network's folder.
pub fn services(guest: &GuestServices, folder: &Path, accounts: &DaemonAccounts) -> Vec<DaemonPlan> {
    let [dnsmasq, radvd] = service_daemons(guest.network, folder);
    let serves = guest.dhcp || guest.dns;
    let dnsmasq = serves.then(|| dnsmasq::plan(guest, dnsmasq, accounts.dnsmasq.clone()));
    let radvd = guest.ipv6.map(|ipv6| advertisements::plan(guest, ipv6, radvd, accounts.radvd.clone()));
    dnsmasq.into_iter().chain(radvd).collect()
}

/// Every daemon that [`services`] may ever name for a network, to be stopped where it is not wanted.
pub fn service_daemons(network: NetworkId, folder: &Path) -> [Daemon; 2] {
    ["dnsmasq", "radvd"].map(|program| Daemon {
        what: format!("{program} of network {network}"),
        program: program.to_owned(),
        folder: folder.join(program),
        pid_file: format!("{program}.pid"),
    })
}

impl GuestServices {
    fn interfaces(&self) -> BTreeSet<InterfaceName> {
        BTreeSet::from([self.interface.clone()])
    }

    /// The IPv4 addresses on which the router itself answers, each once.
    fn own_ipv4(&self) -> Vec<Ipv4Addr> {
        distinct(self.ranges.iter().map(|range| range.address))
    }

    /// All addresses on which it answers names.
    fn own_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let ipv6 = self.ipv6.map(|ipv6| IpAddr::V6(ipv6.gateway));
        self.own_ipv4().into_iter().map(IpAddr::V4).chain(ipv6)
    }
}

/// A line-based configuration.
#[derive(Default)]
struct ConfigLines(String);

impl ConfigLines {
    /// Room for so many lines of usual length, so that thousands are not moved again and again.
    fn with_room_for(count: usize) -> Self {
        Self(String::with_capacity(64 * count))
    }

    fn add(&mut self, line: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The items in order, each but once, and no more than a message of DHCP or an advertisement has room for.
fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    const MOST: usize = 12;
    let mut distinct = Vec::new();
    for item in items {
        if distinct.len() < MOST && !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}
