//! The tiers of a VPC reach each other, and cannot impersonate each other.

use netext_lab::{AccessList, Rule, lab};

use crate::setup::two_tiers;
use crate::vpc::ways_in;

#[test]
fn tiers_reach_each_other_with_their_own_addresses() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let _servers = (one.listen_tcp(22), other.listen_tcp(22), other.listen_udp(53));
    one.connects_to("10.2.2.10:22").seen_as("10.2.1.10");
    one.exchanges_udp_with("10.2.2.10:53").seen_as("10.2.1.10");
    other.connects_to("10.2.1.10:22").seen_as("10.2.2.10");
    one.pings("10.2.2.10");
    // Also through a public address: the other tier's, and its own.
    other.connects_to("198.51.100.21:2222").answered_by("10.2.1.10").seen_as("10.2.2.10");
    one.connects_to("198.51.100.21:2222").answered_by("10.2.1.10").seen_as("10.2.1.1");
}

#[test]
fn a_guest_of_one_tier_cannot_impersonate_a_guest_of_another() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    let impostor = lab.plug(&web.bridge(), &["10.2.2.66/24"]);
    impostor.sandbox().ip("route replace 0.0.0.0/0 via 10.2.1.1 dev eth0 onlink\n");
    let guest = database.guest("10.2.2.10");
    let (ssh, web_server) = (guest.listen_tcp(22), lab.client("203.0.113.5").listen_udp(53));
    impostor.sandbox().ip("route replace 10.2.2.10/32 via 10.2.1.1 dev eth0 onlink\n");
    impostor.cannot_connect_to("10.2.2.10:22");
    impostor.gets_no_udp_from("203.0.113.5:53");
    ssh.saw_no_client();
    web_server.saw_no_client();
}

#[test]
fn a_guest_is_served_only_on_its_own_tiers_address() {
    let lab = lab!();
    let (vpc, web, _) = two_tiers(&lab);
    let router = vpc.router();
    let own = [53, 80, 8080].map(|port| router.node().listen_tcp_on(&format!("10.2.1.1:{port}")));
    let others = [53, 80, 8080].map(|port| router.node().listen_tcp_on(&format!("10.2.2.1:{port}")));
    let (names, public) =
        (router.node().listen_udp_on("10.2.2.1:53"), router.node().listen_tcp_on("198.51.100.20:80"));
    let guest = web.guest("10.2.1.10");
    for port in [53, 80, 8080] {
        guest.connects_to(&format!("10.2.1.1:{port}"));
    }
    guest.cannot_connect_to_any_of(&[53, 80, 8080].map(|port| format!("10.2.2.1:{port}")));
    guest.gets_no_udp_from("10.2.2.1:53");
    guest.cannot_connect_to("198.51.100.20:80");
    assert!(own.iter().all(|server| !server.seen().is_empty()));
    others.iter().chain([&names, &public]).for_each(netext_lab::Listener::saw_no_client);
}

#[test]
fn packets_to_an_address_of_no_tier_do_not_leave() {
    let lab = lab!();
    let (_vpc, web, _) = two_tiers(&lab);
    lab.upstream().sandbox().ip("address add 10.2.9.9/32 dev lo\n");
    let elsewhere = lab.upstream().listen_udp_on("10.2.9.9:53");
    web.guest("10.2.1.10").gets_no_udp_from("10.2.9.9:53");
    elsewhere.saw_no_client();
}

#[test]
fn nobody_outside_can_claim_an_address_of_the_vpc_that_no_tier_has() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    web.apply_access_list(&AccessList::new().with(Rule::allow_in(1).from("10.2.0.0/16")));
    let guest = web.guest("10.2.1.10");
    let (names, upstream) = (guest.listen_udp(53), lab.upstream().sandbox());
    for (impostor, last) in [("10.2.9.9", 9), ("10.2.3.10", 10)] {
        upstream.ip(&format!("address add {impostor}/32 dev lo\n"));
        let socket = upstream.run(|| std::net::UdpSocket::bind((impostor, 4000 + last)));
        let socket = socket.expect("the impostor's socket");
        for _ in 0..3 {
            socket.send_to(b"anyone there?", "198.51.100.23:53").expect("a datagram");
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    names.saw_no_client();
}

#[test]
fn a_stranger_on_the_public_segment_reaches_no_tier() {
    let lab = lab!();
    let (_vpc, web, database) = two_tiers(&lab);
    ways_in(&web, &database);
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let servers = [one.listen_tcp(22), other.listen_tcp(22)];
    let neighbour = lab.neighbour("198.51.100.66");
    neighbour.routes("10.2.0.0/16", "198.51.100.20");
    neighbour.cannot_connect_to_any_of(&["10.2.1.10:22", "10.2.2.10:22"].map(str::to_owned));
    servers.iter().for_each(netext_lab::Listener::saw_no_client);
}

#[test]
fn vpcs_with_the_same_subnets_are_separate() {
    let lab = lab!();
    let (one, other) = (lab.vpc(7), lab.vpc(8));
    one.implement_with("198.51.100.20");
    other.implement_with("198.51.100.30");
    let (tier_of_one, tier_of_other) = (one.tier(1), other.tier(1).on_vlan("2101"));
    tier_of_one.implement();
    tier_of_other.implement();
    let (guest, namesake) = (tier_of_one.guest("10.2.1.10"), tier_of_other.guest("10.2.1.10"));
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    namesake.connects_to("203.0.113.5:80").seen_as("198.51.100.30");
    tier_of_one.destroy();
    one.destroy();
    namesake.connects_to("203.0.113.5:80").seen_as("198.51.100.30");
}
