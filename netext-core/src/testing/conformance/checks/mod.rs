//! The checks, by what they are about.

mod arguments;
mod details;
mod life;
mod output;
mod readme;
mod refusals;
mod registration;
mod secrets;
mod spellings;
mod time;
mod vpc;

use super::Check;
use super::report::Finding;
use crate::testing::{Extension, Payload, Server};

/// Every table of checks, in the order in which they are run. The first check says whether an extension works at
/// all.
pub(super) const TABLES: &[&[Check]] = &[
    life::CHECKS,
    readme::CHECKS,
    arguments::CHECKS,
    refusals::CHECKS,
    spellings::CHECKS,
    details::CHECKS,
    output::CHECKS,
    time::CHECKS,
    secrets::CHECKS,
    vpc::CHECKS,
    registration::CHECKS,
];

/// The checks that vary another one: they mean nothing where that fails.
const VARIATIONS: &[(&str, &[&str])] = &[
    (
        "life-of-a-network",
        &[
            "life-by-the-readme",
            "older-forms",
            "absent-fields",
            "unknown-fields",
            "native-scalars",
            "text-scalars",
            "details-as-text",
            "empty-details",
            "stale-details",
            "repeated-commands",
            "concurrent-commands",
            "restart",
        ],
    ),
    ("life-by-the-readme", &["vpc-by-the-readme"]),
    ("repeated-commands", &["absent-fields"]),
    ("life-of-a-vpc", &["vpc-by-the-readme"]),
];

/// The checks that another one varies.
pub(super) fn varied_by(check: &Check) -> impl Iterator<Item = &'static str> {
    VARIATIONS.iter().filter(|(_, variations)| variations.contains(&check.id)).map(|(varied, _)| *varied)
}

/// Sends commands. Answers what is wrong with the first that does not exit with 0.
fn first_failure(server: &Server<impl Extension>, payloads: impl IntoIterator<Item = Payload>) -> Finding {
    for payload in payloads {
        let judged = server.send(payload);
        if judged.answer.code() != Some(0) {
            return Finding::failed_by(&judged.command, &judged.answer);
        }
    }
    Finding::Passed
}
