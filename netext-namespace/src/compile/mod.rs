//! From the desired state of a router to plans for the kernel and for daemons, by pure functions.

mod flows;
mod links;
mod packets;
pub mod services;

pub use flows::flows_to_cut;
pub use links::{links, routing};
pub use packets::{ElementSet, INCOMING, OUTGOING, RuleChain, Ruleset, RulesetChange, packets};
pub use services::guests;
