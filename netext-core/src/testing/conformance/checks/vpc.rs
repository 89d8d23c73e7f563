//! VPCs and their tiers.

use netext_protocol::{Command, Sender};

use super::{Check, first_failure};
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
        run: |suite| with_vpc(suite, |vpc| life(suite, Sender::Server, vpc)),
    },
    Check {
        id: "vpc-by-the-readme",
        sentence: "The life of a VPC needs no field that the published README does not document.",
        reason: "By the README only implement-network and apply-network-acl say whose tier a network is.",
        remedy: "Keep the VPC of a tier with the network. Play it with netext simulate --style readme.",
        run: |suite| with_vpc(suite, |vpc| life(suite, Sender::Readme, vpc)),
    },
    Check {
        id: "vpc-without-address",
        sentence: "A VPC may come without a source NAT address.",
        reason: "The address is there only once the offering needs one.",
        remedy: "Create the VPC, and wait for update-vpc-source-nat-ip.",
        run: |suite| {
            about_a_vpc(
                suite,
                [Payload::sample_named("implement-vpc.no-ip"), Payload::sample(Command::ShutdownVpc)],
            )
        },
    },
    Check {
        id: "vpc-spellings",
        sentence: "The address range of a VPC may be called cidr.",
        reason: "Some versions of the published protocol call it so.",
        remedy: "Accept cidr beside vpc_cidr in payloads about a VPC.",
        run: |suite| {
            let payload = Payload::sample_named("implement-vpc.no-ip");
            let payload = payload.without("vpc_cidr").with("cidr", "10.2.0.0/16");
            about_a_vpc(suite, [payload, Payload::sample(Command::ShutdownVpc)])
        },
    },
    Check {
        id: "absent-vpc",
        sentence: "Shutting down a VPC that was never there succeeds.",
        reason: "The server sends it after failures and a second time.",
        remedy: "Treat what is absent as removed already.",
        run: |suite| about_a_vpc(suite, [Payload::sample(Command::ShutdownVpc)]),
    },
];

/// Checks something with a VPC that nobody has heard of, if the extension carries VPCs.
fn with_vpc(suite: &Suite<'_>, check: impl FnOnce(u32) -> Finding) -> Finding {
    if !suite.provided.vpc {
        return Finding::Skipped("it does not carry VPCs".to_owned());
    }
    check(suite.next_number())
}

/// Sends commands about such a VPC.
fn about_a_vpc<const N: usize>(suite: &Suite<'_>, payloads: [Payload; N]) -> Finding {
    with_vpc(suite, |vpc| send_all(suite, &suite.server, &payloads.map(|payload| vpc_payload(payload, vpc))))
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
    let finding = first_failure(server, payloads.iter().cloned());
    if finding != Finding::Passed {
        let is_end = |it: &&Payload| matches!(it.command(), Command::DestroyNetwork | Command::ShutdownVpc);
        payloads.iter().filter(is_end).for_each(|end| drop(suite.server.send(end)));
    }
    finding
}
