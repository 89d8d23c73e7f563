//! The model: random commands and packets on the real kernel, against a plain reading of the rules.
//!
//! A sequence of random commands, made from a seed, changes a router step by step. Between the commands two questions
//! are asked:
//!
//! - **Does every packet take the way that the rules say?** Random packets at the edges of the rules are sent as whole
//!   frames. Where they arrive, with which addresses, and whether the answer returns is compared with the
//!   verdict: a first-match reading of the rules, which shares nothing with the extension.
//! - **Is the router what its state builds?** Another host builds a router from the same state, from scratch. Rules, links,
//!   addresses, routes and the files of daemons must be the same: the differences that were applied add up to the whole.
//!
//! A violation is shrunk to the shortest sequence that still shows it.

mod cidr;
mod expected;
mod generate;
mod packet;
mod probes;
mod random;
mod rule;
mod sequence;
mod site;
mod step;
mod trial;
mod twin;
mod verdict;
mod wire;

pub use sequence::{ModelFailure, try_seed};
pub use trial::Tally;
