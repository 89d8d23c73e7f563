//! A command without a field does not change it: the value of earlier commands stays in force.

use netext_lab::{Network, Node, joined, lab, restore_fields};
use serde_json::{Value, json};

use crate::setup::network;

/// A resolver on the internet.
const RESOLVER: &str = "203.0.113.53";

fn guest(network: &Network<'_>) -> Node {
    network.guest("10.1.1.99")
}

/// Sends the first commands about a NIC, with every field.
fn send_everything(network: &Network<'_>) {
    let nic = network.nic_fields("10.1.1.10");
    let resolvers = json!({"dns": RESOLVER, "domain": "readme.internal"});
    for command in ["config-dns-subnet", "add-dns-entry", "config-dhcp-subnet", "add-dhcp-entry"] {
        network.command(command, &joined(&nic, &resolvers)).succeeds_silently();
    }
}

#[track_caller]
fn everything_is_in_force(network: &Network<'_>) {
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    let lease = guest.takes_lease("10.1.1.10");
    lease.with("router", "10.1.1.1").with("domain", "readme.internal").with("search", "readme.internal");
    lease.with("dns", &format!("10.1.1.1 {RESOLVER}")).with("hostname", "web-10");
    assert_eq!(guest.digs("10.1.1.1", "web-10.readme.internal"), "10.1.1.10");
    assert_eq!(guest.digs("10.1.1.1", "data-server.readme.internal"), "10.1.1.1");
}

#[test]
fn a_name_without_domain_and_resolvers_keeps_the_known_ones() {
    let lab = lab!();
    let network = network(&lab);
    send_everything(&network);
    let nic = joined(&network.nic_fields("10.1.1.11"), &json!({"default_nic": null, "device_id": null}));
    network.command("add-dns-entry", &nic).succeeds_silently();
    assert_eq!(guest(&network).digs("10.1.1.1", "web-11.readme.internal"), "10.1.1.11");
    everything_is_in_force(&network);
}

#[test]
fn no_command_about_a_nic_removes_a_field_that_it_does_not_have() {
    let lab = lab!();
    let network = network(&lab);
    send_everything(&network);
    let nic = network.nic_fields("10.1.1.10");
    let bare = joined(
        &nic,
        &json!({"hostname": null, "default_nic": null, "extension_ip": null, "gateway": null,
        "cidr": null, "vlan": null, "guest_type": null, "dns": "", "domain": ""}),
    );
    for command in
        ["prepare-nic", "config-dns-subnet", "config-dhcp-subnet", "add-dhcp-entry", "add-dns-entry"]
    {
        network.command(command, &bare).succeeds_silently();
        everything_is_in_force(&network);
    }
}

#[test]
fn a_nic_that_is_not_the_default_one_stays_so_until_a_command_changes_it() {
    let lab = lab!();
    let network = network(&lab);
    let nic = network.nic_fields("10.1.1.10");
    network.command("prepare-nic", &joined(&nic, &json!({"default_nic": "false"}))).succeeds_silently();
    network.command("add-dhcp-entry", &joined(&nic, &json!({"default_nic": null}))).succeeds_silently();
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    guest.takes_lease("10.1.1.10").without("router");
    network.command("add-dhcp-entry", &joined(&nic, &json!({"default_nic": "true"}))).succeeds_silently();
    guest.takes_lease("10.1.1.10").with("router", "10.1.1.1");
}

#[test]
fn an_implement_without_ipv6_keeps_the_known_ipv6() {
    let lab = lab!();
    lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64").implement();
    let bare = json!({"gateway": null, "cidr": null, "vlan": "", "guest_type": null});
    lab.network(209).command("implement-network", &bare).succeeds_silently();
    let network = lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64");
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    guest.pings("10.1.1.1");
    guest.pings("2001:db8:1::1");
}

fn restore(network: &Network<'_>, vm: &Value) {
    let restored = restore_fields(std::slice::from_ref(vm));
    network.command("restore-network", &restored).succeeds_silently();
}

#[test]
fn a_restore_without_resolvers_and_names_keeps_the_known_ones() {
    let lab = lab!();
    let network = network(&lab);
    send_everything(&network);
    restore(&network, &json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a"}));
    everything_is_in_force(&network);

    network.shutdown().implement();
    restore(&network, &json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a", "hostname": "web-10"}));
    everything_is_in_force(&network);
}

#[test]
fn a_restore_may_name_the_resolvers_only_with_its_instances() {
    let lab = lab!();
    let network = network(&lab);
    let vm = json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a", "hostname": "web-10", "dns": RESOLVER,
        "domain": "readme.internal"});
    restore(&network, &vm);
    everything_is_in_force(&network);
}

#[test]
fn a_restore_that_names_no_services_keeps_the_enabled_ones() {
    let lab = lab!();
    let network = network(&lab);
    send_everything(&network);
    let vm = json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a"});
    network.command("restore-network", &json!({"restore_data": {"vms": [vm]}})).succeeds_silently();
    everything_is_in_force(&network);
}

#[test]
fn absent_options_stay_and_an_empty_object_removes_them() {
    let lab = lab!();
    let network = network(&lab);
    send_everything(&network);
    let nic_id = network.nic_fields("10.1.1.10")["nic_id"].clone();
    let set = |options: Value| {
        let fields = joined(&json!({"nic_id": nic_id}), &options);
        network.command("set-dhcp-options", &fields).succeeds_silently();
    };
    let guest = network.bare_guest("02:01:00:d1:00:0a");
    set(json!({"options": {"26": "1400"}}));
    set(json!({}));
    guest.takes_lease("10.1.1.10").with("mtu", "1400");
    set(json!({"options": {}}));
    guest.takes_lease("10.1.1.10").without("mtu");
}

#[test]
fn a_restored_instance_without_data_keeps_its_data() {
    let lab = lab!();
    let network = network(&lab);
    let nic = network.nic_fields("10.1.1.10");
    network.command("save-userdata", &joined(&nic, &json!({"userdata": "kept"}))).succeeds_silently();
    restore(&network, &json!({"ip": "10.1.1.10", "mac": "02:01:00:d1:00:0a"}));
    assert_eq!(network.guest("10.1.1.10").curls("10.1.1.1", "user-data"), "kept");
}

#[test]
fn an_address_keeps_its_gateway_and_segment_when_a_static_nat_does_not_repeat_them() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let public = json!({"public_ip": "198.51.100.10", "private_ip": "10.1.1.10"});
    network.command("add-static-nat", &public).succeeds_silently();
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}
