//! `netext help`, and the reference of every command.

use netext_protocol::{BroadcastDomainType, Capability, Command, Envelope, Output};
use serde_json::Value;

use crate::tool::run;

fn section(command: Command) -> String {
    run(&["help", command.name()]).succeeds().to_owned()
}

/// The cells of the tables of fields.
fn fields(section: &str) -> Vec<Vec<&str>> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn every_field_has_a_value_a_sender_and_a_meaning() {
    for &command in Command::ALL {
        let section = section(command);
        assert!(section.contains(command.summary()) && section.contains(command.sent()), "{section}");
        let fields = fields(&section);
        assert!(!fields.is_empty(), "{section}");
        for field in fields {
            assert_eq!(field.len(), 4, "{command}: {field:?}");
            assert!(field.iter().all(|cell| !cell.is_empty()), "{command}: {field:?}");
        }
    }
}

#[test]
fn the_senders_of_a_field_are_listed() {
    let senders = |command: Command, name: &str| {
        let section = section(command);
        let fields = fields(&section);
        fields.iter().find(|field| field[0] == format!("`{name}`")).expect(name)[2].to_owned()
    };
    assert_eq!(senders(Command::AddDnsEntry, "ip"), "server, README");
    assert_eq!(senders(Command::AddDnsEntry, "mac"), "server");
    assert_eq!(senders(Command::PrepareNic, "nic_ip6_address"), "README");
    assert_eq!(senders(Command::PrepareNic, "ip6_address"), "server");
    assert_eq!(senders(Command::ImplementVpc, "cidr"), "older READMEs");
    assert_eq!(senders(Command::ImplementVpc, "vpc_cidr"), "server, README");
    assert_eq!(senders(Command::RestoreNetwork, "ip6_address"), "server");
}

#[test]
fn words_have_their_meanings() {
    let acl = section(Command::ApplyNetworkAcl);
    for line in ["- `deny`: Drop them.", "- `ingress`: To the guests.", "- `icmp`: ICMP, with type and code."]
    {
        assert!(acl.contains(line), "{line} in {acl}");
    }
    let update = section(Command::ImplementNetwork);
    for known in BroadcastDomainType::KNOWN {
        assert!(update.contains(&format!("- `{known}`: {}", known.meaning())), "{known}");
    }
}

#[test]
fn payloads_and_answers_are_valid() {
    for &command in Command::ALL {
        let section = section(command);
        let blocks: Vec<_> =
            section.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        let answers = usize::from(command.output() != Output::Nothing);
        let (payloads, answer) = blocks.split_at(blocks.len() - answers);
        assert_eq!(payloads.len(), 2, "{section}");
        for payload in payloads {
            Envelope::parse(command, payload.as_bytes()).unwrap();
        }
        for answer in answer {
            assert_eq!(answer.trim().lines().count(), 1, "{answer}");
            assert!(serde_json::from_str::<Value>(answer).unwrap().is_object());
        }
    }
}

#[test]
fn the_page_lists_every_capability() {
    let page = run(&["schema", "--format", "markdown"]).succeeds().to_owned();
    for capability in Capability::ALL {
        let row = format!("| `{}` | {} |", capability.name(), capability.values());
        assert!(page.contains(&row), "{row}");
        assert!(page.contains(capability.without().unwrap_or("nothing is lost")));
    }
}

#[test]
fn it_explains_the_tool_as_well() {
    assert!(run(&["help"]).succeeds().contains("Usage: netext"));
    assert!(run(&["help", "sample"]).succeeds().contains("netext sample"));
    let unknown = run(&["help", "release-addresses"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("release-ip"), "{unknown:?}");
    let json = run(&["help", "assign-ip", "--json"]);
    let json: Value = serde_json::from_str(json.succeeds()).unwrap();
    assert!(json["text"].as_str().unwrap().starts_with("## assign-ip"));
}

#[test]
fn help_is_plain_text_for_a_terminal() {
    let summary = run(&["--help"]).succeeds().to_owned();
    let (_, commands) = summary.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    assert!(commands.lines().count() > 10, "{commands}");
    for line in commands.lines() {
        assert!(!line.ends_with('.'), "{line}");
        let name = line.split_whitespace().next().unwrap();
        let help = run(&[name, "--help"]).succeeds().to_owned();
        assert!(!help.contains('`'), "{name}: {help}");
    }
}
