//! The log file.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::server::ScriptedServer;

#[test]
fn every_command_leaves_one_record() {
    let server = ScriptedServer::new();
    server.run("assign-ip", json!([]));
    server.run("assign-ip", json!([{ "fail": [2, "no\nanswer"] }]));
    server.run("assign-ip", json!([{ "panic": "oops" }]));
    server.start("assign-ip", "1", json!(["await-cancellation"])).wait();

    let lines = server.log_lines();
    let expected = [
        ["INFO netext:", "outcome=\"succeeded\" exit=0 ms="],
        ["ERROR netext:", "outcome=\"connection\" exit=2 ms="],
        ["ERROR netext:", "outcome=\"internal\" exit=70 ms="],
        ["ERROR netext:", "outcome=\"expired\" exit=4 ms="],
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, parts) in lines.iter().zip(expected) {
        for part in parts.into_iter().chain(["command=\"assign-ip\" network=209 vpc=7 "]) {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    assert!(!lines[0].contains("error="), "{}", lines[0]);
    assert!(lines[1].ends_with(r"error=no\nanswer"), "{}", lines[1]);
}

#[test]
fn only_its_owner_may_read_it() {
    let server = ScriptedServer::new();
    server.run("assign-ip", json!([]));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server.log()), 0o600);
    assert_eq!(mode(&server.path("log/acme")), 0o700);
    assert_eq!(mode(&server.path("log")), 0o700);
}

#[test]
fn the_devices_own_events_go_there_too() {
    let server = ScriptedServer::new();
    server.run("assign-ip", json!([{ "trace": "asking the controller" }]));
    let lines = server.log_lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("asking the controller"), "{}", lines[0]);
}

#[test]
fn a_log_that_cannot_be_opened_keeps_no_command_from_working() {
    let server = ScriptedServer::new();
    std::fs::write(server.path("log"), "a file where the folder should be").unwrap();
    server.run("assign-ip", json!([])).assert_silent_success();
}

#[test]
fn flags_leave_no_record() {
    let server = ScriptedServer::new();
    server.start_with(&["--version"], json!([])).wait();
    assert!(!server.log().exists());
}
