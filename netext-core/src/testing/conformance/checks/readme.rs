//! What the published README documents, beside what today's server sends.

use netext_protocol::{Command, Sender};

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::stage::Stage;
use crate::testing::conformance::suite::Suite;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "life-by-the-readme",
        sentence: "The life of a network needs no field that the published README does not document.",
        reason: "Other senders and test suites follow the README, which documents less than the server sends: \
                 no nic_id, often no mac, zone_id, guest_type or vpc_id.",
        remedy: "Know a NIC by its MAC, else by its address, else by its uuid; keep what earlier commands said. \
                 Play it with netext simulate --style readme.",
        run: |suite| {
            let server = suite.server_in_style_of(Sender::Readme);
            suite.network().live(&mut |payload| server.send(payload).answer)
        },
    },
    Check {
        id: "older-forms",
        sentence: "Lists of rules and metadata may be JSON text or Base64.",
        reason: "Senders that follow an older README put them into a text, and in Base64 the contents of files \
                 into Base64 once more.",
        remedy: "Accept an object or list, JSON text and Base64 of JSON text for fw_rules, acl_rules, lb_rules, \
                 vm_data and restore_data.",
        run: older_forms,
    },
    Check {
        id: "absent-fields",
        sentence: "A command that leaves out what an earlier one said succeeds.",
        reason: "Absent is not empty: a payload says nothing about a field that it leaves out.",
        remedy: "Keep what is known of a field that is absent; do not compare it, and do not ask for it again.",
        run: absent_fields,
    },
];

fn older_forms(suite: &Suite<'_>) -> Finding {
    let stage = suite.network();
    let has_forms = |command: &Command| !stage.payload(*command).in_older_forms().is_empty();
    if !stage.creating().iter().any(has_forms) {
        return Finding::Skipped("it provides no service that has rules or metadata".to_owned());
    }
    stage.live(&mut |payload| {
        let forms = payload.in_older_forms();
        let forms = if forms.is_empty() { vec![payload.clone()] } else { forms };
        suite.send_all(&forms)
    })
}

fn absent_fields(suite: &Suite<'_>) -> Finding {
    names_without_domain(suite).and(|| {
        suite
            .network()
            .live(&mut |payload| suite.send_all(&[payload.clone(), payload.in_style_of(Sender::Readme)]))
    })
}

/// Only the first of these commands says which domain the names are in.
fn names_without_domain(suite: &Suite<'_>) -> Finding {
    let commands = [Command::ConfigDnsSubnet, Command::AddDnsEntry];
    if !commands.iter().all(|command| suite.provided.answers(*command)) {
        return Finding::Passed;
    }
    let stage: Stage<'_> = suite.network().implemented();
    let [config, entry] = commands.map(|command| stage.payload(command));
    let answer = suite.send_all(&[config, entry.without("dns").without("domain")]);
    stage.end();
    match answer.code() {
        Some(0) => Finding::Passed,
        _ => Finding::failed_by("add-dns-entry without dns and domain", &answer),
    }
}
