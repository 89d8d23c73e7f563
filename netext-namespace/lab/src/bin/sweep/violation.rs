//! Broken promises, and how to see them again.

use std::collections::BTreeMap;
use std::fmt;

use netext_lab::{Fault, SystemCall};

/// A promise that a command broke when a fault struck it.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) step: &'static str,
    pub(crate) fault: Fault,
    pub(crate) struck: Option<SystemCall>,
    /// The promise.
    pub(crate) rule: &'static str,
    /// What was seen instead.
    pub(crate) seen: String,
}

impl Violation {
    /// What violations of one kind share: the rule, and the beginning of what was seen, without numbers.
    fn kind(&self) -> String {
        const BEGINNING: usize = 60;
        let is_kill = matches!(self.fault, Fault::Kill(_));
        let seen: String = self.seen.chars().filter(|sign| !sign.is_ascii_digit()).take(BEGINNING).collect();
        format!("{} {is_kill} {seen}", self.rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, fault, struck, rule, seen } = self;
        let fault = words(*fault);
        let call = struck.as_ref().map(ToString::to_string).unwrap_or_default();
        write!(
            formatter,
            "{step}: {rule}\n    at {call}\n    seen: {seen}\n    again: --only '{step}' --fault {fault}"
        )
    }
}

/// A fault as the argument `--fault` has it.
pub(crate) fn words(fault: Fault) -> String {
    match fault {
        Fault::None | Fault::FailSensibly(..) => "none".to_owned(),
        Fault::Kill(place) => format!("kill:{place}"),
        Fault::Fail(place, errno) => format!("{errno:?}:{place}"),
    }
}

/// The violations by kind: how many of each, with an example.
pub(crate) fn kinds(violations: &[Violation]) -> Vec<(usize, &Violation)> {
    let mut kinds: BTreeMap<String, (usize, &Violation)> = BTreeMap::new();
    for violation in violations {
        kinds.entry(violation.kind()).or_insert((0, violation)).0 += 1;
    }
    kinds.into_values().collect()
}
