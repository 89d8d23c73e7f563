//! How a command fails.

use serde_json::json;

use crate::server::{SECRETS, ScriptedServer};

#[test]
fn every_kind_of_failure_has_its_exit_code_and_one_line() {
    let server = ScriptedServer::new();
    for code in [1, 2, 3, 4, 5] {
        let answer = server.run("assign-ip", json!([{ "fail": [code, "no free slot for 198.51.100.10"] }]));
        assert_eq!(answer.failure(code), "no free slot for 198.51.100.10");
    }
    let answer = server.run("assign-ip", json!([{ "fail": [70, "impossible"] }]));
    assert_eq!(answer.failure(70), "internal error: impossible");
}

#[test]
fn an_error_of_many_lines_is_one_line() {
    let answer =
        ScriptedServer::new().run("assign-ip", json!([{ "fail": [3, "nft said:\r\n\tsyntax error\n"] }]));
    assert_eq!(answer.failure(3), r"nft said:\r\n\tsyntax error");
}

#[test]
fn a_failure_prints_one_line_without_the_devices_output() {
    let answer = ScriptedServer::new()
        .run("assign-ip", json!([{ "print": "a" }, { "complain": "b" }, { "fail": [3, "c"] }]));
    assert_eq!(answer.failure(3), "c");
}

#[test]
fn a_panic_is_one_line_with_its_location() {
    let answer = ScriptedServer::new().run("assign-ip", json!([{ "panic": "index 3\nout of range" }]));
    let line = answer.failure(70);
    assert!(line.starts_with("internal error: panicked at "), "{line}");
    assert!(line.contains("double/double.rs:"), "{line}");
    assert!(line.ends_with(r": index 3\nout of range"), "{line}");
}

#[test]
fn a_panic_while_the_device_is_being_built_is_one_line_too() {
    let answer = ScriptedServer::new().run("assign-ip", json!("not an array of steps"));
    let line = answer.failure(70);
    assert!(line.starts_with("internal error: panicked at "), "{line}");
    assert!(line.contains("the script is made of steps"), "{line}");
}

#[test]
fn a_payload_that_cannot_be_read_is_named() {
    let server = ScriptedServer::new();
    let missing = server.path("missing.json");
    let missing = missing.to_str().unwrap();
    let line = server.start_with(&["assign-ip", missing, "60"], json!([])).wait();
    assert_eq!(
        line.failure(1),
        format!("cannot read the payload file {missing}: No such file or directory (os error 2)")
    );

    let folder = server.path("");
    let answer = server.start_with(&["assign-ip", folder.to_str().unwrap(), "60"], json!([])).wait();
    assert!(answer.failure(1).contains("directory"), "{answer:?}");
}

#[test]
fn an_invalid_payload_is_refused_with_field_and_file() {
    let server = ScriptedServer::new();
    for (payload, problem) in [
        (&b"{\"payload\": {\"network_id\": \"209\""[..], "not JSON"),
        (b"[]", "object"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"", "not JSON"),
        (br#"{"payload": {"network_id": "two hundred"}}"#, "payload.network_id: \"two hundred\" is not"),
        (br#"{"payload": {"network_id": "209", "public_ip": "198.51.100.300"}}"#, "payload.public_ip"),
    ] {
        let path = server.payload_of(payload);
        let path = path.to_str().unwrap();
        let answer = server.start_with(&["assign-ip", path, "60"], json!(["parse"])).wait();
        let line = answer.failure(1);
        assert!(line.contains(problem) && line.contains(path), "{problem}: {line}");
    }
}

#[test]
fn a_big_payload_is_read() {
    let server = ScriptedServer::new();
    let content = "x".repeat(1 << 20);
    let vm_data: Vec<_> = (0..32)
        .map(|number| json!({ "dir": "metadata", "file": number.to_string(), "content": content }))
        .collect();
    let payload = json!({ "payload": {
        "network_id": "209", "nic_id": "5", "mac": "02:00:00:00:00:01", "vm_data": vm_data,
    } });
    let path = server.payload_of(payload.to_string().as_bytes());
    server
        .start_with(&["save-vm-data", path.to_str().unwrap(), "60"], json!(["parse"]))
        .wait()
        .assert_silent_success();
}

#[test]
fn no_failure_shows_a_secret() {
    let server = ScriptedServer::new();
    for payload in [
        format!(
            r#"{{"physical-network-extension-details": {{"password": "{0}"}}, "payload": {{}}}}"#,
            SECRETS[0]
        ),
        format!(
            r#"{{"physical-network-extension-details": {{"password": ["{0}"]}}, "payload": {{}}}}"#,
            SECRETS[0]
        ),
        format!(
            r#"{{"physical-network-extension-details": {{"password": "{0}"}}, "payload": "{0}"}}"#,
            SECRETS[0]
        ),
        format!(r#"{{"physical-network-extension-details": "{0}"}}"#, SECRETS[0]),
        format!(r#"{{"physical-network-extension-details": {{"password": "{0}"#, SECRETS[0]),
    ] {
        let path = server.payload_of(payload.as_bytes());
        let answer = server.start_with(&["assign-ip", path.to_str().unwrap(), "60"], json!(["parse"])).wait();
        let line = answer.failure(1);
        assert!(!line.contains("hunter2"), "{line}");
        assert!(!server.log_lines().concat().contains("hunter2"));
    }
}
