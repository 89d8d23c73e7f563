//! Payloads that may be shown.

use netext_protocol::{Command, PhysicalDetails};
use serde_json::Value;

use super::fields::{Knowledge, walk};

/// What stands for a value that must not be seen.
pub const MASK: &str = "[masked]";

/// A payload whose credentials are replaced by [`MASK`], and the values that were replaced.
///
/// Masked is what the types call a secret: passwords, keys, user data, the contents of metadata, the parameters
/// of actions, and what the operator registered under any but the conventional names. Masked as well is every
/// value under a name that the protocol does not have, because nobody can tell what it holds. What the device
/// said about itself stays: it is stored readable, and no place for secrets.
///
/// ```
/// use netext_core::payload_file::{MASK, masked};
/// use netext_core::protocol::Command;
/// use serde_json::json;
///
/// let payload = json!({
///     "physical-network-extension-details": {"host": "192.0.2.10", "password": "hunter2"},
///     "payload": {"network_id": "209"},
/// });
/// let (shown, secrets) = masked(Command::ShutdownNetwork, payload);
/// let details = &shown["physical-network-extension-details"];
/// assert_eq!((&details["host"], &details["password"]), (&json!("192.0.2.10"), &json!(MASK)));
/// assert_eq!(secrets, ["hunter2"]);
/// ```
pub fn masked(command: Command, mut document: Value) -> (Value, Vec<String>) {
    let mut secrets = Vec::new();
    walk(command, &mut document, &mut |pointer, knowledge, value| match knowledge {
        Knowledge::Plain => {}
        Knowledge::Secret if is_harmless(pointer) => {}
        Knowledge::Secret | Knowledge::Unknown => mask(value, &mut secrets),
    });
    (document, secrets)
}

/// Whether it is a registered detail that holds no credential by convention.
fn is_harmless(pointer: &str) -> bool {
    let name = ["/physical-network-extension-details/", "/physical_network_extension_details/"]
        .iter()
        .find_map(|folder| pointer.strip_prefix(folder));
    name.is_some_and(PhysicalDetails::is_harmless)
}

/// Masks every scalar in a value; its shape stays.
fn mask(value: &mut Value, secrets: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(list) => list.iter_mut().for_each(|value| mask(value, secrets)),
        Value::Object(object) => object.values_mut().for_each(|value| mask(value, secrets)),
        Value::String(text) if text.is_empty() => {}
        scalar => {
            let text = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            secrets.push(text);
            *scalar = MASK.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use netext_protocol::{Envelope, Sample};
    use serde_json::json;

    use super::*;

    fn sample(name: &str) -> (Command, Value) {
        let sample = Sample::named(name).unwrap();
        (sample.command(), serde_json::from_str(sample.text()).unwrap())
    }

    #[test]
    fn what_is_masked_is_still_a_payload() {
        for sample in Sample::all() {
            let (shown, _) = masked(sample.command(), serde_json::from_str(sample.text()).unwrap());
            let parsed = Envelope::parse(sample.command(), shown.to_string().as_bytes());
            assert!(parsed.is_ok(), "{}: {:?}", sample.name(), parsed.err());
        }
    }

    #[test]
    fn credentials_are_masked_wherever_they_stand() {
        for (name, pointer) in [
            ("save-password", "/payload/password"),
            ("save-sshkey", "/payload/sshkey"),
            ("save-userdata", "/payload/userdata"),
            ("save-vm-data", "/payload/vm_data/0/content"),
            ("restore-network", "/payload/restore_data/vms/0/vm_data/0/content"),
            ("custom-action", "/action-params/table-name"),
            ("assign-ip", "/physical-network-extension-details/sshkey"),
            ("assign-ip", "/physical-network-extension-details/token"),
            ("assign-ip", "/payload/newer"),
            ("assign-ip", "/newer"),
        ] {
            let (command, mut document) = sample(name);
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent).unwrap() {
                Value::Object(object) => drop(object.insert(key.to_owned(), "hunter2".into())),
                other => panic!("{other}"),
            }
            let (shown, secrets) = masked(command, document);
            assert_eq!(shown.pointer(pointer).unwrap(), MASK, "{pointer}");
            assert!(secrets.contains(&"hunter2".to_owned()), "{pointer}");
            assert!(!shown.to_string().contains("hunter2"), "{pointer}");
        }
    }

    #[test]
    fn details_in_a_text_are_masked_in_the_text() {
        let (command, mut document) = sample("assign-ip");
        let details = json!({"hosts": "192.0.2.10", "password": "hunter2"}).to_string();
        document["physical-network-extension-details"] = details.into();
        let (shown, _) = masked(command, document);
        let details = shown["physical-network-extension-details"].as_str().unwrap();
        let details: Value = serde_json::from_str(details).unwrap();
        assert_eq!(details, json!({"hosts": "192.0.2.10", "password": MASK}));
    }

    #[test]
    fn what_has_the_wrong_shape_is_masked() {
        let (command, mut document) = sample("save-password");
        document["payload"]["password"] = json!(["hunter2", {"deep": 31337}]);
        document["physical-network-extension-details"] = json!("{\"password\":\"hunter2\"");
        document["network-extension-details"] = json!(["hunter2"]);
        let (shown, _) = masked(command, document);
        assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains("31337"), "{shown}");
        assert_eq!(shown["payload"]["ip"], "10.1.1.10");
    }
}
