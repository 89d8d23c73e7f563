//! `netext conformance`: checks an extension against the requirements of the protocol.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use netext_core::testing::conformance::{
    Check, CheckResult, CheckStatus, ConformanceReport, ConformanceSuite, ExpectedFailures,
};
use netext_protocol::GuestType;
use serde_json::json;

use crate::arguments::ExtensionArguments;
use crate::printer::{Printer, Tone, fail, is_watched, print, print_json, say, verdict};

/// Check an extension in any language against the requirements of the protocol.
///
/// The checks send real commands, for networks numbered from 990000 and with public addresses of 198.51.100.0/24.
/// If the extension changes its machine, use a machine for tests.
///
/// Exit code 0: every check passed, except for the expected failures, and each of those failed.
#[derive(clap::Args)]
pub(crate) struct ConformanceArguments {
    #[command(flatten)]
    extension: ExtensionArguments,
    /// The kind of network that the checks use: isolated, shared or l2.
    #[arg(long, value_name = "KIND", default_value_t = GuestType::Isolated)]
    guest_type: GuestType,
    /// A list of the checks that are expected to fail, one id in a line, comments after #. A failure that is not
    /// listed fails the run, and so does a listed check that passes.
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    format: ReportFormat,
}

/// List the conformance checks, with the reason for each and the remedy for a failure.
#[derive(clap::Args)]
pub(crate) struct ChecksArguments {
    /// The id of one check.
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people.
    Table,
    /// The Test Anything Protocol, version 14.
    Tap,
    #[value(help = "JUnit XML")]
    Junit,
    /// JSON.
    Json,
}

pub(crate) fn run(arguments: &ConformanceArguments, printer: Printer) -> ExitCode {
    match check(arguments, printer) {
        Ok(conforms) => verdict(conforms),
        Err(why) => fail(why),
    }
}

fn check(arguments: &ConformanceArguments, printer: Printer) -> Result<bool, String> {
    let expected: ExpectedFailures = match &arguments.expected_failures {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            text.parse().map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => ExpectedFailures::default(),
    };
    let server = arguments.extension.server()?;
    let profile = arguments.extension.profile(server.extension())?.guest_type(arguments.guest_type);
    let suite = ConformanceSuite::new(&server, profile).expected_failures(expected);
    let format = if printer.json { ReportFormat::Json } else { arguments.format };
    if format == ReportFormat::Table {
        let report = suite.run(&mut |check| announce(printer, check), &mut |result| show(printer, result));
        sum_up(printer, &report);
        return Ok(report.conforms());
    }
    let report = suite.run(&mut |_| {}, &mut |_| {});
    match format {
        ReportFormat::Tap => print(report.to_tap()),
        ReportFormat::Junit => print(report.to_junit()),
        ReportFormat::Table | ReportFormat::Json => print_json(&report.to_json()),
    }
    Ok(report.conforms())
}

/// Shows the running check on a terminal. Its result replaces the line.
fn announce(printer: Printer, check: &Check) {
    if is_watched() {
        print(printer.paint(Tone::Faint, format_args!("  ...   {}", check.id)));
        let _ = io::stdout().flush();
    }
}

fn show(printer: Printer, result: &CheckResult) {
    if is_watched() {
        print("\r\x1b[K");
    }
    let status = result.status();
    let (tone, mark) = match status {
        CheckStatus::Passed => (Tone::Good, "ok   "),
        CheckStatus::Skipped => (Tone::Faint, "-    "),
        CheckStatus::ExpectedFailure => (Tone::Note, "known"),
        CheckStatus::UnexpectedFailure => (Tone::Bad, "FAIL "),
        CheckStatus::UnexpectedPass => (Tone::Bad, "PASS "),
    };
    let Check { id, requirement, reason, remedy, .. } = result.check;
    say(format_args!("  {}  {id:<24} {requirement}", printer.paint(tone, mark)));
    let explanation = result.explanation().unwrap_or_default();
    match status {
        CheckStatus::Passed => {}
        CheckStatus::Skipped => {
            say(printer.paint(Tone::Faint, format_args!("         skipped: {explanation}")));
        }
        CheckStatus::ExpectedFailure => {
            say(printer.paint(Tone::Faint, format_args!("         {explanation}")));
        }
        CheckStatus::UnexpectedPass => say(format_args!("         {explanation}")),
        CheckStatus::UnexpectedFailure => {
            say(format_args!("         {explanation}"));
            say(format_args!("         Why it matters: {reason}"));
            say(format_args!("         What to do: {remedy}"));
        }
    }
}

fn sum_up(printer: Printer, report: &ConformanceReport) {
    let count = |wanted: fn(CheckStatus) -> bool| {
        report.results.iter().filter(|result| wanted(result.status())).count()
    };
    let seconds: f64 = report.results.iter().map(|result| result.took.as_secs_f64()).sum();
    let bad = count(CheckStatus::is_bad);
    let summary = format!(
        "{} passed, {bad} failed, {} failed as expected, {} skipped; {seconds:.1} s",
        count(|it| it == CheckStatus::Passed),
        count(|it| it == CheckStatus::ExpectedFailure),
        count(|it| it == CheckStatus::Skipped),
    );
    say(format_args!("\n{}", printer.paint(if bad == 0 { Tone::Good } else { Tone::Bad }, summary)));
}

pub(crate) fn list(arguments: &ChecksArguments, printer: Printer) -> ExitCode {
    let checks: Vec<_> = match &arguments.id {
        None => Check::all().collect(),
        Some(id) => Check::named(id).into_iter().collect(),
    };
    if checks.is_empty() {
        let id = arguments.id.as_deref().unwrap_or_default();
        return fail(format_args!("{id:?} is not the id of a check; netext checks lists them"));
    }
    if printer.json {
        let checks: Vec<_> = checks
            .iter()
            .map(|it| {
                json!({"id": it.id, "sentence": it.requirement, "reason": it.reason, "remedy": it.remedy})
            })
            .collect();
        print_json(&checks);
    } else {
        for Check { id, requirement, reason, remedy, .. } in checks {
            say(format_args!("{id}\n  {requirement}\n  Why it matters: {reason}\n  What to do: {remedy}"));
        }
    }
    ExitCode::SUCCESS
}
