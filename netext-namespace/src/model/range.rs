//! The ranges of addresses that a guest network has.
//!
//! A shared network may have several on one segment, each with a subnet and a gateway of its own. The server
//! describes the first one in the fields of the network, and any other one only in commands about its NICs.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::{Network, Nic};
use serde::{Deserialize, Serialize};

use super::Tier;

/// A range beyond the network's first, by what commands about its NICs say of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRange {
    /// The gateway of its guests.
    pub gateway: Option<Ipv4Addr>,
    /// What the router answers on inside the range, if it has an address there.
    pub extension_ip: Option<Ipv4Addr>,
}

/// A range whose guests are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedRange {
    /// Its subnet.
    pub subnet: Ipv4Net,
    /// The gateway of its guests, if they have one.
    pub gateway: Option<Ipv4Addr>,
    /// The router's address that its guests ask: one of the range, or else one of another range, which they reach
    /// through their gateway.
    pub address: Ipv4Addr,
}

impl ServedRange {
    /// Whether the router has no address in the range.
    pub fn is_remote(&self) -> bool {
        !self.subnet.contains(&self.address)
    }
}

impl Tier {
    /// Takes over what a command about a NIC says of the range that the NIC is in. `network.gateway` is the NIC's
    /// own gateway there, so it says nothing about the network where the NIC is in another range than the first.
    pub(super) fn learn_range(&mut self, network: &Network, nic: &Nic, extension_ip: Option<Ipv4Addr>) {
        let is_in_first = self.cidr.is_some_and(|cidr| nic.ip.is_none_or(|ip| cidr.contains(&ip)));
        if is_in_first {
            self.learn_gateway(network.gateway);
        }
        let mut extension_ip = extension_ip;
        if let Some(subnet) = self.other_subnet(network, nic) {
            // A range was given up, and another one cut from its addresses.
            self.ranges.retain(|other, _| *other == subnet || !overlap(*other, subnet));
            let range = self.ranges.entry(subnet).or_default();
            range.gateway = network.gateway.or(range.gateway);
            if let Some(own) = extension_ip.take_if(|own| subnet.contains(&*own)) {
                range.extension_ip = Some(own);
            }
        }
        self.extension_ip = self.extension_ip.or(extension_ip);
    }

    /// Takes over a gateway of the network, if none is known yet. One outside of the subnet is that of another range: a
    /// command that names no NIC may be about any of them.
    pub(super) fn learn_gateway(&mut self, said: Option<Ipv4Addr>) {
        let is_own = |gateway: &Ipv4Addr| self.cidr.is_none_or(|cidr| cidr.contains(gateway));
        self.gateway = self.gateway.filter(is_own).or(said.filter(is_own)).or(self.gateway);
    }

    /// The subnet of a NIC that is not in the first range. A command without a netmask means the range that is known,
    /// or one of the first one's size.
    fn other_subnet(&self, network: &Network, nic: &Nic) -> Option<Ipv4Net> {
        let (first, ip) = (self.cidr?, nic.ip?);
        if first.contains(&ip) {
            return None;
        }
        let said = || Ipv4Net::with_netmask(ip, nic.netmask?).ok();
        let of_payload = || network.cidr.filter(|cidr| cidr.contains(&ip));
        let known = || self.ranges.keys().find(|subnet| subnet.contains(&ip)).copied();
        let of_same_size = || {
            let subnet = Ipv4Net::new(ip, first.prefix_len()).ok()?;
            network.gateway.is_none_or(|gateway| subnet.contains(&gateway)).then_some(subnet)
        };
        let subnet = said().or_else(of_payload).or_else(known).or_else(of_same_size)?.trunc();
        (!overlap(subnet, first)).then_some(subnet)
    }

    /// The ranges whose guests are served: the first, and the others that have NICs. None if the router has no address
    /// in the network.
    pub fn ranges(&self) -> Vec<ServedRange> {
        let own = self.own_addresses();
        let (Some(first), Some(subnet)) = (own.first(), self.subnet()) else { return Vec::new() };
        let served = |subnet: Ipv4Net, gateway| {
            let inside = own.iter().find(|own| subnet.contains(&own.addr()));
            ServedRange { subnet, gateway, address: inside.unwrap_or(first).addr() }
        };
        let others = self.ranges_in_use().map(|(subnet, range)| served(subnet, range.gateway));
        std::iter::once(served(subnet, self.gateway)).chain(others).collect()
    }

    /// The router's own IPv4 addresses in the guest network, each with the prefix length of its subnet; the one of the
    /// network itself comes first.
    pub fn own_addresses(&self) -> Vec<Ipv4Net> {
        let of_range = |(subnet, range): (Ipv4Net, &AddressRange)| {
            Ipv4Net::new(range.extension_ip?, subnet.prefix_len()).ok()
        };
        self.address().into_iter().chain(self.ranges_in_use().filter_map(of_range)).collect()
    }

    /// The ranges beyond the first that NICs have addresses of. Only where somebody else is the gateway: a router has one
    /// subnet in a guest network.
    pub(super) fn ranges_in_use(&self) -> impl Iterator<Item = (Ipv4Net, &AddressRange)> {
        let first = self.cidr.filter(|_| self.has_ranges());
        self.ranges.iter().map(|(subnet, range)| (*subnet, range)).filter(move |(subnet, _)| {
            first.is_some_and(|first| !overlap(first, *subnet))
                && self.nics.iter().any(|nic| nic.ip.is_some_and(|ip| subnet.contains(&ip)))
        })
    }
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}
