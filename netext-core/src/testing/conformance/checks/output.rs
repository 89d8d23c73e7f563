//! What an extension prints, and what it leaves open.

use netext_protocol::{Command, NetworkUpdate, Output};
use serde_json::Value;

use super::{Check, first_failure};
use crate::reply;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;
use crate::testing::judged::excerpt;
use crate::testing::{Answer, Judged};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "silent-commands",
        sentence: "Commands that have nothing to say print nothing on standard output.",
        reason: "Whatever is printed is read as the answer.",
        remedy: "Send progress and the output of tools to a log file.",
        run: |suite| {
            of_every_answer(suite, |command, answer| {
                (command.output() == Output::Nothing && !answer.output.is_empty())
                    .then(|| format!("{command} printed {}", excerpt(&answer.output)))
            })
        },
    },
    Check {
        id: "silent-errors",
        sentence: "A command that succeeds writes nothing on standard error.",
        reason: "The server has standard error and output as one stream: a warning spoils the answer.",
        remedy: "Send warnings to a log file, and start tools with their standard error sent there as well.",
        run: |suite| {
            of_every_answer(suite, |command, answer| {
                (!answer.error_output.is_empty())
                    .then(|| format!("{command} wrote {}", excerpt(&answer.error_output)))
            })
        },
    },
    Check {
        id: "network-update",
        sentence: "implement-network prints nothing, or one network update in one line.",
        reason: "The server moves the network to the segment that it reads there.",
        remedy: "Print both keys, network.broadcast_domain_type and network.broadcast_uri, or nothing at all.",
        run: network_update,
    },
    Check {
        id: "no-stray-status",
        sentence: "No command that succeeds prints an object with a status other than success.",
        reason: "The server takes such an answer for a failure although the exit code is 0.",
        remedy: "Leave the field out, or call it something else.",
        run: |suite| {
            of_every_answer(suite, |command, answer| {
                reply::failed_status(&answer.output)
                    .map(|status| format!("{command} printed a status of {status}"))
            })
        },
    },
    Check {
        id: "streams-released",
        sentence: "Nothing holds the output open once the command has ended.",
        reason: "The server reads to the end of the stream: a daemon that inherited it hangs the server for ever.",
        remedy: "Start what stays behind with standard input, output and error at /dev/null.",
        run: |suite| {
            of_every_answer(suite, |command, answer| {
                (!answer.held_by.is_empty())
                    .then(|| format!("after {command} it was held by {}", answer.held_by.join(", ")))
            })
        },
    },
    Check {
        id: "undeclared-services",
        sentence: "Commands of services that it does not declare succeed without output.",
        reason: "The server sends some of them to every extension.",
        remedy: "Exit with 0 and print nothing for every command of the protocol that is not yours.",
        run: undeclared_services,
    },
    Check {
        id: "large-payloads",
        sentence: "A payload of several megabytes is read.",
        reason: "A restart restores all instances of a network in one payload, user data included.",
        remedy: "Read the file as a whole, and pass its contents on in files, not as arguments.",
        run: large_payloads,
    },
];

/// Lives a network's life, asking for the device as the server does, and looks at every answer.
fn of_every_answer(suite: &Suite<'_>, look: impl Fn(Command, &Answer) -> Option<String>) -> Finding {
    let stage = suite.network();
    for command in stage.creating().into_iter().chain(stage.removing()) {
        let payload = stage.payload(command);
        let ensuring = suite.server.ensuring(&payload);
        let ensured = std::iter::repeat_n(ensuring, command.ensured().into());
        for payload in ensured.chain([payload]) {
            let Judged { answer, .. } = stage.send_apart(&payload);
            // That it succeeds is asked elsewhere.
            let problem = (answer.code() == Some(0)).then(|| look(payload.command(), &answer)).flatten();
            if let Some(problem) = problem {
                stage.end();
                return Finding::Failed(problem);
            }
        }
    }
    Finding::Passed
}

fn network_update(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let answer = stage.send_apart(&stage.payload(Command::ImplementNetwork)).answer;
    stage.end();
    let text = answer.output.trim();
    if answer.code() != Some(0) || text.is_empty() {
        return Finding::Passed;
    }
    let update = serde_json::from_str::<NetworkUpdate>(text);
    let is_empty = serde_json::from_str::<Value>(text)
        .is_ok_and(|it| it.as_object().is_some_and(serde_json::Map::is_empty));
    Finding::of((text.contains(['\n', '\r']) || (update.is_err() && !is_empty)).then(|| {
        let why = update.err().map_or_else(|| "more than one line".to_owned(), |error| error.to_string());
        format!("it printed {}: {why}", excerpt(text))
    }))
}

fn undeclared_services(suite: &Suite<'_>) -> Finding {
    // A custom action is refused by the server itself where the service is not declared.
    let is_sent = |command: &Command| *command != Command::CustomAction;
    let undeclared = Command::ALL.iter().copied().filter(is_sent);
    let undeclared: Vec<_> = undeclared.filter(|command| !suite.provided.declares(*command)).collect();
    if undeclared.is_empty() {
        return Finding::Skipped("it declares every service".to_owned());
    }
    let stage = suite.network();
    for command in undeclared {
        let answer = stage.send(command).answer;
        if answer.code() != Some(0) {
            return Finding::failed_by(command.name(), &answer);
        }
        if !answer.printed().is_empty() {
            return Finding::Failed(format!("{command} printed {}", excerpt(&answer.printed())));
        }
    }
    Finding::Passed
}

fn large_payloads(suite: &Suite<'_>) -> Finding {
    let stage = suite.network().implemented();
    let padding = "x".repeat(64 << 10);
    let filler: Vec<_> = (0..64).map(|_| padding.clone()).collect();
    let payload = stage.payload(Command::ImplementNetwork).with("x-netext-conformance", filler);
    let finding = first_failure(&suite.server, [payload]);
    stage.end();
    finding
}
