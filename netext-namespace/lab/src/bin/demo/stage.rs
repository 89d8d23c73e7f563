//! The stage of the story: it sends commands as the management server does, tests claims, and keeps the score.

use std::time::{Duration, Instant};

use netext_lab::{CommandOutcome, Lab, Network, ProbeReply};
use serde_json::{Value, json};

use crate::screen::{DemoScreen, milliseconds};

/// A network of a lab, the screen, and the score.
pub(crate) struct Stage<'lab> {
    /// The lab.
    pub(crate) lab: &'lab Lab,
    /// The network of the story.
    pub(crate) network: Network<'lab>,
    screen: DemoScreen,
    begun: Instant,
    acts: usize,
    commands: Vec<(String, Duration)>,
    held: usize,
    failed: usize,
}

/// An observation: `Ok` if it proves the claim.
pub(crate) type Observation = Result<String, String>;

impl<'lab> Stage<'lab> {
    pub(crate) fn new(lab: &'lab Lab, screen: DemoScreen) -> Self {
        let network = lab.network(209);
        let (begun, commands) = (Instant::now(), Vec::new());
        Self { lab, network, screen, begun, acts: 0, commands, held: 0, failed: 0 }
    }

    /// Begins a part of the story.
    pub(crate) fn act(&mut self, title: &str) {
        self.acts += 1;
        self.screen.act(self.acts, title);
    }

    /// Runs `ensure-network-device`, as the server does before the first command.
    pub(crate) fn ensure_device(&mut self) {
        let outcome = self.network.ensure_device(&json!({}));
        let details = outcome.output.trim_end().to_owned();
        self.note(&outcome, outcome.code == Some(0), &details);
    }

    /// Sends a command, which must succeed and print nothing.
    pub(crate) fn command(&mut self, name: &str, about: &str, fields: &Value) {
        let outcome = self.network.command(name, fields);
        self.note(&outcome, outcome.code == Some(0) && outcome.output.is_empty(), about);
    }

    /// Sends a command that must be refused in one line.
    pub(crate) fn refused_command(&mut self, name: &str, about: &str, fields: &Value) -> Observation {
        let outcome = self.network.command(name, fields);
        let refused = outcome.code == Some(1) && outcome.output.lines().count() == 1;
        self.note(&outcome, refused, about);
        let seen = format!("exit {}: {}", outcome.code.unwrap_or(-1), outcome.output.trim_end());
        if refused { Ok(seen) } else { Err(seen) }
    }

    fn note(&mut self, outcome: &CommandOutcome, succeeded: bool, about: &str) {
        // The lab also keeps the arguments; the demo shows only the command.
        let name = outcome.command.split(' ').next().unwrap_or_default();
        let failure = || format!("exit {:?}: {}", outcome.code, outcome.output.trim_end());
        let about = if succeeded { about.to_owned() } else { failure() };
        self.screen.command(succeeded, name, outcome.duration, &about);
        self.commands.push((name.to_owned(), outcome.duration));
        self.failed += usize::from(!succeeded);
    }

    /// Shows whether a claim held, with the observation.
    pub(crate) fn claim(&mut self, sentence: &str, seen: Observation) {
        let held = seen.is_ok();
        self.screen.claim(held, sentence, &seen.unwrap_or_else(|seen| seen));
        self.held += usize::from(held);
        self.failed += usize::from(!held);
    }

    /// Shows the summary; returns whether everything succeeded.
    pub(crate) fn close(mut self) -> bool {
        self.commands.sort_by_key(|(_, took)| *took);
        let median = self.commands.get(self.commands.len() / 2).map_or(Duration::ZERO, |(_, took)| *took);
        let (slowest, longest) = self.commands.last().cloned().unwrap_or_default();
        let verdict = match self.failed {
            0 => format!("all {} claims held", self.held),
            failed => format!("{} claims held, {failed} claims or commands FAILED", self.held),
        };
        let summary = format!(
            "{} commands, median {:.1} ms, slowest {:.1} ms ({slowest}); {verdict}; {:.1} s in all",
            self.commands.len(),
            milliseconds(median),
            milliseconds(longest),
            self.begun.elapsed().as_secs_f64()
        );
        self.screen.close(self.failed == 0, &summary);
        self.failed == 0
    }
}

/// Proves that the server of that name replied and saw that source address.
pub(crate) fn reached(reply: Result<ProbeReply, String>, server: &str, source: &str) -> Observation {
    let reply = reply?;
    let seen = format!("{} answered, and saw {}", reply.server(), reply.source());
    let expected = reply.server() == server && reply.source().to_string() == source;
    if expected { Ok(seen) } else { Err(seen) }
}

/// Proves that no server replied.
pub(crate) fn refused(reply: Result<ProbeReply, String>) -> Observation {
    match reply {
        Ok(reply) => Err(format!("{} answered", reply.server())),
        Err(why) => Ok(why),
    }
}

/// The last observation, or the first that disproves its claim.
pub(crate) fn all(seen: impl IntoIterator<Item = Observation>) -> Observation {
    seen.into_iter().try_fold(String::new(), |_, next| next)
}
