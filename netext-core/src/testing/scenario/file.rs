//! The file of a scenario, and the scenarios that come with the kit.

use std::collections::BTreeMap;

use netext_protocol::{Command, Envelope};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::testing::payload::Payload;

/// A sequence of events in a cloud, with the commands that the server sends for each.
///
/// A scenario is a TOML file: a title, groups of payload fields, and the steps. A step either sends a command with
/// some of the groups, or registers details on the physical network, as an operator does. Commands that break the
/// contract, or fail unless the step has `expect = "failure"` or `"either"`, are problems.
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
    pub(super) steps: Vec<ScenarioStep>,
}

#[derive(Clone, Debug)]
pub(super) struct ScenarioStep {
    pub(super) event: Option<String>,
    pub(super) action: StepAction,
}

#[derive(Clone, Debug)]
pub(super) enum StepAction {
    Send { payload: Payload, expected: ExpectedEnd },
    Register(BTreeMap<String, String>),
}

/// How a command must end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ExpectedEnd {
    #[default]
    Success,
    Failure,
    Either,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is not TOML, or not a scenario.
    #[error("not a scenario: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A step has an unknown command or group, or an invalid payload.
    #[error("step {number}: {problem}")]
    Step {
        /// The number of the step, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    title: String,
    #[serde(default)]
    registered: BTreeMap<String, String>,
    #[serde(default)]
    group: BTreeMap<String, Map<String, Value>>,
    step: Vec<StepEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    event: Option<String>,
    command: Option<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    /// The payload is invalid on purpose.
    #[serde(default)]
    malformed: bool,
    #[serde(default)]
    expect: ExpectedEnd,
    register: Option<BTreeMap<String, String>>,
}

/// The name and text of every scenario that comes with the kit.
const SHIPPED: &[(&str, &str)] = &[
    ("isolated-network", include_str!("shipped/isolated-network.toml")),
    ("vpc", include_str!("shipped/vpc.toml")),
    ("shared-network", include_str!("shipped/shared-network.toml")),
    ("restart", include_str!("shipped/restart.toml")),
    ("failover", include_str!("shipped/failover.toml")),
];

impl Scenario {
    /// The names of the scenarios that come with the kit.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The text of a scenario that comes with the kit: a file to start your own from.
    pub fn text(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
    }

    /// A scenario that comes with the kit.
    pub fn named(name: &str) -> Option<Self> {
        Self::text(name).map(|text| Self::parse(text).expect("the tests read every one"))
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// If the text is not a scenario, or a step has a payload that the protocol does not allow and is not marked
    /// as `malformed`: a misspelled field is refused.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: ScenarioFile = toml::from_str(text)?;
        let steps = file.step.into_iter().zip(1..).map(|(entry, number)| {
            entry.read(&file.group).map_err(|problem| ScenarioError::Step { number, problem })
        });
        Ok(Self { title: file.title, registered: file.registered, steps: steps.collect::<Result<_, _>>()? })
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }
}

impl StepEntry {
    fn read(self, groups: &BTreeMap<String, Map<String, Value>>) -> Result<ScenarioStep, String> {
        let action = match (self.command, self.register) {
            (None, Some(details)) => StepAction::Register(details),
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
                    return Err(format!(
                        "{error}; if the payload is invalid on purpose, add malformed = true"
                    ));
                }
                StepAction::Send { payload, expected: self.expect }
            }
            _ => return Err("it must have either `command` or `register`".to_owned()),
        };
        Ok(ScenarioStep { event: self.event, action })
    }
}
