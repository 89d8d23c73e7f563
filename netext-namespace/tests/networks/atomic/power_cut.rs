//! The power is cut: what was acknowledged is on the disk, and what was destroyed is not.

use netext_lab::{
    Call, DurableDisk, Forward, Lab, Network, Observation, SourceNat, joined, lab, source_nat_fields,
};
use serde_json::{Value, json};

use super::trial::{Trial, call, deploy, sample, vpc_call};
use crate::setup::{network_with_forward, operator};

/// The number of calls before which the power is cut.
const SAMPLE: usize = 10;

/// Starts another host with what the disk has now, and lets it reconcile.
#[track_caller]
fn cut<'other>(disk: &DurableDisk<'_>, other: &'other Lab, what: &str) -> (Observation, DurableDisk<'other>) {
    // A host that has no router yet keeps its cables plugged in.
    if !other.host().output("ip", &["netns"]).stdout.is_empty() {
        drop(other.reboot());
    }
    let rebooted = DurableDisk::boot(other, &disk.cut());
    let reconciled = other.start_bare(&["reconcile", "--all", "--timeout", "10"]).finish();
    assert_eq!(reconciled.code, Some(0), "{what}: {}", reconciled.output);
    let seen = Observation::of(other);
    assert_eq!(seen.leftovers(), [""; 0], "{what}");
    (seen, rebooted)
}

/// Asserts that a host whose power is cut now is the same after it has started again.
#[track_caller]
fn outlives_a_cut(lab: &Lab, disk: &DurableDisk<'_>, other: &Lab, what: &str) {
    let (seen, _disk) = cut(disk, other, what);
    assert_eq!(Observation::of(lab).differences(&seen), [""; 0], "a power cut after {what}");
}

#[test]
fn what_a_network_was_told_outlives_a_power_cut() {
    let (lab, other) = (lab!(), lab!());
    let disk = DurableDisk::mount(&lab);
    let network = lab.network(209);
    let nic = network.nic_fields("10.1.1.10");
    let acts = |command: &str, fields: &Value| {
        network.command(command, fields).succeeds_silently();
        outlives_a_cut(&lab, &disk, &other, command);
    };
    acts("implement-network", &network.extension_field());
    acts("assign-ip", &network.public_fields("198.51.100.10", SourceNat::Yes));
    acts("add-port-forward", &network.forward_fields(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22")));
    acts("prepare-nic", &nic);
    let data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "ten"}]});
    acts("save-vm-data", &joined(&nic, &data));
    acts("save-password", &joined(&nic, &json!({"password": "unread"})));
    let rebooted = lab!();
    let (_, _disk) = cut(&disk, &rebooted, "save-password");
    let guest = rebooted.network(209).guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    rebooted.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    assert_eq!(guest.curls("10.1.1.1", "user-data"), "ten");
    assert_eq!(guest.asks_password_server("10.1.1.1", "send_my_password"), "unread");
    acts("release-nic", &nic);
    acts("shutdown-network", &json!({"network_state": "shutdown"}));
    acts("implement-network", &network.extension_field());
    acts("destroy-network", &json!({"network_state": "destroy"}));
}

#[test]
fn what_a_vpc_was_told_outlives_a_power_cut() {
    let (lab, other) = (lab!(), lab!());
    let disk = DurableDisk::mount(&lab);
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    outlives_a_cut(&lab, &disk, &other, "implement-vpc");
    let (one, two) = (vpc.tier(1), vpc.tier(2));
    let first = joined(&one.nic_fields("10.2.1.10"), &json!({"domain": "cs1.internal"}));
    one.command("add-dhcp-entry", &first).succeeds_silently();
    outlives_a_cut(&lab, &disk, &other, "the first command of a tier");
    two.implement();
    deploy(&one, "10.2.1.10");
    deploy(&two, "10.2.2.10");
    outlives_a_cut(&lab, &disk, &other, "save-password");
    one.destroy();
    outlives_a_cut(&lab, &disk, &other, "destroy-network of a tier");
    vpc.destroy();
    outlives_a_cut(&lab, &disk, &other, "destroy-vpc");
}

/// Cuts the power at moments in a command.
#[track_caller]
fn is_cut_short(lab: &Lab, disk: &DurableDisk<'_>, call: Call, undo: Vec<Call>) {
    let other = lab!();
    let trial = Trial::of(lab, call, undo);
    for call in sample(trial.file_changes(), SAMPLE) {
        disk.sync();
        let what = trial.kill(&call);
        let (seen, _disk) = cut(disk, &other, &what);
        trial.nearest(&seen, &format!("{what}, and the power cut"));
        operator(&other, "status", 0);
        trial.go_back();
    }
}

fn with_instances(lab: &Lab) -> Network<'_> {
    let network = network_with_forward(lab);
    deploy(&network, "10.1.1.10");
    deploy(&network, "10.1.1.11");
    network
}

#[test]
fn a_release_that_is_cut_short_has_happened_or_not() {
    let lab = lab!();
    let disk = DurableDisk::mount(&lab);
    let network = with_instances(&lab);
    let release = call(&network, "release-nic", &network.nic_fields("10.1.1.10"));
    is_cut_short(&lab, &disk, release, Vec::new());
}

#[test]
fn an_end_that_is_cut_short_has_happened_or_not() {
    let lab = lab!();
    let disk = DurableDisk::mount(&lab);
    let network = with_instances(&lab);
    is_cut_short(&lab, &disk, call(&network, "destroy-network", &json!({})), Vec::new());
}

#[test]
fn a_routers_first_command_that_is_cut_short_has_happened_or_not() {
    let lab = lab!();
    let disk = DurableDisk::mount(&lab);
    let vpc = lab.vpc(7);
    // There is nothing of it, but for the folder of all.
    vpc.implement_with("198.51.100.20").destroy();
    let implement = vpc_call(&vpc, "implement-vpc", &source_nat_fields("198.51.100.20"));
    let destroy = vpc_call(&vpc, "destroy-vpc", &json!({}));
    is_cut_short(&lab, &disk, implement, vec![destroy]);
}
