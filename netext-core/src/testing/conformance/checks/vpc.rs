//! The life of VPCs and their tiers.

use netext_protocol::{Command, Sender};

use super::senders::LIFE_BY_THE_README;
use crate::testing::call::Extension;
use crate::testing::conformance::check::{
    Check, Checked, ExtensionUnderTest, SampleNetwork, send_all, skipped,
};
use crate::testing::payload::Payload;
use crate::testing::server::Server;

static LIFE_OF_A_VPC: Check = Check {
    id: "life-of-a-vpc",
    requirement: "Every command succeeds in the life of a VPC with two tiers, of which one is removed first.",
    reason: "The server implements the VPC, then its tiers, and removes the tiers one by one.",
    remedy: "Run netext simulate, and look at the first command that fails.",
    varies: &[],
    run: |tested| with_vpc(tested, |vpc| life(tested, Sender::Server, vpc)),
};

pub(super) static CHECKS: &[&Check] = &[
    &LIFE_OF_A_VPC,
    &Check {
        id: "vpc-by-the-readme",
        requirement: "The life of a VPC needs only the fields that the published README documents.",
        reason: "In the README, only implement-network and apply-network-acl name the VPC of a tier.",
        remedy: "Remember the VPC of a tier. Run netext simulate --style readme.",
        varies: &[&LIFE_BY_THE_README, &LIFE_OF_A_VPC],
        run: |tested| with_vpc(tested, |vpc| life(tested, Sender::Readme, vpc)),
    },
    &Check {
        id: "vpc-without-address",
        requirement: "A VPC may be implemented without a source NAT address.",
        reason: "The VPC gets an address only if its offering needs one.",
        remedy: "Create the VPC without an address, and add it with update-vpc-source-nat-ip.",
        varies: &[],
        run: |tested| {
            send_for_vpc(
                tested,
                [Payload::sample_named("implement-vpc.no-ip"), Payload::sample(Command::ShutdownVpc)],
            )
        },
    },
    &Check {
        id: "vpc-spellings",
        requirement: "The address range of a VPC may have the name cidr.",
        reason: "Some versions of the published protocol have this name.",
        remedy: "Accept cidr beside vpc_cidr in payloads of a VPC.",
        varies: &[],
        run: |tested| {
            let payload = Payload::sample_named("implement-vpc.no-ip");
            let payload = payload.without("vpc_cidr").with("cidr", "10.2.0.0/16");
            send_for_vpc(tested, [payload, Payload::sample(Command::ShutdownVpc)])
        },
    },
    &Check {
        id: "absent-vpc",
        requirement: "Shutting down a VPC that does not exist succeeds.",
        reason: "The server shuts a VPC down after failures, and may do so twice.",
        remedy: "Treat something that does not exist as removed already.",
        varies: &[],
        run: |tested| send_for_vpc(tested, [Payload::sample(Command::ShutdownVpc)]),
    },
];

/// Runs a check on a new VPC, if the extension carries VPCs.
fn with_vpc(tested: &ExtensionUnderTest<'_>, check: impl FnOnce(u32) -> Checked) -> Checked {
    if tested.profile.vpc {
        check(tested.next_number())
    } else {
        skipped("the extension does not carry VPCs")
    }
}

/// Sends commands for a new VPC.
fn send_for_vpc<const N: usize>(tested: &ExtensionUnderTest<'_>, payloads: [Payload; N]) -> Checked {
    with_vpc(tested, |vpc| send_and_clean_up(tested, &tested.server, &payloads.map(|it| of_vpc(it, vpc))))
}

fn of_vpc(payload: Payload, vpc: u32) -> Payload {
    payload.with("vpc_id", vpc.to_string())
}

/// Everything that belongs to one tier, while another tier is created and removed.
fn life(tested: &ExtensionUnderTest<'_>, sender: Sender, vpc: u32) -> Checked {
    let [one, two] = SampleNetwork::tiers(tested, vpc);
    let of_vpc = |command| of_vpc(Payload::sample(command), vpc);
    let of_tier = |tier: &SampleNetwork<'_>, commands: &[Command]| -> Vec<_> {
        commands.iter().map(|command| tier.payload(*command)).collect()
    };
    let implement = [Command::ImplementNetwork, Command::ApplyNetworkAcl];
    let story = [
        vec![of_vpc(Command::ImplementVpc)],
        of_tier(&one, &one.creating()),
        of_tier(&two, &implement),
        vec![of_vpc(Command::UpdateVpcSourceNatIp)],
        of_tier(&two, &[Command::DestroyNetwork]),
        // The first tier has not changed.
        of_tier(&one, &implement),
        of_tier(&one, &one.removing()),
        vec![of_vpc(Command::ShutdownVpc)],
    ];
    let is_implemented = |payload: &Payload| tested.profile.implements(payload.command());
    let story: Vec<_> = story.concat().into_iter().filter(is_implemented).collect();
    send_and_clean_up(tested, &tested.server_in_style_of(sender), &story)
}

/// Sends commands. If one fails, the VPC and its tiers are removed.
fn send_and_clean_up(
    tested: &ExtensionUnderTest<'_>,
    server: &Server<impl Extension>,
    payloads: &[Payload],
) -> Checked {
    let sent = send_all(server, payloads.iter().cloned());
    if sent.is_err() {
        let removes = |it: &&Payload| matches!(it.command(), Command::DestroyNetwork | Command::ShutdownVpc);
        payloads.iter().filter(removes).for_each(|payload| drop(tested.server.send(payload)));
    }
    sent
}
