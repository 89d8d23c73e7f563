//! Where packets would go, according to northd's flows.

use netext_core::protocol::Command;
use netext_core::testing::{Executable, Payload, Server};
use serde_json::json;

use crate::ovn::Ovn;
use crate::{EVERYTHING, FIRST_INSTANCE, send_all};

const NIC: &str = "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e5f";

/// A network with an instance, 10.1.1.10, behind 198.51.100.10.
fn network() -> (Ovn, Server<Executable>) {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, FIRST_INSTANCE);
    ovn.knows_the_upstream_gateway();
    (ovn, server)
}

/// A new connection from the instance.
fn from_instance(ovn: &Ovn, packet: &str) -> String {
    let sent = format!(
        "inport == \"{NIC}\" && eth.src == 02:01:00:d1:00:0a && eth.dst == 02:6e:00:00:00:d1 && ip.ttl == 64 && \
         {packet}"
    );
    ovn.trace("cs-net-209", &sent, "new")
}

/// A packet from the public segment, of a connection in some state.
fn from_outside_as(ovn: &Ovn, packet: &str, state: &str) -> String {
    let sent = format!(
        "inport == \"cs-public-101-uplink\" && eth.src == 02:00:00:00:00:01 && eth.dst == 02:6f:00:00:00:d1 && \
         ip.ttl == 64 && {packet}"
    );
    ovn.trace("cs-public-101", &sent, state)
}

fn from_outside(ovn: &Ovn, packet: &str) -> String {
    from_outside_as(ovn, packet, "new")
}

#[track_caller]
fn reaches_the_instance(trace: &str) {
    assert!(trace.contains("/* output to \"5c1e6e\""), "{trace}");
}

#[track_caller]
fn goes_outside_as(trace: &str, address: &str) {
    assert!(trace.contains(&format!("({address})")), "{trace}");
    assert!(trace.contains("/* output to \"cs-public-101-uplink\", type \"localnet\" */"), "{trace}");
}

#[track_caller]
fn does_not_reach_the_instance(trace: &str) {
    assert!(
        trace.contains("ingress(dp=\"cs-public-101\"") && !trace.contains("output to \"5c1e6e\""),
        "{trace}"
    );
}

#[track_caller]
fn does_not_leave(trace: &str) {
    assert!(
        trace.contains("ingress(dp=\"cs-net-209\"") && !trace.contains("type \"localnet\" */"),
        "{trace}"
    );
}

#[test]
fn guests_get_the_source_nat_address() {
    let (ovn, _) = network();
    let trace = from_instance(&ovn, "ip4.src == 10.1.1.10 && ip4.dst == 203.0.113.7 && tcp.dst == 443");
    goes_outside_as(&trace, "198.51.100.10");
}

#[test]
fn a_guest_cannot_use_other_addresses() {
    let (ovn, _) = network();
    let guards = |line: &&str| line.contains("ls_in_check_port_sec") && line.contains("check_in_port_sec()");
    assert!(ovn.flows().lines().any(|line| guards(&line)));
    assert_eq!(ovn.northbound(&["lsp-get-port-security", NIC]), "02:01:00:d1:00:0a 10.1.1.10\n");
}

#[test]
fn static_nat_translates_both_directions() {
    let (ovn, server) = network();
    server.send(Payload::sample(Command::AddStaticNat)).succeeds_silently();
    let packet = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.11 && tcp.dst == 8000";
    reaches_the_instance(&from_outside(&ovn, packet));
    let out = from_instance(&ovn, "ip4.src == 10.1.1.10 && ip4.dst == 203.0.113.7 && tcp.dst == 443");
    goes_outside_as(&out, "198.51.100.11");

    // The address belongs to another instance by now.
    let late = Payload::sample(Command::DeleteStaticNat).with("private_ip", "10.1.1.99");
    server.send(late).succeeds_silently();
    reaches_the_instance(&from_outside(&ovn, packet));
    server.send(Payload::sample(Command::DeleteStaticNat)).succeeds_silently();
    does_not_reach_the_instance(&from_outside(&ovn, packet));
}

#[test]
fn a_port_forward_works_until_it_is_deleted() {
    let (ovn, server) = network();
    let packet = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.10 && tcp.dst == 2222";
    does_not_reach_the_instance(&from_outside(&ovn, packet));
    server.send(Payload::sample(Command::AddPortForward)).succeeds_silently();
    let trace = from_outside(&ovn, packet);
    assert!(trace.contains("ct_lb_mark(backends=10.1.1.10:22)"), "{trace}");
    reaches_the_instance(&trace);

    // A newer forward of the same ports has another target, and the delete of the old one comes late.
    server.send(Payload::sample(Command::AddPortForward).with("private_port", "2200")).succeeds_silently();
    server.send(Payload::sample(Command::DeletePortForward)).succeeds_silently();
    let trace = from_outside(&ovn, packet);
    assert!(trace.contains("ct_lb_mark(backends=10.1.1.10:2200)"), "{trace}");
    server.send(Payload::sample(Command::DeletePortForward).with("private_port", "2200")).succeeds_silently();
    does_not_reach_the_instance(&from_outside(&ovn, packet));
}

#[test]
fn a_range_of_ports_leads_to_the_same_ports() {
    let (ovn, server) = network();
    server.send(Payload::sample_named("add-port-forward.range")).succeeds_silently();
    let trace = from_outside(&ovn, "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.10 && udp.dst == 8085");
    assert!(trace.contains("ct_lb_mark(backends=10.1.1.10:8085)"), "{trace}");
}

#[test]
fn ingress_rules_match_the_public_address() {
    let (ovn, server) = network();
    send_all(&server, EVERYTHING);
    let packet =
        |source, address, port| format!("ip4.src == {source} && ip4.dst == {address} && tcp.dst == {port}");
    // Ports 8000 to 8100 of the static NAT's address, from two networks.
    reaches_the_instance(&from_outside(&ovn, &packet("203.0.113.7", "198.51.100.11", 8000)));
    reaches_the_instance(&from_outside(&ovn, &packet("192.0.2.77", "198.51.100.11", 8100)));
    does_not_reach_the_instance(&from_outside(&ovn, &packet("192.0.2.78", "198.51.100.11", 8000)));
    does_not_reach_the_instance(&from_outside(&ovn, &packet("203.0.113.7", "198.51.100.11", 7999)));
    // The forward of port 2222 has no rule: 22 is the port of a public address, not of the instance behind it.
    does_not_reach_the_instance(&from_outside(&ovn, &packet("203.0.113.7", "198.51.100.10", 2222)));
    let allowed = Payload::sample(Command::ApplyFwRules)
        .with("fw_rules/rules/0/portStart", 2222)
        .with("fw_rules/rules/0/portEnd", 2222);
    server.send(allowed).succeeds_silently();
    reaches_the_instance(&from_outside(&ovn, &packet("203.0.113.7", "198.51.100.10", 2222)));
}

#[test]
fn a_rule_for_ipv6_sources_opens_nothing() {
    let (ovn, server) = network();
    send_all(&server, &[Command::AddStaticNat]);
    let rules =
        Payload::sample(Command::ApplyFwRules).with("fw_rules/rules/1/sourceCidrs", json!(["2001:db8::/32"]));
    server.send(rules).succeeds_silently();
    let packet = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.11 && tcp.dst == 8000";
    does_not_reach_the_instance(&from_outside(&ovn, packet));
}

#[test]
fn egress_rules_allow_or_deny_by_the_default() {
    let (ovn, server) = network();
    let rules = Payload::sample(Command::ApplyFwRules);
    let elsewhere = "ip4.src == 10.1.1.10 && ip4.dst == 192.0.2.1 && tcp.dst == 443";
    let by_rule = "ip4.src == 10.1.1.10 && ip4.dst == 203.0.113.7 && tcp.dst == 443";
    server.send(&rules).succeeds_silently();
    goes_outside_as(&from_instance(&ovn, by_rule), "198.51.100.10");
    does_not_leave(&from_instance(&ovn, elsewhere));
    // They can always reach the resolvers that they get by DHCP.
    let question = "ip4.src == 10.1.1.10 && ip4.dst == 198.51.100.53 && tcp.dst == 53";
    assert!(from_instance(&ovn, question).contains("output to \"cs-net-209-to-router\""));

    server.send(rules.with("fw_rules/default_egress_allow", true)).succeeds_silently();
    does_not_leave(&from_instance(&ovn, by_rule));
    goes_outside_as(&from_instance(&ovn, elsewhere), "198.51.100.10");
}

#[test]
fn replies_pass_regardless_of_the_rules() {
    let (ovn, server) = network();
    send_all(&server, &[Command::AddStaticNat]);
    let answer = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.11 && tcp.src == 443 && tcp.dst == 50000";
    server.send(Payload::sample(Command::ApplyFwRules)).succeeds_silently();
    does_not_reach_the_instance(&from_outside(&ovn, answer));
    reaches_the_instance(&from_outside_as(&ovn, answer, "est,rpl"));
}

#[test]
fn a_neighbour_on_the_public_segment_cannot_bypass_nat() {
    let (ovn, _) = network();
    does_not_reach_the_instance(&from_outside(
        &ovn,
        "ip4.src == 198.51.100.200 && ip4.dst == 10.1.1.10 && tcp.dst == 22",
    ));
}

#[test]
fn a_load_balancer_uses_its_active_members() {
    let (ovn, server) = network();
    let rules = Payload::sample(Command::ApplyLbRules);
    server.send(&rules).succeeds_silently();
    let packet = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.10 && tcp.dst == 80";
    let trace = from_outside(&ovn, packet);
    assert!(trace.contains("ct_lb_mark(backends=10.1.1.10:8080)"), "{trace}");
    reaches_the_instance(&trace);

    server.send(rules.clone().with("lb_rules/0/backends/1/revoked", false)).succeeds_silently();
    let trace = from_outside(&ovn, packet);
    assert!(trace.contains("ct_lb_mark(backends=10.1.1.10:8080,10.1.1.11:8080)"), "{trace}");

    server.send(rules.with("lb_rules/0/revoke", true)).succeeds_silently();
    does_not_reach_the_instance(&from_outside(&ovn, packet));
}

#[test]
fn nothing_gets_in_while_a_network_restarts() {
    let (ovn, server) = network();
    send_all(&server, EVERYTHING);
    let packet = "ip4.src == 203.0.113.7 && ip4.dst == 198.51.100.11 && tcp.dst == 8000";
    reaches_the_instance(&from_outside(&ovn, packet));
    send_all(
        &server,
        &[
            Command::ShutdownNetwork,
            Command::ImplementNetwork,
            Command::AssignIp,
            Command::AddStaticNat,
            Command::AddPortForward,
        ],
    );
    ovn.knows_the_upstream_gateway();
    does_not_reach_the_instance(&from_outside(&ovn, packet));
    send_all(&server, &[Command::ApplyFwRules, Command::ApplyLbRules, Command::RestoreNetwork]);
    reaches_the_instance(&from_outside(&ovn, packet));
}

#[test]
fn instances_get_their_addresses() {
    let (ovn, server) = network();
    let second = Payload::sample_named("add-dhcp-entry.secondary")
        .with("nic_uuid", "a-second-nic")
        .with("mac", "02:01:00:d1:00:0b")
        .with("ip", "10.1.1.11");
    server.send(second).succeeds_silently();
    let flows = ovn.flows();
    let offer = |ip: &str| {
        let offers =
            |line: &&str| line.contains("put_dhcp_opts") && line.contains(&format!("offerip = {ip},"));
        flows.lines().find(offers).unwrap_or_else(|| panic!("{ip} is not offered: {flows}")).to_owned()
    };
    let first = offer("10.1.1.10");
    for option in
        ["router = 10.1.1.1", "dns_server = {198.51.100.53, 198.51.100.54}", "cs1.internal", "mtu = 1442"]
    {
        assert!(first.contains(option), "{option}: {first}");
    }
    assert!(first.contains("eth.src == 02:01:00:d1:00:0a"), "{first}");
    // The instance's default route uses another NIC.
    let second = offer("10.1.1.11");
    assert!(second.contains("02:01:00:d1:00:0b") && !second.contains("router ="), "{second}");
}
