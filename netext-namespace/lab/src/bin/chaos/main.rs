//! Plays random worlds: commands with faults, disturbances of the host, and packets after each round.
//!
//! A seed determines the whole script, so that a violation can be seen again.

mod arguments;
mod expectation;
mod model;
mod operation;
mod play;
mod script;
mod shrink;
mod trouble;
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use netext_lab::console::{print, say};

use arguments::{ChaosArguments, HELP};
use play::{Played, Tests, play};
use script::Round;
use shrink::Part;

/// How long the search for the shortest script may take.
const SHRINKING: Duration = Duration::from_secs(150);

/// What all worlds saw.
#[derive(Default)]
struct Tally {
    worlds: usize,
    sum: Played,
    violations: usize,
}

fn main() -> ExitCode {
    let arguments = match ChaosArguments::of_this_process() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return say(HELP, 0),
        Err(error) => return say(&format!("{error}\n\n{HELP}"), 2),
    };
    let begun = Instant::now();
    let waiting = Mutex::new(arguments.seeds.clone());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let seed = waiting.lock().expect("no panic while held").next();
                    let Some(seed) = seed.filter(|_| begun.elapsed() < arguments.patience) else { break };
                    world(seed, &arguments, &tally);
                }
            });
        }
    });
    let Tally { worlds, sum, violations } = tally.into_inner().expect("no panic while held");
    let Played { rounds, commands, kills, failures, disturbances, .. } = sum;
    print(&format!(
        "{worlds} worlds, {rounds} rounds, {commands} commands: {kills} killed, {failures} failed, {disturbances} \
         disturbances, {violations} violations, {:.0} s",
        begun.elapsed().as_secs_f64()
    ));
    ExitCode::from(u8::from(violations > 0))
}

/// Plays the world of a seed.
fn world(seed: u64, arguments: &ChaosArguments, tally: &Mutex<Tally>) {
    let rounds = arguments.kept(&script::rounds(seed, arguments.rounds));
    // The lab asserts a few things itself.
    let Ok(played) = std::panic::catch_unwind(|| play(&arguments.executable, &rounds, Tests::AfterEachRound))
    else {
        print(&format!("seed {seed}: the lab itself failed"));
        tally.lock().expect("no panic while held").violations += 1;
        return;
    };
    {
        let mut tally = tally.lock().expect("no panic while held");
        let Tally { worlds, sum, violations } = &mut *tally;
        *worlds += 1;
        sum.rounds += played.rounds;
        sum.commands += played.commands;
        sum.kills += played.kills;
        sum.failures += played.failures;
        sum.disturbances += played.disturbances;
        *violations += usize::from(played.broken.is_some()) + played.rude.len();
    }
    for (round, (rule, seen)) in &played.rude {
        print(&format!("seed {seed}, round {round}:\n  {rule}\n    seen: {seen}"));
    }
    let Some((round, broken)) = &played.broken else { return };
    let lines: Vec<_> = broken.iter().map(|(rule, seen)| format!("\n  {rule}\n    seen: {seen}")).collect();
    print(&format!("seed {seed}, round {round}:{}", lines.concat()));
    if arguments.shrinks {
        let shortest = shrink::shrink(&arguments.executable, &rounds, &played, SHRINKING);
        print(&again(seed, &rounds, &shortest, arguments.rounds));
    }
}

/// The shortest script, and how to play it again.
fn again(seed: u64, rounds: &[Round], shortest: &[Part], number: usize) -> String {
    let parts: Vec<_> = shortest.iter().map(ToString::to_string).collect();
    let lines: Vec<_> = shrink::kept(rounds, shortest).iter().map(|round| format!("    {round}\n")).collect();
    let (lines, parts) = (lines.concat(), parts.join(","));
    format!("  seed {seed}, shortest:\n{lines}  again: --seed {seed} --rounds {number} --keep {parts}")
}
