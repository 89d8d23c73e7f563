//! Actions that an operator triggers on a network or a VPC.

use serde_json::{Map, Value, json};

use crate::network::Network;
use crate::outcome::Outcome;
use crate::payload::joined;
use crate::vpc::Vpc;

impl Network<'_> {
    /// Runs `custom-action` as the server does, whatever comes of it.
    #[track_caller]
    pub fn action(&self, name: &str, parameters: &Value) -> Outcome {
        self.ensure_device(&json!({}));
        let document = flat(&self.document(&json!({})), name, parameters);
        self.lab.run("custom-action", &document)
    }

    /// Runs an action that must succeed, and returns the message of its answer.
    #[track_caller]
    pub fn acts(&self, name: &str, parameters: &Value) -> Value {
        self.action(name, parameters).message()
    }
}

impl Vpc<'_> {
    /// Runs `custom-action` on the VPC as a whole, whatever comes of it.
    #[track_caller]
    pub fn action(&self, name: &str, parameters: &Value) -> Outcome {
        self.lab.run("custom-action", &flat(&self.document(&json!({})), name, parameters))
    }

    /// Runs an action that must succeed, and returns the message of its answer.
    #[track_caller]
    pub fn acts(&self, name: &str, parameters: &Value) -> Value {
        self.action(name, parameters).message()
    }
}

/// The document of an action: the payload's fields stand beside the details.
pub(crate) fn flat(document: &Value, action: &str, parameters: &Value) -> Value {
    let payload = document.get("payload").cloned().unwrap_or_default();
    let beside: Map<_, _> =
        document.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut whole = joined(&payload, &beside.into());
    whole.as_object_mut().expect("two objects joined").remove("payload");
    joined(&whole, &json!({"action": action, "action-params": parameters}))
}
