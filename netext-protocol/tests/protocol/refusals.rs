//! Malformed files are refused with one line that names the place and the reason.

use netext_protocol::{Command, Envelope};
use serde_json::{Value, json};

use crate::wire::{changed, command_of, refusal, refusal_of_text, sample, samples, without};

#[test]
fn a_refusal_names_command_path_value_and_expectation() {
    let file = changed("apply-fw-rules", "/payload/fw_rules/rules/2/protocol", "sctp");
    assert_eq!(
        refusal(Command::ApplyFwRules, &file).to_string(),
        "apply-fw-rules: payload.fw_rules.rules[2].protocol: \"sctp\" is not a protocol \
         (tcp, udp, icmp, all, or a number from 0 to 255)",
    );
}

#[test]
fn a_refusal_points_at_the_value() {
    for (name, pointer, value) in [
        ("apply-fw-rules", "/payload/fw_rules/rules/2/protocol", json!("sctp")),
        ("assign-ip", "/physical-network-extension-details/a~1b.c~0", json!([])),
        ("assign-ip", "/payload", json!([])),
    ] {
        let mut file = sample(name);
        match pointer.rsplit_once('/').unwrap() {
            (parent, "a~1b.c~0") => file.pointer_mut(parent).unwrap()["a/b.c~"] = value,
            _ => *file.pointer_mut(pointer).unwrap() = value,
        }
        assert_eq!(refusal(command_of(name), &file).pointer(), pointer);
    }
    assert_eq!(refusal_of_text(Command::AssignIp, "{").pointer(), "");
}

#[test]
fn a_malformed_value_is_refused_by_its_path() {
    for (name, field, value) in [
        ("assign-ip", "public_ip", json!("198.51.100.300")),
        ("assign-ip", "public_ip", json!("198.51.100.010")),
        ("assign-ip", "public_ip", json!("2001:db8::1")),
        ("assign-ip", "public_ip", json!(7)),
        ("assign-ip", "public_cidr", json!("198.51.100.0/33")),
        ("assign-ip", "public_vlan", json!("vlan://4095")),
        ("assign-ip", "public_gateway", json!("gateway")),
        ("assign-ip", "source_nat", json!("maybe")),
        ("assign-ip", "network_id", json!("net-209")),
        ("assign-ip", "network_id", json!(-1)),
        ("assign-ip", "network_id", json!(2.5)),
        ("assign-ip", "guest_type", json!("bridged")),
        ("assign-ip", "cidr", json!("10.1.1.0/255.255.255.0")),
        ("assign-ip", "vpc_id", json!(true)),
        ("add-port-forward", "public_port", json!(70000)),
        ("add-port-forward", "private_port", json!("90-80")),
        ("add-port-forward", "protocol", json!("icmp")),
        ("add-static-nat", "private_ip", json!("web-1")),
        ("prepare-nic", "mac", json!("02:01:00")),
        ("prepare-nic", "ip6_address", json!("10.1.1.1")),
        ("prepare-nic", "hostname", json!("a b")),
        ("prepare-nic", "device_id", json!("first")),
        ("prepare-nic", "extension_ip", json!("x")),
        ("add-dhcp-entry", "dns", json!("198.51.100.53,x")),
        ("add-dhcp-entry", "domain", json!("a\nb")),
        ("implement-vpc", "vpc_cidr", json!("10.2.0.0/64")),
    ] {
        let error = refusal(command_of(name), &changed(name, &format!("/payload/{field}"), value.clone()));
        assert_eq!(error.path(), format!("payload.{field}"));
        let shown = value.as_str().map_or(value.to_string(), str::to_owned);
        let article = [" is not a ", " is not an ", " is not true"].map(|rest| format!("{shown:?}{rest}"));
        assert!(article.iter().any(|start| error.problem().starts_with(start)), "{error}");
    }
}

#[test]
fn a_wrong_structure_is_refused() {
    const NEITHER: &str = "the text given is neither a JSON object or list nor the Base64 of one";
    for (name, pointer, value, problem) in [
        ("assign-ip", "/payload", json!("x"), "expected an object, found a text"),
        ("assign-ip", "/payload", json!([]), "expected an object, found a list"),
        ("assign-ip", "/payload", Value::Null, "expected an object, found null"),
        ("assign-ip", "/payload/public_ip", json!(["x"]), "expected an IPv4 address, found a list"),
        ("assign-ip", "/payload/public_ip", json!({"x": 1}), "expected an IPv4 address, found an object"),
        ("apply-fw-rules", "/payload/fw_rules", json!([]), "expected an object, found a list"),
        ("apply-fw-rules", "/payload/fw_rules", json!("[]"), "expected an object, found a list"),
        ("apply-fw-rules", "/payload/fw_rules", json!("x y"), NEITHER),
        ("apply-fw-rules", "/payload/fw_rules/rules", json!({}), "expected a list, found an object"),
        ("apply-fw-rules", "/payload/fw_rules/rules", json!(true), "expected a list, found true or false"),
        ("apply-fw-rules", "/payload/fw_rules/rules/1", json!(5), "expected an object, found a number"),
        ("apply-fw-rules", "/payload/fw_rules/rules/1", Value::Null, "expected an object, found null"),
        ("apply-network-acl", "/payload/acl_rules", json!({}), "expected a list, found an object"),
        ("apply-lb-rules", "/payload/lb_rules", json!("{}"), "expected a list, found an object"),
        ("apply-lb-rules", "/payload/lb_rules/0/backends", json!({}), "expected a list, found an object"),
        ("save-vm-data", "/payload/vm_data", json!("hunter2"), NEITHER),
        ("save-vm-data", "/payload/vm_data/0", json!("x"), "expected an object, found a text"),
        ("restore-network", "/payload/restore_data", json!("ew=="), "not JSON: EOF while parsing an object"),
        ("restore-network", "/payload/restore_data/vms", json!({}), "expected a list, found an object"),
    ] {
        let error = refusal(command_of(name), &changed(name, pointer, value));
        assert_eq!(error.problem(), problem);
        let path = error.path().replace('[', ".").replace(']', "").replace('.', "/");
        assert_eq!(format!("/{path}"), pointer, "{error}");
    }
}

#[test]
fn required_fields_must_be_present() {
    for (name, pointer) in [
        ("destroy-network", "/payload/network_id"),
        ("shutdown-vpc", "/payload/vpc_id"),
        ("release-ip", "/payload/public_ip"),
        ("update-vpc-source-nat-ip", "/payload/public_ip"),
        ("delete-static-nat", "/payload/private_ip"),
        ("delete-port-forward", "/payload/public_port"),
        ("delete-port-forward", "/payload/protocol"),
        ("apply-fw-rules", "/payload/fw_rules"),
        ("apply-fw-rules", "/payload/fw_rules/rules"),
        ("apply-network-acl", "/payload/acl_rules"),
        ("apply-network-acl", "/payload/acl_rules/0/action"),
        ("apply-lb-rules", "/payload/lb_rules"),
        ("set-dhcp-options", "/payload/nic_id"),
        ("save-vm-data", "/payload/vm_data"),
        ("save-password", "/payload/password"),
        ("save-sshkey", "/payload/sshkey"),
        ("save-hypervisor-hostname", "/payload/hypervisor_hostname"),
        ("restore-network", "/payload/restore_data"),
        ("restore-network", "/payload/restore_data/vms"),
        ("custom-action", "/action"),
        ("assign-ip", "/payload"),
    ] {
        let field = pointer.rsplit('/').next().unwrap();
        let error = refusal(command_of(name), &without(name, pointer));
        assert_eq!(error.problem(), format!("missing field `{field}`"), "{name}");
    }
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    for (file, path) in [
        (r#"{"payload":{"network_id":1,"network_id":1}}"#, "payload.network_id"),
        (r#"{"payload":{"network_id":1,"network_id":2}}"#, "payload.network_id"),
        (r#"{"payload":{"network_id":1,"x":1,"x":2}}"#, "payload.x"),
        (r#"{"payload":{"network_id":1},"payload":{"network_id":2}}"#, "payload"),
        (r#"{"payload":{"network_id":1},"x":1,"x":1}"#, "x"),
    ] {
        let error = refusal_of_text(Command::DestroyNetwork, file);
        assert_eq!((error.path(), error.problem()), (path, "given twice"));
    }
    let file = r#"{"payload":{"network_id":1,"fw_rules":{"default_egress_allow":false,"rules":[
        {"type":"egress","protocol":"tcp","protocol":"all","sourceCidrs":[]}]}}}"#;
    let error = refusal_of_text(Command::ApplyFwRules, file);
    assert_eq!(error.path(), "payload.fw_rules.rules[0].protocol");
}

#[test]
fn a_file_that_is_not_json_is_refused() {
    for file in [
        "",
        " ",
        "{",
        "nonsense",
        "{\"payload\":{\"network_id\":1}",
        "{}{}",
        "{'a':1}",
        "\u{feff}{}",
        "{\"a\":NaN}",
    ] {
        let error = refusal_of_text(Command::DestroyNetwork, file);
        let problem = error.problem();
        assert!(problem.starts_with("not JSON: ") || problem == "missing field `payload`", "{file}: {error}");
    }
    let mut file = sample("assign-ip").to_string();
    file.push_str(" {}");
    assert_eq!(
        refusal_of_text(Command::AssignIp, &file).problem().split(" at ").next(),
        Some("not JSON: trailing characters"),
    );
    assert!(Envelope::parse(Command::DestroyNetwork, b"{\"payload\":\"\xff\"}").is_err());
}

#[test]
fn a_file_that_is_not_an_object_is_refused_without_being_quoted() {
    for file in [r#""hunter2""#, "[1]", "42", "true", "null"] {
        let error = refusal_of_text(Command::DestroyNetwork, file);
        assert!(error.problem().starts_with("expected an object, found"), "{error}");
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("42"), "{error}");
    }
}

#[test]
fn every_truncated_sample_is_refused() {
    for sample in samples() {
        for end in (0..sample.file.len()).step_by(37) {
            let error = Envelope::parse(sample.command, &sample.file[..end]).unwrap_err();
            crate::wire::check_message(sample.command, &error);
        }
    }
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for file in [
        deep.clone(),
        format!(r#"{{"payload":{{"network_id":{deep}}}}}"#),
        format!(r#"{{"payload":{{"network_id":1,"x":{deep}}}}}"#),
        format!(r#"{{"payload":{{"network_id":1}},"network-extension-details":{deep}}}"#),
        format!(r#"{{"payload":{{"network_id":1}},"network-extension-details":"{{\"a\":{deep}}}"}}"#),
    ] {
        refusal_of_text(Command::DestroyNetwork, &file);
    }
}

#[test]
fn keys_and_values_cannot_break_the_line() {
    let file = changed("assign-ip", "/payload/public_ip", "a\nFATAL: \u{1b}[31m\u{2028}b");
    let error = refusal(Command::AssignIp, &file);
    assert!(error.problem().starts_with(r#""a\nFATAL: \u{1b}[31m\u{2028}b" is not"#), "{error}");
    let file = changed("assign-ip", "/physical-network-extension-details/a\n\u{1b}b", json!([]));
    assert!(refusal(Command::AssignIp, &file).path().ends_with(r"details.a\n\u{1b}b"));
    let file = changed("assign-ip", "/payload/public_ip", "x".repeat(10_000));
    assert!(refusal(Command::AssignIp, &file).to_string().len() < 300);
    let file = changed(
        "assign-ip",
        format!("/physical-network-extension-details/{}", "k".repeat(9_000)).as_str(),
        json!([]),
    );
    assert!(refusal(Command::AssignIp, &file).to_string().len() < 500);
}

#[test]
fn an_unknown_command_is_named_in_the_error() {
    let error = "implement-netwrok\n".parse::<Command>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""implement-netwrok\n" is not a command of the Network Extension protocol"#,
    );
}
