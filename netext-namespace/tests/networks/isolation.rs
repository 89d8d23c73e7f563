//! Isolation from neighbours, from other networks, and from services of the router.

use netext_lab::{Firewall, Forward, Lab, SourceNat, lab};

use crate::setup::{network_with_forward, network_with_ways_in};

/// Every public address open to everyone.
fn open() -> Firewall {
    Firewall::egress_allowed().open("198.51.100.10").open("198.51.100.11")
}

#[track_caller]
fn only_bridges_are_left(lab: &Lab) {
    let left = lab.interfaces();
    assert!(left.iter().all(|name| name == "lo" || name.starts_with("br")), "{left:?}");
}

#[test]
fn a_neighbour_that_routes_the_guest_subnet_to_the_router_reaches_nothing() {
    for rules in [None, Some(open())] {
        let lab = lab!();
        let network = network_with_ways_in(&lab);
        if let Some(rules) = rules {
            network.apply_firewall(&rules);
        }
        let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
        let tcp = [one.listen_tcp(22), one.listen_tcp(2222), other.listen_tcp(22)];
        let udp = [one.listen_udp(53), other.listen_udp(53)];
        let neighbour = lab.neighbour("198.51.100.66");
        for via in ["198.51.100.10", "198.51.100.11"] {
            neighbour.routes("10.1.1.0/24", via);
            let services = ["10.1.1.10:22", "10.1.1.10:2222", "10.1.1.11:22"];
            neighbour.cannot_connect_to_any_of(&services.map(str::to_owned));
            for guest in ["10.1.1.10", "10.1.1.11"] {
                neighbour.cannot_ping(guest);
                neighbour.gets_no_udp_from(&format!("{guest}:53"));
            }
        }
        // Not a single datagram: one that arrives without a reply does enough harm.
        tcp.iter().chain(&udp).for_each(netext_lab::Listener::saw_no_client);
    }
}

#[test]
fn a_neighbour_cannot_reach_the_gateway_address() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.apply_firewall(&open());
    let services = network.router().node().listen_tcp(80);
    let neighbour = lab.neighbour("198.51.100.66");
    neighbour.routes("10.1.1.0/24", "198.51.100.10");
    neighbour.cannot_connect_to("10.1.1.1:80");
    neighbour.cannot_ping("10.1.1.1");
    services.saw_no_client();
}

#[test]
fn services_on_the_router_are_not_reachable_from_the_public_side() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let router = network.router();
    let everywhere = [22, 53, 80, 8080].map(|port| router.node().listen_tcp(port));
    let datagrams = [53, 67].map(|port| router.node().listen_udp(port));
    let clients = [lab.client("203.0.113.5"), lab.neighbour("198.51.100.66")];
    clients[1].routes("10.1.1.0/24", "198.51.100.10");
    for rules in [None, Some(open())] {
        if let Some(rules) = rules {
            network.apply_firewall(&rules);
        }
        for client in &clients {
            client.cannot_connect_to_any_of(&[22, 53, 80, 8080].map(|port| format!("198.51.100.10:{port}")));
            client.gets_no_udp_from("198.51.100.10:53");
            client.gets_no_udp_from("198.51.100.10:67");
        }
    }
    everywhere.iter().chain(&datagrams).for_each(netext_lab::Listener::saw_no_client);
}

#[test]
fn guests_reach_the_routers_services_but_not_its_other_ports() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    network.apply_firewall(&Firewall::egress_denied());
    let router = network.router();
    let _tcp = [53, 80, 8080].map(|port| router.node().listen_tcp_on(&format!("10.1.1.1:{port}")));
    let _udp = router.node().listen_udp_on("10.1.1.1:53");
    let ssh = [router.node().listen_tcp(22), router.node().listen_udp(5000)];
    let guest = network.guest("10.1.1.10");
    for port in [53, 80, 8080] {
        guest.connects_to(&format!("10.1.1.1:{port}")).seen_as("10.1.1.10");
    }
    guest.exchanges_udp_with("10.1.1.1:53");
    guest.cannot_connect_to("10.1.1.1:22");
    guest.cannot_connect_to("198.51.100.10:22");
    guest.gets_no_udp_from("10.1.1.1:5000");
    ssh.iter().for_each(netext_lab::Listener::saw_no_client);
}

#[test]
fn guests_reach_neither_the_host_nor_machines_behind_it() {
    let lab = lab!();
    let network = network_with_ways_in(&lab);
    let guest = network.guest("10.1.1.10");
    let managed = lab.plug("management", &["192.0.2.77/24"]);
    let host = lab.host();
    host.ip("address add 192.0.2.10/24 dev management");
    host.run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1"))
        .expect("the host can be made to forward");
    let services = [lab.host_machine().listen_udp(5555), managed.listen_udp(5555)];

    guest.sandbox().ip("route add 192.0.2.0/24 dev eth0");
    guest.gets_no_udp_from("192.0.2.10:5555");
    // A guest may guess the MAC address of the bridge itself.
    let link = host.output("ip", &["-oneline", "link", "show", &network.bridge()]);
    let link = String::from_utf8_lossy(&link.stdout).into_owned();
    let mac = link.split_once("link/ether ").and_then(|(_, rest)| rest.split(' ').next()).expect("a MAC");
    for address in ["192.0.2.10", "192.0.2.77"] {
        guest.sandbox().ip(&format!("neighbour replace {address} lladdr {mac} dev eth0"));
        guest.gets_no_udp_from(&format!("{address}:5555"));
    }
    services.iter().for_each(netext_lab::Listener::saw_no_client);
    guest.pings("10.1.1.1");
}

#[test]
fn networks_with_the_same_subnet_are_separate() {
    let lab = lab!();
    let one = network_with_forward(&lab);
    let other = lab.network(210).on_vlan("1911");
    other.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    other.add_port_forward(&Forward::tcp("198.51.100.20:2222", "10.1.1.10:23"));
    let (guest_of_one, guest_of_other) = (one.guest("10.1.1.10"), other.guest("10.1.1.10"));
    let (at_one, at_other) = (guest_of_one.listen_tcp(22), guest_of_other.listen_tcp(23));
    let client = lab.client("203.0.113.5");
    let _web = client.listen_tcp(80);

    guest_of_one.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    guest_of_other.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    client.connects_to("198.51.100.10:2222");
    assert_eq!((at_one.seen().len(), at_other.seen().len()), (1, 0));
    client.connects_to("198.51.100.20:2222");
    assert_eq!((at_one.seen().len(), at_other.seen().len()), (1, 1));
}

#[test]
fn commands_about_one_network_do_not_disturb_another() {
    let lab = lab!();
    let one = network_with_forward(&lab);
    let other = lab.network(210).on_vlan("1911");
    other.implement().assign_ip("198.51.100.20", SourceNat::Yes);
    let guest = one.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    let (mut incoming, mut outgoing) =
        (client.talks_to("198.51.100.10:2222"), guest.talks_to("203.0.113.5:80"));

    other.add_port_forward(&Forward::tcp("198.51.100.20:2222", "10.1.1.10:22"));
    other.delete_port_forward(&Forward::tcp("198.51.100.20:2222", "10.1.1.10:22"));
    other.apply_firewall(&Firewall::egress_denied());
    other.release_ip("198.51.100.20").shutdown().destroy();

    incoming.goes_on();
    outgoing.goes_on();
    client.connects_to("198.51.100.10:2222");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn interface_names_too_long_for_the_kernel_do_not_collide() {
    let lab = lab!();
    let networks = [
        (lab.network(1_234_567).on_vlan("4094"), "198.51.100.31"),
        (lab.network(11_234_567).on_vlan("4093"), "198.51.100.32"),
        (lab.network(2_123_456_789).on_vlan("4092"), "198.51.100.33"),
        (lab.network(2_123_456_788).on_vlan("4091"), "198.51.100.34"),
    ];
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    let guests: Vec<_> = networks
        .iter()
        .map(|(network, address)| {
            let network = network.implement().assign_ip(address, SourceNat::Yes);
            network.add_port_forward(&Forward::tcp(&format!("{address}:2222"), "10.1.1.10:22"));
            network.guest("10.1.1.10")
        })
        .collect();
    for (guest, (network, address)) in guests.iter().zip(&networks) {
        let ssh = guest.listen_tcp(22);
        guest.connects_to("203.0.113.5:80").seen_as(address);
        lab.client("203.0.113.5").connects_to(&format!("{address}:2222"));
        assert_eq!(ssh.seen().len(), 1);
        let names = network.router().interfaces();
        assert!(names.len() == 2 && names.iter().all(|name| name.len() <= 15), "{names:?}");
    }
    for (network, _) in &networks {
        network.destroy();
    }
    only_bridges_are_left(&lab);
}

#[test]
fn a_seven_digit_id_keeps_the_plain_name_if_it_fits() {
    let lab = lab!();
    let network = lab.network(1_234_567).on_vlan("4094");
    network.implement();
    assert_eq!(network.router().interfaces(), ["vn-4094-1234567"]);
    assert!(lab.has_interface("vh-4094-1234567"));
}

#[test]
fn interfaces_with_packed_names_are_removed_with_their_tier() {
    let lab = lab!();
    let vpc = lab.vpc(12_345_678);
    vpc.implement_with("198.51.100.20");
    let (one, other) = (vpc.tier(1), vpc.tier(2));
    for tier in [&one, &other] {
        tier.implement();
    }
    let ports = || vpc.router().interfaces();
    let with_both = ports();
    assert!(with_both.len() == 3 && with_both.iter().all(|name| name.contains('_')), "{with_both:?}");
    let (guest, neighbour) = (one.guest("10.2.1.10"), other.guest("10.2.2.10"));
    guest.pings("10.2.1.1");
    one.shutdown();
    guest.cannot_ping("10.2.1.1");
    assert_eq!(ports().len(), 2, "{:?}", ports());
    neighbour.pings("10.2.2.1");
    one.destroy();
    other.destroy();
    vpc.shutdown();
    only_bridges_are_left(&lab);
}
