//! Every planted fault fails its check, and no other check.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use netext_core::testing::conformance::{Check, ConformanceSuite};
use netext_core::testing::{Extension, ExtensionProfile, Server};

use crate::faulty::{FaultyInProcess, faulty_executable};

/// The faults of a process, of its streams and its time, and the checks that they fail. They take the longest, and so
/// come first.
const PROCESS_FAULTS: &[(&str, &str)] = &[
    ("holds-the-streams", "streams-released"),
    ("reads-its-input", "input-ignored"),
    ("is-slow", "deadline"),
    ("warns", "silent-errors"),
];

/// The other faults, and the checks that they fail.
const FAULTS: &[(&str, &str)] = &[
    ("succeeds-without-arguments", "no-arguments"),
    ("succeeds-with-unknown-commands", "unknown-command"),
    ("succeeds-without-payload", "missing-payload"),
    ("fails-silently", "failures-say-why"),
    ("shows-stack-traces", "failures-say-why"),
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
    ("prints-half-an-update", "network-update"),
    ("reports-a-status", "no-stray-status"),
    ("refuses-undeclared", "undeclared-services"),
    ("limits-payloads", "large-payloads"),
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

/// The checks that fail for an extension, with the reason.
fn failures(extension: impl Extension) -> Vec<(&'static str, String)> {
    let server = Server::new(extension);
    let profile = ExtensionProfile::described_by(server.extension()).unwrap();
    let report = ConformanceSuite::new(&server, profile).run(&mut |_| {}, &mut |_| {});
    let how = |failure: Option<&str>| failure.unwrap_or_default().to_owned();
    report.failures().map(|result| (result.check.id, how(result.explanation()))).collect()
}

fn failures_in_process(fault: &str) -> Vec<(&'static str, String)> {
    failures(FaultyInProcess::new(fault))
}

fn failures_of_executable(fault: &str) -> Vec<(&'static str, String)> {
    let (executable, _folder) = faulty_executable(fault);
    failures(executable)
}

#[test]
fn every_fault_fails_its_check_and_no_other() {
    let executables = PROCESS_FAULTS.iter().map(|(fault, check)| (fault, check, true));
    let waiting = Mutex::new(executables.chain(FAULTS.iter().map(|(fault, check)| (fault, check, false))));
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((fault, check, as_executable)) = { waiting.lock().unwrap().next() } {
                    let failed = if as_executable {
                        failures_of_executable(fault)
                    } else {
                        failures_in_process(fault)
                    };
                    if failed.iter().map(|(id, _)| id).ne([check]) {
                        let problem = format!("{fault} must fail {check} only, but failed: {failed:#?}");
                        wrong.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_fault_every_check_passes() {
    assert_eq!(failures_of_executable("none"), []);
    assert_eq!(failures_in_process("none"), []);
}

/// The server never sends these actions.
#[test]
fn an_undeclared_action_may_be_refused() {
    assert_eq!(failures_in_process("refuses-undeclared-actions"), []);
}

#[test]
fn every_check_has_a_fault_that_fails_it() {
    let failing: BTreeSet<_> = PROCESS_FAULTS.iter().chain(FAULTS).map(|(_, check)| *check).collect();
    // Every fault of a command fails this check.
    let idle: Vec<_> = Check::all()
        .map(|check| check.id)
        .filter(|id| !failing.contains(id) && *id != "life-of-a-network")
        .collect();
    assert_eq!(idle, Vec::<&str>::new());
}
