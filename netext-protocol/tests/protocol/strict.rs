//! The strict form: one spelling, one type a field, and nothing that was not said.

use netext_protocol::{Command, Envelope, Request, schema};
use serde_json::{Value, json};

use crate::schemas::{check_strict, strictly_refuses};
use crate::wire::{changed, command_of, parse, sample, samples};

fn strict(command: Command, file: &Value) -> Value {
    serde_json::from_str(&parse(command, file).to_strict_json()).unwrap()
}

#[test]
fn every_sample_has_a_strict_form_that_says_the_same() {
    for sample in samples() {
        let envelope = Envelope::parse(sample.command, &sample.file).unwrap();
        let text = envelope.to_strict_json();
        let again: Envelope<Request> = Envelope::parse(sample.command, text.as_bytes()).unwrap();
        assert_eq!(again, envelope, "{}", sample.name);
        assert_eq!(again.to_strict_json(), text, "{}", sample.name);
        check_strict(sample.command, &serde_json::from_str(&text).unwrap());
    }
}

#[test]
fn numbers_are_numbers_and_lists_are_lists() {
    let payload = |name: &str| strict(command_of(name), &sample(name))["payload"].clone();
    let forward = payload("add-port-forward");
    assert_eq!((&forward["network_id"], &forward["zone_id"]), (&json!(209), &json!(1)));
    assert_eq!((&forward["public_port"], &forward["protocol"]), (&json!(2222), &json!("tcp")));
    assert_eq!(payload("add-port-forward.range")["public_port"], "8080-8090");
    let entry = payload("add-dhcp-entry");
    assert_eq!(
        (&entry["nic_id"], &entry["device_id"], &entry["default_nic"]),
        (&json!(71), &json!(0), &json!(true))
    );
    assert!(entry["dns"].as_array().unwrap().iter().all(Value::is_string), "{entry}");
    assert_eq!(payload("apply-fw-rules")["fw_rules"]["rules"][0]["portStart"].as_u64(), Some(22));
    assert!(payload("ensure-network-device.current")["current_details"].is_object());
    let details = &strict(Command::AssignIp, &sample("assign-ip"))["physical-network-extension-details"];
    assert_eq!(details["port"], "22");
}

#[test]
fn what_was_not_said_is_left_out() {
    let entry = strict(Command::AddDnsEntry, &sample("readme/add-dns-entry"));
    let said = json!({
        "network_id": 42, "ip": "10.0.0.10", "nic_uuid": "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e5f",
        "extension_ip": "10.0.0.1", "hostname": "vm-1",
    });
    assert_eq!(entry["payload"], said);
    let mut absent = sample("add-dns-entry");
    for field in ["vlan", "dns", "domain", "ip6_address", "mac"] {
        for value in [json!(null), json!("")] {
            absent["payload"][field] = value;
            let strict = strict(Command::AddDnsEntry, &absent);
            assert!(strict["payload"].get(field).is_none(), "{strict}");
        }
    }
}

#[test]
fn every_field_has_one_spelling() {
    let nic = strict(Command::PrepareNic, &sample("readme/prepare-nic"))["payload"].clone();
    assert_eq!(nic["ip6_address"], "2001:db8::10");
    assert!(nic.get("nic_ip6_address").is_none());
    let vpc = strict(Command::ImplementVpc, &sample("readme/implement-vpc.cidr"))["payload"].clone();
    assert_eq!((&vpc["vpc_cidr"], vpc.get("cidr")), (&json!("10.0.0.0/16"), None));
    let mut action = sample("custom-action");
    let parameters = action.as_object_mut().unwrap().remove("action-params").unwrap();
    action["action_params"] = parameters.to_string().into();
    assert_eq!(strict(Command::CustomAction, &action)["action-params"], parameters);
    for (wire, one) in
        [("vlan://101", "101"), ("101", "101"), ("vlan://untagged", "untagged"), ("5000", "vxlan://5000")]
    {
        let file = changed("assign-ip", "/payload/public_vlan", wire);
        assert_eq!(strict(Command::AssignIp, &file)["payload"]["public_vlan"], one);
    }
}

#[test]
fn words_are_lower_case_and_any_icmp_is_minus_one() {
    let mut file = sample("apply-network-acl");
    file["payload"]["acl_rules"][0]["action"] = "Deny".into();
    file["payload"]["acl_rules"][0]["protocol"] = "ICMP".into();
    for field in ["portStart", "portEnd"] {
        file["payload"]["acl_rules"][0].as_object_mut().unwrap().remove(field);
    }
    let item = strict(Command::ApplyNetworkAcl, &file)["payload"]["acl_rules"][0].clone();
    assert_eq!(
        (&item["action"], &item["protocol"], &item["icmpType"]),
        (&json!("deny"), &json!("icmp"), &json!(-1))
    );
}

#[test]
fn unknown_fields_stay() {
    let file = changed("assign-ip", "/payload/x-new", json!({"a": [1, "2"]}));
    assert_eq!(strict(Command::AssignIp, &file)["payload"]["x-new"], json!({"a": [1, "2"]}));
}

#[test]
fn the_strict_schema_takes_no_wire_spelling() {
    for (name, pointer, value) in [
        ("add-port-forward", "/payload/network_id", json!("209")),
        ("add-port-forward", "/payload/public_port", json!("22")),
        ("add-port-forward", "/payload/public_port", json!(22.5)),
        ("add-port-forward", "/payload/public_port", json!(70000)),
        ("add-port-forward", "/payload/protocol", json!("TCP")),
        ("add-dhcp-entry", "/payload/default_nic", json!("true")),
        ("add-dhcp-entry", "/payload/dns", json!("192.0.2.1,192.0.2.2")),
        ("add-dhcp-entry", "/payload/domain", json!("")),
        ("add-dhcp-entry", "/payload/domain", json!(null)),
        ("apply-fw-rules", "/payload/fw_rules", json!("{}")),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/portStart", json!("22")),
        ("apply-fw-rules", "/payload/fw_rules/rules/2/icmpType", json!(256)),
        ("ensure-network-device", "/payload/current_details", json!("{}")),
        ("custom-action", "/action-params", json!("{}")),
    ] {
        let command = command_of(name);
        let mut file = strict(command, &sample(name));
        crate::wire::set(&mut file, pointer, value);
        strictly_refuses(command, &file);
    }
}

#[test]
fn strict_schemas_share_the_names_of_the_types() {
    let schema = Value::from(schema::request_schema(Command::ApplyFwRules, schema::Form::Strict));
    let rule = &schema["$defs"]["FirewallRule"];
    assert_eq!((&schema["title"], &rule["title"]), (&json!("ApplyFwRulesFile"), &json!("FirewallRule")));
    assert_eq!(rule["properties"]["portStart"]["type"], "integer");
    let direction = &schema["$defs"]["Direction"]["oneOf"];
    assert!(
        direction.as_array().unwrap().iter().all(|word| !word["description"].as_str().unwrap().is_empty())
    );
    assert!(!schema.to_string().contains("null"), "{schema}");
}

#[test]
fn the_bundle_has_every_command() {
    let bundle = Value::from(schema::bundle());
    jsonschema::draft202012::meta::validate(&bundle).unwrap();
    let bundled = jsonschema::draft202012::new(&bundle).unwrap();
    for sample in samples() {
        let strict = strict(sample.command, &serde_json::from_slice(&sample.file).unwrap());
        assert!(bundled.is_valid(&json!({ sample.command.name(): strict })), "{}", sample.name);
        assert!(!bundled.is_valid(&json!({ sample.command.name(): {"payload": {}} })), "{}", sample.name);
    }
    for response in ["ensure-network-device response", "implement-network response", "custom-action response"]
    {
        assert!(bundle["properties"][response].is_object(), "{response}");
    }
}
