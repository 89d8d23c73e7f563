//! The checks, by subject.

mod details;
mod life;
mod process;
mod refusals;
mod secrets;
mod senders;
mod vpc;

use super::check::Check;

/// Every check, in the order in which they run. The first one shows whether the extension works at all.
pub(super) static ALL: &[&[&Check]] = &[
    life::CHECKS,
    senders::CHECKS,
    refusals::CHECKS,
    details::CHECKS,
    process::CHECKS,
    secrets::CHECKS,
    vpc::CHECKS,
];
