//! `netext conformance`: what the protocol asks of every extension.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use netext_core::testing::conformance::{Check, Expected, Finding, Ran, Report, Standing, Suite};
use netext_protocol::GuestType;
use serde_json::json;

use crate::extension::Registration;
use crate::screen::{Screen, Tone, fail, is_watched, print, print_json, say, verdict};

/// Check an extension in any language against what the protocol asks.
///
/// The checks are real commands on networks numbered from 990000, with public addresses of 198.51.100.0/24: an
/// extension that acts on its machine is best checked on one to throw away.
///
/// Exit code 0: nothing failed but what was expected to, and all of that did.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    extension: Registration,
    /// The kind of network that it is tried on: isolated, shared or l2.
    #[arg(long, value_name = "KIND", default_value_t = GuestType::Isolated)]
    guest_type: GuestType,
    /// A list of the checks that are known to fail, an id in a line, comments behind #. A failure that is not
    /// listed fails the run, and so does a check that is listed and holds.
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// List the conformance checks, with the reason for each and what to do where it does not hold.
#[derive(clap::Args)]
pub(crate) struct List {
    /// The id of one.
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// The Test Anything Protocol, version 14.
    Tap,
    /// XML as `JUnit` writes it.
    Junit,
    /// JSON.
    Json,
}

pub(crate) fn run(arguments: &Arguments, screen: Screen) -> ExitCode {
    match check(arguments, screen) {
        Ok(conforms) => verdict(conforms),
        Err(why) => fail(why),
    }
}

fn check(arguments: &Arguments, screen: Screen) -> Result<bool, String> {
    let expected = match &arguments.expected_failures {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            text.parse().map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Expected::default(),
    };
    let server = arguments.extension.server()?;
    let provided = arguments.extension.provided(server.extension())?.on(arguments.guest_type);
    let suite = Suite::new(&server, provided);
    let format = if screen.json { Format::Json } else { arguments.format };
    if format == Format::Table {
        let report = suite.run(&mut |check| announce(screen, check), &mut |ran| tell(screen, ran, &expected));
        sum_up(screen, &report, &expected);
        return Ok(report.is_as(&expected));
    }
    let report = suite.run(&mut |_| {}, &mut |_| {});
    match format {
        Format::Tap => print(report.to_tap(&expected)),
        Format::Junit => print(report.to_junit(&expected)),
        Format::Table | Format::Json => print_json(&report.to_json(&expected)),
    }
    Ok(report.is_as(&expected))
}

/// Says what is being checked, where somebody watches; the result takes its place.
fn announce(screen: Screen, check: &Check) {
    if is_watched() {
        print(screen.paint(Tone::Faint, format_args!("  ...   {}", check.id)));
        let _ = io::stdout().flush();
    }
}

fn tell(screen: Screen, ran: &Ran, expected: &Expected) {
    if is_watched() {
        print("\r\x1b[K");
    }
    let standing = ran.standing(expected);
    let (tone, mark) = match standing {
        Standing::Good => (Tone::Good, "ok   "),
        Standing::NotAsked => (Tone::Faint, "-    "),
        Standing::KnownFailure => (Tone::Note, "known"),
        Standing::NewFailure => (Tone::Bad, "FAIL "),
        Standing::Mended => (Tone::Bad, "HOLDS"),
    };
    let Check { id, sentence, reason, remedy, .. } = ran.check;
    say(format_args!("  {}  {id:<24} {sentence}", screen.paint(tone, mark)));
    match (&ran.finding, standing) {
        (_, Standing::Mended) => say("         It is listed as an expected failure: take it off the list."),
        (Finding::Failed(how), Standing::KnownFailure) => {
            say(screen.paint(Tone::Faint, format_args!("         {how}")));
        }
        (Finding::Failed(how), _) => {
            say(format_args!("         {how}"));
            say(format_args!("         Why it matters: {reason}"));
            say(format_args!("         What to do: {remedy}"));
        }
        (Finding::Skipped(why), _) => {
            say(screen.paint(Tone::Faint, format_args!("         not asked: {why}")));
        }
        (Finding::Passed, _) => {}
    }
}

fn sum_up(screen: Screen, report: &Report, expected: &Expected) {
    let count = |wanted: &dyn Fn(Standing) -> bool| {
        report.ran.iter().filter(|ran| wanted(ran.standing(expected))).count()
    };
    let seconds: f64 = report.ran.iter().map(|ran| ran.took.as_secs_f64()).sum();
    let bad = count(&Standing::is_bad);
    let summary = format!(
        "{} hold, {bad} do not, {} known to fail, {} not asked; {seconds:.1} s",
        count(&|it| it == Standing::Good),
        count(&|it| it == Standing::KnownFailure),
        count(&|it| it == Standing::NotAsked),
    );
    say(format_args!("\n{}", screen.paint(if bad == 0 { Tone::Good } else { Tone::Bad }, summary)));
}

pub(crate) fn list(arguments: &List, screen: Screen) -> ExitCode {
    let checks: Vec<_> =
        Check::all().filter(|check| arguments.id.as_deref().is_none_or(|id| id == check.id)).collect();
    if checks.is_empty() {
        return fail(format_args!(
            "{:?} is no check; netext checks lists them all",
            arguments.id.as_deref().unwrap_or_default()
        ));
    }
    if screen.json {
        let checks: Vec<_> = checks
            .iter()
            .map(|it| json!({"id": it.id, "sentence": it.sentence, "reason": it.reason, "remedy": it.remedy}))
            .collect();
        print_json(&checks);
    } else {
        for Check { id, sentence, reason, remedy, .. } in checks {
            say(format_args!("{id}\n  {sentence}\n  Why it matters: {reason}\n  What to do: {remedy}"));
        }
    }
    ExitCode::SUCCESS
}
