//! What the guests of a router's networks are served with, as far as its tiers are in force.

use std::net::IpAddr;

use super::services::{AdvertisedPrefix, GuestServices, Reservation};
use crate::model::{DnsListing, GuestNic, Router, Tier, guest_interface};

/// The services of every tier that has an address to serve from.
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

fn records(nic: &GuestNic) -> impl Iterator<Item = (IpAddr, netext_protocol::HostName)> {
    let addresses = nic.ip.map(IpAddr::V4).into_iter().chain(nic.ip6.map(IpAddr::V6));
    let hostname = nic.hostname.clone().filter(|_| nic.naming.is_listed());
    addresses.filter_map(move |address| Some((address, hostname.clone()?)))
}

fn ipv6_only(address: &IpAddr) -> Option<std::net::Ipv6Addr> {
    match address {
        IpAddr::V6(address) => Some(*address),
        IpAddr::V4(_) => None,
    }
}
