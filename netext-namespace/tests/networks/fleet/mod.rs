//! `fleet`: operators' commands for many hosts, run on a management server, with real sshds.

mod deploy;
mod doctor;
mod status;

use netext_lab::{FIRST_HOST, KvmHost, Lab};
use serde_json::Value;

const SECOND_HOST: &str = "192.0.2.11";
const THIRD_HOST: &str = "192.0.2.12";

/// A program in the extension's place that speaks another protocol.
const OTHER_PROTOCOL: &str = "#!/bin/sh\n\
    test \"$1\" = relay && exec echo '{\"relay\":9,\"version\":\"9.9.9\",\"content\":{\"new\":[]}}'\n\
    test \"$1\" = status && exec echo '{\"routers\":[{\"router\":\"network-7\",\"healthy\":true,\"new\":1}]}'\n\
    exit 1\n";

/// Two more hosts; all three are registered.
#[track_caller]
fn three_hosts(lab: &Lab) -> [KvmHost; 2] {
    lab.register("hosts", &format!("{FIRST_HOST},{SECOND_HOST},{THIRD_HOST}"));
    [lab.join(SECOND_HOST), lab.join(THIRD_HOST)]
}

/// Runs a command for the registered hosts, and returns its output.
#[track_caller]
fn fleet(lab: &Lab, words: &str, code: i32) -> String {
    run(lab, &format!("{words} --from {}", lab.payload_file()), code)
}

#[track_caller]
fn run(lab: &Lab, words: &str, code: i32) -> String {
    let words: Vec<_> = std::iter::once("fleet").chain(words.split(' ')).collect();
    let outcome = lab.start_bare(&words).finish();
    assert_eq!(outcome.code, Some(code), "{words:?}: {}", outcome.output);
    outcome.output
}

/// The same with `--json`: the document of each host.
#[track_caller]
fn hosts(lab: &Lab, words: &str, code: i32) -> Vec<Value> {
    let printed = fleet(lab, &format!("{words} --json"), code);
    let mut document: Value = serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"));
    serde_json::from_value(document["hosts"].take()).expect("a list of hosts")
}

/// The cells of the row of a host.
#[track_caller]
fn row<'a>(printed: &'a str, host: &str) -> Vec<&'a str> {
    let row = printed.lines().find(|line| line.starts_with(&format!("{host}  ")));
    row.unwrap_or_else(|| panic!("{host} in {printed}"))
        .split("  ")
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect()
}
