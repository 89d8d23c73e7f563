//! Stories, played and refused.

use std::collections::BTreeSet;

use netext_core::protocol::Service;
use netext_core::testing::{Executable, Scenario, Server, Told};
use tempfile::TempDir;

use crate::build::example;

/// Plays a story to the faulty extension; what is told of it, a line each.
fn play(scenario: &Scenario, fault: &str, to_the_end: bool) -> (usize, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let executable = Executable::new(example("netext-faulty"))
        .unwrap()
        .variable("NETEXT_FAULT", fault)
        .variable("NETEXT_FOLDER", folder.path());
    let services = BTreeSet::from([Service::SourceNat, Service::Firewall]);
    let mut lines = Vec::new();
    let problems = scenario.play(&mut Server::new(executable), &services, to_the_end, &mut |told| {
        lines.push(match told {
            Told::Event(event) => event.to_owned(),
            Told::Registered(details) => format!("{details:?}"),
            Told::NotSent(command) => format!("- {command}"),
            Told::Sent(sent) => sent.problem().unwrap_or_else(|| sent.judged.command.clone()),
            _ => unreachable!(),
        });
    });
    (problems, lines)
}

fn story(steps: &str) -> Result<Scenario, String> {
    let head = "title = \"A story\"\n[group.network]\nnetwork_id = \"209\"\n";
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
fn every_story_that_ships_can_be_played() {
    for name in Scenario::names() {
        let (problems, lines) = play(&Scenario::named(name).unwrap(), "none", true);
        assert_eq!(problems, 0, "{name}: {lines:#?}");
    }
}

#[test]
fn a_story_is_told_as_it_goes() {
    let (problems, lines) = play(&story(LIFE).unwrap(), "none", false);
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
fn a_story_ends_with_its_first_problem_unless_it_is_to_go_on() {
    let problem = r#"prepare-nic: must print nothing, but printed "prepared\n""#;
    let (problems, lines) = play(&story(LIFE).unwrap(), "prints-progress", false);
    assert_eq!((problems, lines.last().unwrap().as_str()), (1, problem));
    let (problems, lines) = play(&story(LIFE).unwrap(), "prints-progress", true);
    assert_eq!((problems, lines.last().unwrap().as_str()), (1, "destroy-network"));
}

#[test]
fn the_server_hangs_where_a_process_holds_the_stream() {
    let (_, lines) = play(&story(LIFE).unwrap(), "holds-the-streams", false);
    let last = lines.last().unwrap();
    assert!(last.starts_with("prepare-nic: the server hangs: its output is held open by sleep ("), "{last}");
}

#[test]
fn what_is_no_story_is_refused_with_the_step() {
    for (steps, problem) in [
        ("[[step]]\ncommand = \"make-coffee\"", "step 1: \"make-coffee\" is not a command"),
        ("[[step]]\ncommand = \"assign-ip\"\nwith = [\"x\"]", "step 1: there is no group \"x\""),
        ("[[step]]\nevent = \"x\"", "step 1: it has either a command or something to register"),
        (
            "[[step]]\ncommand = \"assign-ip\"\nwith = [\"network\"]",
            "missing field `public_ip`; a payload that is wrong on purpose",
        ),
        ("[[step]]\ncomand = \"assign-ip\"", "unknown field `comand`"),
    ] {
        let error = story(steps).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}
