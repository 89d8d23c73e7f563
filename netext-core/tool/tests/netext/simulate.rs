//! `netext simulate` and `netext scenarios`.

use std::fs;

use tempfile::TempDir;

use crate::build::example;
use crate::tool::{ToolRun, netext, run, run_to_end};

fn simulate(fault: &str, arguments: &[&str]) -> ToolRun {
    let folder = TempDir::new().unwrap();
    let mut command = netext(&["simulate", "--exec"]);
    command.arg(example("netext-faulty")).args(arguments);
    command.env("NETEXT_FAULT", fault).env("NETEXT_FOLDER", folder.path());
    run_to_end(command)
}

#[test]
fn a_story_is_printed_step_by_step() {
    let run = simulate("none", &["isolated-network"]);
    let printed = run.succeeds();
    for part in [
        "An isolated network from its first instance to its end\n\nThe first instance is deployed",
        "\n  ok    implement-network ",
        "\n        the server stores: {\"host\":\"192.0.2.10\"}\n",
        "\n  -     config-dhcp-subnet         not sent: the extension does not provide Dhcp\n",
        "\nno problems\n",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn a_problem_ends_the_story_and_the_exit_code_says_so() {
    let run = simulate("prints-progress", &["isolated-network"]);
    assert_eq!(run.code, Some(1));
    let told = "  FAIL  prepare-nic ";
    assert!(run.stdout.contains(told) && run.stdout.ends_with("\n\n1 problem\n"), "{}", run.stdout);
    assert!(
        run.stdout.contains("prepare-nic: must print nothing, but printed \"prepared\\n\""),
        "{}",
        run.stdout
    );

    let json = simulate("prints-progress", &["--json", "--keep-going", "isolated-network"]).json(1);
    assert_eq!(json["problems"], 1);
    let last = json["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["command"], &last["verdict"]), (&"destroy-network".into(), &"succeeded".into()));
}

#[test]
fn registered_details_prevail_over_those_of_the_story() {
    let run = simulate("none", &["--details", "hosts=198.51.100.77", "failover"]);
    run.succeeds();
    let unregistered = simulate("none", &["--details", "hosts", "failover"]);
    assert!(unregistered.stderr.contains("NAME=VALUE"), "{unregistered:?}");
}

#[test]
fn a_story_is_played_in_the_style_of_every_sender() {
    for style in ["server", "readme", "older"] {
        simulate("none", &["--style", style, "isolated-network"]).succeeds();
        simulate("none", &["--style", style, "vpc"]).succeeds();
    }
    // The fault needs a field that the README does not document.
    let run = simulate("needs-a-nic-id", &["--style", "readme", "isolated-network"]);
    assert!(run.stdout.contains("  FAIL  prepare-nic "), "{run:?}");
    simulate("needs-a-nic-id", &["isolated-network"]).succeeds();
    assert_eq!(simulate("none", &["--style", "html", "vpc"]).code, Some(2));
}

#[test]
fn stories_are_listed_printed_and_played_from_a_file() {
    let names = run(&["scenarios"]);
    for name in ["isolated-network", "vpc", "shared-network", "restart", "failover"] {
        assert!(names.succeeds().lines().any(|line| line.starts_with(name)), "{names:?}");
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("own.toml");
    fs::write(&file, run(&["scenarios", "restart"]).succeeds()).unwrap();
    simulate("none", &[file.to_str().unwrap()]).succeeds();

    fs::write(&file, "title = 7\n").unwrap();
    let refused = simulate("none", &[file.to_str().unwrap()]);
    assert!(refused.stderr.contains("own.toml: not a scenario: "), "{refused:?}");
    let absent = simulate("none", &["no-such-story"]);
    assert!(
        absent.stderr.contains("\"no-such-story\" is neither a scenario (isolated-network, "),
        "{absent:?}"
    );
}

#[test]
fn a_failure_without_a_word_is_shown() {
    let failed = run(&["simulate", "--exec", "/bin/false", "--services", "none", "isolated-network"]);
    assert!(failed.stdout.contains("failed: exit code 1, and it printed nothing"), "{failed:?}");
}
