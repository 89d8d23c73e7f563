//! Payloads that an extension must refuse.

use netext_protocol::{Command, Service};
use serde_json::{Value, json};

use crate::testing::conformance::check::{
    Check, Checked, ExtensionUnderTest, SampleNetwork, exits_with_0, exits_with_an_error, failed, skipped,
};
use crate::testing::payload::{Payload, as_gson_writes};

pub(super) static CHECKS: &[&Check] = &[
    &Check {
        id: "not-json",
        requirement: "A payload that is not a JSON object fails the command.",
        reason: "A truncated file does not hold everything that the server wrote.",
        remedy: "Exit with 1 if the file is not one JSON object.",
        varies: &[],
        run: not_json,
    },
    &Check {
        id: "no-id",
        requirement: "A payload without the id of its network fails the command.",
        reason: "A command for a network with an empty id changes another tenant's network.",
        remedy: "Refuse a payload without network_id; treat empty text and null as absent.",
        varies: &[],
        run: no_id,
    },
    &Check {
        id: "malformed-values",
        requirement: "A malformed value fails the command.",
        reason: "Values become parts of names, paths, rules and command lines: an attacker writes the ones that are \
                 not parsed.",
        remedy: "Parse ids, addresses and networks, and refuse the values that do not parse.",
        varies: &[],
        run: malformed_values,
    },
    &Check {
        id: "unknown-rule-words",
        requirement: "A rule with an unknown protocol, direction or action fails the command.",
        reason: "A guessed or dropped rule opens what must stay closed.",
        remedy: "Refuse the whole command if a rule has an unknown word; never use a default.",
        varies: &[],
        run: unknown_rule_words,
    },
    &Check {
        id: "refusals-change-nothing",
        requirement: "A refused command changes nothing in its network.",
        reason: "The server sends the command again, and all others as if nothing had happened.",
        remedy: "Check the whole payload before the first change.",
        varies: &[],
        run: |tested| {
            tested.network().implemented().removed_after(|network| before_and_after(tested, network))
        },
    },
];

fn must_refuse(tested: &ExtensionUnderTest<'_>, payload: &Payload, what: &str) -> Checked {
    let response = tested.server.send_alone(payload).response;
    exits_with_an_error(&format!("{} with {what}", payload.command()), &response)
}

fn not_json(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let document = tested.server.document(&network.payload(Command::ImplementNetwork));
    let whole = as_gson_writes(&document);
    for (what, text) in [
        ("an empty file", ""),
        ("a truncated file", &whole[..whole.len() - 2]),
        ("a list", "[]"),
        ("a string", "\"payload\""),
        ("prose", "payload: none"),
    ] {
        if network.call_with(Command::ImplementNetwork, text).code() == Some(0) {
            network.remove();
            return failed(format!("implement-network succeeded with {what}"));
        }
    }
    Ok(())
}

fn no_id(tested: &ExtensionUnderTest<'_>) -> Checked {
    let payload = tested.network().payload(Command::ImplementNetwork);
    must_refuse(tested, &payload.clone().without("network_id"), "no network_id")?;
    must_refuse(tested, &payload.clone().with("network_id", ""), "an empty network_id")?;
    must_refuse(tested, &payload.with("network_id", Value::Null), "a network_id that is null")
}

fn malformed_values(tested: &ExtensionUnderTest<'_>) -> Checked {
    let values = [
        (Command::ImplementNetwork, "network_id", "../../etc"),
        (Command::ImplementNetwork, "network_id", "209; reboot"),
        (Command::ImplementNetwork, "network_id", "-1"),
        (Command::ImplementNetwork, "vlan", "a b"),
        (Command::ImplementNetwork, "cidr", "10.1.1.0/99"),
        (Command::ImplementNetwork, "gateway", "10.1.1.256"),
        (Command::ImplementNetwork, "extension_ip", "$(reboot)"),
        (Command::AssignIp, "public_ip", "198.51.100.300"),
        (Command::AddStaticNat, "private_ip", "web-1"),
        (Command::AddPortForward, "public_port", "70000"),
        (Command::AddPortForward, "private_port", "90-80"),
        (Command::AddDhcpEntry, "mac", "02:01:00"),
        (Command::AddDhcpEntry, "hostname", "a\naddress=/#/192.0.2.1"),
    ];
    tested.network().implemented().removed_after(|network| {
        for (command, field, value) in values.into_iter().filter(|it| tested.profile.implements(it.0)) {
            let payload = network.payload(command).with(field, value);
            must_refuse(tested, &payload, &format!("{field} {}", json!(value)))?;
        }
        for command in network.creating() {
            for (payload, field) in truncated_texts(&network.payload(command)) {
                must_refuse(tested, &payload, &format!("truncated text in {field}"))?;
            }
        }
        Ok(())
    })
}

/// The payload with one of its structures as truncated text, and the name of that field.
fn truncated_texts(payload: &Payload) -> Vec<(Payload, String)> {
    let mut truncated = Vec::new();
    for form in payload.in_older_forms() {
        for (name, value) in form.fields() {
            if let (Some(text), Some(false)) = (value.as_str(), payload.field(name).map(Value::is_string)) {
                // A multiple of four characters is still Base64.
                let text = &text[..text.len().saturating_sub(8) / 4 * 4];
                truncated.push((payload.clone().with(name, text), name.clone()));
            }
        }
    }
    truncated
}

fn unknown_rule_words(tested: &ExtensionUnderTest<'_>) -> Checked {
    let words = [
        (Command::ApplyFwRules, "fw_rules/rules/0/protocol", "sctp6"),
        (Command::ApplyFwRules, "fw_rules/rules/0/type", "sideways"),
        (Command::ApplyFwRules, "fw_rules/rules/0/sourceCidrs", "everywhere"),
        (Command::ApplyNetworkAcl, "acl_rules/0/action", "perhaps"),
        (Command::ApplyNetworkAcl, "acl_rules/0/trafficType", "sideways"),
        (Command::AddPortForward, "protocol", "icmp"),
        (Command::ApplyLbRules, "lb_rules/0/algorithm", "luckiest"),
    ];
    let words: Vec<_> = words.into_iter().filter(|it| tested.profile.implements(it.0)).collect();
    if words.is_empty() {
        return skipped("the extension provides no service with rules");
    }
    tested.network().implemented().removed_after(|network| {
        words.into_iter().try_for_each(|(command, path, word)| {
            must_refuse(tested, &network.payload(command).with(path, word), &format!("{path} {word:?}"))
        })
    })
}

fn before_and_after(tested: &ExtensionUnderTest<'_>, network: &SampleNetwork<'_>) -> Checked {
    let implement = network.payload(Command::ImplementNetwork);
    let ensure = || tested.server.send(tested.server.ensuring(&implement)).response;
    let [earlier, before] = [ensure(), ensure()];
    let _ = tested.server.send_alone(&implement.clone().with("cidr", "10.1.1.0/99"));
    if tested.profile.services.contains(&Service::Firewall) {
        let rules = network.payload(Command::ApplyFwRules).with("fw_rules/rules/0/protocol", "sctp6");
        let _ = tested.server.send_alone(&rules);
    }
    let after = ensure();
    // Another check requires that the response is always the same.
    let is_stable = earlier.output == before.output;
    if is_stable && (before.code(), &before.output) != (after.code(), &after.output) {
        return failed(format!(
            "ensure-network-device answered {:?} before a refused implement-network and {:?} after it",
            before.output.trim(),
            after.output.trim()
        ));
    }
    // implement-network is not sent again: the network must still be there.
    network.creating().into_iter().filter(|it| *it != Command::ImplementNetwork).try_for_each(|command| {
        exits_with_0(&format!("after refused commands {command}"), &network.send(command).response)
    })
}
