//! The server's stream gets the reply and nothing else.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::alive::is_alive;
use crate::server::ScriptedServer;

#[test]
fn a_command_without_a_reply_is_silent() {
    ScriptedServer::new().run("assign-ip", json!([])).assert_silent_success();
}

#[test]
fn output_of_the_device_and_its_children_never_reaches_the_server() {
    ScriptedServer::new()
        .run("assign-ip", json!([
            { "print": "noise" },
            { "complain": "noise" },
            { "run": "echo noise; echo noise >&2; echo noise > /dev/stdout; echo noise > /proc/self/fd/2" },
        ]))
        .assert_silent_success();
}

#[test]
fn a_reply_is_printed_once_and_alone() {
    let answer = ScriptedServer::new().run(
        "ensure-network-device",
        json!([
            { "print": "noise" },
            { "details": { "host": "192.0.2.10" } },
        ]),
    );
    assert_eq!((answer.code, answer.stream.as_str()), (Some(0), "{\"host\":\"192.0.2.10\"}\n"));
}

#[test]
fn a_long_reply_arrives_whole() {
    let text = "x".repeat(3 << 20);
    let answer = ScriptedServer::new().run("custom-action", json!([{ "answer": text }]));
    assert_eq!(answer.stream.len(), text.len() + 1);
}

#[test]
fn a_child_that_stays_behind_does_not_hold_the_stream() {
    let server = ScriptedServer::new();
    let answer = server.run("assign-ip", json!([{ "spawn": server.sleeper("child") }, { "sleep": 200 }]));
    answer.assert_silent_success();
    assert!(answer.took < Duration::from_secs(10), "{answer:?}");

    let child = server.process("child");
    assert!(is_alive(child), "a command that succeeds leaves its daemons running");
    kill_process(child, Signal::KILL).unwrap();
}

#[test]
fn standard_input_is_empty() {
    // The input of the test's server is endless.
    ScriptedServer::new().run("assign-ip", json!([{ "run": "cat" }])).assert_silent_success();
}

#[test]
fn a_reply_that_would_break_the_contract_is_not_printed() {
    let server = ScriptedServer::new();
    for (command, step, problem) in [
        ("assign-ip", json!({ "answer": "done" }), "this command prints nothing"),
        ("ensure-network-device", json!({ "answer": "{}\n{}" }), "more than one line"),
        ("ensure-network-device", json!({ "answer": "host=a" }), "not a JSON object"),
        ("ensure-network-device", json!({ "details": { "status": "ok" } }), "status"),
        ("ensure-network-device", json!({ "details": { "blob": "x".repeat(1024) } }), "1024"),
        ("custom-action", json!({ "answer": "{\"status\":\"failed\"}" }), "status"),
    ] {
        let answer = server.run(command, json!([step]));
        let line = answer.failure(70);
        assert!(line.starts_with(&format!("internal error: {command}: the device ")), "{line}");
        assert!(line.contains(problem), "{line}");
    }
}

#[test]
fn a_server_that_is_gone_is_noticed() {
    let server = ScriptedServer::new();
    let payload = server.payload();
    let script = server.path("script.json");
    std::fs::write(&script, r#"[{ "details": { "host": "192.0.2.10" } }]"#).unwrap();
    let status = std::process::Command::new(crate::server::double())
        .args(["ensure-network-device", payload.to_str().unwrap(), "60"])
        .env("NETEXT_DOUBLE", script)
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(70));
}
