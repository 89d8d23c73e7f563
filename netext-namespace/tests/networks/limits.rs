//! Nothing is waited for without a limit, and too few processes are an error in one line.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use netext_lab::{CommandOutcome, Lab, lab};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::setup::{network, within};
use crate::take_down::Frozen;

/// The folder of all namespaces, locked by another program.
fn lock_namespaces(lab: &Lab) -> File {
    lab.host().run(|| {
        let folder = File::open("/run/netns").expect("the folder of namespaces");
        flock(&folder, FlockOperation::LockExclusive).expect("a lock");
        folder
    })
}

#[track_caller]
fn names_the_lock(outcome: &CommandOutcome, limit: Duration) {
    assert!(outcome.duration < limit, "{:?}", outcome.duration);
    let words = format!("process {} (", std::process::id());
    for words in ["holds the lock on /run/netns", &words] {
        assert!(outcome.output.contains(words), "it must name {words:?}: {}", outcome.output);
    }
}

#[test]
fn a_lock_on_the_namespaces_ends_a_reconcile_in_time() {
    let lab = lab!();
    network(&lab);
    lab.network(210).on_vlan("210").with_subnet("10.3.1.1", "10.3.1.0/24").implement();
    let _unplugged = lab.reboot();
    let held = lock_namespaces(&lab);
    let ended = lab.start_bare(&["reconcile", "--all", "--timeout", "3"]).finish();
    assert_eq!(ended.code, Some(3), "{}", ended.output);
    names_the_lock(&ended, Duration::from_secs(6));
    drop(held);
    lab.start_bare(&["reconcile", "--all", "--timeout", "3"]).finish().succeeds();
}

#[test]
fn a_lock_on_the_namespaces_ends_a_command_in_time() {
    let lab = lab!();
    let network = network(&lab);
    network.shutdown();
    let held = lock_namespaces(&lab);
    let document = network.document(&network.extension_field());
    let text = netext_lab::as_gson_writes(&document);
    let ended = lab.start_with("implement-network", &text, 5).finish();
    ended.fails_with(4);
    names_the_lock(&ended, Duration::from_secs(7));
    drop(held);
    network.implement();
}

#[test]
fn a_hook_that_even_sigkill_does_not_end_is_not_waited_for() {
    let lab = lab!();
    let network = network(&lab);
    let (folder, note) = (format!("{}/hooks", lab.state_folder()), "/run/lab/hook");
    lab.host().run(|| {
        fs::create_dir_all(&folder).unwrap();
        let hook = format!("{folder}/custom-action-stuck");
        fs::write(&hook, format!("#!/bin/sh\necho $$ >{note}\nexec sleep 60\n")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    });
    let document = network.action_document("stuck", &json!({}));
    let running = lab.start_with("custom-action", &netext_lab::as_gson_writes(&document), 3);
    let noted = || lab.host().run(|| fs::read_to_string(note)).unwrap_or_default();
    within(Duration::from_secs(2), "the hook runs", || noted().ends_with('\n'));
    let _frozen = Frozen::process(noted().trim().parse().unwrap());
    let ended = running.finish();
    ended.fails_with(4);
    assert!(ended.duration < Duration::from_secs(5), "{:?}", ended.duration);
    assert!(!ended.output.contains("abandoned"), "{}", ended.output);
}
