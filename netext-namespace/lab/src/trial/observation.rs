//! All that can be seen of the extension on a host at one moment.

use std::collections::BTreeMap;

use super::{disk, kernel};
use crate::lab::Lab;
use crate::sandbox::Sandbox;

/// What the extension has on disk, in the kernel and among the processes of a host, without what differs from run to
/// run: numbers of processes, handles, counters, times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The facts by their places, such as a file or a rule set.
    facts: BTreeMap<String, String>,
    /// The files that no command may leave behind.
    leftovers: Vec<String>,
}

impl Observation {
    /// Observes the lab's host.
    pub fn of(lab: &Lab) -> Self {
        Self::of_host(lab.host(), &lab.state_folder())
    }

    pub(crate) fn of_host(host: &Sandbox, state_folder: &str) -> Self {
        let (files, leftovers) = disk::facts(host, state_folder);
        let mut facts = kernel::facts(host);
        facts.extend(files);
        Self { facts, leftovers }
    }

    /// The drafts and old versions of files that are left beside them.
    pub fn leftovers(&self) -> &[String] {
        &self.leftovers
    }

    /// How another observation differs from this one, line by line. Empty if they agree.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let places =
            self.facts.keys().chain(other.facts.keys().filter(|place| !self.facts.contains_key(*place)));
        for place in places {
            match (self.facts.get(place), other.facts.get(place)) {
                (Some(_), None) => differences.push(format!("{place} is gone")),
                (None, Some(_)) => differences.push(format!("{place} is there")),
                (Some(before), Some(after)) if before != after => {
                    differences.push(format!("{place} differs: {}", first_difference(before, after)));
                }
                _ => {}
            }
        }
        differences
    }
}

/// The first lines that only one of two texts has.
fn first_difference(before: &str, after: &str) -> String {
    let missing = before.lines().find(|line| !after.lines().any(|other| other == *line));
    let extra = after.lines().find(|line| !before.lines().any(|other| other == *line));
    match (missing, extra) {
        (None, None) => "the order of its lines".to_owned(),
        (missing, extra) => {
            let line = |sign: &str, line: Option<&str>| line.map(|line| format!("{sign}{}", clip(line)));
            let lines: Vec<_> = [line("- ", missing), line("+ ", extra)].into_iter().flatten().collect();
            lines.join("  ")
        }
    }
}

fn clip(line: &str) -> String {
    const LONGEST: usize = 300;
    line.trim().chars().take(LONGEST).collect()
}
