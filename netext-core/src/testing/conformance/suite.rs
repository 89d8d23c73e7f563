//! The suite of checks for one extension.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use netext_protocol::{GuestType, Sender};

use super::report::{Finding, Ran, Report};
use super::stage::Stage;
use super::{Check, Provided, checks};
use crate::testing::{Answer, Extension, Payload, Server};

/// The suite of checks for one extension: a server, and networks of numbers that nobody else has.
pub struct Suite<'a> {
    pub(super) server: Server<&'a dyn Extension>,
    pub(super) provided: Provided,
    networks: AtomicU32,
}

/// The networks and VPCs of the checks are numbered from here.
const FIRST_NETWORK: u32 = 990_000;

impl<'a> Suite<'a> {
    /// A suite for an extension, with what is registered on the server.
    pub fn new<E: Extension>(server: &'a Server<E>, provided: Provided) -> Self {
        let extension: &dyn Extension = server.extension();
        let server = server.twin(extension).style(Sender::Server);
        Self { server, provided, networks: AtomicU32::new(FIRST_NETWORK) }
    }

    /// Runs every check, one after the other. Announces each before it begins, and tells what it found.
    pub fn run(&self, announce: &mut dyn FnMut(&'static Check), tell: &mut dyn FnMut(&Ran)) -> Report {
        let mut ran: Vec<Ran> = Vec::new();
        for check in Check::all() {
            announce(check);
            let began = Instant::now();
            let has_failed = |id: &&str| {
                ran.iter().any(|it| it.check.id == *id && matches!(it.finding, Finding::Failed(_)))
            };
            let finding = match checks::varied_by(check).find(has_failed) {
                Some(varied) => Finding::Skipped(format!("{varied} fails already")),
                None => self.ask(check),
            };
            let result = Ran { check, finding, took: began.elapsed() };
            tell(&result);
            ran.push(result);
        }
        Report { ran }
    }

    /// Runs one check.
    pub fn ask(&self, check: &Check) -> Finding {
        (check.run)(self)
    }

    /// Runs every check.
    ///
    /// # Panics
    /// If a check fails, with all that do: what was found, why it is wrong, and what to do.
    #[track_caller]
    pub fn assert_conforms(&self) {
        let report = self.run(&mut |_| {}, &mut |_| {});
        let failures: Vec<_> = report.failures().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "the extension does not conform\n\n{}", failures.join("\n"));
    }

    /// A network that nobody has heard of, of the kind that the extension is tried on.
    pub(super) fn network(&self) -> Stage<'_> {
        match self.provided.guest_type {
            GuestType::L2 => Stage::layer2(self, self.next_number()),
            GuestType::Shared => self.shared_network(),
            _ => Stage::isolated(self, self.next_number()),
        }
    }

    /// A shared network that nobody has heard of.
    pub(super) fn shared_network(&self) -> Stage<'_> {
        Stage::shared(self, self.next_number())
    }

    /// The number of a network or VPC that nobody has heard of.
    pub(super) fn next_number(&self) -> u32 {
        self.networks.fetch_add(1, Ordering::Relaxed)
    }

    /// A server of the same registration that writes payloads in the style of a sender.
    pub(super) fn server_in_style_of(&self, sender: Sender) -> Server<&'a dyn Extension> {
        self.server.twin(*self.server.extension()).style(sender)
    }

    /// Sends payloads up to the first that does not exit with 0. Answers how the last one ended.
    pub(super) fn send_all(&self, payloads: &[Payload]) -> Answer {
        let (last, earlier) = payloads.split_last().expect("there is something to send");
        let mut answers = earlier.iter().map(|payload| self.server.send(payload).answer);
        answers.find(|answer| answer.code() != Some(0)).unwrap_or_else(|| self.server.send(last).answer)
    }
}

impl std::fmt::Debug for Suite<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Suite").field("provided", &self.provided).finish_non_exhaustive()
    }
}
