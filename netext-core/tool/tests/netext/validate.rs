//! `netext validate`.

use netext_core::protocol::Sample;
use serde_json::json;

use crate::tool::{run, run_with_input};

#[test]
fn a_valid_payload_passes() {
    for sample in Sample::all() {
        let run = run_with_input(&["validate", sample.command().name(), "-"], sample.text().as_bytes());
        assert_eq!(run.succeeds(), format!("this is a payload of {}\n", sample.command()));
    }
}

#[test]
fn every_problem_is_listed_with_place_value_and_expectation() {
    let payload = json!({"payload": {
        "network_id": "209", "public_ip": "198.51.100.300", "public_port": "90-80", "private_ip": "10.1.1.10",
        "private_port": "22", "protocol": "icmp", "source-nat": "true",
    }})
    .to_string();
    let run_ = run_with_input(&["validate", "add-port-forward", "-"], payload.as_bytes());
    assert_eq!(run_.code, Some(1), "{run_:?}");
    let lines: Vec<_> = run_.stdout.lines().collect();
    assert_eq!(lines[0], r#"payload.protocol: "icmp" is not a transport protocol (tcp, udp)"#);
    assert_eq!(lines[1], r#"payload.public_ip: "198.51.100.300" is not an IPv4 address"#);
    assert!(lines[2].starts_with(r#"payload.public_port: "90-80" is not "#), "{}", lines[2]);
    assert_eq!(lines[3], r#"note: "/payload/source-nat" is not a field of the protocol; it is ignored"#);
    assert_eq!(lines[4], "3 problems: this is not a payload of add-port-forward");

    let json = run_with_input(&["--json", "validate", "add-port-forward", "-"], payload.as_bytes()).json(1);
    assert_eq!(json["valid"], false);
    assert_eq!(json["problems"][1]["pointer"], "/payload/public_ip");
    assert_eq!(json["problems"][1]["problem"], r#""198.51.100.300" is not an IPv4 address"#);
    assert_eq!(json["unknown_fields"], json!(["/payload/source-nat"]));
}

#[test]
fn a_secret_is_not_shown_even_if_it_is_the_problem() {
    let payload = json!({"payload": {"network_id": "209", "nic_id": "1", "mac": "02:00:00:00:00:01",
                                     "password": ["hunter2"]}})
    .to_string();
    let run = run_with_input(&["validate", "save-password", "-"], payload.as_bytes());
    assert!(run.code == Some(1) && run.stdout.contains("payload.password: "), "{run:?}");
    assert!(!run.stdout.contains("hunter2"), "{run:?}");
}

#[test]
fn unreadable_files_and_unknown_commands_are_refused() {
    let missing = run(&["validate", "assign-ip", "/nonexistent/payload.json"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.starts_with("netext: cannot read /nonexistent/payload.json: "), "{missing:?}");

    let unknown = run(&["validate", "make-coffee", "-"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("possible values: ensure-network-device, "), "{unknown:?}");

    let misspelled = run(&["validate", "asign-ip", "-"]);
    assert!(misspelled.stderr.contains("a similar value exists: 'assign-ip'"), "{misspelled:?}");
}
