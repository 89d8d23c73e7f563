//! The router of a network or VPC: the unit of locking, of state and of reconciliation.

mod rules;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::{Network, NetworkId, Nic, PublicIp, Segment};
use serde::{Deserialize, Serialize};

use super::{PolicyRouting, PublicAddress, RouterId, SegmentDevices, Tier};
pub use rules::BalancerInForce;

/// The desired state of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// Its identity.
    pub id: RouterId,
    /// The NICs of the host that carry its traffic.
    pub devices: SegmentDevices,
    /// The VPC that is in force, apart from its tiers; `None` before `implement-vpc`, and outside of VPCs.
    pub vpc: Option<ImplementedVpc>,
    /// The guest networks: one per tier for a VPC, otherwise a single one.
    pub tiers: BTreeMap<NetworkId, Tier>,
    /// The public addresses in use.
    pub addresses: BTreeMap<Ipv4Addr, PublicAddress>,
    /// The one of them that guests without an address of their own leave by.
    pub source_nat: Option<Ipv4Addr>,
    /// The routing tables and rules that operators added by actions.
    #[serde(default)]
    pub policy_routing: PolicyRouting,
}

/// A VPC that is in force, apart from its tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImplementedVpc {
    /// The range that the tiers are cut from.
    pub cidr: Option<Ipv4Net>,
}

impl Router {
    /// A router without anything.
    pub fn new(id: RouterId) -> Self {
        Self {
            id,
            devices: SegmentDevices::default(),
            vpc: None,
            tiers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            source_nat: None,
            policy_routing: PolicyRouting::default(),
        }
    }

    /// Whether there is nothing left to remember. Routing tables that operators added go with the router.
    pub fn is_empty(&self) -> bool {
        self.vpc.is_none() && self.tiers.is_empty() && self.addresses.is_empty()
    }

    /// The tiers that another version of the router no longer has.
    pub fn tiers_missing_in<'r>(&'r self, other: &'r Self) -> impl Iterator<Item = NetworkId> + 'r {
        self.tiers.keys().filter(|network| !other.tiers.contains_key(network)).copied()
    }

    /// The tiers that are in force; the others only wait to be implemented.
    pub fn implemented_tiers(&self) -> impl Iterator<Item = (NetworkId, &Tier)> {
        self.tiers.iter().filter(|(_, tier)| tier.implemented).map(|(id, tier)| (*id, tier))
    }

    /// Whether it is the gateway of any guests, or of a VPC's future guests. Otherwise it only serves them, and public
    /// addresses have no effect.
    pub fn routes(&self) -> bool {
        self.vpc.is_some() || self.routed_tiers().next().is_some()
    }

    /// The tiers in force whose gateway it is.
    pub fn routed_tiers(&self) -> impl Iterator<Item = (NetworkId, &Tier)> {
        self.implemented_tiers().filter(|(_, tier)| tier.routes())
    }

    /// The public segments in use, each with its addresses.
    pub fn addresses_by_segment(
        &self,
    ) -> impl Iterator<Item = (Segment, impl Iterator<Item = (Ipv4Addr, &PublicAddress)>)> {
        let mut segments: BTreeMap<Segment, Vec<_>> = BTreeMap::new();
        for (ip, address) in self.public_addresses() {
            segments.entry(address.segment()).or_default().push((ip, address));
        }
        segments.into_iter().map(|(segment, addresses)| (segment, addresses.into_iter()))
    }

    /// The public addresses that are in force.
    pub fn public_addresses(&self) -> impl Iterator<Item = (Ipv4Addr, &PublicAddress)> {
        let routes = self.routes();
        self.addresses.iter().filter(move |_| routes).map(|(ip, address)| (*ip, address))
    }

    /// The tier of a network, created if this is the first command about it.
    pub fn tier(&mut self, network: &Network) -> &mut Tier {
        let tier = self.tiers.entry(network.network_id).or_default();
        tier.learn(network);
        tier
    }

    /// The tier of a command about a NIC, created in the same way.
    pub fn tier_of_nic(&mut self, network: &Network, nic: &Nic, extension_ip: Option<Ipv4Addr>) -> &mut Tier {
        let tier = self.tiers.entry(network.network_id).or_default();
        tier.learn_by_nic(network, nic, extension_ip);
        tier
    }

    /// Assigns a public address to a network, or applies a new description of one.
    ///
    /// A VPC's source NAT address belongs to the VPC: a tier's command can set it only if the VPC has none.
    pub fn take_up(&mut self, network: &Network, public: &PublicIp) -> &mut PublicAddress {
        if public.is_source_nat() && (self.vpc.is_none() || self.source_nat.is_none()) {
            self.source_nat = Some(public.public_ip);
        }
        // Every tier's commands name a VPC's source NAT address.
        if !public.is_source_nat() {
            self.tiers.entry(network.network_id).or_default().assigned.insert(public.public_ip);
        }
        let address = self.addresses.entry(public.public_ip).or_default();
        address.network = Some(network.network_id);
        address.learn(public);
        address
    }

    /// Releases a public address of a network, with everything that leads from it to the network's guests. A VPC's
    /// source NAT address stays, and so does an address that leads to another tier. It does not matter whether another
    /// tier assigned it, too: the server releases it once.
    pub fn release(&mut self, network: &Network, public: Ipv4Addr) {
        if self.vpc.is_some() && self.source_nat == Some(public) {
            return;
        }
        let network = network.network_id;
        if let Some(tier) = self.tiers.get_mut(&network) {
            tier.balancers.retain(|_, balancer| *balancer.public.ip() != public);
            tier.assigned.remove(&public);
            tier.restricted_before.remove(&public);
        }
        if !self.withdraw(network, public) {
            self.give_up(public);
        }
    }

    /// Stops translating a public address to a network's guests. Returns whether it leads to another tier of the VPC.
    fn withdraw(&mut self, network: NetworkId, public: Ipv4Addr) -> bool {
        let guests = self.tiers.get(&network).and_then(Tier::subnet);
        let Some(address) = self.addresses.get_mut(&public) else { return false };
        if let Some(guests) = guests {
            address.stop_leading_to(guests);
        }
        // If the network's subnet is not known, what is left may lead to its guests.
        let leads_to_others =
            address.leads_anywhere() && (guests.is_some() || address.network != Some(network));
        let mut others = self.tiers.keys().copied().filter(|id| *id != network);
        let user = others.find(|id| self.leads_to(*id, public));
        let is_needed = matches!(self.id, RouterId::Vpc(_)) && (leads_to_others || user.is_some());
        if let Some(address) = self.addresses.get_mut(&public).filter(|_| is_needed) {
            address.network = user.or(address.network);
        }
        is_needed
    }

    /// Whether a public address leads to a network's guests, or is balanced by its rules.
    pub(super) fn leads_to(&self, network: NetworkId, public: Ipv4Addr) -> bool {
        let Some(tier) = self.tiers.get(&network) else { return false };
        let is_balanced = || tier.balancers.values().any(|balancer| *balancer.public.ip() == public);
        let is_translated = || {
            let (address, guests) = (self.addresses.get(&public)?, tier.subnet()?);
            Some(address.guests().any(|guest| guests.contains(&guest)))
        };
        is_translated().unwrap_or_default() || is_balanced()
    }

    /// The network whose guest has an address, as far as their subnets are known.
    pub fn network_of(&self, guest: Ipv4Addr) -> Option<NetworkId> {
        let has = |tier: &Tier| tier.subnet().is_some_and(|subnet| subnet.contains(&guest));
        self.tiers.iter().find(|(_, tier)| has(tier)).map(|(network, _)| *network)
    }

    /// Gives up a public address with everything that leads from it.
    pub fn give_up(&mut self, address: Ipv4Addr) {
        self.addresses.remove(&address);
        for tier in self.tiers.values_mut() {
            tier.assigned.remove(&address);
            tier.balancers.retain(|_, balancer| *balancer.public.ip() != address);
        }
        if self.source_nat == Some(address) {
            self.source_nat = None;
        }
    }

    /// Takes a tier down. It keeps only what the server does not replay when it implements the tier again.
    pub fn shut_down(&mut self, network: NetworkId) {
        self.remember_restricted(network);
        self.give_up_addresses_of(network);
        if let Some(tier) = self.tiers.get_mut(&network) {
            tier.shut_down();
        }
    }

    /// Remembers the addresses that a network's rules restrict: other tiers may still use them, or be the first to use
    /// them again.
    pub(super) fn remember_restricted(&mut self, network: NetworkId) {
        let restricted = self.restricted_by(network);
        if let Some(tier) = self.tiers.get_mut(&network) {
            tier.restricted_before.extend(restricted);
        }
    }

    /// Forgets a tier. Its instances are gone, and a later tier may reuse their addresses, so they are removed from the
    /// balancers of other tiers.
    pub fn destroy(&mut self, network: NetworkId) {
        self.give_up_addresses_of(network);
        let Some(guests) = self.tiers.remove(&network).and_then(|tier| tier.subnet()) else { return };
        for balancer in self.tiers.values_mut().flat_map(|tier| tier.balancers.values_mut()) {
            balancer.members.retain(|member| !guests.contains(member.ip()));
        }
    }

    /// Gives up everything that leads to a network's guests, and the addresses that only the network uses. The source
    /// NAT address of its VPC stays, and so does an address that leads to another tier.
    fn give_up_addresses_of(&mut self, network: NetworkId) {
        let publics: Vec<_> = self.addresses.keys().copied().collect();
        for public in publics {
            let is_users = self.addresses.get(&public).is_some_and(|it| it.network == Some(network));
            let is_vpcs = matches!(self.id, RouterId::Vpc(_)) && self.source_nat == Some(public);
            if !self.withdraw(network, public) && is_users && !is_vpcs {
                self.give_up(public);
            }
        }
    }

    /// Puts the VPC in force, with its source NAT address if it has one yet.
    pub fn implement_vpc(&mut self, vpc: &netext_protocol::Vpc, public: Option<&PublicIp>) {
        let known = self.vpc.unwrap_or_default();
        self.vpc = Some(ImplementedVpc { cidr: vpc.vpc_cidr.map(|cidr| cidr.trunc()).or(known.cidr) });
        if let Some(public) = public {
            self.leave_by(public);
        }
    }

    /// Makes this the address that guests without their own leave by. The previous one stays, with everything that
    /// leads from it, until the server releases it.
    pub fn leave_by(&mut self, public: &PublicIp) {
        self.source_nat = Some(public.public_ip);
        self.addresses.entry(public.public_ip).or_default().learn(public);
    }

    /// Takes the VPC down with all of its tiers. The server replays everything when it implements the VPC again.
    pub fn shut_down_vpc(&mut self) {
        self.vpc = None;
        for network in self.tiers.keys().copied().collect::<Vec<_>>() {
            self.remember_restricted(network);
        }
        self.addresses.clear();
        self.source_nat = None;
        self.tiers.values_mut().for_each(Tier::shut_down);
    }

    /// Forgets the VPC with its tiers.
    pub fn destroy_vpc(&mut self) {
        self.shut_down_vpc();
        self.tiers.clear();
    }
}
