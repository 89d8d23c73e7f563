//! Deltas that a host gets to store in a replica.

use std::fs;
use std::path::Path;
use std::time::Duration;

use netext_core::Deadline;

use super::folder::Folder;
use super::state::compiles;
use crate::failover::{ReplicaDelta, ReplicaOutcome, failover_state, store_replica};
use crate::store::Store;
use crate::wait::block_on;

/// A delta is refused and leaves nothing, or is stored: then the replica has its version, and its router compiles.
pub fn replica_delta(json: &[u8]) {
    thread_local! {
        static FOLDER: Folder = Folder::new("replica");
    }
    let Ok(delta) = serde_json::from_slice::<ReplicaDelta>(json) else { return };
    FOLDER.with(|folder| check(folder.path(), delta));
}

fn check(folder: &Path, delta: ReplicaDelta) {
    let store = Store::new(folder.join("state"));
    let (id, version, is_whole) = (delta.router.id, delta.version, delta.since == 0);
    compiles(&delta.router);
    let written = serde_json::to_vec(&delta).expect("a delta has a JSON form");
    let again: ReplicaDelta = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again.router, delta.router);
    let deadline = Deadline::after(Duration::from_secs(10));
    let stored = block_on(store_replica(&store, delta, &deadline));
    let state = failover_state(&store, id).expect("the replica can be read");
    match stored {
        Ok(ReplicaOutcome::Stored) => assert_eq!(state.replica, Some(version)),
        Ok(ReplicaOutcome::Behind) => assert!(!is_whole && state.replica.is_none()),
        Ok(ReplicaOutcome::Outdated(epoch)) => panic!("nothing is known of epoch {epoch}"),
        Err(error) => assert!(state.replica.is_none(), "refused, but stored: {}", error.report()),
    }
    let _ = fs::remove_dir_all(store.root());
}
