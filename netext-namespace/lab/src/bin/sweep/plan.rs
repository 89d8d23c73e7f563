//! The faults of a command: each of its system calls is killed once and fails once.

use std::collections::HashSet;

use netext_lab::{Fault, SystemCall};

use crate::arguments::Extent;

/// The faults that a recorded command gets.
pub(crate) struct FaultPlan {
    pub(crate) faults: Vec<Fault>,
    /// The calls before which a kill is the same as before the next call.
    pub(crate) folded: usize,
    /// The calls that cannot fail.
    pub(crate) infallible: usize,
}

impl FaultPlan {
    /// All faults of the calls. A kill before a call that changes nothing outside of the command is the same as one
    /// before the next call, so only the last of such a series is done.
    pub(crate) fn of(calls: &[SystemCall]) -> Self {
        let mut faults = Vec::new();
        let (mut folded, mut infallible) = (0, 0);
        for (index, call) in calls.iter().enumerate() {
            match call.sensible_errors() {
                [] => infallible += 1,
                // Neighbours that make the same call get different errors.
                errors => faults.push(Fault::FailSensibly(call.place, index % errors.len())),
            }
            if call.leaves_no_trace() && index + 1 < calls.len() {
                folded += 1;
            } else {
                faults.push(Fault::Kill(call.place));
            }
        }
        Self { faults, folded, infallible }
    }

    /// Keeps the faults that are wanted.
    pub(crate) fn limit(&mut self, extent: Extent, calls: &[SystemCall]) {
        match extent {
            Extent::All => {}
            Extent::Changes => self.keep_changes(calls),
            Extent::Few(number) => {
                self.keep_changes(calls);
                self.shorten(number);
            }
        }
    }

    /// Keeps the faults of calls that change something outside of the command.
    fn keep_changes(&mut self, calls: &[SystemCall]) {
        let changes: HashSet<_> =
            calls.iter().filter(|it| !it.leaves_no_trace()).map(|it| it.place).collect();
        self.faults.retain(|fault| match fault {
            Fault::Kill(place) | Fault::FailSensibly(place, _) => changes.contains(place),
            _ => false,
        });
    }

    /// Keeps this many faults, spread evenly.
    fn shorten(&mut self, number: usize) {
        let all = self.faults.len().max(1);
        let kept = |index: &usize| (index * number) / all != ((index + 1) * number) / all;
        self.faults = (0..self.faults.len()).filter(kept).map(|index| self.faults[index]).collect();
    }
}

#[cfg(test)]
mod tests {
    use netext_lab::CallPlace;

    use super::*;

    #[test]
    fn a_shorter_plan_is_spread_evenly() {
        let kill = |number| Fault::Kill(CallPlace::change(number));
        let faults = (1..=100).map(kill).collect();
        let mut plan = FaultPlan { faults, folded: 0, infallible: 0 };
        plan.shorten(4);
        assert_eq!(plan.faults, [25, 50, 75, 100].map(kill));
        plan.shorten(9);
        assert_eq!(plan.faults.len(), 4);
    }
}
