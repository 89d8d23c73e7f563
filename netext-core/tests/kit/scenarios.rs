//! Scenarios are played, or refused.

use std::collections::BTreeSet;

use netext_core::protocol::Service;
use netext_core::testing::{Progress, Scenario, Server};

use crate::faulty::faulty_executable;

/// Plays a scenario to the faulty extension. Returns the number of problems, and a line for each progress.
fn play(scenario: &Scenario, fault: &str, to_the_end: bool) -> (usize, Vec<String>) {
    let (executable, _folder) = faulty_executable(fault);
    let services = BTreeSet::from([Service::SourceNat, Service::Firewall]);
    let mut lines = Vec::new();
    let problems = scenario.play(&mut Server::new(executable), &services, to_the_end, &mut |progress| {
        lines.push(match progress {
            Progress::Event(event) => event.to_owned(),
            Progress::Registered(details) => format!("{details:?}"),
            Progress::NotSent(command) => format!("- {command}"),
            Progress::Sent(sent) => sent.problem().unwrap_or_else(|| sent.judged.command.clone()),
            _ => unreachable!(),
        });
    });
    (problems, lines)
}

fn scenario(steps: &str) -> Result<Scenario, String> {
    let head = "title = \"A scenario\"\n[group.network]\nnetwork_id = \"209\"\n";
    Scenario::parse(&format!("{head}{steps}")).map_err(|error| error.to_string())
}

const LIFE: &str = r#"
    [[step]]
    event = "It comes"
    command = "implement-network"
    with = ["network"]
    [[step]]
    command = "prepare-nic"
    with = ["network"]
    fields = { nic_id = 71, mac = "02:01:00:d1:00:0a" }
    [[step]]
    command = "apply-lb-rules"
    with = ["network"]
    fields.lb_rules = []
    [[step]]
    event = "It goes"
    register = { hosts = "192.0.2.11" }
    [[step]]
    command = "destroy-network"
    fields = { network_id = "none" }
    malformed = true
    expect = "failure"
    [[step]]
    command = "destroy-network"
    with = ["network"]
"#;

#[test]
fn every_scenario_of_the_kit_can_be_played() {
    for name in Scenario::names() {
        let (problems, lines) = play(&Scenario::named(name).unwrap(), "none", true);
        assert_eq!(problems, 0, "{name}: {lines:#?}");
    }
}

#[test]
fn each_step_is_reported() {
    let (problems, lines) = play(&scenario(LIFE).unwrap(), "none", false);
    assert_eq!(
        lines,
        [
            "It comes",
            "implement-network",
            "prepare-nic",
            "- apply-lb-rules",
            "It goes",
            r#"[("hosts", "192.0.2.11")]"#,
            "destroy-network",
            "destroy-network",
        ]
    );
    assert_eq!(problems, 0);
}

#[test]
fn a_scenario_ends_with_its_first_problem_unless_it_goes_on_to_the_end() {
    let problem = r#"prepare-nic: must print nothing, but printed "prepared\n""#;
    let (problems, lines) = play(&scenario(LIFE).unwrap(), "prints-progress", false);
    assert_eq!((problems, lines.last().unwrap().as_str()), (1, problem));
    let (problems, lines) = play(&scenario(LIFE).unwrap(), "prints-progress", true);
    assert_eq!((problems, lines.last().unwrap().as_str()), (1, "destroy-network"));
}

#[test]
fn the_server_hangs_if_a_process_holds_the_stream() {
    let (_, lines) = play(&scenario(LIFE).unwrap(), "holds-the-streams", false);
    let last = lines.last().unwrap();
    assert!(last.starts_with("prepare-nic: the server hangs: its output is held open by sleep ("), "{last}");
}

#[test]
fn an_invalid_scenario_is_refused_with_the_step() {
    for (steps, problem) in [
        ("[[step]]\ncommand = \"make-coffee\"", "step 1: \"make-coffee\" is not a command"),
        ("[[step]]\ncommand = \"assign-ip\"\nwith = [\"x\"]", "step 1: there is no group \"x\""),
        ("[[step]]\nevent = \"x\"", "step 1: it must have either `command` or `register`"),
        (
            "[[step]]\ncommand = \"assign-ip\"\nwith = [\"network\"]",
            "missing field `public_ip`; if the payload is invalid on purpose, add malformed = true",
        ),
        ("[[step]]\ncomand = \"assign-ip\"", "unknown field `comand`"),
    ] {
        let error = scenario(steps).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}
