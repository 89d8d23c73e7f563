//! Plays a scenario.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netext_protocol::{Command, Service};
use serde_json::Value;

use super::file::{ExpectedEnd, Scenario, StepAction};
use crate::testing::call::{Extension, JudgedResponse};
use crate::testing::payload::Payload;
use crate::testing::server::Server;

/// Something that happens while a scenario is played.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// An event in the cloud.
    Event(&'a str),
    /// The operator registered these details.
    Registered(Vec<(&'a str, &'a str)>),
    /// The server did not send a command, because the extension does not provide its service.
    NotSent(Command),
    /// The server sent a command.
    Sent(Box<SentCommand<'a>>),
}

/// A command that the server sent, and the response.
#[derive(Debug)]
#[non_exhaustive]
pub struct SentCommand<'a> {
    /// The payload.
    pub payload: &'a Payload,
    /// The responses to `ensure-network-device` before the command.
    pub ensured: Vec<JudgedResponse>,
    /// The device details that the server stored, if they changed.
    pub stored: Option<Value>,
    /// The response to the command.
    pub judged: JudgedResponse,
    /// The time from the start of the first process to the end of the last one.
    pub took: Duration,
    expected: ExpectedEnd,
}

impl SentCommand<'_> {
    /// What is wrong: the end of the command, a breach of the contract, or a problem with `ensure-network-device`,
    /// which the server itself only logs.
    pub fn problem(&self) -> Option<String> {
        let own = match (self.expected, self.judged.is_success()) {
            (ExpectedEnd::Success, _) | (ExpectedEnd::Either, true) => self.judged.problem(),
            (ExpectedEnd::Failure, true) => {
                Some(format!("{}: succeeded, but must fail", self.judged.command))
            }
            (ExpectedEnd::Failure | ExpectedEnd::Either, false) => None,
        };
        if self.expected != ExpectedEnd::Success {
            return own;
        }
        own.or_else(|| self.ensured.iter().find_map(JudgedResponse::problem))
    }
}

impl Scenario {
    /// Plays the scenario, and calls `report` with each thing that happens. Stops at the first problem unless
    /// `to_the_end` is set. Returns the number of problems.
    ///
    /// Commands of other services than `services` are not sent: the server does not send them for a network whose
    /// offering lacks the service. Details that are registered on the server already replace those that the
    /// scenario registers at its start.
    pub fn play<E: Extension>(
        &self,
        server: &mut Server<E>,
        services: &BTreeSet<Service>,
        to_the_end: bool,
        report: &mut dyn FnMut(Progress<'_>),
    ) -> usize {
        for (name, value) in &self.registered {
            if !server.registered().contains_key(name) {
                server.register(name, value);
            }
        }
        let mut problems = 0;
        for step in &self.steps {
            if let Some(event) = &step.event {
                report(Progress::Event(event));
            }
            match &step.action {
                StepAction::Register(details) => {
                    for (name, value) in details {
                        server.register(name, value);
                    }
                    let details = details.iter().map(|(name, value)| (&**name, &**value)).collect();
                    report(Progress::Registered(details));
                }
                StepAction::Send { payload, .. } if !payload.command().belongs_to(services) => {
                    report(Progress::NotSent(payload.command()));
                }
                StepAction::Send { payload, expected } => {
                    let sent = send(server, payload, *expected);
                    problems += usize::from(sent.problem().is_some());
                    report(Progress::Sent(Box::new(sent)));
                    if problems > 0 && !to_the_end {
                        break;
                    }
                }
            }
        }
        problems
    }
}

fn send<'a, E: Extension>(
    server: &Server<E>,
    payload: &'a Payload,
    expected: ExpectedEnd,
) -> SentCommand<'a> {
    let before = server.details_for(payload);
    let began = Instant::now();
    let (ensured, judged) = server.exchange(payload);
    let took = began.elapsed();
    let stored = ensured.iter().rev().find_map(JudgedResponse::stored_details);
    let stored = stored.filter(|details| *details != before);
    SentCommand { payload, ensured, stored, judged, took, expected }
}
