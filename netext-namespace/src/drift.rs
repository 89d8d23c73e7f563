//! Differences between the desired state of a router and its actual state.
//!
//! The steps that repair a router also find the differences: every step compares first. A [`Pass`] says whether it then
//! acts, and keeps the differences. So a report and a repair cannot disagree.

use std::error::Error;
use std::fmt;

use netext_core::error_chain;
use serde::Serialize;

/// One difference, described as the change that repairs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The part of the router.
    pub part: RouterPart,
    /// Whether something is missing, unwanted, or different.
    pub change: DifferenceKind,
    /// The change, with its reason where it is not obvious: `add address 10.1.1.1/24 to vn-1910-209`.
    pub what: String,
}

/// A part of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterPart {
    /// The namespace itself.
    Namespace,
    /// Bridges and interfaces.
    Link,
    /// Addresses of interfaces.
    Address,
    /// Routes.
    Route,
    /// Kernel parameters.
    Parameter,
    /// Packet rules.
    Rules,
    /// Daemons that serve guests, with their configuration.
    Daemon,
    /// Files for operators.
    File,
}

/// The kind of change that repairs a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Something is missing.
    Add,
    /// Something is unwanted.
    Remove,
    /// Something is different.
    Modify,
}

impl DifferenceKind {
    /// Its sign in a diff.
    pub fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Remove => '-',
            Self::Modify => '~',
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Modify => "modify",
        })
    }
}

/// As a line of a diff.
impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.change.sign(), self.what)
    }
}

/// One pass over a router.
#[derive(Debug)]
pub struct Pass {
    acts: bool,
    accounts: bool,
    differences: Vec<Difference>,
    shortfalls: Vec<String>,
}

impl Pass {
    /// A pass that repairs differences. It does not look for details that only a report needs.
    pub fn command() -> Self {
        Self { acts: true, accounts: false, differences: Vec::new(), shortfalls: Vec::new() }
    }

    /// A pass that repairs differences, and reports them.
    pub fn repair() -> Self {
        Self { accounts: true, ..Self::command() }
    }

    /// A pass that reports differences and changes nothing.
    pub fn rehearsal() -> Self {
        Self { acts: false, ..Self::repair() }
    }

    /// Whether differences are repaired.
    pub fn acts(&self) -> bool {
        self.acts
    }

    /// Whether the exact difference matters, where it costs more to find than to repair.
    pub fn accounts(&self) -> bool {
        self.accounts
    }

    /// Keeps a difference.
    pub fn differs(&mut self, part: RouterPart, change: DifferenceKind, what: impl Into<String>) {
        self.differences.push(Difference { part, change, what: what.into() });
    }

    /// Keeps a difference that could not be repaired, and blocked nothing else.
    pub fn falls_short(&mut self, error: &(dyn Error + 'static)) {
        self.shortfalls.push(error_chain(error));
    }

    /// The differences that could not be repaired.
    pub fn shortfalls(&self) -> &[String] {
        &self.shortfalls
    }

    /// The differences, in the order in which they are repaired.
    pub fn into_differences(self) -> Vec<Difference> {
        self.differences
    }
}
