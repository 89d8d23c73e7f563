//! The process of a command: its arguments, what it prints, what it leaves open, and how long it takes.

use std::iter;
use std::time::Duration;

use netext_protocol::{Command, NetworkUpdate, Output};
use serde_json::Value;

use crate::reply;
use crate::testing::call::{CallStreams, ExtensionCall, Response, excerpt};
use crate::testing::conformance::check::{
    Check, Checked, ExtensionUnderTest, exits_with_0, exits_with_an_error, failed, send_all, skipped,
    unexpected_end,
};

/// The timeout of a command that gets little time, in seconds.
const SHORT_TIMEOUT: u32 = 1;
/// How long a command may take to undo its work after the timeout.
const GRACE: Duration = Duration::from_secs(3);

pub(super) static CHECKS: &[&Check] = &[
    &Check {
        id: "no-arguments",
        requirement: "A call without arguments fails.",
        reason: "Otherwise a wrong path in the registration looks like an extension that succeeds at everything.",
        remedy: "Exit with 1, and print one line of usage on standard error.",
        varies: &[],
        run: |tested| {
            exits_with_an_error("the call", &tested.server.call("", &ExtensionCall::bare([""; 0])).response)
        },
    },
    &Check {
        id: "unknown-command",
        requirement: "An unknown command fails.",
        reason: "A newer server sends commands that today's extensions do not know, and must learn that they had no \
                 effect.",
        remedy: "Compare the first argument with the known commands, and exit with 1 for any other.",
        varies: &[],
        run: |tested| {
            let payload = tested.network().payload(Command::ShutdownNetwork);
            let call = ExtensionCall::new("make-coffee", tested.server.document(&payload).to_string());
            exits_with_an_error("make-coffee", &tested.server.call("make-coffee", &call).response)
        },
    },
    &Check {
        id: "missing-payload",
        requirement: "A command without its payload file fails.",
        reason: "A command cannot know its network without its payload.",
        remedy: "Exit with 1, and name the file on standard error.",
        varies: &[],
        run: |tested| {
            let name = Command::ShutdownNetwork.name();
            exits_with_an_error(name, &tested.server.call(name, &ExtensionCall::without_file(name)).response)
        },
    },
    &Check {
        id: "failures-say-why",
        requirement: "A command that fails prints the reason in one line.",
        reason: "The server logs the output, and an operator sees nothing else.",
        remedy: "Print one line on standard error and nothing else: no stack trace, and no empty output.",
        varies: &[],
        run: failures_say_why,
    },
    &Check {
        id: "input-ignored",
        requirement: "A command does not wait for standard input.",
        reason: "The server keeps standard input open and never writes to it: a command that reads it waits without \
                 end.",
        remedy: "Do not read standard input, and start child processes with it closed.",
        varies: &[],
        run: input_ignored,
    },
    &Check {
        id: "silent-commands",
        requirement: "Commands without a response print nothing on standard output.",
        reason: "The server reads all output as the response.",
        remedy: "Write progress and the output of tools to a log file.",
        varies: &[],
        run: |tested| {
            check_each_response(tested, |command, response| {
                (command.output() == Output::Nothing && !response.output.is_empty())
                    .then(|| format!("{command} printed {}", excerpt(&response.output)))
            })
        },
    },
    &Check {
        id: "silent-errors",
        requirement: "A command that succeeds writes nothing on standard error.",
        reason: "The server has standard error and output as one stream: a warning spoils the response.",
        remedy: "Write warnings to a log file, and redirect the standard error of tools there as well.",
        varies: &[],
        run: |tested| {
            check_each_response(tested, |command, response| {
                (!response.error_output.is_empty())
                    .then(|| format!("{command} wrote {}", excerpt(&response.error_output)))
            })
        },
    },
    &Check {
        id: "network-update",
        requirement: "implement-network prints nothing, or one network update in one line.",
        reason: "The server moves the network to the segment in the update.",
        remedy: "Print both keys, network.broadcast_domain_type and network.broadcast_uri, or nothing at all.",
        varies: &[],
        run: network_update,
    },
    &Check {
        id: "no-stray-status",
        requirement: "A command that succeeds prints no object with a status other than success.",
        reason: "For the server such a command failed, although its exit code is 0.",
        remedy: "Leave the field out, or give it another name.",
        varies: &[],
        run: |tested| {
            check_each_response(tested, |command, response| {
                reply::failed_status(&response.output)
                    .map(|status| format!("{command} printed a status of {status}"))
            })
        },
    },
    &Check {
        id: "streams-released",
        requirement: "After the end of a command, no process holds its output open.",
        reason: "The server reads to the end of the stream: a daemon that inherits the stream blocks the server \
                 without end.",
        remedy: "Start processes that stay behind with standard input, output and error at /dev/null.",
        varies: &[],
        run: |tested| {
            check_each_response(tested, |command, response| {
                (!response.held_by.is_empty()).then(|| {
                    format!("after {command} its output was held open by {}", response.held_by.join(", "))
                })
            })
        },
    },
    &Check {
        id: "undeclared-services",
        requirement: "Commands of services that the extension does not declare succeed without output.",
        reason: "The server sends some of them to every extension.",
        remedy: "Exit with 0 and print nothing for every command of the protocol that you do not provide.",
        varies: &[],
        run: undeclared_services,
    },
    &Check {
        id: "large-payloads",
        requirement: "A payload may have several megabytes.",
        reason: "A restart restores all instances of a network in one payload, with their user data.",
        remedy: "Read the whole file, and pass its contents on in files, not as arguments.",
        varies: &[],
        run: large_payloads,
    },
    &Check {
        id: "deadline",
        requirement: "A command ends soon after its timeout.",
        reason: "The server passes the timeout to the extension, and waits without a limit of its own.",
        remedy: "Derive the limit of every wait from the third argument. After it, undo the work and exit with 4.",
        varies: &[],
        run: deadline,
    },
];

fn failures_say_why(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let payload = network.payload(Command::ImplementNetwork).with("network_id", "two hundred");
    let text = tested.server.document(&payload).to_string();
    for (what, text) in [("a truncated payload", &text[..text.len() / 2]), ("a malformed id", &text)] {
        let response = network.call_with(Command::ImplementNetwork, text);
        // Other checks require that it fails.
        if response.code() != Some(0) && response.printed().trim().lines().count() != 1 {
            return failed(format!("implement-network with {what} printed {}", excerpt(&response.printed())));
        }
    }
    Ok(())
}

fn input_ignored(tested: &ExtensionUnderTest<'_>) -> Checked {
    let payload = tested.server.ensuring(&tested.network().payload(Command::ShutdownNetwork));
    let name = payload.command().name();
    let call = ExtensionCall::new(name, tested.server.document(&payload).to_string())
        .streams(CallStreams::WithSilentInput)
        .patience(Duration::from_secs(5));
    let response = tested.server.call(name, &call).response;
    // Other checks require that it succeeds.
    if response.code().is_some() { Ok(()) } else { unexpected_end(name, &response) }
}

/// Goes through the life of a network as the server does, and looks for a problem in every successful response.
fn check_each_response(
    tested: &ExtensionUnderTest<'_>,
    problem: impl Fn(Command, &Response) -> Option<String>,
) -> Checked {
    let network = tested.network();
    network.live(&mut |payload| {
        let ensuring = tested.server.ensuring(&payload);
        let ensured = iter::repeat_n(ensuring, payload.command().ensured().into());
        for payload in ensured.chain([payload]) {
            let response = network.send_apart(&payload);
            // Other checks require that it succeeds.
            let succeeded = response.code() == Some(0);
            if let Some(problem) = succeeded.then(|| problem(payload.command(), &response)).flatten() {
                return failed(problem);
            }
        }
        Ok(())
    })
}

fn network_update(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let response = network.send_apart(&network.payload(Command::ImplementNetwork));
    network.remove();
    let text = response.output.trim();
    if response.code() != Some(0) || text.is_empty() {
        return Ok(());
    }
    let update = serde_json::from_str::<NetworkUpdate>(text);
    let is_empty = serde_json::from_str::<Value>(text)
        .is_ok_and(|it| it.as_object().is_some_and(serde_json::Map::is_empty));
    if !text.contains(['\n', '\r']) && (update.is_ok() || is_empty) {
        return Ok(());
    }
    let why = update.err().map_or_else(|| "more than one line".to_owned(), |error| error.to_string());
    failed(format!("it printed {}: {why}", excerpt(text)))
}

fn undeclared_services(tested: &ExtensionUnderTest<'_>) -> Checked {
    // The server itself refuses a custom action if the service is not declared.
    let is_sent = |command: &Command| *command != Command::CustomAction;
    let undeclared = Command::ALL.iter().copied().filter(is_sent);
    let undeclared: Vec<_> = undeclared.filter(|command| !tested.profile.declares(*command)).collect();
    if undeclared.is_empty() {
        return skipped("the extension declares every service");
    }
    let network = tested.network();
    for command in undeclared {
        let response = network.send(command).response;
        exits_with_0(command.name(), &response)?;
        if !response.printed().is_empty() {
            return failed(format!("{command} printed {}", excerpt(&response.printed())));
        }
    }
    Ok(())
}

fn large_payloads(tested: &ExtensionUnderTest<'_>) -> Checked {
    tested.network().implemented().removed_after(|network| {
        let filler: Vec<_> = iter::repeat_n("x".repeat(64 << 10), 64).collect();
        let payload = network.payload(Command::ImplementNetwork).with("x-netext-conformance", filler);
        send_all(&tested.server, [payload])
    })
}

fn deadline(tested: &ExtensionUnderTest<'_>) -> Checked {
    tested.network().removed_after(|network| {
        for command in [Command::ImplementNetwork, Command::DestroyNetwork] {
            let text = tested.server.document(&network.payload(command)).to_string();
            let limit = Duration::from_secs(SHORT_TIMEOUT.into()) + GRACE;
            let call = ExtensionCall::new(command, text).timeout(SHORT_TIMEOUT).patience(limit);
            let response = tested.server.call(command.name(), &call).response;
            // It may succeed or fail in this time.
            if response.code().is_none() {
                let after = response.took.as_secs_f64();
                return failed(format!(
                    "{command} with a timeout of {SHORT_TIMEOUT} s was still running after {after:.1} s"
                ));
            }
        }
        Ok(())
    })
}
