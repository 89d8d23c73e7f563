//! A scenario being played.

use std::collections::BTreeSet;
use std::time::Duration;

use netext_protocol::{Command, Service};
use serde_json::Value;

use super::file::{Act, Expectation, Scenario};
use crate::testing::{Extension, Judged, Payload, Server};

/// What is told of a story while it is played.
#[derive(Debug)]
#[non_exhaustive]
pub enum Told<'a> {
    /// Something happens in the cloud.
    Event(&'a str),
    /// The operator registered these details.
    Registered(Vec<(&'a str, &'a str)>),
    /// A command was not sent, because the network's services are not the extension's.
    NotSent(Command),
    /// A command was sent.
    Sent(Box<Sent<'a>>),
}

/// A command that was sent, and what came of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sent<'a> {
    /// What was sent.
    pub payload: &'a Payload,
    /// How the device was asked for before, each time.
    pub ensured: Vec<Judged>,
    /// The details that the server stored because the device said others than before.
    pub stored: Option<Value>,
    /// How the server judges the answer.
    pub judged: Judged,
    /// From the start of the first process to the end of the last.
    pub took: Duration,
    expected: Expectation,
}

impl Sent<'_> {
    /// What is not as it ought to be: the command's own end, a breach of the contract, or trouble with asking
    /// for the device, which the server only logs.
    pub fn problem(&self) -> Option<String> {
        let own = match (self.expected, self.judged.is_success()) {
            (Expectation::Success, _) | (Expectation::Either, true) => self.judged.problem(),
            (Expectation::Failure, true) => {
                Some(format!("{}: succeeded, but ought to fail", self.judged.command))
            }
            (Expectation::Failure | Expectation::Either, false) => None,
        };
        if self.expected != Expectation::Success {
            return own;
        }
        own.or_else(|| self.ensured.iter().find_map(Judged::problem))
    }
}

impl Scenario {
    /// Plays the story up to its first problem, if it is not to go on to the end, and tells what happens.
    /// Answers how many problems there were.
    ///
    /// Commands of services other than `services` are not sent, as the server does not send them for a network
    /// whose offering lacks the service. Details that were registered on the server before prevail over those
    /// that the scenario begins with.
    pub fn play<E: Extension>(
        &self,
        server: &mut Server<E>,
        services: &BTreeSet<Service>,
        to_the_end: bool,
        tell: &mut dyn FnMut(Told<'_>),
    ) -> usize {
        for (name, value) in &self.registered {
            if !server.registered().contains_key(name) {
                server.register(name, value);
            }
        }
        let mut problems = 0;
        for step in &self.steps {
            if let Some(event) = &step.event {
                tell(Told::Event(event));
            }
            match &step.act {
                Act::Register(details) => {
                    for (name, value) in details {
                        server.register(name, value);
                    }
                    tell(Told::Registered(details.iter().map(|(name, value)| (&**name, &**value)).collect()));
                }
                Act::Send { payload, .. } if !payload.command().belongs_to(services) => {
                    tell(Told::NotSent(payload.command()));
                }
                Act::Send { payload, expected } => {
                    let sent = send(server, payload, *expected);
                    problems += usize::from(sent.problem().is_some());
                    tell(Told::Sent(Box::new(sent)));
                    if problems > 0 && !to_the_end {
                        break;
                    }
                }
            }
        }
        problems
    }
}

fn send<'a, E: Extension>(server: &Server<E>, payload: &'a Payload, expected: Expectation) -> Sent<'a> {
    let before = server.details_for(payload);
    let began = std::time::Instant::now();
    let (ensured, judged) = server.exchange(payload);
    let took = began.elapsed();
    let stored = ensured.iter().rev().find_map(crate::testing::judged::stored_details);
    let stored = stored.filter(|details| *details != before);
    Sent { payload, ensured, stored, judged, took, expected }
}
