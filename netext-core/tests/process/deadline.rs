//! Commands that take too long, or are asked to end.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::alive::{eventually, is_alive};
use crate::server::{CommandEnd, ScriptedServer};

/// It timed out after one second and the grace, with a margin for a busy machine.
#[track_caller]
fn assert_timed_out(answer: &CommandEnd) -> &str {
    let line = answer.failure(4);
    assert!(line.starts_with("assign-ip: timed out after 1 s"), "{line}");
    let bounds = Duration::from_millis(990)..Duration::from_secs(6);
    assert!(bounds.contains(&answer.took), "{answer:?}");
    line
}

fn run_for_a_second(server: &ScriptedServer, script: Value) -> CommandEnd {
    server.start("assign-ip", "1", script).wait()
}

#[test]
fn a_device_that_never_ends_is_abandoned_at_the_deadline() {
    let server = ScriptedServer::new();
    for step in [json!({ "sleep": 100_000 }), json!({ "block": 100_000 }), json!("spin")] {
        let answer = run_for_a_second(&server, json!([step]));
        assert_eq!(
            assert_timed_out(&answer),
            "assign-ip: timed out after 1 s; the device did not stop and was abandoned"
        );
    }
}

#[test]
fn the_deadline_covers_the_wait_for_the_payload() {
    let server = ScriptedServer::new();
    let path = server.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let answer = server.start_with(&["assign-ip", path.to_str().unwrap(), "1"], json!([])).wait();
    assert_timed_out(&answer);
}

#[test]
fn a_success_before_the_deadline_is_one() {
    run_for_a_second(&ScriptedServer::new(), json!([{ "block": 300 }])).assert_silent_success();
}

#[test]
fn children_and_their_children_are_killed_at_the_deadline() {
    let server = ScriptedServer::new();
    let family = format!(
        "({}) & {}",
        server.sleeper("grandchild").replace("$$", "$(exec sh -c 'echo $PPID')"),
        server.sleeper("child")
    );
    let answer = run_for_a_second(&server, json!([{ "run": family }]));
    assert_timed_out(&answer);
    for name in ["child", "grandchild"] {
        let process = server.process(name);
        eventually(|| (!is_alive(process)).then_some(()));
    }
}

#[test]
fn a_daemon_that_detached_itself_lives_on() {
    let server = ScriptedServer::new();
    let daemon = format!("setsid sh -c '{}' & exit", server.sleeper("daemon"));
    let answer = run_for_a_second(&server, json!([{ "run": daemon }, { "block": 100_000 }]));
    assert_timed_out(&answer);
    let daemon = server.process("daemon");
    assert!(is_alive(daemon));
    kill_process(daemon, Signal::KILL).unwrap();
}

#[test]
fn a_signal_calls_the_work_off_and_leaves_time_to_undo_it() {
    for (signal, name, code) in [(Signal::TERM, "SIGTERM", 143), (Signal::INT, "SIGINT", 130)] {
        let server = ScriptedServer::new();
        let undone = server.path("undone");
        let script = json!([
            { "spawn": server.sleeper("child") },
            "await-cancellation",
            { "run": format!("touch {}", undone.display()) },
            { "fail": [4, "called off"] },
        ]);
        let running = server.start("assign-ip", "60", script);
        let child = server.process("child");
        running.signal(signal);
        let answer = running.wait();
        assert_eq!(answer.failure(code), format!("assign-ip: interrupted by {name}: called off"));
        assert!(undone.exists());
        eventually(|| (!is_alive(child)).then_some(()));
    }
}

#[test]
fn a_device_that_ignores_signals_is_abandoned_after_the_grace() {
    let server = ScriptedServer::new();
    let running = server.start("assign-ip", "60", json!([{ "run": server.sleeper("child") }, "spin"]));
    let child = server.process("child");
    running.signal(Signal::TERM);
    running.signal(Signal::TERM);
    let answer = running.wait();
    assert_eq!(
        answer.failure(143),
        "assign-ip: interrupted by SIGTERM; the device did not stop and was abandoned"
    );
    let bounds = Duration::from_millis(1900)..Duration::from_secs(10);
    assert!(bounds.contains(&answer.took), "{answer:?}");
    eventually(|| (!is_alive(child)).then_some(()));
}
