//! The life of networks: what comes twice, too early, too late, and at the same time.

use std::thread;

use netext_protocol::{Command, GuestType, Service};

use super::{Check, first_failure};
use crate::testing::Payload;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::stage::Stage;
use crate::testing::conformance::suite::Suite;

/// How many of a command run at the same time.
const AT_ONCE: usize = 4;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "life-of-a-network",
        sentence: "Every command that it provides succeeds in the life of a network.",
        reason: "This is what the server sends; the checks that follow vary it.",
        remedy: "Play it with netext simulate, and look at the first command that fails.",
        run: |suite| suite.network().live_with(|payload| payload),
    },
    Check {
        id: "repeated-commands",
        sentence: "Every command succeeds when it comes twice.",
        reason: "The server repeats commands after a failure, a timeout or a restart of its own.",
        remedy: "Bring about what is asked for instead of doing a step; what is there already is success.",
        run: |suite| {
            let stage = suite.network();
            stage.live(&mut |payload| suite.send_all(&[payload.clone(), payload.clone()]))
        },
    },
    Check {
        id: "absent-deletes",
        sentence: "Removing what was never there succeeds.",
        reason: "The server sends deletes for networks that were never implemented here, and after a shutdown.",
        remedy: "Treat what is absent as removed already.",
        run: |suite| {
            let stage = suite.network();
            first_failure(&suite.server, stage.removing().into_iter().map(|command| stage.payload(command)))
        },
    },
    Check {
        id: "rules-before-implement",
        sentence: "Firewall rules may come before the network is implemented.",
        reason: "The server sends them in whatever order the tenant made them.",
        remedy: "Keep the rules, and apply them when the network comes.",
        run: rules_before_implement,
    },
    Check {
        id: "nic-first",
        sentence: "On a shared network prepare-nic may be the first command of all.",
        reason: "Shared networks are not implemented by the first instance.",
        remedy: "Create the network from what prepare-nic says about it.",
        run: nic_first,
    },
    Check {
        id: "implement-without-vlan",
        sentence: "A second implement-network may come without a VLAN.",
        reason: "The server does not always know the segment of a network that is up.",
        remedy: "Keep the segment that is known.",
        run: |suite| {
            let stage = suite.network().implemented();
            let payload = stage.payload(Command::ImplementNetwork).with("vlan", "");
            let finding = first_failure(&suite.server, [payload]);
            stage.end();
            finding
        },
    },
    Check {
        id: "restart",
        sentence: "A network comes back after a shutdown, and takes everything again.",
        reason: "A restart with cleanup shuts a network down and replays all of it.",
        remedy: "Let shutdown-network leave nothing behind that the replay would stumble over.",
        run: restart,
    },
    Check {
        id: "concurrent-commands",
        sentence: "Commands for one network, and for several, succeed at the same time.",
        reason: "The server runs one process per event, as many as there are events.",
        remedy: "Wait for a lock of the network; do not fail because it is held.",
        run: concurrent_commands,
    },
];

fn nic_first(suite: &Suite<'_>) -> Finding {
    if suite.provided.guest_type == GuestType::L2 {
        return Finding::Skipped("it carries layer-2 networks only".to_owned());
    }
    let stage = suite.shared_network();
    let finding = first_failure(&suite.server, [stage.sample("prepare-nic.shared")]);
    stage.end();
    finding
}

fn rules_before_implement(suite: &Suite<'_>) -> Finding {
    if !suite.provided.services.contains(&Service::Firewall) {
        return Finding::Skipped("it does not provide Firewall".to_owned());
    }
    let stage = suite.network();
    let commands = [Command::ApplyFwRules, Command::ImplementNetwork];
    let finding = first_failure(&suite.server, commands.map(|command| stage.payload(command)));
    stage.end();
    finding
}

fn restart(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let all = stage.creating();
    let commands =
        all.iter().chain([&Command::ShutdownNetwork]).chain(&all).chain([&Command::DestroyNetwork]);
    let finding = first_failure(&suite.server, commands.map(|command| stage.payload(*command)));
    if finding != Finding::Passed {
        stage.end();
    }
    finding
}

fn concurrent_commands(suite: &Suite<'_>) -> Finding {
    let stages: Vec<_> = (0..AT_ONCE).map(|_| suite.network()).collect();
    let another = suite.network().implemented();
    let finding = several_networks(suite, &stages).and(|| several_commands(suite, &another));
    for stage in stages.iter().chain([&another]) {
        stage.end();
    }
    finding
}

/// Every command that creates something, on several networks at the same time.
fn several_networks(suite: &Suite<'_>, stages: &[Stage<'_>]) -> Finding {
    let commands = stages.first().map(Stage::creating).unwrap_or_default();
    commands.into_iter().fold(Finding::Passed, |finding, command| {
        finding.and(|| together(suite, &stages.iter().map(|it| it.payload(command)).collect::<Vec<_>>()))
    })
}

/// Different commands on one network at the same time.
fn several_commands(suite: &Suite<'_>, stage: &Stage<'_>) -> Finding {
    let others = stage.creating().into_iter().filter(|command| *command != Command::ImplementNetwork);
    let payloads: Vec<_> = others.map(|command| stage.payload(command)).collect();
    payloads.chunks(AT_ONCE).fold(Finding::Passed, |finding, some| finding.and(|| together(suite, some)))
}

/// Sends commands at the same time.
fn together(suite: &Suite<'_>, payloads: &[Payload]) -> Finding {
    let server = &suite.server;
    let findings: Vec<_> = thread::scope(|scope| {
        let send = |payload: &Payload| {
            let payload = payload.clone();
            scope.spawn(move || first_failure(server, [payload]))
        };
        let running: Vec<_> = payloads.iter().map(send).collect();
        running.into_iter().map(|it| it.join().expect("an extension's end is no panic")).collect()
    });
    findings.into_iter().fold(Finding::Passed, |first, other| first.and(|| other))
}
