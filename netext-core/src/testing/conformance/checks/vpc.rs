//! VPCs and their tiers.

use netext_protocol::{Command, Scope};
use serde_json::json;

use super::Check;
use crate::testing::Payload;
use crate::testing::conformance::bench::Bench;
use crate::testing::conformance::report::Finding;
use crate::testing::conformance::stage::Stage;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "life-of-a-vpc",
        sentence: "A VPC with two tiers comes and goes, one tier before the other.",
        reason: "The server implements the VPC, then its tiers, and takes them away one by one.",
        remedy: "Play it with netext simulate, and look at the first command that fails.",
        run: |bench| with_vpc(bench, life),
    },
    Check {
        id: "vpc-without-address",
        sentence: "A VPC may come without a source NAT address.",
        reason: "The address is there only once the offering needs one.",
        remedy: "Bring the VPC into being, and wait for update-vpc-source-nat-ip.",
        run: |bench| {
            with_vpc(bench, |bench, vpc| {
                let payload = vpc_payload(Payload::sample_named("implement-vpc.no-ip"), vpc);
                send_all(bench, &[payload, vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)])
            })
        },
    },
    Check {
        id: "vpc-spellings",
        sentence: "The address range of a VPC may be called cidr.",
        reason: "Some versions of the published protocol call it so.",
        remedy: "Accept cidr beside vpc_cidr in payloads about a VPC.",
        run: |bench| {
            with_vpc(bench, |bench, vpc| {
                let payload = Payload::sample_named("implement-vpc.no-ip")
                    .without("vpc_cidr")
                    .with("cidr", "10.2.0.0/16");
                send_all(
                    bench,
                    &[vpc_payload(payload, vpc), vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)],
                )
            })
        },
    },
    Check {
        id: "absent-vpc",
        sentence: "Shutting down a VPC that was never there succeeds.",
        reason: "The server sends it after failures and a second time.",
        remedy: "Treat what is absent as taken away already.",
        run: |bench| {
            with_vpc(bench, |bench, vpc| {
                send_all(bench, &[vpc_payload(Payload::sample(Command::ShutdownVpc), vpc)])
            })
        },
    },
];

fn with_vpc(bench: &Bench<'_>, check: impl Fn(&Bench<'_>, u32) -> Finding) -> Finding {
    if !bench.provided.vpc {
        return Finding::Skipped("it does not carry VPCs".to_owned());
    }
    check(bench, bench.next_number())
}

fn vpc_payload(payload: Payload, vpc: u32) -> Payload {
    payload.with("vpc_id", vpc.to_string())
}

fn life(bench: &Bench<'_>, vpc: u32) -> Finding {
    let [one, two] = [1, 2].map(|place| Stage::tier(bench, bench.next_number(), vpc, place));
    let about = |command| vpc_payload(Payload::sample(command), vpc);
    let list = |tier: &Stage<'_>| {
        bench.provided.answers(Command::ApplyNetworkAcl).then(|| tier.payload(Command::ApplyNetworkAcl))
    };
    let story = [
        Some(about(Command::ImplementVpc)),
        Some(one.payload(Command::ImplementNetwork)),
        list(&one),
        Some(two.payload(Command::ImplementNetwork)),
        list(&two),
        Some(about(Command::UpdateVpcSourceNatIp)),
        Some(two.payload(Command::DestroyNetwork)),
        // The tier that is left is as it was.
        Some(one.payload(Command::ImplementNetwork)),
        list(&one),
        Some(one.payload(Command::DestroyNetwork)),
        Some(about(Command::ShutdownVpc)),
    ];
    let story: Vec<_> =
        story.into_iter().flatten().filter(|it| bench.provided.answers(it.command())).collect();
    send_all(bench, &story)
}

/// Sends commands, and takes the VPCs away whatever comes of them.
fn send_all(bench: &Bench<'_>, payloads: &[Payload]) -> Finding {
    for payload in payloads {
        let answer = bench.server.send(payload).answer;
        if answer.code() != Some(0) {
            for payload in payloads.iter().filter(|it| it.command().scope() == Scope::Network) {
                let mut end = payload.clone();
                end = Payload::of_fields(Command::DestroyNetwork, std::mem::take(end.fields_mut()));
                bench.server.send(end);
            }
            if let Some(vpc) = payloads.iter().find(|it| it.command().scope() == Scope::Vpc) {
                let fields = [("vpc_id".to_owned(), vpc.field("vpc_id").cloned().unwrap_or(json!("")))];
                bench.server.send(Payload::of_fields(Command::ShutdownVpc, fields.into_iter().collect()));
            }
            return Finding::failed_by(payload.command().name(), &answer);
        }
    }
    Finding::Passed
}
