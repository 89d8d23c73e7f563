//! A shared network with a second range of addresses on its segment.

use netext_lab::{Lab, Network, Node, joined, lab, resolvers, restore_fields};
use serde_json::{Value, json};

const FIRST: &str = "172.31.42.200";
const FIRST_GUEST: &str = "172.31.42.10";
const SECOND_GUEST: &str = "10.2.0.20";

/// A shared network that is not implemented yet, and the data centre's router, the gateway of both ranges.
fn shared(lab: &Lab) -> (Network<'_>, Node) {
    let network = lab.network(215).on_vlan("3042").with_subnet("172.31.42.1", "172.31.42.0/24");
    let gateway = lab.plug("brnone-3042", &["172.31.42.1/24", "10.2.0.1/24"]);
    gateway.sandbox().run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("a router");
    (network.shared(FIRST), gateway)
}

/// The fields of a NIC in either range, as the server sends them: with the gateway of the NIC's own range.
fn fields(network: &Network<'_>, address: &str, extension_ip: &str) -> Value {
    let gateway = if address.starts_with("10.2.0.") { "10.2.0.1" } else { "172.31.42.1" };
    joined(&network.nic_fields(address), &json!({"gateway": gateway, "extension_ip": extension_ip}))
}

/// Deploys an instance as the server does.
fn deploy(network: &Network<'_>, address: &str, extension_ip: &str) {
    let nic = joined(&fields(network, address, extension_ip), &resolvers());
    for command in
        ["prepare-nic", "config-dhcp-subnet", "add-dhcp-entry", "config-dns-subnet", "add-dns-entry"]
    {
        network.command(command, &nic).succeeds_silently();
    }
    let vm_data = json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": address}]});
    network.command("save-vm-data", &joined(&nic, &vm_data)).succeeds_silently();
    network.command("save-password", &joined(&nic, &json!({"password": "its-own"}))).succeeds_silently();
}

fn mac(address: &str) -> String {
    let last: u8 = last_octet(address).parse().expect("an octet");
    format!("02:01:00:d1:00:{last:02x}")
}

fn last_octet(address: &str) -> &str {
    address.rsplit('.').next().unwrap_or(address)
}

/// Asserts that a guest gets its lease, names, metadata and password.
#[track_caller]
fn is_served(network: &Network<'_>, address: &str, gateway: &str, server: &str) -> Node {
    let guest = network.bare_guest(&mac(address));
    let lease = guest.takes_lease(address);
    lease.with("router", gateway).with("subnet", "255.255.255.0").with("search", "cs1.internal");
    lease.with("dns", &format!("{server} 198.51.100.53")).with("serverid", server);
    let last = last_octet(address);
    for name in [format!("web-{last}"), format!("web-{last}.cs1.internal")] {
        assert_eq!(guest.digs(server, &name), address);
    }
    assert_eq!(guest.digs(server, "data-server"), server);
    assert_eq!(guest.digs(server, &format!("-x {address}")), format!("web-{last}.cs1.internal."));
    assert_eq!(guest.curls(server, "user-data"), address);
    assert_eq!(guest.asks_password_server(server, "send_my_password"), "its-own");
    guest
}

#[test]
fn guests_of_a_second_range_are_served_through_their_own_gateway() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    network.implement();
    deploy(&network, FIRST_GUEST, FIRST);
    deploy(&network, SECOND_GUEST, FIRST);
    let second = is_served(&network, SECOND_GUEST, "10.2.0.1", FIRST);
    let first = is_served(&network, FIRST_GUEST, "172.31.42.1", FIRST);
    assert_eq!(second.digs(FIRST, "web-10"), FIRST_GUEST);
    assert_eq!(first.digs(FIRST, "web-20"), SECOND_GUEST);
    let addresses = network.router().addresses();
    assert!(addresses.contains(&"172.31.42.200/24".to_owned()), "{addresses:?}");
    assert!(!addresses.iter().any(|address| address.starts_with("10.2.")), "{addresses:?}");
}

#[test]
fn dhclient_gets_the_lease_of_a_second_range() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    deploy(&network, SECOND_GUEST, FIRST);
    let guest = network.bare_guest(&mac(SECOND_GUEST));
    let arguments =
        ["15", "dhclient", "-1", "-d", "-sf", "/bin/true", "-lf", "/dev/null", "-pf", "/dev/null", "eth0"];
    let asked = guest.sandbox().output("timeout", &arguments);
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(said.contains("bound to 10.2.0.20"), "{said}");
}

#[test]
fn the_first_command_may_be_about_a_nic_of_the_second_range() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    deploy(&network, SECOND_GUEST, FIRST);
    let _second = is_served(&network, SECOND_GUEST, "10.2.0.1", FIRST);
    deploy(&network, FIRST_GUEST, FIRST);
    let _first = is_served(&network, FIRST_GUEST, "172.31.42.1", FIRST);
    let route = network.router().ip("route show default");
    assert!(route.len() == 1 && route[0].contains("via 172.31.42.1 "), "{route:?}");
}

#[test]
fn a_second_range_may_have_its_own_extension_address() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    deploy(&network, SECOND_GUEST, "10.2.0.200");
    let _second = is_served(&network, SECOND_GUEST, "10.2.0.1", "10.2.0.200");
    deploy(&network, FIRST_GUEST, FIRST);
    let _first = is_served(&network, FIRST_GUEST, "172.31.42.1", FIRST);
    let second = is_served(&network, SECOND_GUEST, "10.2.0.1", "10.2.0.200");
    assert_eq!(second.digs(FIRST, "web-10"), FIRST_GUEST);
    let addresses = network.router().addresses();
    for own in ["172.31.42.200/24", "10.2.0.200/24"] {
        assert!(addresses.contains(&own.to_owned()), "{addresses:?}");
    }
}

#[test]
fn the_only_extension_address_may_be_in_the_second_range() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    deploy(&network, FIRST_GUEST, "10.2.0.200");
    deploy(&network, SECOND_GUEST, "10.2.0.200");
    let _first = is_served(&network, FIRST_GUEST, "172.31.42.1", "10.2.0.200");
    let _second = is_served(&network, SECOND_GUEST, "10.2.0.1", "10.2.0.200");
}

#[test]
fn a_second_range_comes_back_after_restart_and_loss() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    network.implement();
    deploy(&network, SECOND_GUEST, FIRST);
    lab.host().ip("netns delete cs-net-215\n");
    let reconciled = lab.start_bare(&["reconcile", "--all"]).finish();
    assert_eq!(reconciled.code, Some(0), "{}", reconciled.output);
    let _second = is_served(&network, SECOND_GUEST, "10.2.0.1", FIRST);

    // A restore contains no gateways and netmasks.
    network.shutdown().implement();
    let vm = json!({"ip": SECOND_GUEST, "mac": mac(SECOND_GUEST), "hostname": "web-20", "default_nic": true,
        "vm_data": [{"dir": "userdata", "file": "user_data", "content": SECOND_GUEST}]});
    let restored = joined(&restore_fields(&[vm]), &json!({"extension_ip": FIRST}));
    network.command("restore-network", &joined(&resolvers(), &restored)).succeeds_silently();
    let _second = is_served(&network, SECOND_GUEST, "10.2.0.1", FIRST);
}

#[test]
fn a_range_without_nics_is_not_served() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    network.implement();
    deploy(&network, FIRST_GUEST, FIRST);
    deploy(&network, SECOND_GUEST, "10.2.0.200");
    network.command("release-nic", &fields(&network, SECOND_GUEST, "10.2.0.200")).succeeds_silently();
    network.bare_guest(&mac(SECOND_GUEST)).gets_no_lease();
    let addresses = network.router().addresses();
    assert!(!addresses.iter().any(|address| address.starts_with("10.2.")), "{addresses:?}");
    let stranger = lab.plug("brnone-3042", &["10.2.0.20/24"]);
    stranger.routes("default", "10.2.0.1");
    assert_eq!(stranger.digs(FIRST, "web-10"), "");
    let _first = is_served(&network, FIRST_GUEST, "172.31.42.1", FIRST);
}

#[test]
fn a_nic_without_a_default_route_gets_no_router() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    let nic = joined(&fields(&network, SECOND_GUEST, FIRST), &json!({"default_nic": "false"}));
    network.command("add-dhcp-entry", &joined(&nic, &resolvers())).succeeds_silently();
    network.bare_guest(&mac(SECOND_GUEST)).takes_lease(SECOND_GUEST).without("router");
}

#[test]
fn a_nic_of_a_second_range_has_an_ipv6_name_and_a_stranger_is_not_served() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    let nic = joined(&fields(&network, SECOND_GUEST, FIRST), &json!({"ip6_address": "2001:db8:2::20"}));
    network.command("add-dns-entry", &joined(&nic, &resolvers())).succeeds_silently();
    let guest = lab.plug("brnone-3042", &["10.2.0.20/24"]);
    guest.routes("default", "10.2.0.1");
    assert_eq!(guest.digs(FIRST, "web-20 AAAA"), "2001:db8:2::20");
    let stranger = lab.plug("brnone-3042", &["10.3.0.20/24"]);
    stranger.routes("172.31.42.200/32", "10.3.0.20");
    assert_eq!(stranger.digs(FIRST, "web-20"), "");
}
