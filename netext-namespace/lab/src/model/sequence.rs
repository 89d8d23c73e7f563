//! Sequences of commands: made from a seed, tried on a lab, and shrunk when they show a violation.

use std::fmt;
use std::time::{Duration, Instant};

use super::expected::ExpectedRouter;
use super::generate::next_step;
use super::random::Random;
use super::site::Site;
use super::step::Step;
use super::trial::{Tally, Trial, Violation};
use crate::lab::Lab;

/// The commands of a sequence.
const COMMANDS: usize = 36;
/// After this many commands packets are sent.
const BETWEEN_PROBES: usize = 3;
/// After this many commands the router is compared with one from scratch.
const BETWEEN_COMPARISONS: usize = 6;
/// The packets of a round.
const PROBES: usize = 150;

/// A violation that a sequence of commands shows.
#[derive(Clone, Debug)]
pub struct ModelFailure {
    seed: u64,
    site: Site,
    steps: Vec<Step>,
    violation: Violation,
    /// The length of the sequence before it was shrunk.
    made: usize,
}

/// Tries the sequence of a seed.
///
/// # Errors
/// The violation that it shows, with the commands up to it.
pub fn try_seed(executable: &str, seed: u64, tally: &mut Tally) -> Result<(), Box<ModelFailure>> {
    let mut random = Random::new(seed);
    let site = if random.one_in(2) { Site::Isolated } else { Site::Vpc };
    let (lab, twin) = (Lab::boot(executable), Lab::boot(executable));
    let mut trial = Trial::new(&lab, &twin, site);
    let mut steps = Vec::new();
    tally.sequences += 1;
    for position in 1..=COMMANDS {
        let step = next_step(&trial.expected, &mut random);
        steps.push(step.clone());
        tally.commands += 1;
        let mut tried = trial.step(&step);
        if tried.is_ok() && position % BETWEEN_PROBES == 0 {
            tried = trial.probe(PROBES, &mut random, tally);
        }
        if tried.is_ok() && position % BETWEEN_COMPARISONS == 0 {
            tried = trial.compare(tally);
        }
        if let Err(violation) = tried {
            return Err(Box::new(ModelFailure { seed, site, made: steps.len(), steps, violation }));
        }
    }
    Ok(())
}

impl ModelFailure {
    /// The shortest sequence that shows the same kind of violation, as far as it is found within `limit`.
    pub fn shrunk(self, executable: &str, limit: Duration) -> Self {
        let deadline = Instant::now() + limit;
        let mut smallest = self;
        loop {
            let candidates = smaller(&smallest.steps);
            let tried = candidates
                .into_iter()
                .take_while(|_| Instant::now() < deadline)
                .find_map(|steps| Some((smallest.shown_by(executable, &steps)?, steps)));
            let Some((violation, steps)) = tried else { return smallest };
            smallest = Self { steps, violation, ..smallest };
        }
    }

    /// The violation of the same kind that a sequence shows.
    fn shown_by(&self, executable: &str, steps: &[Step]) -> Option<Violation> {
        let mut router = ExpectedRouter::new(self.site);
        for step in steps {
            if !router.may(step) {
                return None;
            }
            router.take(step);
        }
        let (lab, twin) = (Lab::boot(executable), Lab::boot(executable));
        let mut trial = Trial::new(&lab, &twin, self.site);
        let (last, before) = steps.split_last()?;
        before.iter().try_for_each(|step| trial.step(step)).ok()?;
        let mut tally = Tally::default();
        match &self.violation {
            Violation::Refused(_) => trial.step(last).err(),
            Violation::Packet(probe, _) => {
                trial.step(last).ok()?;
                trial.send(vec![*probe], &mut tally).err()
            }
            Violation::Difference(_) => {
                trial.step(last).ok()?;
                trial.compare(&mut tally).err()
            }
        }
    }
}

/// Sequences that lack a command, then sequences in which a command lacks a rule.
fn smaller(steps: &[Step]) -> Vec<Vec<Step>> {
    let half = steps.len() / 2;
    let mut found = Vec::new();
    // Many at once first.
    let mut length = half;
    while length > 0 {
        for start in (0..steps.len()).step_by(length) {
            let end = (start + length).min(steps.len());
            found.push([&steps[..start], &steps[end..]].concat());
        }
        length /= 2;
    }
    for (position, step) in steps.iter().enumerate() {
        for step in step.smaller() {
            let mut changed = steps.to_vec();
            changed[position] = step;
            found.push(changed);
        }
    }
    found
}

/// The seed, the commands, and the reason.
impl fmt::Display for ModelFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, site, steps, violation, made } = self;
        writeln!(formatter, "seed {seed}: {violation}")?;
        writeln!(formatter, "after these {} of {made} commands ({site:?}):", steps.len())?;
        steps.iter().try_for_each(|step| writeln!(formatter, "- {step}"))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequences, commands, probes, passed, comparisons } = self;
        write!(
            formatter,
            "{sequences} sequences, {commands} commands, {probes} probes ({passed} got through), {comparisons} \
             comparisons with a router from scratch"
        )
    }
}
