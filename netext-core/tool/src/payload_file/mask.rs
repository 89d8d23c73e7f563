//! Payloads without credentials.

use netext_protocol::{Command, PhysicalDetails};
use serde_json::Value;

use super::{Knowledge, walk};

/// The replacement of a value that must not be shown.
pub(crate) const MASK: &str = "[masked]";

/// A payload whose credentials are replaced by [`MASK`], and the replaced values.
///
/// Secrets are passwords, keys, user data, the contents of metadata, the parameters of actions, and registered details
/// with other than the conventional names. Unknown fields are masked as well, because they may be secret. The device's
/// own details stay: they are stored in plain text, and hold no secrets.
///
/// A structure inside a text (JSON or Base64) becomes JSON text with its credentials masked. The original text is among
/// the replaced values, because it contains the credentials.
pub(crate) fn masked(command: Command, mut document: Value) -> (Value, Vec<String>) {
    let mut secrets = Vec::new();
    walk(command, &mut document, &mut |pointer, knowledge, value| match knowledge {
        Knowledge::Plain => {}
        Knowledge::Secret if is_harmless(pointer) => {}
        Knowledge::Secret | Knowledge::Unknown => mask(value, &mut secrets),
        // It contains the values that are masked inside of it.
        Knowledge::Encoded => secrets.extend(value.as_str().map(str::to_owned)),
    });
    (document, secrets)
}

/// Whether it is a registered detail that by convention holds no credential.
fn is_harmless(pointer: &str) -> bool {
    let path = pointer.strip_prefix('/').and_then(|path| path.split_once('/'));
    let Some((key, name)) = path else { return false };
    PhysicalDetails::KEYS.contains(&key) && PhysicalDetails::is_harmless(name)
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
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use netext_protocol::{Envelope, Sample};
    use serde_json::json;

    use super::*;
    use netext_core::testing::Payload;

    fn sample(name: &str) -> (Command, Value) {
        let sample = Sample::named(name).unwrap();
        (sample.command(), serde_json::from_str(sample.text()).unwrap())
    }

    #[test]
    fn a_masked_payload_is_still_valid() {
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
        let (shown, secrets) = masked(command, document.clone());
        let texts = ["hunter2", document["physical-network-extension-details"].as_str().unwrap()];
        assert_eq!(secrets, texts);
        let details = shown["physical-network-extension-details"].as_str().unwrap();
        let details: Value = serde_json::from_str(details).unwrap();
        assert_eq!(details, json!({"hosts": "192.0.2.10", "password": MASK}));
    }

    #[test]
    fn the_devices_own_details_are_no_secret_inside_a_text_either() {
        let details = json!({"host": "192.0.2.10"}).to_string();
        let payload = Payload::sample(Command::EnsureNetworkDevice).with("current_details", details.clone());
        let (shown, secrets) = masked(payload.command(), payload.document(json!({}), details.clone()));
        assert_eq!((&shown["payload"]["current_details"], secrets), (&json!(details), Vec::new()));
    }

    #[test]
    fn credentials_inside_of_json_text_and_base64_are_masked() {
        for (name, field, pointer) in [
            ("save-vm-data", "vm_data", "/0/content"),
            ("restore-network", "restore_data", "/vms/0/vm_data/0/content"),
        ] {
            let payload = Payload::sample_named(name).with(&format!("{field}{pointer}"), "hunter2");
            for payload in payload.in_older_forms() {
                let text = payload.field(field).unwrap().as_str().unwrap().to_owned();
                // Older senders leave the padding out, and break lines.
                let broken = text.trim_end_matches('=').replacen("AA", "A\r\nA", 1);
                let texts = if text.starts_with(['[', '{']) { vec![text] } else { vec![text, broken] };
                for text in texts {
                    let document = payload.clone().with(field, text.clone()).document(json!({}), json!({}));
                    let (shown, secrets) = masked(payload.command(), document);
                    let inner: Value =
                        serde_json::from_str(shown["payload"][field].as_str().unwrap()).unwrap();
                    assert_eq!(inner.pointer(pointer).unwrap(), MASK);
                    assert!(secrets.contains(&"hunter2".to_owned()) && secrets.contains(&text));
                    for secret in ["hunter2", "aHVudGVyMg"] {
                        assert!(!shown.to_string().contains(secret), "{shown}");
                    }
                    let read = Envelope::parse(payload.command(), shown.to_string().as_bytes());
                    assert!(read.is_ok(), "{:?}", read.err());
                }
            }
        }
    }

    #[test]
    fn binary_content_is_masked() {
        let data = json!([{"dir": "userdata", "file": "user_data", "content": "H4sIAAAAAAAA/w=="}]);
        let strict =
            json!([{"dir": "userdata", "file": "user_data", "content": {"base64": "H4sIAAAAAAAA/w=="}}]);
        for data in [json!(STANDARD.encode(data.to_string())), strict] {
            let document = json!({"payload": {"network_id": "209", "ip": "10.1.1.10", "vm_data": data}});
            let (shown, secrets) = masked(Command::SaveVmData, document);
            assert!(!shown.to_string().contains("H4sI"), "{shown}");
            assert!(secrets.contains(&"H4sIAAAAAAAA/w==".to_owned()), "{secrets:?}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_is_masked_as_a_whole() {
        for text in ["hunter2", "aHVudGVyMg==", "[{\"content\": \"hunter2\""] {
            let document = json!({"payload": {"network_id": "209", "ip": "10.1.1.10", "vm_data": text}});
            let (shown, secrets) = masked(Command::SaveVmData, document);
            assert_eq!((&shown["payload"]["vm_data"], secrets), (&json!(MASK), vec![text.to_owned()]));
        }
    }

    #[test]
    fn a_value_of_the_wrong_shape_is_masked() {
        let (command, mut document) = sample("save-password");
        document["payload"]["password"] = json!(["hunter2", {"deep": 31337}]);
        document["physical-network-extension-details"] = json!("{\"password\":\"hunter2\"");
        document["network-extension-details"] = json!(["hunter2"]);
        let (shown, _) = masked(command, document);
        assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains("31337"), "{shown}");
        assert_eq!(shown["payload"]["ip"], "10.1.1.10");
    }
}
