//! Files that cannot be read, and a router that cannot be built again: commands say what is wrong.

use std::fs;

use netext_lab::{Call, Errno, Fault, Forward, Lab, Network, SmallDisk, SystemCall, joined, lab};
use serde_json::{Value, json};

use super::trial::{call, deploy, operators, sample};
use crate::setup::{network, network_with_forward, two_tiers};

/// How often a call that is hard to strike is tried.
const ATTEMPTS: usize = 5;
/// The timeout of an action, in seconds.
const TIMEOUT: u32 = 10;

fn action(network: &Network<'_>, name: &str, parameters: &Value) -> Call {
    Call::command("custom-action", &network.action_document(name, parameters), TIMEOUT)
}

/// Every kind of call that is about a router.
fn calls(network: &Network<'_>, router: &str) -> Vec<Call> {
    let nic = network.nic_fields("10.1.1.10");
    let forward = network.forward_fields(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let commands = [
        ("implement-network", network.extension_field()),
        ("shutdown-network", json!({})),
        ("add-port-forward", forward),
        ("prepare-nic", nic.clone()),
        ("release-nic", nic.clone()),
        ("save-password", joined(&nic, &json!({"password": "new"}))),
        ("remove-dhcp-subnet", json!({})),
        ("apply-network-acl", json!({"acl_rules": []})),
    ];
    let table = json!({"id": "100", "name": "isp2"});
    let route = json!({"table": "isp2", "route": "blackhole 203.0.113.80"});
    let rule = json!({"table": "isp2", "rule": "to 203.0.113.80"});
    let actions = [
        ("pbr-create-table", &table),
        ("pbr-delete-table", &table),
        ("pbr-list-tables", &Value::Null),
        ("pbr-add-route", &route),
        ("pbr-list-routes", &Value::Null),
        ("pbr-add-rule", &rule),
        ("pbr-list-rules", &Value::Null),
        ("list-firewall-rules", &Value::Null),
        ("list-connections", &Value::Null),
        ("traffic-stats", &Value::Null),
        ("dump-config", &Value::Null),
        ("reboot-device", &Value::Null),
        ("status", &Value::Null),
        ("repair", &Value::Null),
    ];
    let operators = [
        &["status"][..],
        &["status", router],
        &["show", router],
        &["graph", router],
        &["reconcile", "--all"],
        &["reconcile", router],
        &["reconcile", router, "--dry-run"],
    ];
    let commands = commands.iter().map(|(name, fields)| call(network, name, fields));
    let actions =
        actions.iter().map(|(name, parameters)| action(network, name, &joined(&json!({}), parameters)));
    commands.chain(actions).chain(operators.iter().map(|words| self::operators(words))).collect()
}

/// Asserts that a call fails because of the state, and does not deny that there is a router.
#[track_caller]
fn names_the_state(lab: &Lab, call: &Call, what: &str) {
    let outcome = lab.call(call);
    let about = format!("{what}: {call:?}: exit {:?}, {}", outcome.code, outcome.output);
    assert_eq!(outcome.code, Some(3), "{about}");
    assert!(outcome.output.contains("state.json"), "{about}");
    assert!(!outcome.output.contains("no router"), "{about}");
}

#[test]
fn a_state_that_cannot_be_read_is_not_taken_for_none() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let (vpc, tier, _) = two_tiers(&lab);
    let ends = [
        (calls(&network, "network-209"), format!("{}/state.json", network.folder())),
        (calls(&tier, "vpc-7"), format!("{}/state.json", vpc.folder())),
    ];
    for (calls, path) in ends {
        let sound = lab.host().run(|| fs::read(&path)).expect("a state");
        lab.host().run(|| fs::write(&path, "{\"router\": ").expect("a damaged state"));
        for call in &calls {
            names_the_state(&lab, call, "damaged");
        }
        assert_eq!(lab.host().run(|| fs::read(&path)).expect("a state"), b"{\"router\": ");
        lab.host().run(|| fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).expect("a folder"));
        for call in &calls {
            names_the_state(&lab, call, "unreadable");
        }
        lab.host().run(|| fs::remove_dir(&path).and_then(|()| fs::write(&path, sound)).expect("a state"));
        // To read memory where there is none is an input/output error.
        let memory = format!("/proc/{}/mem", std::process::id());
        let broken = lab.host().output("mount", &["--bind", &memory, &path]);
        assert!(broken.status.success(), "{broken:?}");
        for call in &calls {
            names_the_state(&lab, call, "broken");
        }
        let mended = lab.host().output("umount", &[&path]);
        assert!(mended.status.success(), "{mended:?}");
    }
    let healed = lab.start_bare(&["reconcile", "--all"]).finish();
    assert_eq!(healed.code, Some(0), "{}", healed.output);
}

#[test]
fn a_disk_that_does_not_give_the_state_is_not_taken_for_none() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let calls = [
        action(&network, "status", &json!({})),
        action(&network, "dump-config", &json!({})),
        action(&network, "pbr-list-tables", &json!({})),
        operators(&["show", "network-209"]),
        operators(&["graph", "network-209"]),
        operators(&["status", "network-209"]),
        operators(&["reconcile", "network-209"]),
        call(&network, "implement-network", &network.extension_field()),
    ];
    let mut struck = 0;
    for call in &calls {
        let recorded = lab.record(call);
        let is_of_state = |call: &SystemCall| {
            call.path.ends_with("network-209/state.json") && ["openat", "read", "statx"].contains(&call.name)
        };
        for read in recorded.calls.into_iter().filter(is_of_state) {
            // How often a command waits before it reads differs from run to run.
            let attempts = (0..ATTEMPTS).map(|_| lab.call_with(call, Fault::Fail(read.place, Errno::EIO)));
            let Some(traced) = attempts.into_iter().find(|it| it.struck.as_ref().is_some_and(is_of_state))
            else {
                continue;
            };
            struck += 1;
            let (code, output) = (traced.outcome.code, traced.outcome.output);
            let about = format!("{} at {read}: exit {code:?}, {output}", call.name());
            // A command may do without a file that it need not read.
            assert!(code == Some(0) || code == Some(3) && output.contains("network-209"), "{about}");
            assert!(!output.contains("no router"), "{about}");
        }
    }
    assert!(struck > 0, "no call about the state was struck");
}

#[test]
fn a_damaged_document_is_replaced_by_the_next_data() {
    let lab = lab!();
    let network = network(&lab);
    deploy(&network, "10.1.1.10");
    let folder = format!("{}/metadata", network.folder());
    let path = lab.host().run(|| {
        let names = fs::read_dir(&folder).expect("the folder of documents").flatten();
        names.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("10.1.1.10"))
    });
    let path = path.expect("a document");
    lab.host().run(|| fs::write(&path, "{").expect("a damaged document"));
    let data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "again"}]});
    let nic = network.nic_fields("10.1.1.10");
    network.command("save-vm-data", &joined(&nic, &data)).succeeds_silently();
    assert_eq!(network.guest("10.1.1.10").curls("10.1.1.1", "user-data"), "again");
}

#[test]
fn a_router_that_cannot_be_built_again_is_the_one_of_before() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let reboot = action(&network, "reboot-device", &json!({}));
    let recorded = lab.record(&reboot);
    assert_eq!(recorded.outcome.code, Some(0), "{:?}", recorded.outcome);
    let fallible = ["sendto", "sendmsg", "setns", "mount", "unshare"];
    let building = recorded.calls.into_iter().filter(|call| fallible.contains(&call.name)).collect();
    for step in sample(building, 10) {
        let outcome = lab.call_with(&reboot, Fault::FailSensibly(step.place, 0)).outcome;
        let about = format!("an error at {step}: exit {:?}, {}", outcome.code, outcome.output);
        client.tries_tcp("198.51.100.10:2222", netext_lab::Expectation::Answered).expect(&about);
        let status = lab.start_bare(&["status"]).finish();
        assert_eq!(status.code, Some(0), "{about}: {}", status.output);
        if outcome.code != Some(0) {
            assert_eq!(outcome.code, Some(3), "{about}");
            assert!(!outcome.output.contains("down"), "{about}");
        }
    }
}

#[test]
fn a_reboot_on_a_broken_host_says_what_is_broken() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    lab.breaks("nft");
    let outcome = network.action("reboot-device", &json!({}));
    assert!(outcome.fails_with(3).output.contains("nft"), "{outcome:?}");
    lab.mends("nft");
    let healed = lab.start_bare(&["reconcile", "--all"]).finish();
    assert_eq!(healed.code, Some(0), "{}", healed.output);
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
}

#[test]
fn a_reboot_on_a_full_disk_does_not_say_that_the_router_is_down() {
    let lab = lab!();
    let disk = SmallDisk::mount(&lab);
    let network = network_with_forward(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    for blocks in 0..6 {
        disk.leave(blocks);
        let outcome = network.action("reboot-device", &json!({}));
        assert!(outcome.code == Some(0) || !outcome.output.contains("down"), "{blocks} left: {outcome:?}");
        assert!([Some(0), Some(3)].contains(&outcome.code), "{blocks} blocks left: {outcome:?}");
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        let status = lab.start_bare(&["status"]).finish();
        assert_eq!(status.code, Some(0), "{blocks} blocks left: {}", status.output);
    }
}
