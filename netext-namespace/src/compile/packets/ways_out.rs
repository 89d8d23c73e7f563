//! Which way packets leave, where a router has several.
//!
//! The public address of a connection says it: for an answer the address that it was begun to, for what a guest
//! begins the address that it is translated to. Connection tracking knows both, so nothing has to be remembered
//! beside it, and connections find their way that are older than the choice.

use super::ruleset::{ElementSet, RuleChain, Ruleset};
use crate::compile::ways_out::ways_out;
use crate::model::Router;
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    let ways = ways_out(router);
    if ways.is_empty() {
        return;
    }
    let maps = [
        ("ways_of_answers", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_addresses", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_guests", ElementSet::map("ipv4_addr : mark")),
        ("ways_of_subnets", ElementSet::map("ipv4_addr : mark").of_ranges()),
    ];
    ruleset.sets.extend(maps.map(|(name, map)| (name.to_owned(), map)));
    for way in &ways {
        let own = || [ElementField::Mark(way.own_mark())];
        for ip in &way.addresses {
            ruleset.map(
                "ways_of_answers",
                [ElementField::Ipv4(*ip)],
                [ElementField::Mark(way.answer_mark())],
            );
            ruleset.map("ways_of_addresses", [ElementField::Ipv4(*ip)], own());
            if let Some(guest) = router.addresses.get(ip).and_then(|address| address.static_nat) {
                ruleset.map("ways_of_guests", [ElementField::Ipv4(guest)], own());
            }
            if router.source_nat == Some(*ip) {
                for subnet in router.routed_tiers().filter_map(|(_, tier)| tier.subnet()) {
                    ruleset.map("ways_of_subnets", [ElementField::Network(subnet)], own());
                }
            }
        }
    }

    let chains = [
        (
            "choose_way_out",
            // Behind the translation of destinations.
            "type filter hook prerouting priority dstnat + 10; policy accept;",
            &[
                "iifname != @guest_interfaces accept",
                "ip daddr @guest_addresses accept",
                "ct direction reply meta mark set ct original ip daddr map @ways_of_answers accept",
                "ct direction original meta mark set ct reply ip daddr map @ways_of_addresses accept",
                // The first packet has no translation yet.
                "meta mark set ip saddr map @ways_of_guests accept",
                "meta mark set ip saddr map @ways_of_subnets",
            ][..],
        ),
        (
            // What the router itself answers from a public address.
            "choose_own_way_out",
            "type route hook output priority mangle; policy accept;",
            &["ip daddr @guest_addresses accept", "meta mark set ip saddr map @ways_of_answers"],
        ),
    ];
    for (name, hook, rules) in chains {
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        ruleset.chains.insert(name.to_owned(), RuleChain { hook: Some(hook), rules });
    }
}
