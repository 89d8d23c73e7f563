//! The daemons that serve guests: DHCP and DNS by dnsmasq, router advertisements by radvd, metadata, load
//! balancing.
//!
//! No text of a tenant can change a configuration: names are [`HostName`]s and [`DomainName`]s, option values are
//! [`OptionValue`]s, and a name that dnsmasq could read as something else (`10.1.1.9`, `2m`, `ignore`) is never
//! written where it would.

mod dnsmasq;
mod haproxy;
mod metadata;
mod radvd;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::Ipv6Net;
use netext_protocol::{DomainName, HostName, MacAddr, NetworkId};

use crate::metadata::server::PROCESS;
use crate::model::{
    DnsListing, GuestNic, InterfaceName, OptionValue, Router, ServedRange, Tier, guest_interface, joined,
};
use crate::plan::{Daemon, DaemonAccount, DaemonPlan, DaemonProgram};
pub use haproxy::{haproxy, needs_haproxy};
pub use metadata::{MetadataTier, metadata_server};

/// The services for the guests of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestServices {
    /// The network.
    pub network: NetworkId,
    /// The router's interface in it.
    pub interface: InterfaceName,
    /// The guests' ranges of addresses, each with its gateway and the router's address; the network's own comes
    /// first.
    pub ranges: Vec<ServedRange>,
    /// Whether DHCP is served.
    pub dhcp: bool,
    /// Whether DNS is served.
    pub dns: bool,
    /// The resolvers of the guests, which questions are also forwarded to.
    pub resolvers: Vec<IpAddr>,
    /// The network's domain.
    pub domain: Option<DomainName>,
    /// The reserved addresses. If an address is reserved twice, the reservation with the higher MAC counts.
    pub reservations: BTreeMap<MacAddr, Reservation>,
    /// The names of addresses.
    pub records: BTreeMap<IpAddr, HostName>,
    /// The IPv6 subnet that is advertised.
    pub ipv6: Option<AdvertisedPrefix>,
    /// The IPv6 resolvers of the guests.
    pub dns6: Vec<Ipv6Addr>,
}

/// An address reserved for a NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The address.
    pub ip: Ipv4Addr,
    /// The instance's host name.
    pub hostname: Option<HostName>,
    /// Whether only the instance gets its host name. Otherwise DNS answers it while the instance has a lease, even
    /// without a record.
    pub is_unnamed: bool,
    /// Whether the instance's default route leads through this NIC; otherwise DHCP offers no router.
    pub default_nic: bool,
    /// The NIC's own options by number, which override the network's.
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
    pub dnsmasq: DaemonAccount,
    /// radvd's.
    pub radvd: DaemonAccount,
}

/// The services of every tier in which the router has an address.
pub fn guests(router: &Router) -> Vec<GuestServices> {
    let tiers = router.implemented_tiers().filter_map(|(network, tier)| {
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let ranges = tier.ranges();
        if ranges.is_empty() {
            return None;
        }
        Some(GuestServices {
            network,
            interface,
            ranges,
            dhcp: tier.services.dhcp,
            dns: tier.services.dns,
            resolvers: tier.resolvers.dns.to_vec(),
            domain: tier.resolvers.domain.clone(),
            reservations: tier
                .nics
                .iter()
                .filter_map(|nic| Some((nic.mac?, reservation(tier, nic)?)))
                .collect(),
            records: tier.nics.iter().flat_map(records).collect(),
            ipv6: tier
                .ipv6
                .filter(|_| tier.routes())
                .map(|ipv6| AdvertisedPrefix { gateway: ipv6.gateway, prefix: ipv6.cidr.trunc() }),
            dns6: tier.resolvers.dns6.iter().filter_map(ipv6_only).collect(),
        })
    });
    tiers.collect()
}

fn reservation(tier: &Tier, nic: &GuestNic) -> Option<Reservation> {
    let options = nic.nic_id.and_then(|nic_id| tier.options.get(&nic_id)).cloned().unwrap_or_default();
    let reservation = |ip| Reservation {
        ip,
        hostname: nic.hostname.clone(),
        is_unnamed: nic.naming == DnsListing::Removed && tier.services.dns,
        default_nic: nic.default_nic,
        options,
    };
    nic.ip.filter(|_| nic.reserved).map(reservation)
}

fn records(nic: &GuestNic) -> impl Iterator<Item = (IpAddr, HostName)> {
    let addresses = nic.ip.map(IpAddr::V4).into_iter().chain(nic.ip6.map(IpAddr::V6));
    let hostname = nic.hostname.clone().filter(|_| nic.naming.is_listed());
    addresses.filter_map(move |address| Some((address, hostname.clone()?)))
}

fn ipv6_only(address: &IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V6(address) => Some(*address),
        IpAddr::V4(_) => None,
    }
}

/// The daemons that serve a network's guests, with their configuration below the network's folder.
pub fn services(guest: &GuestServices, folder: &Path, accounts: &DaemonAccounts) -> Vec<DaemonPlan> {
    let [dnsmasq, radvd] = service_daemons(guest.network, folder);
    let serves = guest.dhcp || guest.dns;
    let dnsmasq = serves.then(|| dnsmasq::plan(guest, dnsmasq, accounts.dnsmasq.clone()));
    let radvd = guest.ipv6.map(|ipv6| radvd::plan(guest, ipv6, radvd, accounts.radvd.clone()));
    dnsmasq.into_iter().chain(radvd).collect()
}

/// The daemons that [`services`] returns for a tier that is in force.
pub fn needed_daemons(network: NetworkId, tier: &Tier, folder: &Path) -> Vec<Daemon> {
    let is_served = !tier.own_addresses().is_empty();
    let dnsmasq = is_served && (tier.services.dhcp || tier.services.dns);
    let radvd = is_served && tier.ipv6.is_some() && tier.routes();
    let daemons = service_daemons(network, folder).into_iter().zip([dnsmasq, radvd]);
    daemons.filter(|(_, is_needed)| *is_needed).map(|(daemon, _)| daemon).collect()
}

/// Every daemon that [`services`] may return for a network, to stop those that are not wanted.
pub fn service_daemons(network: NetworkId, folder: &Path) -> [Daemon; 2] {
    ["dnsmasq", "radvd"].map(|program| Daemon {
        what: format!("{program} of network-{network}"),
        program: DaemonProgram::Installed(program),
        folder: folder.join(program),
        pid_file: format!("{program}.pid"),
    })
}

/// The load balancer of a router.
pub fn haproxy_daemon(what: &str, folder: &Path) -> Daemon {
    Daemon {
        what: format!("haproxy of {what}"),
        program: DaemonProgram::Installed("haproxy"),
        folder: folder.join("haproxy"),
        pid_file: "haproxy.pid".to_owned(),
    }
}

/// The metadata server of a router.
pub fn metadata_daemon(what: &str, folder: &Path) -> Daemon {
    Daemon {
        what: format!("metadata server of {what}"),
        program: DaemonProgram::Own(PROCESS),
        folder: folder.join("metadata-server"),
        pid_file: "server.pid".to_owned(),
    }
}

/// Stands for every daemon that a router may have whose files are below a folder.
pub fn any_daemons(folder: &Path) -> [Daemon; 4] {
    let [dnsmasq, radvd, haproxy] = ["dnsmasq", "radvd", "haproxy"].map(DaemonProgram::Installed);
    [dnsmasq, radvd, haproxy, DaemonProgram::Own(PROCESS)].map(|program| Daemon {
        what: format!("another {} in the router's namespace", program.name()),
        program,
        folder: folder.to_owned(),
        pid_file: String::new(),
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
    /// With room for so many lines of usual length, because moving thousands of them is slow.
    fn with_room_for(count: usize) -> Self {
        Self(String::with_capacity(64 * count))
    }

    fn add(&mut self, line: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The items in order, each once, and no more than a DHCP message or an advertisement has room for.
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
