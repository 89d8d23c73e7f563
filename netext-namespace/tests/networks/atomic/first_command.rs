//! The first command of a VPC's tier: what it began ends with it.

use netext_lab::{Call, Lab, SmallDisk, SystemCall, Vpc, joined, lab, resolvers, source_nat_fields};
use serde_json::json;

use super::trial::{Left, Trial, call, sample, vpc_call};
use crate::setup::vpc;

/// The number of calls at which the command fails and is killed, apart from those about the tier's folder and the state.
const SAMPLE: usize = 8;

/// The first command of a tier, and the one that ends the tier.
fn first_command(vpc: &Vpc<'_>) -> (Call, Call) {
    let tier = vpc.tier(1);
    let entry = joined(&tier.nic_fields("10.2.1.10"), &resolvers());
    (call(&tier, "add-dhcp-entry", &entry), call(&tier, "destroy-network", &json!({})))
}

/// The calls about the tier's folder and the state, but not about a daemon's files.
fn of_folders(trial: &Trial<'_>) -> Vec<SystemCall> {
    let calls = trial.file_changes().into_iter();
    calls.filter(|call| !["dnsmasq", "lock-"].iter().any(|it| call.path.contains(it))).collect()
}

/// Ends the VPC. A shutdown ends what is up, and keeps tiers that were acknowledged.
#[track_caller]
fn ends(lab: &Lab, vpc: &Vpc<'_>, what: &str) {
    vpc.shutdown();
    assert_eq!(lab.processes(), [], "{what}");
    assert!(!lab.has_namespace("cs-vpc-7"), "{what}");
    vpc.destroy();
    let mut folders = lab.host().run(|| {
        let folder = std::fs::read_dir(lab.state_folder()).expect("the extension's folder");
        folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    });
    folders.retain(|name| name.starts_with("vpc-") || name.starts_with("network-"));
    assert_eq!(folders, [""; 0], "{what}");
}

#[test]
fn a_first_command_that_fails_leaves_no_daemon_and_no_file() {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let vpc = vpc(&lab);
    let (first, destroy) = first_command(&vpc);
    let trial = Trial::of(&lab, first, vec![destroy]);
    trial.meets_a_full_disk(&disk);
    trial.go_back();
    for (index, call) in of_folders(&trial).iter().chain(&sample(trial.file_changes(), SAMPLE)).enumerate() {
        trial.fails(call, index);
    }
    ends(&lab, &vpc, "after the failures");
}

#[test]
fn a_first_command_that_is_killed_leaves_no_daemon_and_no_file() {
    let lab = lab!();
    let vpc = vpc(&lab);
    let (first, destroy) = first_command(&vpc);
    let trial = Trial::of(&lab, first, vec![destroy]);
    let no_change = vpc_call(&vpc, "update-vpc-source-nat-ip", &source_nat_fields("198.51.100.20"));
    for (round, call) in of_folders(&trial).iter().chain(&sample(trial.traces(), SAMPLE)).enumerate() {
        let what = trial.kill(call);
        match round % 3 {
            0 => trial.reconcile(),
            1 => drop(lab.call(&no_change).succeeds()),
            _ => {
                ends(&lab, &vpc, &what);
                trial.go_back();
                continue;
            }
        }
        if trial.has_left(&what) == Left::After {
            trial.go_back();
        }
    }
    ends(&lab, &vpc, "after the kills");
}
