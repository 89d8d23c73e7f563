//! Finds the shortest part of a script that breaks the same rule.

use std::time::{Duration, Instant};

use crate::play::{Played, play};
use crate::script::Round;

/// The rules that a play broke.
fn rules(played: &Played) -> Vec<&'static str> {
    let broken = played.broken.iter().flat_map(|(_, broken)| broken);
    broken.map(|(rule, _)| *rule).collect()
}

/// Leaves out rounds, and then commands, as long as the first rule that was broken is still broken.
pub(crate) fn shrink(executable: &str, rounds: &[Round], played: &Played, patience: Duration) -> Vec<Round> {
    let deadline = Instant::now() + patience;
    let rule = rules(played).first().copied().unwrap_or_default();
    let still_breaks =
        |rounds: &[Round]| Instant::now() < deadline && rules(&play(executable, rounds)).contains(&rule);
    let last = played.broken.as_ref().map_or(usize::MAX, |(round, _)| *round);
    let mut rounds: Vec<_> = rounds.iter().filter(|round| round.number <= last).cloned().collect();
    let mut size = rounds.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < rounds.len() {
            let mut shorter = rounds.clone();
            shorter.drain(start..(start + size).min(rounds.len()));
            if still_breaks(&shorter) {
                rounds = shorter;
            } else {
                start += size;
            }
        }
        size /= 2;
    }
    rounds
}
