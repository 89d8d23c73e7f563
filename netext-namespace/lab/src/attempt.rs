//! Questions whose answers are told instead of asserted, for programs that show what came of them.

use std::time::Duration;

use crate::conversation::Conversation;
use crate::node::{Node, target};
use crate::probe::{self, Answer, DOUBT, PATIENCE, Question};

/// What is expected of a question, and so how long its answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// An answer.
    Answered,
    /// None.
    Refused,
}

impl Expectation {
    fn patience(self) -> Duration {
        match self {
            Self::Answered => PATIENCE,
            Self::Refused => DOUBT,
        }
    }
}

impl Node {
    /// Connects by TCP to `address:port`, and tells what the server saw or why there was no answer.
    pub fn tries_tcp(&self, address: &str, expected: Expectation) -> Result<Answer, String> {
        self.tries_to_talk(address, expected).map(|conversation| conversation.answer().clone())
    }

    /// Connects by TCP to `address:port` for longer.
    pub fn tries_to_talk(&self, address: &str, expected: Expectation) -> Result<Conversation, String> {
        let target = target(address);
        let (stream, answer) =
            probe::tcp(self.place(), self.source(target.ip()), target, expected.patience())?;
        Ok(Conversation::tcp(stream, answer))
    }

    /// Sends datagrams to `address:port`, and tells what the server saw or why there was no answer.
    pub fn tries_udp(&self, address: &str, expected: Expectation) -> Result<Answer, String> {
        let target = target(address);
        let socket = probe::udp_socket(self.place(), self.source(target.ip()), target)?;
        probe::udp(&socket, expected.patience())
    }

    /// Sends ICMP echo requests to `address`, and tells why there was no answer.
    pub fn tries_ping(&self, address: &str, expected: Expectation) -> Result<(), String> {
        let target = crate::node::parse(address);
        probe::icmp(self.place(), self.source(target), target, Question::Echo, expected.patience())
    }
}

impl Conversation {
    /// Sends something there and back, and tells why it did not come back.
    pub fn tries_to_go_on(&mut self, expected: Expectation) -> Result<(), String> {
        self.exchange(expected.patience())
    }
}
