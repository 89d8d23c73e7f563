//! The load balancer rules of a router that are in force.

use std::net::{Ipv4Addr, SocketAddrV4};

use netext_protocol::NetworkId;

use crate::model::{Balancer, Router};

/// A rule with the members that it really has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce<'a> {
    /// The rule's id.
    pub id: u64,
    /// The network that the rule is of.
    pub network: NetworkId,
    /// The rule.
    pub rule: &'a Balancer,
    /// Its members as far as they are guests of a tier in force, whichever tier of the VPC that is.
    pub members: Vec<SocketAddrV4>,
}

/// The rules of tiers that are in force, on public addresses that the router has, in the order of their ids.
pub fn balancers(router: &Router) -> Vec<InForce<'_>> {
    let tiers = router.routed_tiers();
    let mut in_force: Vec<_> = tiers
        .flat_map(|(network, tier)| {
            let rules = tier.balancers.iter();
            let rules = rules.filter(|(_, rule)| router.addresses.contains_key(rule.public.ip()));
            rules.map(move |(id, rule)| {
                let is_guest = |member: &&SocketAddrV4| guest_of(router, *member.ip()).is_some();
                let members = rule.members.iter().filter(is_guest).copied().collect();
                InForce { id: *id, network, rule, members }
            })
        })
        .collect();
    in_force.sort_by_key(|balancer| balancer.id);
    in_force
}

/// The tier in force that an address is a guest's in; none has the router's own addresses.
pub(super) fn guest_of(router: &Router, guest: Ipv4Addr) -> Option<NetworkId> {
    let mut tiers = router.routed_tiers();
    let (network, tier) =
        tiers.find(|(_, tier)| tier.subnet().is_some_and(|subnet| subnet.contains(&guest)))?;
    tier.address().is_none_or(|own| own.addr() != guest).then_some(network)
}
