//! Custom actions: operations that an operator defines and starts by name.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::group::Subject;
use crate::value::secret::Secret;
use crate::wire::field::{self, Field, OptionalValue, WriteStyle};
use crate::wire::object::object;

object! { payload
    /// `custom-action`: run an action that an operator defined. This is the only flat payload: its fields
    /// stand beside the details.
    pub struct CustomAction {
        groups {
            /// The network or VPC.
            subject: Subject,
        }
        required {
            /// The action's name from addCustomAction. Untrusted text.
            action: String = "action",
        }
        defaulted {
            /// The action's parameters: texts by name. Any of them may be a credential.
            parameters: ActionParameters = "action-params" | "action_params",
        }
    }
}

/// The parameters of an action: texts by name. They may be credentials, so `Debug` hides the values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ActionParameters(BTreeMap<String, Secret>);

impl ActionParameters {
    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose)
    }
}

impl FromIterator<(String, Secret)> for ActionParameters {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(parameters: I) -> Self {
        Self(parameters.into_iter().collect())
    }
}

impl Field for ActionParameters {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parameters = field::read_map::<OptionalValue<Secret>, D>(deserializer)?;
        Ok(parameters.into_iter().filter_map(|(name, OptionalValue(value))| Some((name, value?))).collect())
    }

    fn write<S: Serializer>(value: &Self, _: WriteStyle, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    fn is_left_out(value: &Self) -> bool {
        value.0.is_empty()
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = "The parameters of an action: texts by name.";
        crate::wire::json_schema::texts_by_name("ActionParameters", description, generator)
    }
}

/// The output of an action. The caller of the API sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionResult {
    /// Free text. The server shows an empty text as `OK`.
    Text(String),
    /// A message, marked as a success.
    Message(ActionMessage),
}

/// The message of an action that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionMessage {
    /// A text.
    Text(String),
    /// A table: a flat object per row.
    Rows(Vec<Map<String, Value>>),
}

impl ActionResult {
    /// Free text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// `{"status":"success","printmessage":"true","message":"..."}`
    pub fn message(text: impl Into<String>) -> Self {
        Self::Message(ActionMessage::Text(text.into()))
    }

    /// The same with a table as the message.
    pub fn rows(rows: Vec<Map<String, Value>>) -> Self {
        Self::Message(ActionMessage::Rows(rows))
    }
}

impl Serialize for ActionResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = match self {
            Self::Text(text) => return serializer.serialize_str(text),
            Self::Message(ActionMessage::Text(text)) => Value::from(text.as_str()),
            Self::Message(ActionMessage::Rows(rows)) => rows.iter().cloned().map(Value::Object).collect(),
        };
        let mut object = Map::new();
        object.insert("status".into(), "success".into());
        object.insert("printmessage".into(), "true".into());
        object.insert("message".into(), message);
        object.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ActionResult {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActionResult".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let status = crate::wire::json_schema::success(generator);
        let message = |cell: Value| {
            serde_json::json!({ "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "object", "additionalProperties": { "type": cell } } },
            ] })
        };
        if !crate::wire::json_schema::is_strict(generator) {
            return schemars::json_schema!({
                "title": "ActionResult",
                "description": "Free text, or an object. A status, if the object has one, must be success.",
                "anyOf": [
                    { "type": "string" },
                    {
                        "type": "object",
                        "properties": {
                            "status": status,
                            "printmessage": { "enum": ["true", "false", true, false] },
                            "message": message(serde_json::json!(["string", "number", "boolean", "null"])),
                        },
                    },
                ],
            });
        }
        let mut action_message: schemars::Schema = message("string".into()).try_into().unwrap_or_default();
        action_message.insert("title".into(), "ActionMessage".into());
        action_message.insert("description".into(), "A text, or a table: a flat object per row.".into());
        let action_message = crate::wire::json_schema::define(action_message, generator);
        schemars::json_schema!({
            "title": "ActionResult",
            "description": "The result of a successful action, for the caller of the API. Free text may be printed instead.",
            "type": "object",
            "properties": {
                "status": status,
                "printmessage": { "type": "string", "enum": ["true", "false"], "description": "Whether to show the message to the caller." },
                "message": action_message,
            },
            "required": ["status", "printmessage", "message"],
        })
    }
}
