//! The reply to a command.

use netext_protocol::{ActionResult, Command, DeviceDetails, NetworkUpdate, Output};
use serde::Serialize;
use serde_json::Value;

use crate::DeviceError;

/// The keys of a network update: the server needs both, or none.
const NETWORK_UPDATE: [&str; 2] = ["network.broadcast_domain_type", "network.broadcast_uri"];

/// A handler's answer to a command that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Prints nothing. Valid for every command.
    #[default]
    Nothing,
    /// For `ensure-network-device`.
    DeviceDetails(DeviceDetails),
    /// For `implement-network`.
    NetworkUpdate(NetworkUpdate),
    /// For `custom-action`.
    ActionResult(ActionResult),
    /// The text that another extension printed for the same command, such as the host behind a proxy. It must keep the
    /// same contract; white space around it is dropped.
    Relayed(String),
}

impl Reply {
    /// The text for standard output: empty, or ending in a line break.
    ///
    /// Fails with an internal error if the reply would break the contract with the server: output of a command that
    /// prints nothing, or output of another command's kind; more than one line, except for the free text of an action; a
    /// JSON object whose `status` is not `success`, which the server takes for a failure; details longer than
    /// [`DeviceDetails::MAX_BYTES`].
    ///
    /// ```
    /// use netext_core::Reply;
    /// use netext_core::protocol::{Command, DeviceDetails};
    ///
    /// let reply = Reply::DeviceDetails(DeviceDetails::default().with("host", "192.0.2.10"));
    /// assert_eq!(reply.render(Command::EnsureNetworkDevice)?, "{\"host\":\"192.0.2.10\"}\n");
    /// assert!(reply.render(Command::AssignIp).is_err());
    /// # Ok::<(), netext_core::DeviceError>(())
    /// ```
    pub fn render(&self, command: Command) -> Result<String, DeviceError> {
        let (output, mut text) = match self {
            Self::Nothing => return Ok(String::new()),
            Self::DeviceDetails(details) => (Output::DeviceDetails, json(details)?),
            Self::NetworkUpdate(update) => (Output::NetworkUpdate, json(update)?),
            Self::ActionResult(ActionResult::Text(text)) => (Output::ActionResult, text.trim().to_owned()),
            Self::ActionResult(result) => (Output::ActionResult, json(result)?),
            Self::Relayed(text) => (command.output(), text.trim().to_owned()),
        };
        if text.is_empty() {
            return Ok(text);
        }
        if output != command.output() && command.output() != Output::Nothing {
            let (answered, expected) = (output.name(), command.output().name());
            return Err(DeviceError::internal(format!(
                "{command}: the device answered {answered}, not {expected}"
            )));
        }
        if let Some(breach) = breach(command, &text) {
            return Err(DeviceError::internal(format!("{command}: the device {breach}")));
        }
        text.push('\n');
        Ok(text)
    }
}

/// Checks the output of a command that succeeded against the contract, and describes the breach if there is one.
pub(crate) fn breach(command: Command, printed: &str) -> Option<String> {
    let expected = command.output();
    let text = printed.trim();
    if text.is_empty() {
        return None;
    }
    if expected == Output::Nothing {
        return Some("answered something, but this command prints nothing".to_owned());
    }
    let Some(object) = first_object(text) else {
        let is_text = expected == Output::ActionResult;
        return (!is_text).then(|| "answered a text that is not a JSON object".to_owned());
    };
    if text.contains(['\n', '\r']) {
        return Some("answered more than one line".to_owned());
    }
    if is_failure(&object) {
        return Some(
            "answered an object whose status is not success, which the server takes for a failure".to_owned(),
        );
    }
    match expected {
        Output::DeviceDetails if text.len() > DeviceDetails::MAX_BYTES => {
            let (length, limit) = (text.len(), DeviceDetails::MAX_BYTES);
            Some(format!("answered details of {length} bytes, the server keeps {limit}"))
        }
        Output::NetworkUpdate if NETWORK_UPDATE.iter().any(|key| object.get(key).is_some()) => {
            let update = serde_json::from_value::<NetworkUpdate>(object);
            update.err().map(|error| format!("answered an invalid network update: {error}"))
        }
        _ => None,
    }
}

/// The `status` for which the server takes a command for failed although it exited with 0.
#[cfg(feature = "testing")]
pub(crate) fn failed_status(printed: &str) -> Option<Value> {
    first_object(printed.trim()).filter(is_failure).and_then(|object| object.get("status").cloned())
}

fn is_failure(object: &Value) -> bool {
    let succeeded = |status: &Value| status.as_str().is_some_and(|it| it.eq_ignore_ascii_case("success"));
    object.get("status").is_some_and(|status| !succeeded(status))
}

fn json(value: &impl Serialize) -> Result<String, DeviceError> {
    serde_json::to_string(value)
        .map_err(|error| DeviceError::internal("the reply has no JSON form").with_source(error))
}

/// The object at the beginning of the text. The server's lenient parser ignores the text after it.
fn first_object(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok().filter(Value::is_object)
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::Nothing
    }
}

impl From<DeviceDetails> for Reply {
    fn from(details: DeviceDetails) -> Self {
        Self::DeviceDetails(details)
    }
}

impl From<NetworkUpdate> for Reply {
    fn from(update: NetworkUpdate) -> Self {
        Self::NetworkUpdate(update)
    }
}

impl From<ActionResult> for Reply {
    fn from(result: ActionResult) -> Self {
        Self::ActionResult(result)
    }
}

impl<T: Into<Reply>> From<Option<T>> for Reply {
    fn from(answer: Option<T>) -> Self {
        answer.map_or(Self::Nothing, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(reply: &Reply, command: Command) -> String {
        let error = reply.render(command).unwrap_err();
        assert_eq!(error.exit_code(), 70);
        error.to_string()
    }

    fn relayed(text: &str) -> Reply {
        Reply::Relayed(text.to_owned())
    }

    #[test]
    fn nothing_is_valid_for_every_command() {
        for &command in Command::ALL {
            assert_eq!(Reply::Nothing.render(command).unwrap(), "");
            assert_eq!(relayed(" \n").render(command).unwrap(), "");
        }
    }

    #[test]
    fn a_command_that_prints_nothing_refuses_output() {
        for &command in Command::ALL.iter().filter(|command| command.output() == Output::Nothing) {
            assert!(refusal(&relayed("done"), command).contains("prints nothing"));
        }
    }

    #[test]
    fn an_answer_of_another_commands_kind_is_refused() {
        let update = Reply::NetworkUpdate(NetworkUpdate::new("Vlan", "vlan://12"));
        assert!(update.render(Command::ImplementNetwork).unwrap().ends_with("\"vlan://12\"}\n"));
        let refusal = refusal(&update, Command::EnsureNetworkDevice);
        assert!(refusal.contains("network-update, not device-details"), "{refusal}");
    }

    #[test]
    fn details_fit_the_servers_table() {
        let details =
            |length| Reply::DeviceDetails(DeviceDetails::default().with("blob", "x".repeat(length)));
        let frame = r#"{"blob":""}"#.len();
        assert!(details(1024 - frame).render(Command::EnsureNetworkDevice).is_ok());
        assert!(
            refusal(&details(1025 - frame), Command::EnsureNetworkDevice)
                .contains("1025 bytes, the server keeps 1024")
        );
    }

    #[test]
    fn a_status_that_the_server_would_take_for_a_failure_is_refused() {
        for status in [Value::from("failed"), Value::from(""), Value::Null, Value::from(true)] {
            let details = Reply::DeviceDetails(DeviceDetails::default().with("status", status));
            assert!(refusal(&details, Command::EnsureNetworkDevice).contains("status"));
        }
        let details = Reply::DeviceDetails(DeviceDetails::default().with("status", "Success"));
        assert!(details.render(Command::EnsureNetworkDevice).is_ok());

        for text in [r#"{"status":"error"}"#, "\n {\"a\":1,\"status\":0}", r#"{"status":"error"} and more"#] {
            assert!(refusal(&relayed(text), Command::CustomAction).contains("status"));
            let result = Reply::ActionResult(ActionResult::text(text));
            assert!(refusal(&result, Command::CustomAction).contains("status"));
        }
    }

    #[test]
    fn json_is_one_line_and_the_free_text_of_an_action_may_be_several() {
        let lines = "10: from all lookup isp1\n20: from all lookup isp2";
        assert_eq!(relayed(lines).render(Command::CustomAction).unwrap(), format!("{lines}\n"));
        assert!(refusal(&relayed("{\"host\":\n\"h\"}"), Command::EnsureNetworkDevice).contains("one line"));
        assert!(refusal(&relayed("{}\n{}"), Command::CustomAction).contains("one line"));
        assert!(refusal(&relayed("host=h"), Command::EnsureNetworkDevice).contains("not a JSON object"));
    }

    #[test]
    fn a_network_update_is_whole_or_none() {
        let command = Command::ImplementNetwork;
        let half = relayed(r#"{"network.broadcast_uri":"vlan://12"}"#);
        assert!(refusal(&half, command).contains("missing field `network.broadcast_domain_type`"));
        assert!(relayed("{}").render(command).is_ok());
    }
}
