//! How long a command may take.

use std::time::Duration;

use netext_protocol::Command;

use super::Check;
use crate::testing::Call;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::suite::Suite;

/// The timeout of a command that is given little time, in seconds.
const LITTLE: u32 = 1;
/// How long it may take to undo what it began.
const GRACE: Duration = Duration::from_secs(3);

pub(super) const CHECKS: &[Check] = &[Check {
    id: "deadline",
    sentence: "A command ends soon after the timeout that it was given.",
    reason: "The server only passes the timeout on, and waits for ever itself.",
    remedy: "Give every wait a limit that comes from the third argument; past it undo, and exit with 4.",
    run: deadline,
}];

fn deadline(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    for command in [Command::ImplementNetwork, Command::DestroyNetwork] {
        let text = suite.server.document(&stage.payload(command)).to_string();
        let limit = Duration::from_secs(LITTLE.into()) + GRACE;
        let call = Call::new(command, text).timeout(LITTLE).patience(limit);
        let answer = suite.server.call(command.name(), &call).answer;
        // Whether it succeeds in so little time is its own affair.
        if answer.code().is_none() {
            stage.end();
            return Finding::Failed(format!(
                "{command} with a timeout of {LITTLE} s still ran after {:.1} s",
                answer.took.as_secs_f64()
            ));
        }
    }
    stage.end();
    Finding::Passed
}
