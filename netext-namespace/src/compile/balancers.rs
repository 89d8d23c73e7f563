//! The load balancer rules of a router that are in force.

use std::net::SocketAddrV4;

use netext_protocol::{AclAction, AclRule, Direction, NetworkId};

use crate::model::{Balancer, Router, Tier};

/// A rule with the members that it really has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerInForce<'a> {
    /// The rule's id.
    pub id: u64,
    /// The network whose rule it is. Its members may be guests of other tiers.
    pub network: NetworkId,
    /// The rule.
    pub rule: &'a Balancer,
    /// The members that connections are led to.
    pub members: Vec<SocketAddrV4>,
}

/// The rules of tiers that are in force, on public addresses that the router has, in the order of their ids.
pub fn balancers(router: &Router) -> Vec<BalancerInForce<'_>> {
    let tiers = router.routed_tiers();
    let mut in_force: Vec<_> = tiers
        .flat_map(|(network, tier)| {
            let rules = tier.balancers.iter();
            let rules = rules.filter(|(_, rule)| router.addresses.contains_key(rule.public.ip()));
            rules.map(move |(id, rule)| BalancerInForce {
                id: *id,
                network,
                rule,
                members: led_to(router, rule),
            })
        })
        .collect();
    in_force.sort_by_key(|balancer| balancer.id);
    in_force
}

/// The members of a rule that are guests of tiers in force, with their tiers. The others wait for theirs.
pub(super) fn members<'a>(
    router: &'a Router,
    rule: &Balancer,
) -> impl Iterator<Item = (SocketAddrV4, &'a Tier)> {
    rule.members.iter().filter_map(|member| Some((*member, router.tier_with_guest(*member.ip())?.1)))
}

/// The members that connections are led to. A tier whose access list lets nobody in, as after a restart until the list
/// is replayed, takes no turn while other tiers do: it must not stop their members.
fn led_to(router: &Router, rule: &Balancer) -> Vec<SocketAddrV4> {
    let (open, closed): (Vec<_>, Vec<_>) = members(router, rule).partition(|(_, tier)| lets_anybody_in(tier));
    let members = if open.is_empty() { closed } else { open };
    members.into_iter().map(|(member, _)| member).collect()
}

fn lets_anybody_in(tier: &Tier) -> bool {
    let lets_in = |list: &Vec<AclRule>| {
        list.iter().any(|item| item.direction == Direction::Ingress && item.action == AclAction::Allow)
    };
    tier.access_list.as_ref().is_none_or(lets_in)
}
