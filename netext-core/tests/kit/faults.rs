//! Conformance finds every planted fault, and finds nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::thread;

use netext_core::testing::conformance::{Check, Finding, Provided, Suite};
use netext_core::testing::{Executable, Server};
use tempfile::TempDir;

use crate::build::example;

/// A fault of the faulty extension, and the check that finds it.
const FAULTS: &[(&str, &str)] = &[
    ("succeeds-without-arguments", "no-arguments"),
    ("succeeds-with-unknown-commands", "unknown-command"),
    ("succeeds-without-payload", "missing-payload"),
    ("fails-silently", "failures-say-why"),
    ("shows-stack-traces", "failures-say-why"),
    ("reads-its-input", "input-ignored"),
    ("takes-anything-for-json", "not-json"),
    ("needs-no-id", "no-id"),
    ("takes-malformed-values", "malformed-values"),
    ("defaults-rule-words", "unknown-rule-words"),
    ("forgets-on-refusal", "refusals-change-nothing"),
    ("refuses-unknown-fields", "unknown-fields"),
    ("refuses-numbers", "native-scalars"),
    ("refuses-texts-in-rules", "text-scalars"),
    ("refuses-other-spellings", "both-spellings"),
    ("refuses-details-as-text", "details-as-text"),
    ("prints-details-as-prose", "device-details"),
    ("changes-its-mind", "stable-details"),
    ("needs-details", "empty-details"),
    ("trusts-details", "stale-details"),
    ("prints-progress", "silent-commands"),
    ("warns", "silent-errors"),
    ("prints-half-an-update", "network-update"),
    ("reports-a-status", "no-stray-status"),
    ("holds-the-streams", "streams-released"),
    ("refuses-undeclared", "undeclared-services"),
    ("limits-payloads", "large-payloads"),
    ("is-slow", "deadline"),
    ("shows-payloads", "secrets"),
    ("keeps-credentials-in-details", "secrets"),
    ("repeats-badly", "repeated-commands"),
    ("deletes-badly", "absent-deletes"),
    ("needs-implement-before-rules", "rules-before-implement"),
    ("needs-implement-before-nics", "nic-first"),
    ("needs-a-vlan", "implement-without-vlan"),
    ("comes-back-badly", "restart"),
    ("does-not-wait-for-locks", "concurrent-commands"),
    ("loses-other-tiers", "life-of-a-vpc"),
    ("needs-a-vpc-address", "vpc-without-address"),
    ("refuses-vpc-spellings", "vpc-spellings"),
    ("shuts-vpcs-down-badly", "absent-vpc"),
    ("needs-a-nic-id", "life-by-the-readme"),
    ("refuses-json-in-texts", "older-forms"),
    ("refuses-base64", "older-forms"),
    ("takes-texts-for-no-rules", "malformed-values"),
    ("needs-a-domain", "absent-fields"),
    ("compares-what-is-absent", "absent-fields"),
    ("forgets-whose-tier-it-is", "vpc-by-the-readme"),
    ("expects-to-be-asked-first", "life-of-a-vpc"),
    ("refuses-the-readme-s-files", "both-spellings"),
    ("misses-a-capability", "capabilities"),
    ("misspells-a-capability", "capabilities"),
];

static FAULTY: LazyLock<PathBuf> = LazyLock::new(|| example("netext-faulty"));

/// The checks that fail for the faulty extension, with how that shows.
fn failures(fault: &str) -> Vec<(&'static str, String)> {
    let folder = TempDir::new().unwrap();
    let executable = Executable::new(&*FAULTY)
        .unwrap()
        .variable("NETEXT_FAULT", fault)
        .variable("NETEXT_FOLDER", folder.path().join("networks"));
    let server = Server::new(executable);
    let provided = Provided::asked_of(server.extension()).unwrap();
    let report = Suite::new(&server, provided).run(&mut |_| {}, &mut |_| {});
    let told = |finding: &Finding| match finding {
        Finding::Failed(how) => how.clone(),
        other => format!("{other:?}"),
    };
    report.failures().map(|ran| (ran.check.id, told(&ran.finding))).collect()
}

#[test]
fn every_fault_is_found_by_its_check_and_by_no_other() {
    let waiting = Mutex::new(FAULTS.iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((fault, check)) = { waiting.lock().unwrap().next() } {
                    let found = failures(fault);
                    if found.iter().map(|(id, _)| id).ne([check]) {
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("{fault}: {check} ought to find it, but: {found:#?}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_fault_nothing_is_found() {
    assert_eq!(failures("none"), []);
}

/// The server never sends them, so nobody asks for an answer.
#[test]
fn an_undeclared_action_may_be_refused() {
    assert_eq!(failures("refuses-undeclared-actions"), []);
}

#[test]
fn every_check_finds_a_fault() {
    let finding: BTreeSet<_> = FAULTS.iter().map(|(_, check)| *check).collect();
    // That fails whenever anything else does, as a whole.
    let idle: Vec<_> = Check::all()
        .map(|check| check.id)
        .filter(|id| !finding.contains(id) && *id != "life-of-a-network")
        .collect();
    assert_eq!(idle, Vec::<&str>::new());
}
