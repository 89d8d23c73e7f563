//! A command that faults strike, and the only two states that it may leave.

use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{
    Call, CommandOutcome, Fault, Lab, Network, Observation, SavedDisk, SmallDisk, SystemCall, TracedCommand,
    Vpc, joined,
};
use serde_json::{Value, json};

use crate::setup::{haproxies, operator, within};

/// The timeout of a command, in seconds.
const TIMEOUT: u32 = 10;
/// The number of blocks that every command gets by with.
const ENOUGH: u64 = 100;

/// How long what a command has ended may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a lab must not change to be at rest.
const PAUSE: Duration = Duration::from_millis(100);
/// The names of calls that remove something, or list what is to be removed.
const REMOVALS: [&str; 4] = ["unlink", "unlinkat", "rmdir", "getdents64"];

/// A command, the state before it, and the state after it.
pub(super) struct Trial<'lab> {
    lab: &'lab Lab,
    call: Call,
    /// The calls that undo it where the files do not.
    undo: Vec<Call>,
    disk: SavedDisk,
    before: Observation,
    after: Observation,
    calls: Vec<SystemCall>,
}

/// Which of its two states a command has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Before,
    After,
}

/// A call of a network's command.
pub(super) fn call(network: &Network<'_>, name: &str, fields: &Value) -> Call {
    Call::command(name, &network.document(fields), TIMEOUT)
}

/// A call of a VPC's command.
pub(super) fn vpc_call(vpc: &Vpc<'_>, name: &str, fields: &Value) -> Call {
    Call::command(name, &vpc.document(fields), TIMEOUT)
}

/// Deploys an instance, and gives it a password that it has not read.
pub(super) fn deploy(network: &Network<'_>, address: &str) {
    let password = json!({"password": format!("unread-by-{address}")});
    network.deploy(address);
    network.command("save-password", &joined(&network.nic_fields(address), &password)).succeeds_silently();
}

/// This many of the calls, spread evenly.
pub(super) fn sample(calls: Vec<SystemCall>, number: usize) -> Vec<SystemCall> {
    let all = calls.len().max(1);
    let is_kept = |index: usize| (index * number) / all != ((index + 1) * number) / all || all <= number;
    calls.into_iter().enumerate().filter(|(index, _)| is_kept(*index)).map(|(_, call)| call).collect()
}

impl<'lab> Trial<'lab> {
    /// Sees what a command does, and undoes it.
    #[track_caller]
    pub(super) fn of(lab: &'lab Lab, call: Call, undo: Vec<Call>) -> Self {
        let disk = SavedDisk::copy(lab.host(), &lab.state_folder());
        let before = Observation::of(lab);
        let recorded = lab.record(&call);
        assert_eq!(recorded.outcome.code, Some(0), "{} without a fault: {:?}", call.name(), recorded.outcome);
        let after = settled(lab);
        let trial = Self { lab, call, undo, disk, before, after, calls: recorded.calls };
        assert!(!trial.before.differences(&trial.after).is_empty(), "{} changes nothing", trial.call.name());
        trial.go_back();
        trial
    }

    /// The calls of the command that change a file below the extension's folder.
    pub(super) fn file_changes(&self) -> Vec<SystemCall> {
        let folder = self.lab.state_folder();
        let is_of_file = |call: &&SystemCall| call.path.contains(&folder) && !call.leaves_no_trace();
        self.calls.iter().filter(is_of_file).cloned().collect()
    }

    /// The calls of the command that leave a trace if it is killed after them.
    pub(super) fn traces(&self) -> Vec<SystemCall> {
        self.calls.iter().filter(|call| !call.leaves_no_trace()).cloned().collect()
    }

    /// All calls of the command.
    pub(super) fn calls(&self) -> &[SystemCall] {
        &self.calls
    }

    /// Puts the lab back into the state before.
    #[track_caller]
    pub(super) fn go_back(&self) {
        for call in &self.undo {
            self.lab.call(call);
        }
        self.disk.put_back(self.lab.host());
        self.reconcile();
        assert_eq!(self.has_left("cannot be undone"), Left::Before);
    }

    #[track_caller]
    pub(super) fn reconcile(&self) {
        operator(self.lab, "reconcile --all --timeout 10", 0);
    }

    /// Lets a system call of the command fail, or the next one that can, with an error that `choice` chooses: what the
    /// command left agrees with its exit code, and what was refused does not come into force later. Puts the lab back.
    #[track_caller]
    pub(super) fn fails(&self, call: &SystemCall, choice: usize) {
        let TracedCommand { outcome, struck, errno, hung, .. } =
            self.lab.call_with(&self.call, Fault::FailSensibly(call.place, choice));
        let what = format!("{errno:?} at {:?}", struck.as_ref().map(SystemCall::to_string));
        assert!(!hung, "{what}: it hangs");
        if outcome.code == Some(0) && struck.is_some_and(|call| REMOVALS.contains(&call.name)) {
            // A file that nobody needs stays until the next pass over the router.
            self.reconcile();
        }
        if self.is_whole(&outcome, &what) == Left::After {
            return self.go_back();
        }
        self.reconcile();
        let seen = self.before.differences(&Observation::of(self.lab));
        assert_eq!(seen, [""; 0], "{what}, and a reconcile");
    }

    /// Kills the command before a system call.
    #[track_caller]
    pub(super) fn kill(&self, call: &SystemCall) -> String {
        let killed = self.lab.call_with(&self.call, Fault::Kill(call.place));
        format!("killed before {:?}", killed.struck.map(|call| call.to_string()))
    }

    /// Kills the command before a system call: after a reconcile it has happened or not. Puts the lab back.
    #[track_caller]
    pub(super) fn is_killed(&self, call: &SystemCall) {
        let what = self.kill(call);
        self.reconcile();
        if self.has_left(&what) == Left::After {
            self.go_back();
        }
    }

    /// Kills the command before a system call: the same command then does it as a whole. Puts the lab back.
    #[track_caller]
    pub(super) fn is_killed_and_repeated(&self, call: &SystemCall) {
        let what = self.kill(call);
        let outcome = self.lab.call(&self.call);
        assert_eq!(self.is_whole(&outcome, &what), Left::After, "{what}");
        self.go_back();
    }

    /// Carries out the command with each amount of space on the disk, from none on, until there is enough.
    #[track_caller]
    pub(super) fn meets_a_full_disk(&self, disk: &SmallDisk<'_>) {
        self.meets_a_full_disk_while(disk, || (), |()| ());
    }

    /// The same. Each time something begins before the command, which goes on after a failure.
    #[track_caller]
    pub(super) fn meets_a_full_disk_while<T>(
        &self,
        disk: &SmallDisk<'_>,
        mut begins: impl FnMut() -> T,
        mut goes_on: impl FnMut(T),
    ) {
        for blocks in 0..ENOUGH {
            disk.leave(blocks);
            let begun = begins();
            let outcome = self.lab.call(&self.call);
            if outcome.code == Some(0) {
                drop(begun);
                assert_eq!(self.is_whole(&outcome, &format!("with {blocks} blocks left")), Left::After);
                disk.empty();
                self.reconcile();
                assert_eq!(self.has_left("a reconcile"), Left::After);
                return;
            }
            goes_on(begun);
            self.is_whole(&outcome, &format!("with {blocks} blocks left"));
        }
        panic!("{} does not succeed with {ENOUGH} blocks", self.call.name());
    }

    /// Asserts that what a command left agrees with its exit code.
    #[track_caller]
    fn is_whole(&self, outcome: &CommandOutcome, what: &str) -> Left {
        let left = self.has_left(&format!("{what}: exit {:?}, {:?}", outcome.code, outcome.output));
        let told = if outcome.code == Some(0) { Left::After } else { Left::Before };
        assert_eq!(left, told, "{what}: exit {:?}, {:?}", outcome.code, outcome.output);
        left
    }

    /// Asserts that the lab is in one of the two states, that nothing is left beside the files, and that the status is
    /// well.
    #[track_caller]
    pub(super) fn has_left(&self, what: &str) -> Left {
        let patience = Instant::now() + PATIENCE;
        let mut seen = Observation::of(self.lab);
        // A daemon that has handed over ends with its last connection.
        while !self.is_either(&seen) && Instant::now() < patience {
            seen = Observation::of(self.lab);
        }
        let left = self.nearest(&seen, what);
        assert_eq!(seen.leftovers(), [""; 0], "{what}");
        let status = self.lab.start_bare(&["status"]).finish();
        assert_eq!(status.code, Some(0), "{what}: {}", status.output);
        left
    }

    /// Asserts that what is seen is one of the two states.
    #[track_caller]
    pub(super) fn nearest(&self, seen: &Observation, what: &str) -> Left {
        let (old, new) = (self.before.differences(seen), self.after.differences(seen));
        match (old.is_empty(), new.is_empty()) {
            (true, _) => Left::Before,
            (_, true) => Left::After,
            _ => panic!("{} {what}\nfrom before: {old:#?}\nfrom after: {new:#?}", self.call.name()),
        }
    }

    /// Whether this is one of the two states.
    pub(super) fn is_either(&self, seen: &Observation) -> bool {
        self.before.differences(seen).is_empty() || self.after.differences(seen).is_empty()
    }
}

/// Observes a lab once nothing changes any more: a daemon that has handed over is about to end.
fn settled(lab: &Lab) -> Observation {
    within(PATIENCE, "the end of a predecessor", || haproxies(lab).len() <= 1);
    let mut last = Observation::of(lab);
    loop {
        thread::sleep(PAUSE);
        let seen = Observation::of(lab);
        if seen == last {
            return seen;
        }
        last = seen;
    }
}

/// A call of an operator.
pub(super) fn operators(words: &[&str]) -> Call {
    Call::operator(words, Duration::from_secs(TIMEOUT.into()))
}
