//! Commands that change instances' documents: these change together with the rest, or not at all.

use netext_lab::{
    AccessList, Call, Lab, Network, Rule, SmallDisk, SystemCall, Vpc, joined, lab, resolvers, restore_fields,
    restored_instance,
};
use serde_json::{Value, json};

use super::trial::{Trial, call, deploy, sample, vpc_call};
use crate::setup::{network_with_forward, vpc};

/// The number of calls about documents and the state at which a command is killed and fails.
const OF_COMMIT: usize = 10;
/// The number of calls about other files.
const OTHERS: usize = 3;
/// The number of rules in a large access list.
const LARGE: u32 = 400;

/// A network with two instances, whose passwords are not read.
fn network(lab: &Lab) -> Network<'_> {
    let network = network_with_forward(lab);
    deploy(&network, "10.1.1.10");
    deploy(&network, "10.1.1.11");
    network
}

/// Carries out a command of a network on a disk that is full, with calls that fail, and with kills.
#[track_caller]
fn is_atomic(command: &str, fields: impl FnOnce(&Network<'_>) -> Value) {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let network = network(&lab);
    let call = call(&network, command, &fields(&network));
    stands_everything(&lab, &disk, call);
}

#[track_caller]
fn stands_everything(lab: &Lab, disk: &SmallDisk<'_>, call: Call) {
    let trial = Trial::of(lab, call, Vec::new());
    trial.meets_a_full_disk(disk);
    trial.go_back();
    let is_of_commit =
        |call: &SystemCall| ["/metadata/", "state.json"].iter().any(|it| call.path.contains(it));
    let (commit, others): (Vec<_>, Vec<_>) = trial.file_changes().into_iter().partition(is_of_commit);
    assert!(!commit.is_empty(), "it changes no document");
    let calls = sample(commit, OF_COMMIT).into_iter().chain(sample(others, OTHERS));
    for (index, call) in calls.enumerate() {
        let call = &call;
        match index % 3 {
            0 => trial.is_killed_and_repeated(call),
            _ => trial.is_killed(call),
        }
        trial.fails(call, index);
    }
}

/// The tier of a VPC with an instance.
fn tier_with_an_instance<'lab>(vpc: &Vpc<'lab>) -> Network<'lab> {
    let tier = vpc.tier(1);
    tier.implement();
    deploy(&tier, "10.2.1.10");
    tier
}

#[test]
fn a_released_nic_goes_with_its_document() {
    is_atomic("release-nic", |network| network.nic_fields("10.1.1.10"));
}

#[test]
fn a_network_is_shut_down_with_its_documents() {
    is_atomic("shutdown-network", |_| json!({"network_state": "shutdown"}));
}

#[test]
fn a_network_is_restored_with_all_documents() {
    let vms = [restored_instance(10, "restored"), restored_instance(12, "new")];
    is_atomic("restore-network", |_| joined(&resolvers(), &restore_fields(&vms)));
}

#[test]
fn a_password_is_saved_or_the_last_one_stays() {
    is_atomic("save-password", |network| {
        joined(&network.nic_fields("10.1.1.10"), &json!({"password": "the-next-one"}))
    });
}

#[test]
fn the_first_password_of_a_network_is_saved_or_leaves_no_daemon() {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let network = network_with_forward(&lab);
    let fields = joined(&network.nic_fields("10.1.1.10"), &json!({"password": "the-first-one"}));
    Trial::of(&lab, call(&network, "save-password", &fields), Vec::new()).meets_a_full_disk(&disk);
}

#[test]
fn a_vpc_is_shut_down_with_the_documents_of_its_tiers() {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let vpc = vpc(&lab);
    tier_with_an_instance(&vpc);
    stands_everything(&lab, &disk, vpc_call(&vpc, "shutdown-vpc", &json!({"vpc_state": "inactive"})));
}

#[test]
fn a_tier_is_destroyed_with_its_folder_or_not_at_all() {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let vpc = vpc(&lab);
    let tier = tier_with_an_instance(&vpc);
    // The state of the VPC needs more space than the end of the tier frees.
    let rules = (1..=LARGE).map(|number| Rule::allow_in(number).tcp(22));
    vpc.tier(2).implement().apply_access_list(&rules.fold(AccessList::new(), AccessList::with));
    let guest = tier.guest("10.2.1.10");
    let is_served = || {
        assert_eq!(guest.curls("10.2.1.1", "user-data"), "10.2.1.10");
        assert_eq!(guest.digs("10.2.1.1", "web-10"), "10.2.1.10");
    };
    let destroy = call(&tier, "destroy-network", &json!({"network_state": "destroy"}));
    Trial::of(&lab, destroy, Vec::new()).meets_a_full_disk_while(&disk, || (), |()| is_served());
}
