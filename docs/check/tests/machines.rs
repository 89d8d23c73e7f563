//! Leftovers and settings of users on a machine do not change the result of a test.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::process::Command;

use netext_book::book::repository;

/// Shell commands that print something if a test could notice a user of this machine.
const PROBES: &[&str] = &[
    "ls -A /var/tmp/recording",
    "ls -A /tmp/networks",
    "ls -A ~/recording",
    "ls -A ~/.ssh",
    // The home of the account, for programs that do not use the environment.
    "ls -A $(getent passwd root | cut -d : -f 6)/.curlrc",
    "grep 192.0.2.99 /etc/hosts",
    "ls -A /etc/netns",
    "ls -A /run/netns",
    "ls -A /etc/cloudstack",
    "env | grep ^NETEXT_",
    "env | grep -E '^(RUST_LOG|NO_COLOR|XDG_|SSH_|TMPDIR|http_proxy|HTTPS_PROXY|PYTHONPATH|BASH_ENV|TZ)'",
    "umask | grep -v 0022",
];

/// Separates the outputs of the probes.
const MARK: &str = "\u{1e}";

/// The output of each probe, all run on one machine that the given programs of `.ci` make.
fn outputs(machine: &[&str]) -> Vec<String> {
    let programs: Vec<_> = machine.iter().map(|name| repository().join(".ci").join(name)).collect();
    let probe = |probe: &&str| format!("(unset CDPATH; {probe}) 2>/dev/null\nprintf '{MARK}'\n");
    let script: String = PROBES.iter().map(probe).collect();
    let output =
        Command::new(&programs[0]).args(&programs[1..]).args(["sh", "-c", &script]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let outputs: Vec<_> = printed.split_terminator(MARK).map(str::to_owned).collect();
    assert_eq!(outputs.len(), PROBES.len(), "{printed}");
    outputs
}

#[test]
fn a_test_on_a_used_machine_sees_a_clean_one() {
    for (probe, used) in PROBES.iter().zip(outputs(&["used-machine"])) {
        assert_ne!(used, "", "{probe} finds nothing where there is something to be found");
    }
    for (probe, clean) in PROBES.iter().zip(outputs(&["used-machine", "clean-machine"])) {
        assert_eq!(clean, "", "{probe}");
    }
}

#[test]
fn cargo_runs_tests_on_a_clean_machine() {
    let home = std::env::var("HOME");
    assert_eq!(home.as_deref(), Ok("/tmp/home"), "tests are run by .ci/test-runner, see .cargo/config.toml");
}
