//! Measures commands and the packet path, each figure against a floor of the same run.
//!
//! It is a benchmark, not a test: people judge its table, or programs its `--json` document. Ours and the floor run in
//! turns, so that other load affects both alike.

mod acl;
mod balancers;
mod clock;
mod figure;
mod firewall;
mod floor;
mod forwards;
mod guests;
mod life;
mod metadata;
mod path;
mod proxy;
mod reconcile;
mod series;
mod spawn;

use std::process::ExitCode;
use std::time::Instant;

use lexopt::prelude::{Long, ValueExt};
use netext_lab::Lab;
use netext_lab::console::{self, say};

use figure::FigureTable;

const HELP: &str = "\
Measures commands and the packet path against a floor of the same run. Needs root and an idle machine.

Usage: bench --exec PATH [--quick] [--json] [--only PART]

  --exec PATH   the netext-namespace executable to measure, a release build
  --quick       fewer rounds: under a minute instead of about 4 minutes
  --json        print one JSON document at the end instead of a table
  --only PART   run one of spawn, life, forwards, firewall, acl, balancers, guests, metadata, path,
                reconcile, proxy; may be repeated";

/// A benchmark; its last argument asks for fewer rounds.
type Benchmark = (&'static str, fn(&Lab, &mut FigureTable, bool));

/// The benchmarks in their order.
const BENCHMARKS: [Benchmark; 11] = [
    ("spawn", |lab, table, quick| spawn::measure(lab, table, if quick { 51 } else { 301 })),
    ("life", |lab, table, quick| life::measure(lab, table, if quick { 9 } else { 51 })),
    ("forwards", |lab, table, quick| forwards::measure(lab, table, if quick { 9 } else { 51 })),
    ("firewall", firewall::measure),
    ("acl", acl::measure),
    ("balancers", |lab, table, quick| balancers::measure(lab, table, if quick { 9 } else { 51 })),
    ("guests", |lab, table, quick| guests::measure(lab, table, if quick { 9 } else { 51 })),
    ("metadata", metadata::measure),
    ("path", path::measure),
    ("reconcile", |lab, table, quick| reconcile::measure(lab, table, if quick { 2 } else { 5 })),
    ("proxy", |lab, table, quick| proxy::measure(lab.executable(), table, if quick { 21 } else { 101 })),
];

struct BenchArguments {
    executable: String,
    quick: bool,
    json: bool,
    only: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return say(HELP, 0),
        Err(error) => return say(&format!("{error}\n\n{HELP}"), 2),
    };
    let begun = Instant::now();
    let mut table = FigureTable::new(arguments.json);
    table.say(&format!("{} on {}", arguments.executable, machine()));
    let lab = Lab::boot(&arguments.executable);
    // Everything runs on the host, so that only the programs themselves are timed.
    lab.host().run(|| measure(&lab, &mut table, &arguments));
    table.close(begun.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

fn measure(lab: &Lab, table: &mut FigureTable, arguments: &BenchArguments) {
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    for (_, measure) in BENCHMARKS.iter().filter(|(name, _)| wanted(name)) {
        measure(lab, table, arguments.quick);
    }
}

fn machine() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or_default();
    format!("Linux {}, {processors} processors, load {load} at the start", release.trim_end())
}

/// `None` for `--help`.
fn arguments() -> Result<Option<BenchArguments>, lexopt::Error> {
    let (mut executable, mut quick, mut json, mut only) = (None, false, false, Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("exec") => executable = Some(parser.value()?.string()?),
            Long("quick") => quick = true,
            Long("json") => json = true,
            Long("only") => only.push(parser.value()?.string()?),
            Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if let Some(unknown) = only.iter().find(|part| BENCHMARKS.iter().all(|(name, _)| name != part)) {
        return Err(format!("--only {unknown}: unknown part").into());
    }
    let executable = console::executable(executable)?;
    Ok(Some(BenchArguments { executable, quick, json, only }))
}
