//! The strict form: every field has one spelling and one type, and absent fields are left out.

use netext_protocol::{ActionResult, Command, Envelope, NetworkUpdate, Request, schema};
use serde_json::{Value, json};

use crate::schemas::{check_strict, strictly_refuses};
use crate::wire::{changed, command_of, parse, sample, samples};

fn strict(command: Command, file: &Value) -> Value {
    serde_json::from_str(&parse(command, file).to_strict_json()).unwrap()
}

#[test]
fn every_sample_has_an_equal_strict_form() {
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
fn absent_fields_are_left_out() {
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
fn the_strict_form_adds_no_field() {
    for name in ["readme/add-port-forward", "readme/add-static-nat", "readme/delete-static-nat"] {
        let file = sample(name);
        let strict = strict(command_of(name.strip_prefix("readme/").unwrap()), &file);
        let keys = |value: &Value| value["payload"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let (mut said, mut wire) = (keys(&strict), keys(&file));
        said.sort();
        wire.sort();
        assert_eq!(said, wire, "{name}");
    }
    let vms = json!([{"mac": "02:01:00:d1:00:0a", "ip": "10.0.0.1"}]);
    let restore = json!({"payload": {"network_id": "1", "restore_data": {"vms": vms}}});
    let strict = strict(Command::RestoreNetwork, &restore);
    assert_eq!(strict["payload"]["restore_data"], json!({ "vms": vms }));
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
fn the_strict_schema_refuses_wire_spellings() {
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
    let direction = &schema["$defs"]["Direction"];
    assert_eq!((&direction["type"], &direction["enum"]), (&json!("string"), &json!(["ingress", "egress"])));
    assert_eq!(direction["x-enum-descriptions"], json!(["To the guests.", "From the guests."]));
    let meaning = "The direction. ingress: To the guests. egress: From the guests.";
    assert_eq!(direction["description"], meaning);
    assert!(!schema.to_string().contains("null"), "{schema}");
}

/// Forms from which generators make a second type, or a class without fields: see the module `schema`.
#[test]
fn strict_schemas_have_the_forms_that_generators_agree_on() {
    fn check(at: &str, schema: &Value) {
        let Value::Object(keys) = schema else {
            return schema.as_array().into_iter().flatten().for_each(|it| check(at, it));
        };
        if keys.contains_key("$ref") {
            assert_eq!(keys.len(), 1, "{at}: a reference beside other keys");
        }
        if let Some(all) = keys.get("allOf").filter(|_| !at.ends_with("/not")) {
            assert_eq!(all.as_array().map(Vec::len), Some(1), "{at}: more than a reference");
        }
        let is_type = keys.get("type") == Some(&json!("object"));
        let is_known = keys.contains_key("properties") || keys.contains_key("additionalProperties");
        assert!(!is_type || is_known, "{at}: an object of which nothing is known");
        assert!(!keys.contains_key("oneOf") && !keys.get("type").is_some_and(Value::is_array), "{at}");
        for (key, below) in keys {
            check(&format!("{at}/{key}"), below);
        }
    }
    check("", &Value::from(schema::bundle()));
    let bundle = Value::from(schema::bundle());
    for name in ["AclAction", "DeviceDetails", "PhysicalDetails", "PortRange", "SecretBytes", "ActionMessage"]
    {
        assert_eq!(bundle["$defs"][name]["title"], name);
    }
    for (name, definition) in bundle["$defs"].as_object().unwrap() {
        assert_eq!(definition["title"], json!(name));
    }
}

#[test]
fn a_subject_is_a_network_or_a_vpc() {
    for name in ["custom-action", "ensure-network-device"] {
        let command = command_of(name);
        let mut file = strict(command, &sample(name));
        let place = if command == Command::CustomAction { "" } else { "/payload" };
        let payload = file.pointer_mut(place).unwrap().as_object_mut().unwrap();
        payload.remove("vpc_id");
        let network = payload.remove("network_id").unwrap();
        strictly_refuses(command, &file);
        file.pointer_mut(place).unwrap()["vpc_id"] = network;
        check_strict(command, &file);
    }
}

#[test]
fn strict_responses_satisfy_the_lenient_schema_and_have_no_failure_status() {
    let validator = |command, form| {
        jsonschema::draft202012::new(&schema::response_schema(command, form).unwrap().into()).unwrap()
    };
    for (command, good, bad) in [
        (Command::EnsureNetworkDevice, json!({"host": "192.0.2.10", "n": [1]}), json!({"status": "failed"})),
        (
            Command::ImplementNetwork,
            json!(NetworkUpdate::new("Vlan", "vlan://1910")),
            json!({"network.broadcast_uri": "vlan://1910"}),
        ),
        (Command::CustomAction, json!(ActionResult::message("done")), json!({"status": "failed"})),
    ] {
        for form in schema::Form::ALL {
            assert!(validator(command, form).is_valid(&good), "{command}: {good}");
            assert!(!validator(command, form).is_valid(&bad), "{command}: {bad}");
        }
    }
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
