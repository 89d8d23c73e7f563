//! The effect of the commands about DHCP, DNS and user data on guests, over restarts and crashes and with many guests.

use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{Lab, Network, Node, SourceNat, joined, lab, resolvers, restore_fields};
use serde_json::{Value, json};

use crate::setup::vpc;

fn save_password(network: &Network<'_>, address: &str, password: &str) {
    let fields = joined(&network.nic_fields(address), &json!({"password": password}));
    network.command("save-password", &fields).succeeds_silently();
}

fn user_data(guest: &Node) -> String {
    guest.curls("10.1.1.1", "user-data")
}

fn password(guest: &Node, request: &str) -> String {
    guest.asks_password_server("10.1.1.1", request)
}

fn address_of(guest: &Node, name: &str) -> String {
    guest.digs("10.1.1.1", name)
}

/// Asserts that the guest at 10.1.1.10 gets its user data, and its name resolves.
#[track_caller]
fn is_served(guest: &Node) {
    assert_eq!(user_data(guest), "10.1.1.10");
    assert_eq!(address_of(guest, "web-10"), "10.1.1.10");
}

/// The processes that serve guests.
fn daemons(lab: &Lab) -> Vec<(i32, String)> {
    let serves = |line: &str| ["dnsmasq", "radvd", "serve-metadata"].iter().any(|name| line.contains(name));
    lab.processes().into_iter().filter(|(_, line)| serves(line)).collect()
}

fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network
}

#[test]
fn the_next_command_restarts_killed_daemons() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    let guest = network.guest("10.1.1.10");
    is_served(&guest);
    let before = daemons(&lab);
    assert!(before.len() >= 3, "{before:?}");
    for (process, _) in &before {
        lab.kills(*process);
    }
    assert_eq!(user_data(&guest), "");
    assert_ne!(address_of(&guest, "web-10"), "10.1.1.10");

    network.prepare_nic("10.1.1.10");
    is_served(&guest);
    assert!(daemons(&lab).iter().all(|daemon| !before.contains(daemon)));
}

#[test]
fn guests_are_served_if_the_management_server_creates_private_files() {
    let lab = lab!();
    lab.set_umask(0o077);
    let network = network(&lab);
    network.deploy("10.1.1.10");
    let guest = network.guest("10.1.1.10");
    is_served(&guest);
}

#[test]
fn destroying_a_network_ends_its_daemons_and_no_others() {
    let lab = lab!();
    let (one, other) =
        (network(&lab), lab.network(2090).on_vlan("1911").with_subnet("10.2.1.1", "10.2.1.0/24"));
    other.implement();
    one.deploy("10.1.1.10");
    other.deploy("10.2.1.10");
    one.destroy();
    let left = daemons(&lab);
    assert!(!left.is_empty() && left.iter().all(|(_, line)| line.contains("network-2090")), "{left:?}");
    other.destroy();
    assert_eq!(daemons(&lab), []);
}

#[test]
fn destroying_a_network_without_a_state_ends_its_daemons() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    let state = format!("{}/state.json", network.folder());
    lab.host().run(|| std::fs::write(&state, "{")).expect("the state can be damaged");
    network.command("destroy-network", &json!({})).fails_with(3);
    lab.host().run(|| std::fs::remove_file(&state)).expect("the state can be moved away");
    network.destroy();
    assert_eq!(daemons(&lab), []);
    assert!(!lab.has_namespace("cs-net-209"));
    assert!(!lab.host().run(|| std::path::Path::new(&network.folder()).exists()));

    let vpc = vpc(&lab);
    let tier = vpc.tier(1);
    tier.implement();
    tier.deploy("10.2.1.10");
    let state = format!("{}/state.json", vpc.folder());
    lab.host().run(|| std::fs::remove_file(&state)).expect("the state can be moved away");
    tier.destroy();
    vpc.shutdown();
    assert_eq!(daemons(&lab), []);
}

#[test]
fn names_resolve_only_while_dns_is_enabled() {
    let lab = lab!();
    let network = network(&lab);
    let nic = joined(&network.nic_fields("10.1.1.10"), &resolvers());
    let guest = network.guest("10.1.1.10");
    network.command("config-dhcp-subnet", &nic).succeeds_silently();
    network.command("add-dhcp-entry", &nic).succeeds_silently();
    network.command("add-dns-entry", &nic).succeeds_silently();
    for name in ["web-10", "web-10.cs1.internal"] {
        assert_eq!(address_of(&guest, name), "10.1.1.10");
    }
    assert_eq!(address_of(&guest, "data-server"), "10.1.1.1");
    network.command("remove-dns-entry", &nic).succeeds_silently();
    assert_eq!(address_of(&guest, "web-10"), "");
    network.command("remove-dns-subnet", &nic).succeeds_silently();
    guest.cannot_connect_to("10.1.1.1:53");
    network.command("config-dns-subnet", &nic).succeeds_silently();
    assert_eq!(address_of(&guest, "data-server"), "10.1.1.1");
}

#[test]
fn a_password_survives_until_it_is_acknowledged() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    save_password(&network, "10.1.1.10", "kE3=p&x9'<>");
    let vm = json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a", "hostname": "web-10", "vm_data": []});
    let restored = restore_fields(&[vm]);

    network.shutdown().implement();
    network.command("restore-network", &joined(&resolvers(), &restored)).succeeds_silently();
    let guest = network.guest("10.1.1.10");
    assert_eq!(password(&guest, "send_my_password"), "kE3=p&x9'<>");
    assert_eq!(password(&guest, "saved_password"), "saved_password");
    assert_eq!(password(&guest, "send_my_password"), "saved_password");
    assert_eq!(password(&guest, "please"), "bad_request");
    assert!(lab.files().iter().all(|(_, _, content)| !content.contains("kE3")));
}

#[test]
fn the_next_tenant_of_an_address_cannot_read_data_of_the_previous_one() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    network.deploy("10.1.1.11");
    save_password(&network, "10.1.1.10", "never-yours");
    let guest = network.guest("10.1.1.10");
    assert_eq!(user_data(&guest), "10.1.1.10");
    network.release_nic("10.1.1.10");
    assert_eq!(user_data(&guest), "");
    assert_ne!(password(&guest, "send_my_password"), "never-yours");
    assert_eq!(address_of(&guest, "web-10"), "");
    assert_eq!(user_data(&network.guest("10.1.1.11")), "10.1.1.11");
}

#[test]
fn data_of_the_previous_nic_of_an_address_is_hidden_and_its_late_release_removes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    save_password(&network, "10.1.1.10", "never-yours");
    let guest = network.guest("10.1.1.10");
    assert_eq!(user_data(&guest), "10.1.1.10");

    // Another NIC gets the address before the release of the first one arrives.
    let next = json!({"mac": "02:01:00:d1:00:99", "nic_id": "99", "hostname": "web-99"});
    let next = joined(&network.nic_fields("10.1.1.10"), &next);
    network.command("prepare-nic", &next).succeeds_silently();
    assert_eq!(user_data(&guest), "");
    assert_eq!(password(&guest, "send_my_password"), "saved_password");

    for (command, fields) in [
        ("save-userdata", json!({"userdata": "of the next one"})),
        ("save-password", json!({"password": "its-own"})),
    ] {
        network.command(command, &joined(&next, &fields)).succeeds_silently();
    }
    network.release_nic("10.1.1.10");
    assert_eq!(user_data(&guest), "of the next one");
    assert_eq!(password(&guest, "send_my_password"), "its-own");

    // The NICs are also distinguished after a shutdown, which keeps the password.
    network.shutdown().implement();
    network.prepare_nic("10.1.1.10");
    network.deploy("10.1.1.10");
    assert_eq!(password(&guest, "send_my_password"), "saved_password");
}

#[test]
fn twenty_instances_at_once_are_all_served() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.9");
    let running: Vec<_> = (10..30)
        .map(|last| {
            let nic = joined(&network.nic_fields(&format!("10.1.1.{last}")), &resolvers());
            lab.start("add-dns-entry", &network.document(&nic))
        })
        .collect();
    for command in running {
        command.finish().succeeds_silently();
    }
    let guest = network.guest("10.1.1.9");
    for last in 10..30 {
        assert_eq!(address_of(&guest, &format!("web-{last}")), format!("10.1.1.{last}"));
    }
}

#[test]
fn a_thousand_instances_are_restored_at_once_and_others_are_removed() {
    let lab = lab!();
    let network = lab.network(209).with_subnet("10.1.1.1", "10.1.0.0/16");
    network.implement();
    network.deploy("10.1.9.9");
    let vm = |number: u32| {
        let (high, low) = (number / 250 + 16, number % 250 + 1);
        json!({"ip": format!("10.1.{high}.{low}"), "mac": format!("02:01:00:d2:{high:02x}:{low:02x}"),
            "hostname": format!("vm-{number}"), "default_nic": true, "device_id": "0",
            "vm_data": [{"dir": "userdata", "file": "user_data", "content": format!("data of {number}")}]})
    };
    let vms: Vec<_> = (0..1000).map(vm).collect();
    network.command("restore-network", &joined(&resolvers(), &restore_fields(&vms))).succeeds_silently();
    let guest = network.guest("10.1.19.250");
    assert_eq!(user_data(&guest), "data of 999");
    await_name(&guest, "vm-0", "10.1.16.1");
    assert_eq!(address_of(&guest, "web-9"), "");
    assert_eq!(user_data(&network.guest("10.1.9.9")), "");
}

/// dnsmasq takes a moment to reload a long file.
fn await_name(guest: &Node, name: &str, address: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while address_of(guest, name) != address {
        assert!(Instant::now() < deadline, "{name} is not {address}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_shared_network_is_served_from_its_first_nic_on() {
    let lab = lab!();
    let network =
        lab.network(215).on_vlan("3042").with_subnet("10.1.1.254", "10.1.1.0/24").shared("10.1.1.1");
    network.deploy("10.1.1.10");
    let guest = network.guest("10.1.1.10");
    assert_eq!(user_data(&guest), "10.1.1.10");
    assert_eq!(address_of(&guest, "web-10"), "10.1.1.10");
}

#[test]
fn malformed_text_of_a_tenant_is_refused_and_changes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    network.deploy("10.1.1.10");
    let before = lab.files();
    let refused = |command: &str, fields: Value, words: &[&str]| {
        let nic = joined(&network.nic_fields("10.1.1.10"), &resolvers());
        network.command(command, &joined(&nic, &fields)).is_refused_naming(words);
    };
    for name in ["a\nb", "a,b", "a b", "../x", "a/b", "-a", ""] {
        if !name.is_empty() {
            refused("add-dhcp-entry", json!({"hostname": name}), &["hostname"]);
            refused("add-dns-entry", json!({"hostname": name}), &["hostname"]);
        }
    }
    refused("config-dns-subnet", json!({"domain": "cs1.internal\nserver=203.0.113.1"}), &["domain"]);
    refused("config-dhcp-subnet", json!({"dns": "198.51.100.53 ; x"}), &["dns"]);
    refused("set-dhcp-options", json!({"options": {"26": "1400\ndhcp-script=/x"}}), &["26"]);
    refused("set-dhcp-options", json!({"options": {"66": "a\"b"}}), &["66"]);
    for file in ["../../10.1.1.11.json", "a/b", "a\nb", ".."] {
        let entry = json!({"vm_data": [{"dir": "metadata", "file": file, "content": "x"}]});
        refused("save-vm-data", entry, &["vm_data[0].file"]);
    }
    refused(
        "save-vm-data",
        json!({"vm_data": [{"dir": "../x", "file": "a", "content": "x"}]}),
        &["vm_data[0].dir"],
    );
    let state = |files: &[(std::path::PathBuf, u32, String)]| -> Vec<String> {
        files
            .iter()
            .filter(|(path, ..)| !path.ends_with("lab-router.log"))
            .map(|(.., text)| text.clone())
            .collect()
    };
    assert_eq!(state(&lab.files()), state(&before));
}
