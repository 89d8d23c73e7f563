//! Networks with IPv4 and IPv6.

use netext_lab::{Firewall, Forward, Lab, Network, SourceNat, lab};

fn network(lab: &Lab) -> Network<'_> {
    lab.network(209).with_ip6("2001:db8:1::1", "2001:db8:1::/64")
}

#[test]
fn both_gateways_answer() {
    let lab = lab!();
    let network = network(&lab);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    guest.pings("10.1.1.1");
    guest.pings("2001:db8:1::1");
    let addresses = network.router().addresses();
    assert!(addresses.contains(&"2001:db8:1::1/64".to_owned()), "{addresses:?}");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn both_gateways_survive_a_repeated_implement_a_restart_and_the_loss_of_the_namespace() {
    let lab = lab!();
    let network = network(&lab);
    network.implement();
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    let both_answer = || {
        guest.pings("10.1.1.1");
        guest.pings("2001:db8:1::1");
    };
    both_answer();
    network.implement();
    both_answer();
    network.shutdown().implement();
    both_answer();
    lab.host().ip("netns delete cs-net-209\n");
    network.implement();
    both_answer();
}

#[test]
fn a_network_becomes_dual_stack_with_its_next_implement() {
    let lab = lab!();
    lab.network(209).implement();
    let network = network(&lab);
    network.implement();
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    guest.pings("10.1.1.1");
    guest.pings("2001:db8:1::1");
}

#[test]
fn the_routers_services_answer_over_ipv6_and_its_other_ports_do_not() {
    let lab = lab!();
    let network = network(&lab);
    network.implement();
    let router = network.router();
    let _services = ["[2001:db8:1::1]:53", "[2001:db8:1::1]:80"].map(|it| router.node().listen_tcp_on(it));
    let ssh = router.node().listen_tcp_on("[::]:22");
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    guest.connects_to("[2001:db8:1::1]:53").seen_as("2001:db8:1::10");
    guest.connects_to("[2001:db8:1::1]:80");
    guest.cannot_connect_to("[2001:db8:1::1]:22");
    ssh.saw_no_client();
}

#[test]
fn a_neighbour_that_routes_the_ipv6_subnet_to_the_router_reaches_nothing() {
    let lab = lab!();
    let network = network(&lab);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.apply_firewall(&Firewall::egress_allowed().open("198.51.100.10"));
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    let guest = network.dual_stack_guest("10.1.1.10", "2001:db8:1::10");
    let listeners = [guest.listen_tcp_on("[2001:db8:1::10]:22"), guest.listen_udp_on("[2001:db8:1::10]:53")];
    let services = network.router().node().listen_tcp_on("[::]:80");

    // The neighbour needs only the router's public MAC address, no IPv6 address.
    let neighbour = lab.plug("brnone-101", &["198.51.100.66/24", "2001:db8:ff::66/64"]);
    let links = network.router().ip("link show vpn-101-209");
    let mac = links[0].split_whitespace().skip_while(|word| *word != "link/ether").nth(1);
    let mac = mac.expect("the public interface has a MAC address");
    neighbour.sandbox().ip(&format!(
        "neighbour replace 2001:db8:ff::1 lladdr {mac} dev eth0 nud permanent\n\
         route add 2001:db8:1::/64 via 2001:db8:ff::1 dev eth0\n"
    ));
    neighbour.cannot_ping("2001:db8:1::10");
    neighbour.cannot_connect_to("[2001:db8:1::10]:22");
    neighbour.gets_no_udp_from("[2001:db8:1::10]:53");
    neighbour.cannot_connect_to("[2001:db8:1::1]:80");
    neighbour.cannot_ping("2001:db8:1::1");
    listeners.iter().for_each(netext_lab::Listener::saw_no_client);
    services.saw_no_client();
}
