//! Address translation.

use std::net::Ipv4Addr;

use super::ruleset::Ruleset;
use crate::model::{Forward, ForwardKey, Router};

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for (public, address) in router.public_addresses() {
        if let Some(guest) = address.static_nat {
            ruleset.map("static_nat", public, guest);
            ruleset.map("static_nat_source", guest, public);
        }
        for (key, forward) in &address.forwards {
            forward_ports(ruleset, public, *key, *forward);
        }
    }
    if let Some(public) = router.source_nat {
        for (_, tier) in router.implemented_tiers().filter(|(_, tier)| tier.routes()) {
            if let Some(subnet) = tier.subnet() {
                ruleset.map("source_nat", subnet, public);
            }
        }
    }
}

/// A range that keeps its ports is one element. The kernel cannot shift a range, so one that leads to other
/// ports is an element per port.
fn forward_ports(ruleset: &mut Ruleset, public: Ipv4Addr, key: ForwardKey, forward: Forward) {
    if !key.ports.is_single() && key.ports == forward.ports {
        ruleset.map("forward_ranges", format!("{public} . {} . {}", key.protocol, key.ports), forward.guest);
        return;
    }
    for (index, port) in key.ports.ports().enumerate() {
        let to = if forward.ports.is_single() { 0 } else { index };
        let to = usize::from(forward.ports.first()) + to;
        ruleset.map(
            "forwards",
            format!("{public} . {} . {port}", key.protocol),
            format!("{} . {to}", forward.guest),
        );
    }
}
