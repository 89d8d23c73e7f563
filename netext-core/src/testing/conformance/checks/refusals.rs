//! What an extension must refuse, and how.

use netext_protocol::{Command, Service};
use serde_json::{Value, json};

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::stage::Stage;
use crate::testing::conformance::suite::Suite;
use crate::testing::{Payload, as_gson_writes};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "not-json",
        sentence: "A payload that is no JSON object fails the command.",
        reason: "A file that was cut off says less than the server meant.",
        remedy: "Exit with 1 if the file cannot be parsed as one JSON object.",
        run: not_json,
    },
    Check {
        id: "no-id",
        sentence: "A payload that does not say which network it is about fails the command.",
        reason: "Acting on a network with an empty number acts on somebody else's.",
        remedy: "Refuse a payload without network_id; treat an empty text and null as absent.",
        run: no_id,
    },
    Check {
        id: "malformed-values",
        sentence: "A value that is not what its field holds fails the command.",
        reason: "Values end up in names, paths, rules and command lines: one that is not parsed is one that \
                 an attacker writes.",
        remedy: "Parse ids as numbers, addresses and networks as such, and refuse what does not parse.",
        run: malformed_values,
    },
    Check {
        id: "unknown-rule-words",
        sentence: "A rule with an unknown protocol, direction or action fails the command.",
        reason: "A rule that is guessed at or left out opens what ought to be closed.",
        remedy: "Refuse the whole command if any rule has a word that is not known; never default.",
        run: unknown_rule_words,
    },
    Check {
        id: "refusals-change-nothing",
        sentence: "After a refused command the network goes on as before.",
        reason: "The server sends the command again, and everything else as if nothing had happened.",
        remedy: "Check the whole payload before the first change.",
        run: refusals_change_nothing,
    },
];

fn must_fail(suite: &Suite<'_>, payload: &Payload, what: &str) -> Finding {
    let judged = suite.server.send_alone(payload);
    match judged.answer.code() {
        Some(0) => Finding::Failed(format!("{} succeeded with {what}", payload.command())),
        Some(_) => Finding::Passed,
        None => Finding::failed_by(&judged.command, &judged.answer),
    }
}

fn not_json(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let document = suite.server.document(&stage.payload(Command::ImplementNetwork));
    let whole = as_gson_writes(&document);
    for (what, text) in [
        ("an empty file", ""),
        ("a file that is cut off", &whole[..whole.len() - 2]),
        ("a list", "[]"),
        ("a text", "\"payload\""),
        ("prose", "payload: none"),
    ] {
        let answer = stage.call_with(Command::ImplementNetwork, text);
        if answer.code() == Some(0) {
            stage.end();
            return Finding::Failed(format!("implement-network succeeded with {what}"));
        }
    }
    Finding::Passed
}

fn no_id(suite: &Suite<'_>) -> Finding {
    let payload = suite.network().payload(Command::ImplementNetwork);
    for (what, payload) in [
        ("no network_id", payload.clone().without("network_id")),
        ("an empty network_id", payload.clone().with("network_id", "")),
        ("a network_id that is null", payload.with("network_id", Value::Null)),
    ] {
        let finding = must_fail(suite, &payload, what);
        if finding != Finding::Passed {
            return finding;
        }
    }
    Finding::Passed
}

fn malformed_values(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let mut wrong = vec![
        ("network_id", json!("../../etc")),
        ("network_id", json!("209; reboot")),
        ("network_id", json!("-1")),
        ("vlan", json!("a b")),
        ("cidr", json!("10.1.1.0/99")),
        ("gateway", json!("10.1.1.256")),
        ("extension_ip", json!("$(reboot)")),
    ]
    .into_iter()
    .map(|(field, value)| (Command::ImplementNetwork, field, value))
    .collect::<Vec<_>>();
    wrong.extend([
        (Command::AssignIp, "public_ip", json!("198.51.100.300")),
        (Command::AddStaticNat, "private_ip", json!("web-1")),
        (Command::AddPortForward, "public_port", json!("70000")),
        (Command::AddPortForward, "private_port", json!("90-80")),
        (Command::AddDhcpEntry, "mac", json!("02:01:00")),
        (Command::AddDhcpEntry, "hostname", json!("a\naddress=/#/192.0.2.1")),
    ]);
    let stage = stage.implemented();
    let mut finding = Finding::Passed;
    for (command, field, value) in wrong.into_iter().filter(|it| suite.provided.answers(it.0)) {
        let what = format!("{field} {value}");
        finding = finding.and(|| must_fail(suite, &stage.payload(command).with(field, value), &what));
    }
    for command in stage.creating() {
        for (payload, field) in cut_texts(&stage.payload(command)) {
            let what = format!("a text in {field} that is cut off");
            finding = finding.and(|| must_fail(suite, &payload, &what));
        }
    }
    stage.end();
    finding
}

/// The payload with its structures in texts that are cut off; and the fields.
fn cut_texts(payload: &Payload) -> Vec<(Payload, String)> {
    let mut cut = Vec::new();
    for form in payload.in_older_forms() {
        for (name, value) in form.fields() {
            if let (Some(text), Some(false)) = (value.as_str(), payload.field(name).map(Value::is_string)) {
                // A multiple of four: it is Base64 still.
                let text = &text[..text.len().saturating_sub(8) / 4 * 4];
                cut.push((payload.clone().with(name, text), name.clone()));
            }
        }
    }
    cut
}

fn unknown_rule_words(suite: &Suite<'_>) -> Finding {
    let words = [
        (Command::ApplyFwRules, "fw_rules/rules/0/protocol", "sctp6"),
        (Command::ApplyFwRules, "fw_rules/rules/0/type", "sideways"),
        (Command::ApplyFwRules, "fw_rules/rules/0/sourceCidrs", "everywhere"),
        (Command::ApplyNetworkAcl, "acl_rules/0/action", "perhaps"),
        (Command::ApplyNetworkAcl, "acl_rules/0/trafficType", "sideways"),
        (Command::AddPortForward, "protocol", "icmp"),
        (Command::ApplyLbRules, "lb_rules/0/algorithm", "luckiest"),
    ];
    let words: Vec<_> = words.into_iter().filter(|it| suite.provided.answers(it.0)).collect();
    if words.is_empty() {
        return Finding::Skipped("it provides no service that has rules".to_owned());
    }
    let stage = suite.network().implemented();
    let mut finding = Finding::Passed;
    for (command, path, word) in words {
        finding = finding
            .and(|| must_fail(suite, &stage.payload(command).with(path, word), &format!("{path} {word:?}")));
    }
    stage.end();
    finding
}

fn refusals_change_nothing(suite: &Suite<'_>) -> Finding {
    let stage = suite.network().implemented();
    let finding = before_and_after(suite, &stage);
    stage.end();
    finding
}

fn before_and_after(suite: &Suite<'_>, stage: &Stage<'_>) -> Finding {
    let ensure =
        || suite.server.send(suite.server.ensuring(&stage.payload(Command::ImplementNetwork))).answer;
    let [earlier, before] = [ensure(), ensure()];
    let _ = suite.server.send_alone(&stage.payload(Command::ImplementNetwork).with("cidr", "10.1.1.0/99"));
    if suite.provided.services.contains(&Service::Firewall) {
        let rules = stage.payload(Command::ApplyFwRules).with("fw_rules/rules/0/protocol", "sctp6");
        let _ = suite.server.send_alone(&rules);
    }
    let after = ensure();
    // That it answers the same at all is asked elsewhere.
    let is_stable = earlier.output == before.output;
    if is_stable && (before.code(), &before.output) != (after.code(), &after.output) {
        return Finding::Failed(format!(
            "ensure-network-device answered {:?} before a refused implement-network and {:?} after it",
            before.output.trim(),
            after.output.trim()
        ));
    }
    // It is not implemented once more: it has to be there still.
    for command in stage.creating().into_iter().filter(|it| *it != Command::ImplementNetwork) {
        let answer = stage.send(command).answer;
        if answer.code() != Some(0) {
            return Finding::failed_by(&format!("after refused commands {command}"), &answer);
        }
    }
    Finding::Passed
}
