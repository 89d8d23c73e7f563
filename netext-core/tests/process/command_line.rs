//! Arguments and the flags that every executable has.

use serde_json::{Value, json};

use crate::server::{CommandEnd, ScriptedServer};

fn run(args: &[&str]) -> CommandEnd {
    ScriptedServer::new().start_with(args, json!([])).wait()
}

#[test]
fn a_malformed_command_line_is_refused_with_the_usage() {
    for args in
        [&[][..], &["assign-ip"], &["assign-pi", "/dev/null", "60"], &["assign-ip", "/dev/null", "soon"]]
    {
        let answer = run(args);
        let line = answer.failure(1);
        assert!(line.contains("usage: netext-double <command> <payload-file> <timeout-seconds>"), "{line}");
    }
}

#[test]
fn it_prints_its_version_and_the_protocols() {
    let answer = run(&["--version"]);
    assert_eq!((answer.code, answer.stream.as_str()), (Some(0), "double 1.2.3 (protocol 1)\n"));
}

#[test]
fn it_prints_its_help() {
    let answer = run(&["--help"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.stream.contains("usage: netext-double <command>"), "{answer:?}");
}

#[test]
fn it_describes_itself_ready_to_be_registered() {
    let answer = run(&["--describe"]);
    assert_eq!(answer.code, Some(0));
    let description: Value = serde_json::from_str(&answer.stream).unwrap();
    assert_eq!(
        description,
        json!({
            "name": "double",
            "version": "1.2.3",
            "protocol_version": 1,
            "services": ["Dhcp", "SourceNat"],
            "capabilities": {
                "Dhcp": { "DhcpAccrossMultipleSubnets": "true" },
                "SourceNat": { "RedundantRouter": "false", "SupportedSourceNatTypes": "peraccount" },
            },
            "commands": [
                "ensure-network-device", "implement-network", "shutdown-network", "destroy-network",
                "restore-network", "assign-ip", "release-ip", "prepare-nic", "release-nic",
                "config-dhcp-subnet", "remove-dhcp-subnet", "add-dhcp-entry", "remove-dhcp-entry",
                "set-dhcp-options",
            ],
            "network.services": "Dhcp,SourceNat",
            "network.service.capabilities": concat!(
                r#"{"Dhcp":{"DhcpAccrossMultipleSubnets":"true"},"#,
                r#""SourceNat":{"RedundantRouter":"false","SupportedSourceNatTypes":"peraccount"}}"#,
            ),
        })
    );
}
