//! Expected failures, and reports for machines.

use std::collections::BTreeSet;

use netext_core::protocol::Service;
use netext_core::testing::conformance::{
    Check, CheckStatus, ConformanceReport, ConformanceSuite, ExpectedFailures,
};
use netext_core::testing::{ExtensionProfile, Server};

use crate::faulty::FaultyInProcess;

/// Runs every check for an extension that fails silent-commands.
fn report(expected: &str) -> ConformanceReport {
    let server = Server::new(FaultyInProcess::new("prints-progress"));
    ConformanceSuite::new(&server, ExtensionProfile::new([Service::SourceNat, Service::Firewall]))
        .expected_failures(expected.parse().unwrap())
        .run(&mut |_| {}, &mut |_| {})
}

#[test]
fn a_baseline_is_strict_both_ways() {
    let status = |expected: &str, id: &str| {
        let report = report(expected);
        let result = report.results.iter().find(|result| result.check.id == id).unwrap();
        (result.status(), report.conforms())
    };
    assert_eq!(status("", "silent-commands"), (CheckStatus::UnexpectedFailure, false));
    assert_eq!(
        status("silent-commands # until May", "silent-commands"),
        (CheckStatus::ExpectedFailure, true)
    );
    assert_eq!(status("silent-commands\nsecrets", "secrets"), (CheckStatus::UnexpectedPass, false));
    assert_eq!(status("", "life-of-a-vpc"), (CheckStatus::Skipped, false));
}

#[test]
fn a_word_that_is_not_the_id_of_a_check_is_refused() {
    let error = "secrets\n\nsecret".parse::<ExpectedFailures>().unwrap_err();
    assert_eq!(error.to_string(), "line 3: \"secret\" is not the id of a check");
}

#[test]
fn reports_are_readable_by_machines() {
    let report = report("no-arguments");

    let tap = report.to_tap();
    assert!(
        tap.starts_with(&format!("TAP version 14\n1..{}\nok 1 - life-of-a-network: ", Check::all().count())),
        "{tap}"
    );
    assert!(
        tap.contains(
            " - silent-commands: Commands without a response print nothing on standard output.\n  ---\n"
        ),
        "{tap}"
    );
    assert!(tap.contains(" # SKIP the extension does not carry VPCs\n"), "{tap}");
    assert_eq!(tap.lines().filter(|line| line.starts_with("not ok ")).count(), 2, "{tap}");

    let junit = report.to_junit();
    let skipped = report.results.iter().filter(|result| result.status() == CheckStatus::Skipped).count();
    assert!(junit.contains(&format!("failures=\"2\" skipped=\"{skipped}\"")), "{junit}");
    assert!(junit.contains("<failure message=\"prepare-nic printed &quot;prepared\\n&quot;\">"), "{junit}");

    let json = report.to_json();
    assert_eq!(json["conforms"], false);
    let checks = json["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["result"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["told"], "prepare-nic printed \"prepared\\n\"");
}

#[test]
fn checks_have_unique_ids_and_whole_sentences() {
    let ids: BTreeSet<_> = Check::all().map(|check| check.id).collect();
    assert_eq!(ids.len(), Check::all().count());
    for check in Check::all() {
        for sentence in [check.requirement, check.reason, check.remedy] {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}: {sentence}", check.id);
        }
    }
}
