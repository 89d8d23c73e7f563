//! What every command owes its caller, whatever happens to it.

use crate::faults::TracedCommand;
use crate::outcome::CommandOutcome;

/// What a program prints when it gives up in a way that is nobody's answer.
const PANICS: [&str; 4] = ["panicked at", "stack backtrace", "fatal runtime error", "RUST_BACKTRACE"];

/// A rule that was broken, and what was seen.
pub type Broken = (&'static str, String);

impl TracedCommand {
    /// The rules that the command broke by the way it spoke and ended. An operator's command may print a report.
    pub fn broken_manners(&self, is_of_operator: bool) -> Vec<Broken> {
        let mut broken = Vec::new();
        if self.hung {
            let seen = format!("it was killed after {:?}", self.outcome.duration);
            broken.push(("a command ends in its time", seen));
        }
        if self.keeps_output {
            broken.push(("a command closes its output", "a process that it left keeps it".to_owned()));
        }
        broken.extend(self.outcome.broken_manners(is_of_operator));
        broken
    }
}

impl CommandOutcome {
    /// The rules that the command broke by what it printed.
    pub fn broken_manners(&self, is_of_operator: bool) -> Option<Broken> {
        let Self { code, output, .. } = self;
        if PANICS.iter().any(|it| output.contains(it)) {
            return Some(("a command does not panic", self.first_lines()));
        }
        let is_wordy = !is_of_operator && code.is_some_and(|code| code != 0) && output.lines().count() != 1;
        is_wordy.then(|| ("a command that fails says why in one line", self.first_lines()))
    }

    /// The rule, if the command did not exit with 0.
    pub fn unless_well(&self, rule: &'static str) -> Option<Broken> {
        (self.code != Some(0)).then(|| (rule, self.first_lines()))
    }

    fn first_lines(&self) -> String {
        let lines = self.output.lines().filter(|line| !line.trim().is_empty()).take(8);
        format!("exit {:?}: {}", self.code, lines.collect::<Vec<_>>().join(" | "))
    }
}
