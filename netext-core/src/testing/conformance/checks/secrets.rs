//! What must not be seen.

use netext_protocol::{Command, PhysicalDetails};

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;
use crate::testing::{Answer, Call, as_gson_writes};

/// Stands where a credential stands, in details and payloads.
const SECRET: &str = "netext-conformance-credential-5f27";

pub(super) const CHECKS: &[Check] = &[Check {
    id: "secrets",
    sentence: "No credential of a payload is printed, whatever goes wrong.",
    reason: "The server logs what is printed, and shows some of it to tenants.",
    remedy: "Say in an error which field is wrong, and never the payload, the registered details or a value of \
             a credential; keep credentials out of the device's details too, which are stored readable.",
    run: secrets,
}];

fn secrets(suite: &Suite<'_>) -> Finding {
    let stage = suite.network().implemented();
    let with_secrets = |command| {
        let mut payload = stage.payload(command);
        for name in ["password", "userdata", "sshkey"] {
            if payload.field(name).is_some() {
                payload = payload.with(name, SECRET);
            }
        }
        let mut document = suite.server.document(&payload);
        for name in ["password", "sshkey"] {
            let details = &mut document[PhysicalDetails::KEYS[0]];
            if details.get(name).is_none() {
                details[name] = SECRET.into();
            }
        }
        document
    };
    let call = |what: String, command: &str, text: String| {
        (what, suite.server.call(command, &Call::new(command, text)).answer)
    };

    let mut answers = Vec::new();
    let commands = [Command::ImplementNetwork, Command::EnsureNetworkDevice, Command::CustomAction];
    for command in commands.into_iter().filter(|command| suite.provided.answers(*command)) {
        let document = with_secrets(command);
        let name = command.name();
        let mut malformed = document.clone();
        match malformed.get_mut("payload") {
            Some(payload) => payload["network_id"] = "two hundred".into(),
            None => malformed["network_id"] = "two hundred".into(),
        }
        answers.push(call(format!("{name} with a malformed id"), name, as_gson_writes(&malformed)));
        let mut wrong = document.clone();
        wrong["payload"] = SECRET.into();
        answers.push(call(format!("{name} with a payload of the wrong shape"), name, as_gson_writes(&wrong)));
        let text = as_gson_writes(&document);
        let cut = text.find(SECRET).map_or(text.len() / 2, |start| start + SECRET.len());
        answers.push(call(format!("{name} with a payload that is cut off"), name, text[..cut].to_owned()));
        answers.push(call("an unknown command".to_owned(), "make-coffee", text.clone()));
        // These have an answer, which the server stores or shows.
        answers.push(call(name.to_owned(), name, text));
    }
    for command in [Command::SavePassword, Command::SaveUserdata, Command::SaveSshkey, Command::SaveVmData] {
        if suite.provided.answers(command) {
            let document = with_secrets(command);
            let mut malformed = document.clone();
            malformed["payload"]["mac"] = "none".into();
            answers.push(call(command.to_string(), command.name(), as_gson_writes(&document)));
            answers.push(call(
                format!("{command} with a malformed address"),
                command.name(),
                as_gson_writes(&malformed),
            ));
        }
    }
    stage.end();
    let registered = credentials(suite);
    Finding::of(answers.iter().find_map(|(what, answer)| {
        shown(answer, &registered).map(|secret| format!("{what} printed the {secret}"))
    }))
}

/// The credentials that the operator registered, by name; what is short stands in many a line by chance.
fn credentials(suite: &Suite<'_>) -> Vec<(String, String)> {
    let registered = suite.server.registered().iter();
    registered
        .filter(|(name, _)| matches!(name.as_str(), "password" | "sshkey" | "token" | "secret"))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .filter(|(name, value)| value.len() >= 6 && !PhysicalDetails::is_harmless(name))
        .collect()
}

fn shown(answer: &Answer, registered: &[(String, String)]) -> Option<String> {
    let printed = answer.printed();
    if printed.contains(SECRET) {
        return Some("credential of its payload".to_owned());
    }
    registered.iter().find(|(_, value)| printed.contains(value)).map(|(name, _)| format!("registered {name}"))
}
