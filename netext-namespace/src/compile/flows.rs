//! The tracked connections that a change of a router ends.
//!
//! An address that is given to the next tenant must not carry the last one's connections.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use netext_protocol::TransportProtocol;

use super::CompiledRouter;
use crate::model::{BalancerInForce, PublicAddress, Router};
use crate::plan::FlowMatch;

/// The connections that must end when a router becomes another.
pub(super) fn flows_to_cut(before: &CompiledRouter<'_>, after: &CompiledRouter<'_>) -> Vec<FlowMatch> {
    let (old, new) = (before.router, after.router);
    let mut flows = Vec::new();
    for (public, address) in &old.addresses {
        match new.addresses.get(public) {
            None => flows.extend(flows_of_address(*public)),
            Some(new) => flows.extend(flows_of_translations(*public, address, new)),
        }
    }
    flows.extend(flows_of_balancers(before, after));
    let staying = guests(new);
    let gone = guests(old).into_iter().filter(|guest| staying.binary_search(guest).is_err());
    flows.extend(gone.flat_map(|guest| flows_of_guests(guest.into())));
    flows.extend(subnets(old).difference(&subnets(new)).copied().flat_map(flows_of_guests));
    flows
}

fn flows_of_address(public: Ipv4Addr) -> [FlowMatch; 2] {
    [
        FlowMatch { original_destination: Some(public), ..FlowMatch::default() },
        FlowMatch { reply_destination: Some(public), ..FlowMatch::default() },
    ]
}

/// The addresses of all guests, in order and each once.
fn guests(router: &Router) -> Vec<Ipv4Addr> {
    let nics = router.tiers.values().flat_map(|tier| tier.nics.iter());
    let mut guests: Vec<_> = nics.filter_map(|nic| nic.ip).collect();
    guests.sort_unstable();
    guests.dedup();
    guests
}

/// The subnets that the router routes to.
fn subnets(router: &Router) -> BTreeSet<Ipv4Net> {
    router.routed_tiers().filter_map(|(_, tier)| tier.subnet()).collect()
}

fn flows_of_guests(guests: Ipv4Net) -> [FlowMatch; 2] {
    [
        FlowMatch { original_source: Some(guests), ..FlowMatch::default() },
        FlowMatch { reply_source: Some(guests), ..FlowMatch::default() },
    ]
}

fn flows_of_translations(public: Ipv4Addr, old: &PublicAddress, new: &PublicAddress) -> Vec<FlowMatch> {
    let mut flows = Vec::new();
    if let Some(guest) = old.static_nat.filter(|guest| new.static_nat != Some(*guest)) {
        flows.push(FlowMatch {
            original_destination: Some(public),
            reply_source: Some(guest.into()),
            ..FlowMatch::default()
        });
        flows.push(FlowMatch {
            original_source: Some(guest.into()),
            reply_destination: Some(public),
            ..FlowMatch::default()
        });
    }
    for (key, forward) in old.forwards.iter().filter(|(key, forward)| new.forwards.get(key) != Some(*forward))
    {
        flows.push(FlowMatch {
            original_destination: Some(public),
            reply_source: Some(forward.guest.into()),
            protocol: Some(key.protocol.number()),
            original_destination_ports: Some(key.ports.ports()),
            ..FlowMatch::default()
        });
    }
    flows
}

/// Over UDP a flow is tracked to its member. Over TCP it ends in the router: connections to a member that was
/// removed end by themselves, in a haproxy that accepts no new ones; only those of a rule that was removed are cut.
fn flows_of_balancers(before: &CompiledRouter<'_>, after: &CompiledRouter<'_>) -> Vec<FlowMatch> {
    let (old, new) = (before.router, after.router);
    let flow = |balancer: &BalancerInForce<'_>, answered_by: Ipv4Addr| FlowMatch {
        original_destination: Some(*balancer.rule.public.ip()),
        reply_source: Some(answered_by.into()),
        protocol: Some(balancer.rule.transport().number()),
        original_destination_ports: Some(balancer.rule.public.port()..=balancer.rule.public.port()),
        ..FlowMatch::default()
    };
    let gone = before.balancers().iter().flat_map(|balancer| {
        let same = after.balancers().iter().find(|new| new.rule.public_end() == balancer.rule.public_end());
        match balancer.rule.transport() {
            TransportProtocol::Udp => {
                // A member that takes no turn for now is still a member.
                let staying: Vec<_> = same.iter().flat_map(|same| new.members_in_force(same.rule)).collect();
                let stays = |member| staying.iter().any(|(staying, _)| *staying == member);
                let gone = old.members_in_force(balancer.rule).filter(|(member, _)| !stays(*member));
                gone.map(|(member, _)| flow(balancer, *member.ip())).collect()
            }
            TransportProtocol::Tcp if same.is_none() => vec![flow(balancer, *balancer.rule.public.ip())],
            TransportProtocol::Tcp => Vec::new(),
        }
    });
    gone.collect()
}
