//! The rules of a router's networks: firewall and load balancing.
//!
//! Tiers of a VPC may share a public address, and the commands of each carry the rules of that tier alone. So an
//! address is restricted while the rules of any network that uses it restrict it, whichever network named it last.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use netext_protocol::{AclAction, AclRule, Direction, FirewallRules, LoadBalancerRule, Network, NetworkId};

use super::Router;
use crate::model::tier::is_host;
use crate::model::{Balancer, InvalidBalancer, RouterId, Tier};

/// A load balancer rule in force, with the members that serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerInForce<'a> {
    /// The rule's id.
    pub id: u64,
    /// The network that it belongs to. Its members may be guests of other tiers.
    pub network: NetworkId,
    /// The rule.
    pub rule: &'a Balancer,
    /// The members that connections are led to.
    pub members: Vec<SocketAddrV4>,
}

impl Router {
    /// Replaces the firewall rules of a network.
    ///
    /// The server does not know the firewall of a VPC's public addresses by tier and may send an empty list for it,
    /// which means that no restriction is known. But once a tier had an ingress rule, an empty list lets nothing in:
    /// deleting the last rule must not open what it restricted.
    pub fn apply_firewall(&mut self, network: &Network, rules: FirewallRules) {
        let of_vpc = matches!(self.id, RouterId::Vpc(_));
        let tier = self.tier(network);
        let restricted = tier.restricts_ingress();
        tier.firewall = Some(rules);
        tier.unrestricted = of_vpc && !restricted && !tier.opens_any();
        tier.restricted_before.clear();
    }

    /// Applies the commands about a network that came before it was known to be a tier of this VPC: its lists, its
    /// public addresses with what leads from them, its balancers. A tier that is already known stays as it is.
    pub fn adopt(&mut self, network: NetworkId, mut waiting: Self) {
        let Some(mut tier) = waiting.tiers.remove(&network).filter(|tier| !tier.implemented) else { return };
        if self.tiers.contains_key(&network) {
            return;
        }
        tier.unrestricted = !tier.opens_any();
        self.tiers.insert(network, tier);
        for (public, address) in waiting.addresses {
            self.addresses.entry(public).or_insert(address);
        }
    }

    /// Whether a public address lets in only what rules allow.
    pub fn is_restricted(&self, public: Ipv4Addr) -> bool {
        self.tiers.keys().any(|network| self.restricts(*network, public))
    }

    /// The public addresses that a network's rules restrict.
    pub(super) fn restricted_by(&self, network: NetworkId) -> BTreeSet<Ipv4Addr> {
        self.addresses.keys().copied().filter(|public| self.restricts(network, *public)).collect()
    }

    /// Whether a network's rules restrict a public address: the network has rules, and uses the address. A tier uses
    /// the addresses that it assigned, that lead to it or that its rules name, and those that it used when it was shut
    /// down.
    fn restricts(&self, network: NetworkId, public: Ipv4Addr) -> bool {
        let Some(tier) = self.tiers.get(&network).filter(|tier| tier.restricts_ingress()) else {
            return false;
        };
        matches!(self.id, RouterId::Network(_))
            || tier.assigned.contains(&public)
            || tier.restricted_before.contains(&public)
            || self.leads_to(network, public)
            || tier.names(public)
    }

    /// Applies load balancer rules of a network: those that changed, or all of them.
    pub fn apply_balancers(
        &mut self,
        network: &Network,
        rules: &[LoadBalancerRule],
    ) -> Result<(), InvalidBalancer> {
        for rule in rules {
            if !rule.revoke {
                self.tier(network);
                let balancer = Balancer::new(rule, |member| self.refuse_member(member))?;
                self.balance(network.network_id, rule.id, balancer);
            } else if let Some(tier) = self.tiers.get_mut(&network.network_id) {
                // A rule that is deleted need not be valid.
                tier.balancers.remove(&rule.id);
            }
        }
        Ok(())
    }

    /// Spreads connections to a public port over guests. It replaces another rule of that port: the server never keeps
    /// two, so the delete of the other one is only late.
    pub fn balance(&mut self, network: NetworkId, rule: u64, balancer: Balancer) {
        for tier in self.tiers.values_mut() {
            tier.balancers.retain(|_, old| old.public_end() != balancer.public_end());
        }
        self.tiers.entry(network).or_default().balancers.insert(rule, balancer);
    }

    /// The tier in force whose guest may have an address.
    pub fn tier_with_guest(&self, address: Ipv4Addr) -> Option<(NetworkId, &Tier)> {
        self.routed_tiers().find(|(_, tier)| tier.may_have_guest(address))
    }

    /// Whether an instance may have an address, as far as is known. A tier that is implemented later is somewhere in
    /// the VPC's range. If the range is not known, only addresses in known tiers are accepted. If no subnet is known at
    /// all, any member is accepted, and serves once a tier in force has it.
    fn may_have_guest(&self, address: Ipv4Addr) -> bool {
        let is_elsewhere = address.is_unspecified()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast();
        let is_routers = self.tiers.values().any(|tier| tier.is_routers(address));
        if is_elsewhere || is_routers {
            return false;
        }
        if let Some(tier) = self.network_of(address).and_then(|network| self.tiers.get(&network)) {
            return tier.may_have_guest(address);
        }
        self.vpc.and_then(|vpc| vpc.cidr).map_or_else(
            || self.tiers.values().all(|tier| tier.subnet().is_none()),
            |range| is_host(range, address),
        )
    }

    /// If no instance may have an address: where members may be, with the subnets as far as they are known.
    fn refuse_member(&self, member: Ipv4Addr) -> Option<String> {
        if self.may_have_guest(member) {
            return None;
        }
        let subnets: Vec<_> = self.tiers.values().filter_map(Tier::subnet).collect();
        let subnets: Vec<_> = subnets.iter().map(ToString::to_string).collect();
        let known = if subnets.is_empty() { String::new() } else { format!(" ({})", subnets.join(", ")) };
        Some(match (self.id, self.vpc.and_then(|vpc| vpc.cidr)) {
            (RouterId::Network(_), _) => format!("the network{known}"),
            (RouterId::Vpc(_), Some(range)) => format!("the VPC ({range})"),
            (RouterId::Vpc(_), None) => {
                format!("the VPC's tiers{known}; its range is not known: implement-vpc names it as vpc_cidr")
            }
        })
    }

    /// The load balancer rules of tiers in force, on public addresses that the router has, in the order of their ids.
    pub fn balancers_in_force(&self) -> Vec<BalancerInForce<'_>> {
        let mut in_force = Vec::new();
        for (network, tier) in self.routed_tiers() {
            let rules = tier.balancers.iter();
            let rules = rules.filter(|(_, rule)| self.addresses.contains_key(rule.public.ip()));
            in_force.extend(rules.map(|(id, rule)| BalancerInForce {
                id: *id,
                network,
                rule,
                members: self.serving_members(rule),
            }));
        }
        in_force.sort_by_key(|balancer| balancer.id);
        in_force
    }

    /// The members of a rule that are guests of tiers in force, with their tiers. The others wait for theirs.
    pub fn members_in_force(&self, rule: &Balancer) -> impl Iterator<Item = (SocketAddrV4, &Tier)> {
        rule.members.iter().filter_map(|member| Some((*member, self.tier_with_guest(*member.ip())?.1)))
    }

    /// The members that connections are led to. A tier whose access list lets nothing in, as after a restart until the
    /// list is replayed, takes no turn while other tiers do: it must not stop their members.
    fn serving_members(&self, rule: &Balancer) -> Vec<SocketAddrV4> {
        let (open, closed): (Vec<_>, Vec<_>) =
            self.members_in_force(rule).partition(|(_, tier)| lets_anything_in(tier));
        let members = if open.is_empty() { closed } else { open };
        members.into_iter().map(|(member, _)| member).collect()
    }
}

fn lets_anything_in(tier: &Tier) -> bool {
    let lets_in = |list: &Vec<AclRule>| {
        list.iter().any(|item| item.direction == Direction::Ingress && item.action == AclAction::Allow)
    };
    tier.access_list.as_ref().is_none_or(lets_in)
}
