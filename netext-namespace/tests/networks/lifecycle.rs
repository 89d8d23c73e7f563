//! The life of an isolated network: implement, restart, shutdown, destroy.

use netext_lab::{Firewall, Forward, Network, Rule, SourceNat, lab};
use serde_json::json;

use crate::setup::{network, network_with_forward};

#[test]
fn guests_reach_their_gateway_once_the_network_is_implemented() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    network.guest("10.1.1.10").pings("10.1.1.1");
}

#[test]
fn names_are_the_same_as_in_the_bash_reference() {
    let lab = lab!();
    let network = network(&lab);
    assert!(lab.has_namespace("cs-net-209"));
    assert_eq!(lab.interfaces(), ["brnone-101", "brnone-1910", "lo", "vh-1910-209", "vph-101-209"]);
    assert_eq!(network.router().interfaces(), ["vn-1910-209", "vpn-101-209"]);
}

#[test]
fn an_existing_bridge_of_the_name_is_used_unchanged() {
    let lab = lab!();
    let network = lab.network(209);
    let guest = network.guest("10.1.1.10");
    let before = lab.host().output("ip", &["-oneline", "link", "show", "brnone-1910"]);
    network.implement();
    guest.pings("10.1.1.1");
    let after = lab.host().output("ip", &["-oneline", "link", "show", "brnone-1910"]);
    let index = |line: &[u8]| line.split(|byte| *byte == b':').next().map(<[u8]>::to_vec);
    assert_eq!(index(&before.stdout), index(&after.stdout), "the bridge is the same one");
}

#[test]
fn the_router_has_only_the_addresses_of_its_commands() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No);
    let mut addresses = network.router().addresses();
    addresses.retain(|address| !address.starts_with("127.") && !address.contains(':'));
    addresses.sort();
    let plain: Vec<_> = addresses.iter().map(|it| it.split('/').next().unwrap_or_default()).collect();
    assert_eq!(plain, ["10.1.1.1", "198.51.100.10", "198.51.100.11"]);
    assert_eq!(addresses[0], "10.1.1.1/24");
}

#[test]
fn the_gateway_keeps_its_mac_address_after_restart_destruction_and_on_another_host() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement();
    let guest = network.guest("10.1.1.10");
    guest.pings("10.1.1.1");
    let before = guest.mac_of("10.1.1.1");

    network.implement();
    network.shutdown().implement();
    // The guest still has the address in its ARP cache, and would notice a new one late or never.
    guest.pings("10.1.1.1");
    assert_eq!(guest.mac_of("10.1.1.1"), before, "after a restart");

    network.destroy().implement();
    guest.pings("10.1.1.1");
    assert_eq!(guest.mac_of("10.1.1.1"), before, "after destruction");

    let other_host = lab!();
    let same_network = other_host.network(209);
    same_network.implement();
    let guest = same_network.guest("10.1.1.10");
    guest.pings("10.1.1.1");
    assert_eq!(guest.mac_of("10.1.1.1"), before, "on another host");
}

#[test]
fn the_gateways_of_two_networks_have_different_mac_addresses() {
    let lab = lab!();
    let (one, other) = (lab.network(209), lab.network(210).on_vlan("1911"));
    let macs = [one, other].map(|network| {
        network.implement();
        let guest = network.guest("10.1.1.10");
        guest.pings("10.1.1.1");
        guest.mac_of("10.1.1.1")
    });
    assert_ne!(macs[0], macs[1]);
}

#[test]
fn repeating_a_command_changes_nothing() {
    let lab = lab!();
    let network = lab.network(209);
    let forward = Forward::tcp("198.51.100.10:2222", "10.1.1.10:22");
    let firewall = Firewall::egress_allowed().open("198.51.100.10").open("198.51.100.11");
    for _ in 0..2 {
        network.implement();
    }
    for _ in 0..2 {
        network.assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    }
    for _ in 0..2 {
        network.add_static_nat("198.51.100.11", "10.1.1.11");
    }
    for _ in 0..2 {
        network.add_port_forward(&forward);
    }
    for _ in 0..2 {
        network.apply_firewall(&firewall);
    }
    for _ in 0..2 {
        network.prepare_nic("10.1.1.10").prepare_nic("10.1.1.11");
    }
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");

    for _ in 0..2 {
        network.delete_port_forward(&forward);
    }
    client.cannot_connect_to("198.51.100.10:2222");
    for _ in 0..2 {
        network.delete_static_nat("198.51.100.11", "10.1.1.11");
    }
    for _ in 0..2 {
        network.release_ip("198.51.100.11");
    }
    client.cannot_connect_to("198.51.100.11:22");
    for _ in 0..2 {
        network.release_nic("10.1.1.10").release_nic("10.1.1.11");
    }
    for _ in 0..2 {
        network.shutdown();
    }
    for _ in 0..2 {
        network.destroy();
    }
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn deleting_something_that_never_existed_succeeds() {
    let lab = lab!();
    let network = lab.network(209);
    let deletes = |network: &Network<'_>| {
        network.delete_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
        network.delete_static_nat("198.51.100.11", "10.1.1.10");
        network.release_ip("198.51.100.11").release_nic("10.1.1.10");
    };
    deletes(&network);
    network.shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-209"), "deleting created nothing");

    network.implement();
    deletes(&network);
    network.guest("10.1.1.10").pings("10.1.1.1");
}

#[test]
fn commands_work_with_empty_details() {
    let lab = lab!();
    let network = network(&lab);
    network.forget_details();
    let forward = Forward::tcp("198.51.100.10:2222", "10.1.1.10:22");
    let document = network.document(&network.forward_fields(&forward));
    lab.run("add-port-forward", &document).succeeds_silently();
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    lab.run("destroy-network", &network.document(&json!({}))).succeeds_silently();
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn rules_that_come_before_implement_take_effect_with_it() {
    let lab = lab!();
    let network = lab.network(209);
    network.apply_firewall(
        &Firewall::egress_denied()
            .with(Rule::ingress("198.51.100.10").tcp(2222))
            .with(Rule::ingress("198.51.100.11").tcp(22))
            .with(Rule::egress().tcp(80)),
    );
    network.assign_ip("198.51.100.10", SourceNat::Yes).assign_ip("198.51.100.11", SourceNat::No);
    network.add_static_nat("198.51.100.11", "10.1.1.11");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    network.implement();

    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let _internet = (client.listen_tcp(80), client.listen_tcp(81));
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    client.connects_to("198.51.100.11:22").answered_by("10.1.1.11");
    client.cannot_connect_to("198.51.100.10:2223");
    one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    other.connects_to("203.0.113.5:80").seen_as("198.51.100.11");
    one.cannot_connect_to("203.0.113.5:81");
}

#[test]
fn a_second_implement_without_a_vlan_keeps_the_first_one() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let fields = netext_lab::joined(&network.extension_field(), &json!({"vlan": ""}));
    network.command("implement-network", &fields).succeeds_silently();
    guest.pings("10.1.1.1");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn destroy_leaves_nothing_but_the_bridges() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10"));
    network.shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-209"));
    assert_eq!(lab.interfaces(), ["brnone-101", "brnone-1910", "lo"]);
    assert_eq!(lab.processes(), []);
    let left: Vec<_> = lab.files().into_iter().map(|(path, ..)| path).collect();
    assert!(!left.iter().any(|path| path.ends_with("network-209")), "{left:?}");
    lab.upstream().cannot_ping("198.51.100.10");
}

#[test]
fn destroyed_rules_do_not_come_back_with_the_next_implement() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let guest = network.guest("10.1.1.10");
    let ssh = guest.listen_tcp(22);
    network.destroy().implement().assign_ip("198.51.100.10", SourceNat::Yes);
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
    ssh.saw_no_client();
}
