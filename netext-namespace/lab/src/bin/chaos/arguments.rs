//! The arguments of chaos.

use std::ops::RangeInclusive;
use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use netext_lab::console;

use crate::script::Round;
use crate::shrink::{Part, kept};

pub(crate) const HELP: &str = "\
Plays random worlds of networks and VPCs, with faults, and tests packets after each round. Needs root.

Usage: chaos --exec PATH [--seed N | --seeds FROM-TO] [--rounds N] [--seconds N] [--jobs N] [--short] [--keep PARTS]

  --exec PATH      the netext-namespace executable to test
  --seed N         the world of this seed
  --seeds FROM-TO  the worlds of these seeds; default 1-1000000
  --rounds N       rounds of a world; default 40
  --seconds N      begin no world after this time; default 3600
  --jobs N         worlds at a time; default 2
  --short          a few fixed worlds: about 80 seconds
  --keep PARTS     only these parts of the script: 3.1 is the first command of round 3, 3.1- the same
                   without its trouble, 3d the disturbance after round 3
  --no-shrink      do not look for the shortest script of a violation";

/// The seeds and the rounds of the short form.
const SHORT: (RangeInclusive<u64>, usize) = (1..=8, 14);

pub(crate) struct ChaosArguments {
    pub(crate) executable: String,
    pub(crate) seeds: RangeInclusive<u64>,
    pub(crate) rounds: usize,
    pub(crate) patience: Duration,
    pub(crate) jobs: usize,
    pub(crate) shrinks: bool,
    keep: Vec<Part>,
}

impl ChaosArguments {
    /// `None` for `--help`.
    pub(crate) fn of_this_process() -> Result<Option<Self>, lexopt::Error> {
        let mut executable = None;
        let (mut seeds, mut rounds, mut seconds, mut jobs) = (1..=1_000_000, 40, 3600, 2);
        let (mut shrinks, mut keep) = (true, Vec::new());
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("exec") => executable = Some(parser.value()?.string()?),
                Long("seed") => {
                    let seed = parser.value()?.parse()?;
                    seeds = seed..=seed;
                }
                Long("seeds") => seeds = parser.value()?.parse_with(range)?,
                Long("rounds") => rounds = parser.value()?.parse()?,
                Long("seconds") => seconds = parser.value()?.parse()?,
                Long("jobs") => jobs = parser.value()?.parse()?,
                Long("short") => (seeds, rounds) = SHORT,
                Long("keep") => keep = parser.value()?.parse_with(list)?,
                Long("no-shrink") => shrinks = false,
                Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        let executable = console::executable(executable)?;
        let patience = Duration::from_secs(seconds);
        Ok(Some(Self { executable, seeds, rounds, patience, jobs, shrinks, keep }))
    }

    /// The part of a script that is to be played.
    pub(crate) fn kept(&self, rounds: &[Round]) -> Vec<Round> {
        if self.keep.is_empty() { rounds.to_vec() } else { kept(rounds, &self.keep) }
    }
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("{text:?} is no range such as 1-100");
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    Ok(first.parse().map_err(|_| wrong())?..=last.parse().map_err(|_| wrong())?)
}

fn list(text: &str) -> Result<Vec<Part>, String> {
    text.split(',').map(str::parse).collect()
}
