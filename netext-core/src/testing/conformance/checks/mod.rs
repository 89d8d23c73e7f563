//! The checks, by what they are about.

mod arguments;
mod details;
mod life;
mod output;
mod refusals;
mod secrets;
mod spellings;
mod time;
mod vpc;

use super::Check;

/// Every table of checks, in the order in which they are run. The first check says whether an extension works at
/// all.
pub(super) const TABLES: &[&[Check]] = &[
    life::CHECKS,
    arguments::CHECKS,
    refusals::CHECKS,
    spellings::CHECKS,
    details::CHECKS,
    output::CHECKS,
    time::CHECKS,
    secrets::CHECKS,
    vpc::CHECKS,
];

/// The checks that live a whole life of a network with something changed.
pub(super) const VARY_THE_LIFE_OF_A_NETWORK: &[&str] = &[
    "unknown-fields",
    "native-scalars",
    "text-scalars",
    "details-as-text",
    "empty-details",
    "stale-details",
    "repeated-commands",
    "concurrent-commands",
    "restart",
];
