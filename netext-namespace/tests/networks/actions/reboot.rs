//! `reboot-device`: a router is taken down and built again.

use netext_lab::{Firewall, Forward, Rule, SourceNat, lab};
use serde_json::json;

#[test]
fn a_rebooted_router_works_as_before() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").tcp(2222)));
    network.command("config-dhcp-subnet", &network.nic_fields("10.1.1.10")).succeeds_silently();
    network.acts("pbr-create-table", &json!({"id": "100", "name": "isp2"}));
    network.acts("pbr-add-route", &json!({"table": "isp2", "route": "blackhole 203.0.113.80"}));
    network.acts("pbr-add-rule", &json!({"table": "isp2", "rule": "to 203.0.113.80"}));
    let (guest, client) = (network.guest("10.1.1.10"), lab.client("203.0.113.5"));
    let _servers = (guest.listen_tcp(22), client.listen_tcp(80));
    let _black = lab.client("203.0.113.80").listen_tcp(80);
    let daemons = || {
        let processes = lab.processes().into_iter();
        processes.filter(|(_, line)| line.contains("dnsmasq")).map(|(id, _)| id).collect::<Vec<_>>()
    };
    let before = daemons();
    let flow = client.talks_to("198.51.100.10:2222");
    assert!(!network.router().connections_to("198.51.100.10", Some(2222)).is_empty());

    let message = network.acts("reboot-device", &json!({}));
    assert!(message.as_str().unwrap().contains("network-209"), "{message}");
    assert_eq!(network.router().connections_to("198.51.100.10", Some(2222)), [""; 0], "connections are lost");
    drop(flow);
    let after = daemons();
    assert!(after.len() == before.len() && after != before, "daemons are new: {before:?} {after:?}");
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    client.cannot_connect_to("198.51.100.10:22");
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
    guest.cannot_connect_to("203.0.113.80:80");
    network.release_ip("198.51.100.10");
}

#[test]
fn a_rebooted_vpc_serves_all_of_its_tiers() {
    let lab = lab!();
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    let (web, database) = (vpc.tier(1), vpc.tier(2));
    web.implement();
    database.implement();
    let (one, other) = (web.guest("10.2.1.10"), database.guest("10.2.2.10"));
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    vpc.acts("reboot-device", &json!({}));
    for guest in [&one, &other] {
        guest.connects_to("203.0.113.5:80").seen_as("198.51.100.20");
    }
}

#[test]
fn the_next_command_repairs_a_failed_reboot() {
    let lab = lab!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    let guest = network.guest("10.1.1.10");
    let _web = lab.client("203.0.113.5").listen_tcp(80);
    lab.breaks("nft");
    let failed = network.action("reboot-device", &json!({}));
    failed.fails_with(3);
    assert!(failed.output.contains("nft") && failed.output.contains("down until"), "{}", failed.output);
    lab.mends("nft");
    network.implement();
    guest.connects_to("203.0.113.5:80").seen_as("198.51.100.10");
}

#[test]
fn a_router_that_does_not_exist_is_not_rebooted() {
    let lab = lab!();
    let failed = lab.network(209).action("reboot-device", &json!({}));
    failed.fails_with(3);
    assert!(!lab.has_namespace("cs-net-209"));
}
