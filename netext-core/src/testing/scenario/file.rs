//! A scenario's file.

use std::collections::BTreeMap;

use netext_protocol::{Command, Envelope};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::testing::Payload;

/// A story of events, each with the commands that the server sends for it.
///
/// It is written in TOML: a title, groups of payload fields that the steps are made of, and the steps. A step
/// either sends a command, or registers details on the physical network, as an operator would.
///
/// ```
/// use netext_core::testing::Scenario;
///
/// let scenario = Scenario::parse(r#"
///     title = "A network comes and goes"
///
///     [group.network]
///     network_id = "209"
///     vlan = "1910"
///
///     [[step]]
///     event = "The first instance is deployed"
///     command = "implement-network"
///     with = ["network"]
///     fields = { extension_ip = "10.1.1.1" }
///
///     [[step]]
///     event = "The operator takes a host out of service"
///     register = { hosts = "192.0.2.11" }
///
///     [[step]]
///     event = "A hand-made payload is refused"
///     command = "shutdown-network"
///     fields = { network_id = "none" }
///     malformed = true
///     expect = "failure"
/// "#)?;
/// assert_eq!(scenario.title(), "A network comes and goes");
/// # Ok::<(), netext_core::testing::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scenario {
    title: String,
    pub(super) registered: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One step of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) event: Option<String>,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Send { payload: Payload, expected: Expectation },
    Register(BTreeMap<String, String>),
}

/// What is to come of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Expectation {
    #[default]
    Success,
    Failure,
    Either,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It is not TOML, or not a scenario.
    #[error("not a scenario: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A step is made of what is not there, or sends what is no payload.
    #[error("step {number}: {problem}")]
    Step {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default)]
    registered: BTreeMap<String, String>,
    #[serde(default)]
    group: BTreeMap<String, Map<String, Value>>,
    step: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    event: Option<String>,
    command: Option<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    /// The payload is one that the protocol does not have, and meant to be.
    #[serde(default)]
    malformed: bool,
    #[serde(default)]
    expect: Expectation,
    register: Option<BTreeMap<String, String>>,
}

impl Scenario {
    /// Reads a scenario. Every payload is held to the protocol, so a misspelled one does not pass for a story.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text)?;
        let steps = file.step.into_iter().zip(1..).map(|(written, number)| {
            written.read(&file.group).map_err(|problem| ScenarioError::Step { number, problem })
        });
        Ok(Self { title: file.title, registered: file.registered, steps: steps.collect::<Result<_, _>>()? })
    }

    /// What it is about.
    pub fn title(&self) -> &str {
        &self.title
    }
}

impl Written {
    fn read(self, groups: &BTreeMap<String, Map<String, Value>>) -> Result<Step, String> {
        let act = match (self.command, self.register) {
            (None, Some(details)) => Act::Register(details),
            (Some(command), None) => {
                let command: Command = command.parse().map_err(|unknown| format!("{unknown}"))?;
                let mut fields = Map::new();
                for name in &self.with {
                    let group = groups.get(name).ok_or_else(|| format!("there is no group {name:?}"))?;
                    fields.extend(group.clone());
                }
                fields.extend(self.fields);
                let payload = Payload::of_fields(command, fields);
                let document = payload.document(json!({}), json!({})).to_string();
                if let (false, Err(error)) = (self.malformed, Envelope::parse(command, document.as_bytes())) {
                    return Err(format!("{error}; a payload that is wrong on purpose says malformed = true"));
                }
                Act::Send { payload, expected: self.expect }
            }
            _ => return Err("it has either a command or something to register".to_owned()),
        };
        Ok(Step { event: self.event, act })
    }
}
