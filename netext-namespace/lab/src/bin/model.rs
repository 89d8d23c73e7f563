//! Tries random sequences of commands and packets, and compares the router with the model.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::prelude::{Long, ValueExt};
use netext_lab::console::{self, say};
use netext_lab::model::{Tally, try_seed};

const HELP: &str = "\
Tries random sequences of commands, and packets between them, against a plain reading of the rules. Needs root.

Usage: model --exec PATH [--seed NUMBER] [--seconds NUMBER]

  --exec PATH        the netext-namespace executable to try
  --seed NUMBER      the first seed; without --seconds, the only one
  --seconds NUMBER   go on with the next seeds for this long (default: 60)

Exit code 1: a sequence shows a violation. It is printed, and shrunk to the shortest one that still shows it.";

/// How long a violation may be shrunk.
const SHRINKING: Duration = Duration::from_secs(300);
/// How often the numbers so far are printed.
const REPORT_EVERY: Duration = Duration::from_secs(60);

struct ModelArguments {
    executable: String,
    seed: u64,
    seconds: u64,
}

fn main() -> ExitCode {
    match arguments() {
        Ok(Some(arguments)) => run(&arguments),
        Ok(None) => say(HELP, 0),
        Err(error) => say(&format!("{error}\n\n{HELP}"), 2),
    }
}

fn run(arguments: &ModelArguments) -> ExitCode {
    let (begun, mut reported) = (Instant::now(), Instant::now());
    let mut tally = Tally::default();
    for seed in arguments.seed.. {
        if let Err(failure) = try_seed(&arguments.executable, seed, &mut tally) {
            say(&format!("{failure}\n{tally}\n\nshrinking it for at most {SHRINKING:?}"), 1);
            return say(&failure.shrunk(&arguments.executable, SHRINKING).to_string(), 1);
        }
        if begun.elapsed() >= Duration::from_secs(arguments.seconds) {
            break;
        }
        if reported.elapsed() > REPORT_EVERY {
            reported = Instant::now();
            say(&format!("up to seed {seed}: {tally}"), 0);
        }
    }
    say(&format!("no violation from seed {} on: {tally}", arguments.seed), 0)
}

/// `None` for `--help`.
fn arguments() -> Result<Option<ModelArguments>, lexopt::Error> {
    let (mut executable, mut seed, mut seconds) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("exec") => executable = Some(parser.value()?.string()?),
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Long("seconds") => seconds = Some(parser.value()?.parse()?),
            Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let executable = console::executable(executable)?;
    let seconds = seconds.unwrap_or(if seed.is_some() { 0 } else { 60 });
    Ok(Some(ModelArguments { executable, seed: seed.unwrap_or(1), seconds }))
}
