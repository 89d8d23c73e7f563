//! Unknown fields are kept in their place.

use netext_protocol::{Command, Envelope};
use serde_json::{Value, json};

use crate::wire::{command_of, parse, parsed, sample, samples, set};

#[test]
fn unknown_fields_of_every_payload_and_envelope_are_kept() {
    for one in samples() {
        let mut file: Value = serde_json::from_slice(&one.file).unwrap();
        let novelty = json!({"list": [1, -2.5, 1e300, null], "text": "a<b>&'="});
        file["x-beside"] = novelty.clone();
        if one.command != Command::CustomAction {
            file["payload"]["x-inside"] = novelty.clone();
        }
        let envelope = parse(one.command, &file);
        let written: Value = serde_json::from_str(&envelope.to_json()).unwrap();
        assert_eq!(written["x-beside"], novelty, "{}", one.name);
        if one.command != Command::CustomAction {
            assert_eq!(written["payload"]["x-inside"], novelty, "{}", one.name);
            assert_eq!(envelope.extra.get("x-beside"), Some(&novelty), "{}", one.name);
        }
        assert_eq!(Envelope::parse(one.command, envelope.to_json().as_bytes()).unwrap(), envelope);
    }
}

#[test]
fn unknown_fields_of_nested_objects_are_kept() {
    for (name, pointer) in [
        ("apply-fw-rules", "/payload/fw_rules"),
        ("apply-fw-rules", "/payload/fw_rules/rules/3"),
        ("apply-network-acl", "/payload/acl_rules/1"),
        ("apply-lb-rules", "/payload/lb_rules/0"),
        ("apply-lb-rules", "/payload/lb_rules/0/backends/1"),
        ("save-vm-data", "/payload/vm_data/2"),
        ("restore-network", "/payload/restore_data"),
        ("restore-network", "/payload/restore_data/vms/1"),
        ("restore-network", "/payload/restore_data/vms/0/vm_data/0"),
    ] {
        let mut file = sample(name);
        set(&mut file, &format!("{pointer}/x-new"), json!([true]));
        let envelope = parse(command_of(name), &file);
        let written: Value = serde_json::from_str(&envelope.to_json()).unwrap();
        assert_eq!(written.pointer(pointer).unwrap()["x-new"], json!([true]), "{pointer}");
        assert_eq!(Envelope::parse(command_of(name), envelope.to_json().as_bytes()).unwrap(), envelope);
    }
}

#[test]
fn an_unknown_field_can_be_read() {
    let mut file = sample("apply-fw-rules");
    set(&mut file, "/payload/fw_rules/rules/0/x-log", true);
    let rules = parsed!(ApplyFwRules, file).fw_rules.rules;
    assert_eq!(rules[0].extra.get("x-log"), Some(&json!(true)));
    assert!(rules[1].extra.is_empty());
    assert_eq!(rules[0].extra.iter().count(), 1);
}
