//! Port forwards, single and in ranges.

use netext_lab::{Firewall, Forward, Rule, SourceNat, lab};

use crate::setup::network;

#[test]
fn a_forward_reaches_the_instance_and_keeps_the_clients_address() {
    let lab = lab!();
    let network = network(&lab);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10").seen_as("203.0.113.5");
    client.cannot_connect_to("198.51.100.10:22");
    client.cannot_connect_to("198.51.100.10:2223");
}

#[test]
fn tcp_and_udp_on_one_port_are_two_forwards() {
    let lab = lab!();
    let network = network(&lab);
    let udp = Forward::udp("198.51.100.10:53", "10.1.1.11:53");
    network.add_port_forward(&Forward::tcp("198.51.100.10:53", "10.1.1.10:53")).add_port_forward(&udp);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(53), other.listen_udp(53));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:53").answered_by("10.1.1.10");
    client.exchanges_udp_with("198.51.100.10:53").answered_by("10.1.1.11").seen_as("203.0.113.5");

    network.delete_port_forward(&udp);
    client.gets_no_udp_from("198.51.100.10:53");
    client.connects_to("198.51.100.10:53");
}

#[test]
fn a_protocol_may_be_written_in_capitals_and_a_range_with_a_colon() {
    let lab = lab!();
    let network = network(&lab);
    network.add_port_forward(&Forward::of("TCP", "198.51.100.10:2222", "10.1.1.10:22"));
    network.add_port_forward(&Forward::of("UDP", "198.51.100.10:8080:8090", "10.1.1.10:8080:8090"));
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_udp(8085));
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.10:2222");
    client.exchanges_udp_with("198.51.100.10:8085");
}

#[test]
fn a_range_forwards_every_port_to_the_same_port() {
    let lab = lab!();
    let network = network(&lab);
    network.add_port_forward(&Forward::tcp("198.51.100.10:8080-8090", "10.1.1.10:8080-8090"));
    network.add_port_forward(&Forward::udp("198.51.100.10:8080-8090", "10.1.1.10:8080-8090"));
    let guest = network.guest("10.1.1.10");
    let listeners: Vec<_> = [8079, 8080, 8085, 8090, 8091].map(|port| guest.listen_tcp(port)).into();
    let _datagrams = [8080, 8090].map(|port| guest.listen_udp(port));
    let client = lab.client("203.0.113.5");
    for port in ["8080", "8085", "8090"] {
        client.connects_to(&format!("198.51.100.10:{port}"));
    }
    client.exchanges_udp_with("198.51.100.10:8080");
    client.exchanges_udp_with("198.51.100.10:8090");
    client.cannot_connect_to("198.51.100.10:8079");
    client.cannot_connect_to("198.51.100.10:8091");
    let connections: Vec<_> = listeners.iter().map(|listener| listener.seen().len()).collect();
    assert_eq!(connections, [0, 1, 1, 1, 0], "every port is forwarded to the same port");
}

#[test]
fn a_shifted_range_keeps_the_offset() {
    let lab = lab!();
    let network = network(&lab);
    network.add_port_forward(&Forward::tcp("198.51.100.10:8080-8090", "10.1.1.10:9080-9090"));
    let guest = network.guest("10.1.1.10");
    let listeners: Vec<_> = [9080, 9083, 9090].map(|port| guest.listen_tcp(port)).into();
    let client = lab.client("203.0.113.5");
    for port in ["8080", "8083", "8083", "8090"] {
        client.connects_to(&format!("198.51.100.10:{port}"));
    }
    let connections: Vec<_> = listeners.iter().map(|listener| listener.seen().len()).collect();
    assert_eq!(connections, [1, 2, 1]);
}

#[test]
fn ranges_of_unequal_length_are_refused() {
    let lab = lab!();
    let network = network(&lab);
    let unequal = network.forward_fields(&Forward::tcp("198.51.100.10:8080-8090", "10.1.1.10:80-81"));
    network.command("add-port-forward", &unequal).is_refused_naming(&["8080-8090", "80-81"]);
}

#[test]
fn a_deleted_port_forward_cuts_its_connections() {
    let lab = lab!();
    let network = network(&lab);
    let (tcp, udp) = (
        Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"),
        Forward::udp("198.51.100.10:5353", "10.1.1.10:53"),
    );
    network.add_port_forward(&tcp).add_port_forward(&udp);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let client = lab.client("203.0.113.5");
    let _servers = (guest.listen_tcp(22), guest.listen_udp(53), client.listen_tcp(80));
    let mut ssh = client.talks_to("198.51.100.10:2222");
    let mut names = client.talks_udp_with("198.51.100.10:5353");
    let mut by_another_forward = client.talks_to("198.51.100.10:2223");
    let mut outgoing = guest.talks_to("203.0.113.5:80");
    ssh.goes_on();
    names.goes_on();

    network.delete_port_forward(&tcp).delete_port_forward(&udp);
    assert_eq!(network.router().connections_to("198.51.100.10", Some(2222)), [""; 0]);
    assert_eq!(network.router().connections_to("198.51.100.10", Some(5353)), [""; 0]);
    ssh.is_cut();
    names.is_cut();
    client.cannot_connect_to("198.51.100.10:2222");
    by_another_forward.goes_on();
    outgoing.goes_on();
}

#[test]
fn a_deleted_range_cuts_its_connections() {
    let lab = lab!();
    let network = network(&lab);
    let range = Forward::tcp("198.51.100.10:8080-8090", "10.1.1.10:9080-9090");
    network.add_port_forward(&range);
    let guest = network.guest("10.1.1.10");
    let _servers = [9080, 9087, 9090].map(|port| guest.listen_tcp(port));
    let client = lab.client("203.0.113.5");
    let mut flows = ["8080", "8087", "8090"].map(|port| client.talks_to(&format!("198.51.100.10:{port}")));
    network.delete_port_forward(&range);
    for flow in &mut flows {
        flow.is_cut();
    }
    client.cannot_connect_to("198.51.100.10:8087");
}

#[test]
fn releasing_the_address_cuts_the_connections_of_its_forwards() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No);
    network.add_port_forward(&Forward::tcp("198.51.100.11:2222", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.11:2222");
    network.release_ip("198.51.100.11");
    flow.is_cut();
    assert_eq!(network.router().connections_to("198.51.100.11", None), [""; 0]);
    client.cannot_connect_to("198.51.100.11:2222");
}

#[test]
fn a_late_delete_of_a_replaced_forward_changes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    let (first, second) = (
        Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"),
        Forward::tcp("198.51.100.10:2222", "10.1.1.11:22"),
    );
    network.add_port_forward(&first).add_port_forward(&second);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    let mut flow = client.talks_to("198.51.100.10:2222");
    flow.reply().answered_by("10.1.1.11");

    network.delete_port_forward(&first);
    network.delete_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.11:23"));
    network.delete_port_forward(&Forward::udp("198.51.100.10:2222", "10.1.1.11:22"));
    flow.goes_on();
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.11");

    network.delete_port_forward(&second);
    client.cannot_connect_to("198.51.100.10:2222");
}

#[test]
fn a_replaced_forward_sends_new_connections_to_the_new_instance() {
    let lab = lab!();
    let network = network(&lab);
    let (one, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22));
    let client = lab.client("203.0.113.5");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.11:22"));
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.11");
}

#[test]
fn a_guest_reaches_another_and_itself_through_a_forward() {
    let lab = lab!();
    let network = network(&lab);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.add_port_forward(&Forward::udp("198.51.100.10:5353", "10.1.1.10:53"));
    let (server, other) = (network.guest("10.1.1.10"), network.guest("10.1.1.11"));
    let _servers = (server.listen_tcp(22), server.listen_udp(53));
    let both_work = || {
        for guest in [&server, &other] {
            guest.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
            guest.exchanges_udp_with("198.51.100.10:5353").answered_by("10.1.1.10");
        }
    };
    both_work();
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10"));
    both_work();
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").udp(5353)));
    other.cannot_connect_to("198.51.100.10:2222");
    other.exchanges_udp_with("198.51.100.10:5353");
}

#[test]
fn a_forward_on_one_address_does_not_apply_to_another() {
    let lab = lab!();
    let network = network(&lab);
    network.assign_ip("198.51.100.11", SourceNat::No);
    network.add_port_forward(&Forward::tcp("198.51.100.11:22", "10.1.1.10:22"));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    client.connects_to("198.51.100.11:22");
    client.cannot_connect_to("198.51.100.10:22");
}
