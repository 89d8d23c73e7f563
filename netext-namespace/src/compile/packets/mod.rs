//! The packet rules of a router: one nftables table of its own, `inet netext`.
//!
//! The chains are the same for every router and, but for the choice between several ways out, never change; what
//! a router is stands in the sets and maps that they look things up in. So one more forward is one more element:
//! the cost of a change does not grow with what is there already, nor does the cost of a packet.

mod acl;
mod balanced_access;
mod balancers;
mod chains;
mod egress;
mod ingress;
mod matches;
mod nat;
mod ruleset;
mod segments;
mod ways_out;

use crate::model::Router;

pub use chains::{INCOMING, OUTGOING};
pub use ruleset::{ElementSet, RuleChain, Ruleset, RulesetChange};

/// The packet rules of a router as far as its tiers are in force.
pub fn packets(router: &Router) -> Ruleset {
    let mut ruleset = chains::skeleton();
    segments::compile(router, &mut ruleset);
    nat::compile(router, &mut ruleset);
    balancers::compile(router, &mut ruleset);
    ingress::compile(router, &mut ruleset);
    egress::compile(router, &mut ruleset);
    acl::compile(router, &mut ruleset);
    ways_out::compile(router, &mut ruleset);
    balanced_access::compile(router, &mut ruleset);
    ruleset.complete()
}
