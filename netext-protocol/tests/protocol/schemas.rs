//! The JSON Schemas, checked by an independent validator.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use netext_protocol::schema::{self, Form};
use netext_protocol::{ActionResult, Command, DeviceDetails, NetworkUpdate, Output, PROTOCOL_VERSION};
use serde_json::{Value, json};

use crate::wire::{changed, command_of, samples, without};

type Validators = LazyLock<BTreeMap<Command, Validator>>;

static LENIENT: Validators =
    LazyLock::new(|| validators(|it| Some(schema::request_schema(it, Form::Lenient))));
static STRICT: Validators = LazyLock::new(|| validators(|it| Some(schema::request_schema(it, Form::Strict))));
static RESPONSES: Validators = LazyLock::new(|| validators(|it| schema::response_schema(it, Form::Lenient)));

fn validators(schema: fn(Command) -> Option<schemars::Schema>) -> BTreeMap<Command, Validator> {
    let validator = |schema: Value| jsonschema::draft202012::new(&schema).unwrap();
    let validators =
        Command::ALL.iter().filter_map(|&command| Some((command, validator(schema(command)?.into()))));
    validators.collect()
}

/// Every file that the reader accepts satisfies its schema.
pub fn check_request(command: Command, file: &Value) {
    check(&LENIENT[&command], command, file);
}

/// Every file in the strict form satisfies both of its schemas.
pub fn check_strict(command: Command, file: &Value) {
    check(&STRICT[&command], command, file);
    check(&LENIENT[&command], command, file);
}

fn check(validator: &Validator, command: Command, file: &Value) {
    if let Err(error) = validator.validate(file) {
        panic!("{command}: {}: {error}\n{file}", error.instance_path());
    }
}

pub fn strictly_refuses(command: Command, file: &Value) {
    assert!(!STRICT[&command].is_valid(file), "the strict schema of {command} takes {file}");
}

/// All schemas of a command, in both forms.
fn all_schemas(command: Command) -> Vec<Value> {
    let of_form = |form| {
        let request = schema::request_schema(command, form);
        std::iter::once(request).chain(schema::response_schema(command, form)).map(Value::from)
    };
    Form::ALL.into_iter().flat_map(of_form).collect()
}

fn refuses(command: Command, file: &Value) {
    assert!(!LENIENT[&command].is_valid(file), "the schema of {command} takes {file}");
    // The reader refuses every file that a schema refuses.
    crate::wire::refusal(command, file);
}

#[test]
fn every_schema_is_a_schema() {
    for &command in Command::ALL {
        for schema in all_schemas(command) {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert!(schema["title"].is_string());
            if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
                panic!("{command}: {error}");
            }
        }
    }
}

#[test]
fn every_sample_satisfies_its_schema() {
    for sample in samples() {
        check_request(sample.command, &serde_json::from_slice(&sample.file).unwrap());
    }
}

#[test]
fn a_sample_without_a_required_field_satisfies_no_schema() {
    for sample in samples() {
        let file: Value = serde_json::from_slice(&sample.file).unwrap();
        let schema = Value::from(schema::request_schema(sample.command, Form::Lenient));
        let flat = sample.command == Command::CustomAction;
        let (pointer, schema) =
            if flat { ("", &schema) } else { ("/payload", &schema["properties"]["payload"]) };
        for name in schema["required"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let mut file = file.clone();
            file.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
            refuses(sample.command, &file);
        }
        let ids = ["network_id", "vpc_id"];
        for id in ids.into_iter().filter(|id| file.pointer(&format!("{pointer}/{id}")).is_some()) {
            for value in [json!({}), json!(["1"]), json!(true), json!("one"), json!("-1")] {
                let mut file = file.clone();
                file.pointer_mut(pointer).unwrap()[id] = value;
                refuses(sample.command, &file);
            }
        }
        if !flat {
            for payload in [json!("{}"), json!([]), json!(null), json!({})] {
                let mut file = file.clone();
                file["payload"] = payload;
                refuses(sample.command, &file);
            }
        }
        for details in ["physical-network-extension-details", "network-extension-details"] {
            for value in [json!([]), json!(7), json!("text")] {
                let mut file = file.clone();
                file[details] = value;
                refuses(sample.command, &file);
            }
        }
        for file in [json!([]), json!("x"), json!(null)] {
            refuses(sample.command, &file);
        }
    }
}

#[test]
fn an_obviously_wrong_payload_satisfies_no_schema() {
    for (name, pointer, value) in [
        ("assign-ip", "/physical-network-extension-details/password", json!({})),
        ("ensure-network-device", "/payload/current_details", json!("text")),
        ("implement-network", "/payload/guest_type", json!("bridged")),
        ("implement-network", "/payload/gateway", json!("gateway")),
        ("implement-network", "/payload/cidr", json!("10.1.1.0/255.255.255.0")),
        ("implement-network", "/payload/vlan", json!("a b")),
        ("implement-vpc", "/payload/public_ip", json!("2001:db8::1")),
        ("assign-ip", "/payload/source_nat", json!("yes")),
        ("assign-ip", "/payload/public_ip", json!("")),
        ("add-static-nat", "/payload/private_ip", json!(null)),
        ("add-port-forward", "/payload/public_port", json!("80-")),
        ("add-port-forward", "/payload/public_port", json!(true)),
        ("delete-port-forward", "/payload/protocol", json!("icmp")),
        ("apply-fw-rules", "/payload/fw_rules", json!([])),
        ("apply-fw-rules", "/payload/fw_rules/rules", json!({})),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/protocol", json!("sctp")),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/type", json!("forward")),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/sourceCidrs", json!("0.0.0.0/0")),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/sourceCidrs", json!(null)),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/sourceCidrs/0", json!("anywhere")),
        ("apply-fw-rules", "/payload/fw_rules/rules/2/icmpType", json!("echo")),
        ("apply-network-acl", "/payload/acl_rules", json!({})),
        ("apply-network-acl", "/payload/acl_rules/0/action", json!("reject")),
        ("apply-network-acl", "/payload/acl_rules/0/trafficType", json!("both")),
        ("apply-network-acl", "/payload/acl_rules/0/number", json!("first")),
        ("prepare-nic", "/payload/mac", json!("02:01:00")),
        ("prepare-nic", "/payload/ip6_cidr", json!("10.1.1.0/24")),
        ("add-dhcp-entry", "/payload/hostname", json!("a b")),
        ("add-dhcp-entry", "/payload/dns", json!("resolver")),
        ("set-dhcp-options", "/payload/options", json!([])),
        ("save-vm-data", "/payload/vm_data", json!("no Base64!")),
        ("save-vm-data", "/payload/vm_data", json!(7)),
        ("save-vm-data", "/payload/vm_data/0/content", json!([])),
        ("save-password", "/payload/password", json!("")),
        ("restore-network", "/payload/restore_data", json!("%7B%7D")),
        ("restore-network", "/payload/restore_data/vms/0/mac", json!("x")),
        ("apply-lb-rules", "/payload/lb_rules/0/algorithm", json!("random")),
        ("apply-lb-rules", "/payload/lb_rules/0/protocol", json!("http")),
        ("apply-lb-rules", "/payload/lb_rules/0/backends/0/ip", json!("web-1")),
        ("custom-action", "/action-params", json!("text")),
        ("custom-action", "/action", json!("")),
    ] {
        refuses(command_of(name), &changed(name, pointer, value));
    }
    for (name, pointer) in [
        ("apply-fw-rules", "/payload/fw_rules/default_egress_allow"),
        ("apply-fw-rules", "/payload/fw_rules/rules/0/sourceCidrs"),
        ("apply-network-acl", "/payload/acl_rules/0/number"),
        ("apply-lb-rules", "/payload/lb_rules/0/publicIp"),
        ("save-vm-data", "/payload/vm_data/0/file"),
        ("restore-network", "/payload/restore_data/vms"),
        ("ensure-network-device.vpc", "/payload/vpc_id"),
        ("custom-action", "/network_id"),
    ] {
        refuses(command_of(name), &without(name, pointer));
    }
}

#[test]
fn unknown_fields_satisfy_every_schema() {
    for sample in samples() {
        let mut file: Value = serde_json::from_slice(&sample.file).unwrap();
        file["x-new"] = json!({"a": [1]});
        check_request(sample.command, &file);
    }
    check_request(Command::AssignIp, &changed("assign-ip", "/payload/x-new", json!([1])));
}

#[test]
fn secrets_are_marked() {
    let schema = Value::from(schema::request_schema(Command::SavePassword, Form::Lenient));
    let password = &schema["properties"]["payload"]["properties"]["password"];
    assert_eq!(password["writeOnly"], true);
}

#[test]
fn descriptions_are_prose_without_links_of_the_source() {
    for &command in Command::ALL {
        for schema in all_schemas(command) {
            let text = schema.to_string();
            for trace in ["crate::", "structfield", "Self::", "\\n ", "`"] {
                assert!(!text.contains(trace), "{command}: {trace} in {text}");
            }
        }
    }
}

fn answers(command: Command, response: &Value) -> bool {
    RESPONSES[&command].is_valid(response)
}

#[test]
fn a_command_without_output_has_no_schema_of_a_response() {
    for &command in Command::ALL {
        let prints = command.output() != Output::Nothing;
        for form in Form::ALL {
            assert_eq!(schema::response_schema(command, form).is_some(), prints, "{command}");
            assert_eq!(schema::response_file(command, form).is_some(), prints, "{command}");
        }
    }
}

#[test]
fn device_details_are_any_object_without_a_failure_status() {
    let command = Command::EnsureNetworkDevice;
    let details = DeviceDetails::default().with("host", "192.0.2.10").with("ports", vec![1, 2]);
    for response in [json!({}), json!(details), json!({"host": "192.0.2.10", "status": "Success"})] {
        assert!(answers(command, &response), "{response}");
    }
    for response in [json!([]), json!("x"), json!(null), json!({"status": "failed"}), json!({"status": 1})] {
        assert!(!answers(command, &response), "{response}");
    }
}

#[test]
fn a_network_update_has_both_keys() {
    let command = Command::ImplementNetwork;
    let (kind, uri) = ("network.broadcast_domain_type", "network.broadcast_uri");
    assert!(answers(command, &json!(NetworkUpdate::new("Vlan", "vlan://1910"))));
    assert!(answers(command, &json!({kind: "NetworkExtension", uri: "ovn://cs-net-42", "later": 1})));
    for response in [
        json!({}),
        json!({ kind: "Vlan" }),
        json!({ uri: "vlan://1910" }),
        json!({kind: "Vlan", uri: 1910}),
        json!({kind: "Vlan", uri: "1910"}),
        json!({kind: "", uri: "vlan://1910"}),
        json!({kind: "Vlan", uri: "vlan://1910", "status": "failed"}),
        json!({"network": {"broadcast_domain_type": "Vlan", "broadcast_uri": "vlan://1910"}}),
        json!("vlan://1910"),
    ] {
        assert!(!answers(command, &response), "{response}");
    }
}

#[test]
fn an_action_prints_text_or_a_success() {
    let command = Command::CustomAction;
    let row = json!({"table": "isp1", "id": 100}).as_object().unwrap().clone();
    for response in [
        json!(ActionResult::text("free text")),
        json!(ActionResult::message("done")),
        json!(ActionResult::rows(vec![row])),
        json!({"anything": {"else": []}}),
    ] {
        assert!(answers(command, &response), "{response}");
    }
    for response in [
        json!({"status": "failed", "message": "no"}),
        json!({"status": "success", "message": 5}),
        json!({"status": "success", "message": [{"row": {"not": "flat"}}]}),
        json!({"status": "success", "message": ["row"]}),
        json!([1]),
    ] {
        assert!(!answers(command, &response), "{response}");
    }
}

#[test]
fn the_index_lists_every_command() {
    let index = schema::index();
    assert_eq!(index["protocol_version"], PROTOCOL_VERSION);
    let commands = index["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 35);
    for (entry, &command) in commands.iter().zip(Command::ALL) {
        assert_eq!(entry["command"], command.name());
        assert_eq!(entry["scope"], command.scope().name());
        assert_eq!(entry["output"], command.output().name());
        let services: Vec<_> = command.services().iter().map(|service| service.name()).collect();
        assert_eq!(entry["services"], json!(services));
        assert_eq!(entry["request"], format!("commands/{command}.request.schema.json"));
        assert_eq!(entry["strict_request"], format!("strict/commands/{command}.request.schema.json"));
        let prints = command.output() != Output::Nothing;
        let response = prints.then(|| format!("commands/{command}.response.schema.json"));
        assert_eq!(entry["response"], json!(response));
    }
    let restore = &commands[4];
    assert_eq!(restore["services"], json!(["Dhcp", "Dns", "UserData"]));
    assert_eq!(restore["scope"], "network");
}
