//! The processes that a command began and did not end.

use std::collections::HashSet;
use std::fs;

use rustix::process::{Pid, Signal, getpid, kill_process};

/// How often the tree is looked through: what is being killed may have forked meanwhile.
const ROUNDS: usize = 16;

/// Kills every process that descends from this one. A daemon that detached itself, so that its parent is the
/// init process, is none of them.
pub(super) fn kill() {
    let mut killed = HashSet::new();
    for _ in 0..ROUNDS {
        // The whole tree first: the children of a process that was killed are no longer found below it.
        let mut tree = Vec::new();
        collect(getpid(), &mut tree);
        tree.retain(|process| killed.insert(*process));
        if tree.is_empty() {
            return;
        }
        for process in tree {
            // It may have ended by itself.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

fn collect(process: Pid, tree: &mut Vec<Pid>) {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())) else { return };
    for thread in threads.flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_ascii_whitespace() {
            if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
                tree.push(child);
                collect(child, tree);
            }
        }
    }
}
