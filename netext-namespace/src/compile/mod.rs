//! What a router means for the kernel and for daemons: pure functions from what is desired to plans.

mod flows;
mod guests;
mod links;
mod packets;
pub mod services;

pub use flows::flows_to_cut;
pub use guests::guests;
pub use links::{links, routing};
pub use packets::{ElementSet, INCOMING, OUTGOING, RuleChain, Ruleset, RulesetChange, packets};
