//! The NIC that a command is about, by MAC, UUID, id or address; and the data of a NIC whose address another one gets.

use netext_lab::{Lab, Network, Node, joined, lab, restore_fields};
use serde_json::{Value, json};

const MAC: &str = "02:01:00:d1:00:0a";
const UUID: &str = "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e0a";
const NEXT_UUID: &str = "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4eff";
const SERVER: &str = "10.1.1.1";

fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement();
    network
}

#[track_caller]
fn send(network: &Network<'_>, command: &str, nic: &Value, more: &Value) {
    network.command(command, &joined(nic, more)).succeeds_silently();
}

fn by_address(address: &str) -> Value {
    json!({"ip": address})
}

fn password(guest: &Node) -> String {
    guest.asks_password_server(SERVER, "send_my_password")
}

#[test]
fn commands_may_name_a_nic_by_its_address_only() {
    let lab = lab!();
    let network = network(&lab);
    let nic = by_address("10.1.1.10");
    send(&network, "config-dns-subnet", &json!({}), &json!({"domain": "cs1.internal"}));
    send(&network, "add-dns-entry", &nic, &json!({"hostname": "web"}));
    send(&network, "add-dns-entry", &json!({"ip6_address": "2001:db8::10"}), &json!({"hostname": "six"}));
    send(&network, "save-userdata", &nic, &json!({"userdata": "data"}));
    send(&network, "save-password", &nic, &json!({"password": "its-own"}));
    let guest = network.guest("10.1.1.10");
    assert_eq!(guest.digs(SERVER, "web.cs1.internal"), "10.1.1.10");
    assert_eq!(guest.digs(SERVER, "six AAAA"), "2001:db8::10");
    assert_eq!(guest.curls(SERVER, "user-data"), "data");
    assert_eq!(password(&guest), "its-own");

    send(&network, "remove-dns-entry", &nic, &json!({}));
    assert_eq!(guest.digs(SERVER, "web"), "");
    assert_eq!(guest.digs(SERVER, "six AAAA"), "2001:db8::10");
    send(&network, "release-nic", &nic, &json!({}));
    assert_eq!(guest.curls(SERVER, "user-data"), "");
}

#[test]
fn a_reservation_needs_a_mac_from_this_or_an_earlier_command() {
    let lab = lab!();
    let network = network(&lab);
    let nic = by_address("10.1.1.10");
    network.command("add-dhcp-entry", &nic).is_refused_naming(&["add-dhcp-entry: payload.mac"]);
    send(&network, "add-dns-entry", &nic, &json!({"hostname": "web"}));
    network.command("add-dhcp-entry", &nic).is_refused_naming(&["add-dhcp-entry: payload.mac"]);
    send(&network, "prepare-nic", &nic, &json!({"mac": MAC}));
    send(&network, "add-dhcp-entry", &nic, &json!({}));
    network.bare_guest(MAC).takes_lease("10.1.1.10").with("hostname", "web");
    send(&network, "remove-dhcp-entry", &nic, &json!({}));
    network.bare_guest(MAC).gets_no_lease();
    network
        .command("save-userdata", &json!({"mac": "02:00:00:00:00:99", "userdata": "x"}))
        .is_refused_naming(&["save-userdata: payload.ip"]);
}

#[test]
fn a_mac_merges_nics_known_by_uuid_and_by_address() {
    let lab = lab!();
    let network = network(&lab);
    send(
        &network,
        "prepare-nic",
        &json!({"nic_uuid": UUID}),
        &json!({"hostname": "web", "default_nic": "false"}),
    );
    send(&network, "add-dns-entry", &by_address("10.1.1.10"), &json!({}));
    send(&network, "save-password", &by_address("10.1.1.10"), &json!({"password": "its-own"}));
    send(&network, "add-dhcp-entry", &json!({"mac": MAC, "ip": "10.1.1.10", "nic_uuid": UUID}), &json!({}));
    let guest = network.bare_guest(MAC);
    guest.takes_lease("10.1.1.10").with("hostname", "web").without("router");
    assert_eq!(guest.digs(SERVER, "web"), "10.1.1.10");
    assert_eq!(password(&guest), "its-own");

    // From now on each of the three names this NIC.
    send(&network, "release-nic", &json!({"nic_uuid": UUID}), &json!({}));
    assert_eq!(guest.digs(SERVER, "web"), "");
    assert_eq!(password(&guest), "saved_password");
}

#[test]
fn a_nic_moves_to_the_address_that_a_command_names() {
    let lab = lab!();
    let network = network(&lab);
    let nic = json!({"mac": MAC, "nic_uuid": UUID});
    for address in ["10.1.1.10", "10.1.1.11"] {
        send(&network, "add-dhcp-entry", &nic, &json!({"ip": address, "hostname": "web"}));
        send(&network, "add-dns-entry", &nic, &json!({"ip": address}));
    }
    let guest = network.bare_guest(MAC);
    guest.takes_lease("10.1.1.11");
    assert_eq!(guest.digs(SERVER, "web"), "10.1.1.11");
    assert_eq!(guest.digs(SERVER, "-x 10.1.1.10"), "");
    // A README command without the MAC moves it, too.
    send(&network, "add-dns-entry", &json!({"nic_uuid": UUID, "ip": "10.1.1.12"}), &json!({}));
    guest.takes_lease("10.1.1.12");
}

#[test]
fn options_apply_once_a_nic_has_their_id() {
    let lab = lab!();
    let network = network(&lab);
    send(&network, "set-dhcp-options", &json!({"nic_id": "71"}), &json!({"options": {"26": "1400"}}));
    let nic = json!({"mac": MAC, "ip": "10.1.1.10"});
    send(&network, "add-dhcp-entry", &nic, &json!({}));
    network.bare_guest(MAC).takes_lease("10.1.1.10").without("mtu");
    send(&network, "prepare-nic", &nic, &json!({"nic_id": "71"}));
    network.bare_guest(MAC).takes_lease("10.1.1.10").with("mtu", "1400");
}

/// Gives a NIC a password. The server never releases the NIC.
fn has_a_password(network: &Network<'_>, nic: &Value) {
    send(network, "prepare-nic", nic, &json!({}));
    send(network, "save-password", &by_address("10.1.1.10"), &json!({"password": "never-yours"}));
    assert_eq!(password(&network.guest("10.1.1.10")), "never-yours");
}

#[test]
fn the_next_nic_of_an_address_cannot_read_the_password() {
    let names = [
        (json!({"mac": MAC}), json!({"mac": "02:00:00:00:00:99"})),
        (json!({"mac": MAC, "nic_uuid": UUID}), json!({"nic_uuid": NEXT_UUID})),
        (json!({"nic_uuid": UUID}), json!({"nic_uuid": NEXT_UUID})),
        (json!({"nic_uuid": UUID}), json!({"nic_uuid": NEXT_UUID, "mac": "02:00:00:00:00:99"})),
        (json!({"mac": MAC, "nic_id": "71"}), json!({"nic_id": "72"})),
    ];
    let lab = lab!();
    let network = network(&lab);
    for (nic, stranger) in names {
        for command in ["prepare-nic", "add-dns-entry", "config-dns-subnet"] {
            has_a_password(&network, &joined(&nic, &by_address("10.1.1.10")));
            send(&network, command, &stranger, &by_address("10.1.1.10"));
            let read = password(&network.guest("10.1.1.10"));
            assert_eq!(read, "saved_password", "{command} of {stranger} after {nic}");
            network.shutdown().implement();
        }
    }
}

#[test]
fn an_address_alone_does_not_reveal_a_password_after_a_shutdown() {
    let lab = lab!();
    let network = network(&lab);
    has_a_password(&network, &json!({"mac": MAC, "ip": "10.1.1.10"}));
    network.shutdown().implement();
    send(&network, "save-userdata", &by_address("10.1.1.10"), &json!({"userdata": "of the address"}));
    let guest = network.guest("10.1.1.10");
    assert_eq!(guest.curls(SERVER, "user-data"), "of the address");
    assert_eq!(password(&guest), "saved_password");
}

#[test]
fn a_nic_keeps_its_password_over_restarts_of_its_instance_and_network() {
    let lab = lab!();
    let network = network(&lab);
    for nic in [json!({"mac": MAC}), json!({"nic_uuid": UUID}), json!({})] {
        let nic = joined(&nic, &by_address("10.1.1.10"));
        has_a_password(&network, &nic);
        send(&network, "prepare-nic", &nic, &json!({}));
        send(&network, "save-userdata", &by_address("10.1.1.10"), &json!({"userdata": "again"}));
        assert_eq!(password(&network.guest("10.1.1.10")), "never-yours");

        network.shutdown().implement();
        let vm = json!({"ip": "10.1.1.10", "mac": MAC, "nic_uuid": UUID, "hostname": "web-10"});
        network.command("restore-network", &restore_fields(&[vm])).succeeds_silently();
        assert_eq!(password(&network.guest("10.1.1.10")), "never-yours");
        send(&network, "release-nic", &json!({"mac": MAC}), &by_address("10.1.1.10"));
        network.shutdown().implement();
    }
}

#[test]
fn a_late_release_removes_nothing_of_the_next_nic_of_the_address() {
    let lab = lab!();
    let network = network(&lab);
    has_a_password(&network, &json!({"nic_uuid": UUID, "ip": "10.1.1.10"}));
    let next = json!({"nic_uuid": NEXT_UUID, "ip": "10.1.1.10"});
    send(&network, "add-dns-entry", &next, &json!({"hostname": "next"}));
    send(&network, "save-password", &next, &json!({"password": "its-own"}));
    send(&network, "release-nic", &json!({"nic_uuid": UUID, "ip": "10.1.1.10"}), &json!({}));
    let guest = network.guest("10.1.1.10");
    assert_eq!(guest.digs(SERVER, "next"), "10.1.1.10");
    assert_eq!(password(&guest), "its-own");
}

#[test]
fn a_late_save_does_not_change_data_of_the_next_nic_of_the_address() {
    let lab = lab!();
    let network = network(&lab);
    let one = json!({"mac": MAC, "ip": "10.1.1.10", "nic_uuid": UUID});
    let two = json!({"mac": "02:01:00:d1:00:0b", "ip": "10.1.1.10", "nic_uuid": "u-2"});
    send(&network, "prepare-nic", &one, &json!({}));
    send(&network, "prepare-nic", &two, &json!({}));
    send(&network, "save-password", &by_address("10.1.1.10"), &json!({"password": "of-two"}));
    send(&network, "save-userdata", &by_address("10.1.1.10"), &json!({"userdata": "of-two"}));
    let vm_data = json!([{"dir": "userdata", "file": "user_data", "content": "of-one"}]);
    let late = json!({"password": "of-one", "userdata": "of-one", "vm_data": vm_data});
    for command in ["save-password", "save-userdata", "save-vm-data"] {
        send(&network, command, &one, &late);
        let guest = network.guest("10.1.1.10");
        assert_eq!(password(&guest), "of-two", "{command}");
        assert_eq!(guest.curls(SERVER, "user-data"), "of-two", "{command}");
    }
}

#[test]
fn a_nic_without_a_mac_that_moves_leaves_no_data_at_its_old_address() {
    let lab = lab!();
    let network = network(&lab);
    send(&network, "prepare-nic", &json!({"nic_uuid": UUID, "ip": "10.1.1.10"}), &json!({}));
    send(&network, "save-password", &by_address("10.1.1.10"), &json!({"password": "of-one"}));
    send(&network, "prepare-nic", &json!({"nic_uuid": UUID, "ip": "10.1.1.11"}), &json!({}));
    send(&network, "save-userdata", &by_address("10.1.1.10"), &json!({"userdata": "of-two"}));
    assert_eq!(password(&network.guest("10.1.1.10")), "saved_password");
}

#[test]
fn a_restore_does_not_reveal_the_password_of_the_previous_nic_of_an_address() {
    let lab = lab!();
    let network = network(&lab);
    send(&network, "prepare-nic", &json!({"nic_uuid": UUID, "ip": "10.1.1.10"}), &json!({}));
    send(&network, "save-password", &by_address("10.1.1.10"), &json!({"password": "of-one"}));
    let vms = json!([
        {"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0b", "nic_uuid": "u-2"},
        {"ip": "10.1.1.11", "mac": MAC, "nic_uuid": UUID},
    ]);
    send(
        &network,
        "restore-network",
        &json!({"restore_data": {"userdata_enabled": true, "vms": vms}}),
        &json!({}),
    );
    assert_eq!(password(&network.guest("10.1.1.10")), "saved_password");
}
