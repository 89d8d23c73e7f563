//! VPCs and their tiers.

use netext_protocol::{Command, Sender};

use super::Check;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::stage::Stage;
use crate::testing::conformance::suite::Suite;
use crate::testing::{Extension, Payload, Server};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "life-of-a-vpc",
        sentence: "A VPC with two tiers comes and goes, one tier before the other.",
        reason: "The server implements the VPC, then its tiers, and removes them one by one.",
        remedy: "Play it with netext simulate, and look at the first command that fails.",
        run: |suite| with_vpc(suite, |suite, vpc| life(suite, Sender::Server, vpc)),
    },
    Check {
        id: "vpc-by-the-readme",
        sentence: "The life of a VPC needs no field that the published README does not document.",
        reason: "By the README only implement-network and apply-network-acl say whose tier a network is.",
        remedy: "Keep the VPC of a tier with the network. Play it with netext simulate --style readme.",
        run: |suite| with_vpc(suite, |suite, vpc| life(suite, Sender::Readme, vpc)),
    },
    Check {
        id: "vpc-without-address",
        sentence: "A VPC may come without a source NAT address.",
        reason: "The address is there only once the offering needs one.",
        remedy: "Create the VPC, and wait for update-vpc-source-nat-ip.",
        run: |suite| {
            with_vpc(suite, |suite, vpc| {
                let payload = vpc_payload(Payload::sample_named("implement-vpc.no-ip"), vpc);
                send_all(
                    suite,
                    &suite.server,
                    &[payload, vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)],
                )
            })
        },
    },
    Check {
        id: "vpc-spellings",
        sentence: "The address range of a VPC may be called cidr.",
        reason: "Some versions of the published protocol call it so.",
        remedy: "Accept cidr beside vpc_cidr in payloads about a VPC.",
        run: |suite| {
            with_vpc(suite, |suite, vpc| {
                let payload = Payload::sample_named("implement-vpc.no-ip")
                    .without("vpc_cidr")
                    .with("cidr", "10.2.0.0/16");
                send_all(
                    suite,
                    &suite.server,
                    &[vpc_payload(payload, vpc), vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)],
                )
            })
        },
    },
    Check {
        id: "absent-vpc",
        sentence: "Shutting down a VPC that was never there succeeds.",
        reason: "The server sends it after failures and a second time.",
        remedy: "Treat what is absent as removed already.",
        run: |suite| {
            with_vpc(suite, |suite, vpc| {
                send_all(suite, &suite.server, &[vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)])
            })
        },
    },
];

fn with_vpc(suite: &Suite<'_>, check: impl Fn(&Suite<'_>, u32) -> Finding) -> Finding {
    if !suite.provided.vpc {
        return Finding::Skipped("it does not carry VPCs".to_owned());
    }
    check(suite, suite.next_number())
}

fn vpc_payload(payload: Payload, vpc: u32) -> Payload {
    payload.with("vpc_id", vpc.to_string())
}

/// Everything that belongs to one tier, while another comes and goes.
fn life(suite: &Suite<'_>, sender: Sender, vpc: u32) -> Finding {
    let [one, two] = [1, 2].map(|place| Stage::tier(suite, suite.next_number(), vpc, place));
    let about = |command| vpc_payload(Payload::sample(command), vpc);
    let in_tier = |tier: &Stage<'_>, commands: &[Command]| -> Vec<_> {
        commands.iter().map(|command| tier.payload(*command)).collect()
    };
    let implement = [Command::ImplementNetwork, Command::ApplyNetworkAcl];
    let story = [
        vec![about(Command::ImplementVpc)],
        in_tier(&one, &one.creating()),
        in_tier(&two, &implement),
        vec![about(Command::UpdateVpcSourceNatIp)],
        in_tier(&two, &[Command::DestroyNetwork]),
        // The tier that is left is as it was.
        in_tier(&one, &implement),
        in_tier(&one, &one.removing()),
        vec![about(Command::ShutdownVpc)],
    ];
    let answered = |payload: &Payload| suite.provided.answers(payload.command());
    let story: Vec<_> = story.concat().into_iter().filter(answered).collect();
    send_all(suite, &suite.server_in_style_of(sender), &story)
}

/// Sends commands, and removes the VPC with its tiers whatever comes of them.
fn send_all(suite: &Suite<'_>, server: &Server<impl Extension>, payloads: &[Payload]) -> Finding {
    for payload in payloads {
        let answer = server.send(payload).answer;
        if answer.code() != Some(0) {
            let ends = payloads
                .iter()
                .filter(|it| matches!(it.command(), Command::DestroyNetwork | Command::ShutdownVpc));
            ends.for_each(|end| drop(suite.server.send(end)));
            return Finding::failed_by(payload.command().name(), &answer);
        }
    }
    Finding::Passed
}
