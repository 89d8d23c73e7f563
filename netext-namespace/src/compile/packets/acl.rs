//! The access lists of tiers.
//!
//! A list is asked about what enters its tier and what leaves it, by the addresses and ports that the guests have:
//! packets to public addresses are translated before. Each tier has chains and sets of its own, and what a list
//! allows is only not denied: the rest of `forward` decides.

use ipnet::Ipv4Net;
use netext_protocol::{AclAction, AclRule, Direction};

use super::matches::{PacketMatch, layers, networks};
use super::ruleset::Ruleset;
use crate::model::{InterfaceName, Router, guest_interface};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for (network, tier) in router.routed_tiers() {
        let Some(list) = &tier.access_list else { continue };
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let ordered = in_order(list);
        for (direction, map) in [(Direction::Egress, "acl_egress"), (Direction::Ingress, "acl_ingress")] {
            let chain = format!("{map}_{network}");
            ruleset.map(
                map,
                [ElementField::Interface(interface.clone())],
                [ElementField::Verdict(format!("jump {chain}"))],
            );
            ruleset.rule(&chain, within(&interface, direction));
            let items = ordered.iter().filter(|item| item.direction == direction);
            layers::compile(ruleset, &chain, items.flat_map(|item| matches(item)));
            ruleset.rule(&chain, "drop");
        }
    }
}

/// The items as they are asked, one after the other.
pub(super) fn in_order(list: &[AclRule]) -> Vec<&AclRule> {
    let mut ordered: Vec<_> = list.iter().collect();
    ordered.sort_by_key(|item| item.number);
    ordered
}

/// Guests who meet each other through a public address have not left their subnet.
fn within(interface: &InterfaceName, direction: Direction) -> String {
    let other_end = if direction == Direction::Ingress { "iifname" } else { "oifname" };
    format!("{other_end} {interface} return")
}

/// What is allowed is only not denied.
pub(super) fn verdict(action: AclAction) -> &'static str {
    match action {
        AclAction::Allow => "return",
        AclAction::Deny => "drop",
    }
}

/// What an item speaks of: the list names the other end, and perhaps the tier's.
fn matches(item: &AclRule) -> impl Iterator<Item = (PacketMatch, &'static str)> {
    let verdict = verdict(item.action);
    let tiers_ends = networks(&item.dest_cidrs);
    let (traffic, direction) = (item.traffic, item.direction);
    let ends = move |other: Ipv4Net, own: Ipv4Net| match direction {
        Direction::Ingress => PacketMatch { source: other, destination: own, traffic },
        Direction::Egress => PacketMatch { source: own, destination: other, traffic },
    };
    networks(&item.source_cidrs)
        .into_iter()
        .flat_map(move |other| tiers_ends.clone().into_iter().map(move |own| (ends(other, own), verdict)))
}
