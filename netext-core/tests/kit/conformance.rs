//! What is expected to fail, and how reports look to machines.

use std::collections::BTreeSet;

use netext_core::protocol::Service;
use netext_core::testing::conformance::{Check, Expected, Provided, Report, Standing, Suite};
use netext_core::testing::{Executable, Server};
use tempfile::TempDir;

use crate::build::example;

fn report(fault: &str) -> Report {
    let folder = TempDir::new().unwrap();
    let executable = Executable::new(example("netext-faulty"))
        .unwrap()
        .variable("NETEXT_FAULT", fault)
        .variable("NETEXT_FOLDER", folder.path());
    let server = Server::new(executable);
    Suite::new(&server, Provided::new([Service::SourceNat, Service::Firewall])).run(&mut |_| {}, &mut |_| {})
}

#[test]
fn a_baseline_is_strict_both_ways() {
    let report = report("prints-progress");
    let standing = |expected: &str, id: &str| {
        let expected: Expected = expected.parse().unwrap();
        let ran = report.ran.iter().find(|ran| ran.check.id == id).unwrap();
        (ran.standing(&expected), report.is_as(&expected))
    };
    assert_eq!(standing("", "silent-commands"), (Standing::NewFailure, false));
    assert_eq!(standing("silent-commands # until May", "silent-commands"), (Standing::KnownFailure, true));
    assert_eq!(standing("silent-commands\nsecrets", "secrets"), (Standing::Mended, false));
    assert_eq!(standing("", "life-of-a-vpc"), (Standing::NotAsked, false));
}

#[test]
fn a_word_that_is_no_check_is_refused() {
    let error = "secrets\n\nsecret".parse::<Expected>().unwrap_err();
    assert_eq!(error.to_string(), "line 3: \"secret\" is not the id of a check");
}

#[test]
fn reports_are_read_by_machines() {
    let report = report("prints-progress");
    let expected = "no-arguments".parse().unwrap();

    let tap = report.to_tap(&expected);
    assert!(
        tap.starts_with(&format!("TAP version 14\n1..{}\nok 1 - life-of-a-network: ", Check::all().count())),
        "{tap}"
    );
    assert!(
        tap.contains(
            " - silent-commands: Commands that have nothing to say print nothing on standard output.\n  ---\n"
        ),
        "{tap}"
    );
    assert!(tap.contains(" # SKIP it does not carry VPCs\n"), "{tap}");
    assert_eq!(tap.lines().filter(|line| line.starts_with("not ok ")).count(), 2, "{tap}");

    let junit = report.to_junit(&expected);
    let skipped = report.ran.iter().filter(|ran| ran.standing(&expected) == Standing::NotAsked).count();
    assert!(junit.contains(&format!("failures=\"2\" skipped=\"{skipped}\"")), "{junit}");
    assert!(junit.contains("<failure message=\"prepare-nic printed &quot;prepared\\n&quot;\">"), "{junit}");

    let json = report.to_json(&expected);
    assert_eq!(json["conforms"], false);
    let checks = json["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["result"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["told"], "prepare-nic printed \"prepared\\n\"");
}

#[test]
fn checks_are_told_apart_and_speak_in_sentences() {
    let ids: BTreeSet<_> = Check::all().map(|check| check.id).collect();
    assert_eq!(ids.len(), Check::all().count());
    for check in Check::all() {
        for sentence in [check.sentence, check.reason, check.remedy] {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}: {sentence}", check.id);
        }
    }
}
