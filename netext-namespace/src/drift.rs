//! What differs between what a router shall be and what is there.
//!
//! There is one way to find out: to go through the steps that put it right. Every step compares first; a [`Pass`]
//! says whether it then acts, and keeps what differed. So what is told and what is healed cannot disagree.

use std::fmt;

use serde::Serialize;

/// One thing that is not as it shall be, told as what puts it right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The part of the router.
    pub part: RouterPart,
    /// Whether something is missing, is there for no reason, or is another than it shall be.
    pub change: DifferenceKind,
    /// What puts it right and, if that does not say it, why: `add address 10.1.1.1/24 to vn-1910-209`.
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

/// What putting it right does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Something comes.
    Add,
    /// Something goes.
    Remove,
    /// Something becomes another.
    Modify,
}

impl DifferenceKind {
    /// The sign that stands for it in a diff.
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
    /// A pass that puts right what differs. That nobody asks what it was saves looking closer than acting takes.
    pub fn command() -> Self {
        Self { acts: true, accounts: false, differences: Vec::new(), shortfalls: Vec::new() }
    }

    /// A pass that puts right what differs, and accounts for it.
    pub fn repair() -> Self {
        Self { accounts: true, ..Self::command() }
    }

    /// A pass that accounts for what differs and changes nothing.
    pub fn rehearsal() -> Self {
        Self { acts: false, ..Self::repair() }
    }

    /// Whether what differs is put right.
    pub fn acts(&self) -> bool {
        self.acts
    }

    /// Whether it matters what exactly differs, where finding out costs more than putting it right.
    pub fn accounts(&self) -> bool {
        self.accounts
    }

    /// Keeps a difference.
    pub fn differs(&mut self, part: RouterPart, change: DifferenceKind, what: impl Into<String>) {
        self.differences.push(Difference { part, change, what: what.into() });
    }

    /// Keeps what could not be put right, and kept nothing else from it.
    pub fn falls_short(&mut self, what: impl fmt::Display) {
        self.shortfalls.push(what.to_string());
    }

    /// What could not be put right.
    pub fn shortfalls(&self) -> &[String] {
        &self.shortfalls
    }

    /// What differed, in the order in which it is put right.
    pub fn into_differences(self) -> Vec<Difference> {
        self.differences
    }
}
