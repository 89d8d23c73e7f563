//! How an extension is called.

use std::time::Duration;

use netext_protocol::Command;

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;
use crate::testing::judged::excerpt;
use crate::testing::{Answer, Call};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "no-arguments",
        sentence: "Called without arguments it fails.",
        reason: "A wrongly registered path would otherwise look like an extension that does everything.",
        remedy: "Exit with 1 and one line of usage on standard error.",
        run: |suite| fails("the call", &suite.server.call("", &Call::bare([""; 0])).answer),
    },
    Check {
        id: "unknown-command",
        sentence: "A command that it does not know fails.",
        reason: "A newer server sends commands that today's extensions do not know; it must learn that nothing \
                 was done.",
        remedy: "Compare the first argument with the known commands, and exit with 1 for any other.",
        run: |suite| {
            let payload = suite.network().payload(Command::ShutdownNetwork);
            let text = suite.server.document(&payload).to_string();
            fails("make-coffee", &suite.server.call("make-coffee", &Call::new("make-coffee", text)).answer)
        },
    },
    Check {
        id: "missing-payload",
        sentence: "A payload file that is not there fails the command.",
        reason: "Without its payload a command cannot know what it is about.",
        remedy: "Exit with 1 and name the file on standard error.",
        run: |suite| {
            let name = Command::ShutdownNetwork.name();
            fails(name, &suite.server.call(name, &Call::without_file(name)).answer)
        },
    },
    Check {
        id: "failures-say-why",
        sentence: "A failure says why in one line.",
        reason: "The server logs what was printed: it is all that an operator sees.",
        remedy: "Print one line on standard error and nothing else; no stack trace, and not nothing.",
        run: failures_say_why,
    },
    Check {
        id: "input-ignored",
        sentence: "It does not wait for standard input.",
        reason: "The server leaves standard input open and never writes to it: who reads it waits for ever.",
        remedy: "Do not read standard input, and start children with it closed.",
        run: input_ignored,
    },
];

fn fails(what: &str, answer: &Answer) -> Finding {
    match answer.code() {
        Some(0) => Finding::Failed(format!("{what} exited with 0, printing {}", excerpt(&answer.printed()))),
        Some(_) => Finding::Passed,
        None => Finding::failed_by(what, answer),
    }
}

fn failures_say_why(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let payload = stage.payload(Command::ImplementNetwork).with("network_id", "two hundred");
    let text = suite.server.document(&payload).to_string();
    for (what, text) in [("a payload that is cut off", &text[..text.len() / 2]), ("a malformed id", &text)] {
        let answer = stage.call_with(Command::ImplementNetwork, text);
        // That it fails is asked elsewhere.
        if answer.code() != Some(0) && answer.printed().trim().lines().count() != 1 {
            return Finding::Failed(format!("{what} failed with {}", excerpt(&answer.printed())));
        }
    }
    Finding::Passed
}

fn input_ignored(suite: &Suite<'_>) -> Finding {
    let payload = suite.server.ensuring(&suite.network().payload(Command::ShutdownNetwork));
    let text = suite.server.document(&payload).to_string();
    let name = payload.command().name();
    let call = Call::new(name, text)
        .streams(crate::testing::Streams::WithSilentInput)
        .patience(Duration::from_secs(5));
    let answer = suite.server.call(name, &call).answer;
    // That it succeeds is asked elsewhere.
    if answer.code().is_some() { Finding::Passed } else { Finding::failed_by(name, &answer) }
}
