//! The short form of `make model`: the sequences of some seeds. See `netext_lab::model`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::time::Duration;

use netext_lab::model::{Tally, try_seed};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_netext-namespace");
/// How long a violation may be shrunk here; `make model` takes more time.
const SHRINKING: Duration = Duration::from_secs(60);

#[track_caller]
fn try_seeds(seeds: &[u64]) {
    let mut tally = Tally::default();
    for seed in seeds {
        if let Err(failure) = try_seed(EXECUTABLE, *seed, &mut tally) {
            let failure = failure.shrunk(EXECUTABLE, SHRINKING);
            panic!("{failure}\nto replay it: make model MODEL=\"--seed {seed}\"");
        }
    }
    let passed_share = tally.passed * 100 / tally.probes.max(1);
    assert!(tally.probes > 500 * seeds.len() && passed_share >= 5, "these probes test little: {tally}");
}

#[test]
fn packets_take_the_way_that_the_rules_say_and_changes_add_up_to_the_whole() {
    try_seeds(&[1, 2, 3, 4]);
}

#[test]
fn the_same_holds_for_other_sequences_of_commands() {
    try_seeds(&[5, 6, 7, 8]);
}
