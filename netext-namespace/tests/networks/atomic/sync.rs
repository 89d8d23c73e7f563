//! A disk that does not take what is synced: the command fails, and nothing of it comes into force later.

use netext_lab::{Forward, joined, lab};
use serde_json::{Value, json};

use super::trial::{Trial, call, deploy};
use crate::setup::network_with_forward;

/// The names of calls that make something lasting.
const SYNCS: [&str; 4] = ["fsync", "fdatasync", "syncfs", "sync_file_range"];
/// The choice of an input/output error among those that such a call can return.
const INPUT_OUTPUT: usize = 1;

#[track_caller]
fn fails_at_every_sync(command: &str, fields: impl FnOnce(&netext_lab::Network<'_>) -> Value) {
    let lab = lab!();
    let network = network_with_forward(&lab);
    deploy(&network, "10.1.1.10");
    let trial = Trial::of(&lab, call(&network, command, &fields(&network)), Vec::new());
    let syncs: Vec<_> = trial.calls().iter().filter(|call| SYNCS.contains(&call.name)).collect();
    assert!(syncs.len() >= 2, "{command} syncs a file and its folder: {syncs:?}");
    for sync in syncs {
        trial.fails(sync, INPUT_OUTPUT);
    }
}

#[test]
fn a_forward_that_is_refused_stays_refused() {
    let forward = Forward::tcp("198.51.100.10:2223", "10.1.1.10:22");
    fails_at_every_sync("add-port-forward", |network| network.forward_fields(&forward));
}

#[test]
fn data_that_is_not_saved_is_not_served() {
    let data = json!({"vm_data": [
        {"dir": "userdata", "file": "user_data", "content": "refused"},
        {"dir": "password", "file": "vm_password", "content": "refused"},
    ]});
    fails_at_every_sync("save-vm-data", |network| joined(&network.nic_fields("10.1.1.10"), &data));
}

#[test]
fn a_nic_that_is_not_released_stays() {
    fails_at_every_sync("release-nic", |network| network.nic_fields("10.1.1.10"));
}
