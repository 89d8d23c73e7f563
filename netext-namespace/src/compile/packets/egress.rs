//! What guests may reach.

use netext_protocol::FirewallSubject;

use super::matches::{self, PacketMatch, networks};
use super::ruleset::Ruleset;
use crate::model::{Router, guest_interface};
use crate::plan::ElementField;

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for (network, tier) in router.routed_tiers() {
        let (_, interface) = guest_interface(router.id, &tier.segment());
        let interface = ElementField::Interface(interface);
        let Some(firewall) = &tier.firewall else {
            ruleset.map("egress", [interface], [ElementField::Verdict("accept".to_owned())]);
            continue;
        };
        // The rules say the opposite of the default.
        let (listed, default) =
            if firewall.default_egress_allow { ("drop", "accept") } else { ("accept", "drop") };
        let chain = format!("egress_{network}");
        ruleset.map("egress", [interface], [ElementField::Verdict(format!("goto {chain}"))]);

        let rules = firewall.rules.iter().filter(|rule| rule.subject == FirewallSubject::Egress);
        let matched = rules.flat_map(|rule| {
            let destinations = networks(&rule.dest_cidrs);
            networks(&rule.source_cidrs).into_iter().flat_map(move |source| {
                destinations.clone().into_iter().map(move |destination| PacketMatch {
                    source,
                    destination,
                    traffic: rule.traffic,
                })
            })
        });
        matches::compile(ruleset, &chain, matched, listed);
        ruleset.rule(&chain, default);
    }
}
