//! Networks that the router is not the gateway of: shared networks and L2 networks.

use netext_lab::{Lab, Network, Node, lab};
use serde_json::json;

/// A shared network that is not implemented yet, and the data centre's gateway to the internet.
fn shared(lab: &Lab) -> (Network<'_>, Node) {
    let network = lab.network(215).on_vlan("3042").with_subnet("172.31.42.1", "172.31.42.0/24");
    let network = network.shared("172.31.42.200");
    let gateway = lab.plug("brnone-3042", &["172.31.42.1/24"]);
    gateway.sandbox().ip("route add local 203.0.113.0/24 dev lo\n");
    (network, gateway)
}

#[test]
fn the_extension_answers_on_its_own_address_and_not_on_the_gateways() {
    let lab = lab!();
    let (network, gateway) = shared(&lab);
    network.implement();
    let guest = network.guest("172.31.42.10");
    guest.pings("172.31.42.200");
    guest.pings("172.31.42.1");
    let addresses = network.router().addresses();
    assert!(addresses.contains(&"172.31.42.200/24".to_owned()), "{addresses:?}");
    assert!(!addresses.iter().any(|address| address.starts_with("172.31.42.1/")), "{addresses:?}");
    let _services = network.router().node().listen_tcp_on("172.31.42.200:80");
    let _web = gateway.listen_tcp_on("203.0.113.9:80");
    guest.connects_to("172.31.42.200:80").seen_as("172.31.42.10");
    guest.connects_to("203.0.113.9:80").seen_as("172.31.42.10").answered_by("172.31.42.1");
}

#[test]
fn the_extension_itself_uses_the_gateway() {
    let lab = lab!();
    let (network, gateway) = shared(&lab);
    network.implement();
    let _web = gateway.listen_tcp_on("203.0.113.9:80");
    network.router().node().connects_to("203.0.113.9:80").seen_as("172.31.42.200");
    let route = network.router().ip("route show default");
    assert!(route.len() == 1 && route[0].contains("via 172.31.42.1 "), "{route:?}");
}

#[test]
fn the_extension_forwards_no_traffic() {
    let lab = lab!();
    let (network, gateway) = shared(&lab);
    network.implement();
    let web = [gateway.listen_tcp_on("203.0.113.9:80"), lab.upstream().listen_tcp(80)];
    let guest = network.guest("172.31.42.10");
    guest.routes("203.0.113.0/24", "172.31.42.200");
    guest.routes("198.51.100.0/24", "172.31.42.200");
    guest.cannot_connect_to("203.0.113.9:80");
    guest.cannot_connect_to("198.51.100.1:80");
    web.iter().for_each(netext_lab::Listener::saw_no_client);
}

#[test]
fn other_ports_of_the_extension_are_closed() {
    let lab = lab!();
    let (network, gateway) = shared(&lab);
    network.implement();
    let ssh = network.router().node().listen_tcp(22);
    network.guest("172.31.42.10").cannot_connect_to("172.31.42.200:22");
    gateway.cannot_connect_to("172.31.42.200:22");
    ssh.saw_no_client();
}

#[test]
fn prepare_nic_may_be_the_first_command() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    network.prepare_nic("172.31.42.10");
    network.guest("172.31.42.10").pings("172.31.42.200");
    network.release_nic("172.31.42.10").shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-215"));
}

#[test]
fn a_shared_network_comes_back_after_shutdown() {
    let lab = lab!();
    let (network, _gateway) = shared(&lab);
    network.implement();
    let guest = network.guest("172.31.42.10");
    guest.pings("172.31.42.200");
    let mac = guest.mac_of("172.31.42.200");
    network.shutdown();
    guest.cannot_ping("172.31.42.200");
    network.implement();
    guest.pings("172.31.42.200");
    assert_eq!(guest.mac_of("172.31.42.200"), mac);
}

#[test]
fn an_l2_network_is_a_bridge_without_addresses() {
    let lab = lab!();
    let network = lab.network(240).on_vlan("1920").l2();
    network.implement();
    assert!(lab.has_interface("brnone-1920"));
    let nic = json!({"nic_id": "90", "mac": "02:01:00:f0:00:0a", "device_id": "0", "hostname": "l2-1"});
    network.command("prepare-nic", &nic).succeeds_silently();
    let one = lab.plug("brnone-1920", &["192.168.77.1/24"]);
    let other = lab.plug("brnone-1920", &["192.168.77.2/24"]);
    one.pings("192.168.77.2");
    other.pings("192.168.77.1");
    let addresses = lab.host().output("ip", &["-oneline", "-4", "address", "show", "dev", "brnone-1920"]);
    assert_eq!(String::from_utf8_lossy(&addresses.stdout), "");

    network.command("release-nic", &nic).succeeds_silently();
    network.shutdown().destroy();
    one.pings("192.168.77.2");
}

#[test]
fn an_l2_network_may_be_untagged() {
    let lab = lab!();
    let network = lab.network(240).on_vlan("").l2();
    network.implement();
    assert!(lab.has_interface("brnone-untagged"));
    network.shutdown().destroy();
}
