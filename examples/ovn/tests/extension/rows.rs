//! The rows in the database: all rows of a command or none, once and not twice, and no rows of deleted objects.

use std::os::unix::net::UnixListener;
use std::thread;
use std::time::{Duration, Instant};

use netext_core::protocol::{BroadcastDomainType, Command};
use netext_core::testing::{Extension, ExtensionCall, Payload, as_gson_writes};
use serde_json::Value;

use crate::ovn::Ovn;
use crate::{EVERYTHING, send_all};

#[test]
fn the_answer_names_the_networks_uri() {
    let ovn = Ovn::new();
    let judged = ovn.server().send(Payload::sample(Command::ImplementNetwork));
    let update = judged.succeeds().network_update().unwrap();
    assert_eq!(update.broadcast_domain_type, BroadcastDomainType::Lswitch);
    assert_eq!(update.broadcast_uri, "ovn://cs-net-209");
    assert!(ovn.northbound(&["ls-list"]).contains("(cs-net-209)"));
}

#[test]
fn a_command_that_comes_twice_changes_nothing() {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    let before = ovn.dump();
    assert!(before.contains("cs-net-209"), "{before}");
    send_all(&server, EVERYTHING);
    assert_eq!(ovn.dump(), before);
}

#[test]
fn a_destroyed_network_leaves_only_the_public_switch() {
    let ovn = Ovn::new();
    let server = ovn.server();
    let other = Payload::sample(Command::ImplementNetwork).with("network_id", "210");
    server.send(&other).succeeds();
    server
        .send(Payload::sample(Command::AssignIp).with("network_id", "210").with("public_ip", "198.51.100.20"))
        .succeeds();
    let before = ovn.dump();
    send_all(&server, EVERYTHING);
    send_all(&server, &[Command::ShutdownNetwork, Command::DestroyNetwork, Command::DestroyNetwork]);
    assert_eq!(ovn.dump(), before);
}

#[test]
fn releasing_an_address_removes_all_nat_on_it() {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    server.send(Payload::sample(Command::ReleaseIp).with("public_ip", "198.51.100.10")).succeeds_silently();
    let left = ovn.northbound(&["--bare", "--columns=external_ip", "list", "NAT"]);
    assert_eq!(left, "198.51.100.11\n");
    assert_eq!(ovn.northbound(&["lb-list"]), "");
}

#[test]
fn absent_fields_keep_their_values() {
    let nic =
        ["mac", "nic_id", "hostname", "default_nic", "gateway", "cidr", "extension_ip", "dns", "domain"];
    let public = ["public_vlan", "public_gateway", "public_cidr", "source_nat"];
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    let before = ovn.dump();
    for command in EVERYTHING {
        let bare = nic.iter().chain(&public).fold(Payload::sample(*command), |all, name| all.without(name));
        server.send(bare).succeeds();
        assert_eq!(ovn.dump(), before, "{command}");
    }

    // A restart sends most fields again, but not the resolvers.
    let without_resolvers = |command| Payload::sample(command).without("dns").without("domain");
    send_all(&server, &[Command::ShutdownNetwork]);
    for command in EVERYTHING.iter().chain(&[Command::RestoreNetwork]) {
        server.send(without_resolvers(*command)).succeeds();
    }
    let options = ovn.northbound(&["--bare", "--columns=options", "list", "DHCP_Options"]);
    assert!(options.contains("dns_server=") && options.contains("domain_name="), "{options}");
}

#[test]
fn names_resolve_while_their_instance_has_them() {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    let records = || ovn.northbound(&["--bare", "--columns=records", "list", "DNS"]);
    assert_eq!(
        records().trim(),
        "data-server=10.1.1.1 data-server.cs1.internal=10.1.1.1 web-1=10.1.1.10 web-1.cs1.internal=10.1.1.10"
    );
    server.send(Payload::sample(Command::RemoveDnsEntry)).succeeds_silently();
    assert!(!records().contains("web-1"));
    server.send(Payload::sample(Command::RemoveDnsSubnet)).succeeds_silently();
    assert_eq!(records(), "");
}

#[test]
fn the_next_command_repairs_damage() {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    let before = ovn.northbound(&["lr-nat-list", "cs-net-209-router"]);
    ovn.northbound(&["lr-nat-del", "cs-net-209-router"]);
    ovn.northbound(&["ls-del", "cs-public-101"]);
    ovn.northbound(&["set", "Logical_Router_Port", "cs-net-209-inside", "networks=10.9.9.9/24"]);
    send_all(&server, &[Command::PrepareNic]);
    assert_eq!(ovn.northbound(&["lr-nat-list", "cs-net-209-router"]), before);
    let shown = ovn.northbound(&["show"]);
    for part in ["(cs-public-101)", "port cs-net-209-outside-peer", "networks: [\"10.1.1.1/24\"]"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn concurrent_commands_all_take_effect() {
    let ovn = Ovn::new();
    let server = ovn.server();
    thread::scope(|scope| {
        for number in 10..26 {
            let server = &server;
            scope.spawn(move || {
                let nic = Payload::sample(Command::PrepareNic)
                    .with("mac", format!("02:01:00:d1:00:{number}"))
                    .with("nic_uuid", format!("nic-{number}"))
                    .with("ip", format!("10.1.1.{number}"));
                server.send(nic).succeeds_silently();
            });
        }
    });
    let ports = ovn.northbound(&["lsp-list", "cs-net-209"]);
    assert_eq!(ports.lines().count(), 16, "{ports}");
}

#[test]
fn unsupported_requests_are_refused_and_change_nothing() {
    let ovn = Ovn::new();
    let server = ovn.server();
    send_all(&server, EVERYTHING);
    let before = ovn.dump();
    let refused = |payload: Payload, words: &[&str]| {
        server.send(payload).is_refused_naming(words);
        assert_eq!(ovn.dump(), before);
    };
    let address = Payload::sample(Command::AssignIp).with("public_ip", "203.0.113.10");
    refused(
        address.clone().with("public_vlan", "vlan://102"),
        &["198.51.100.10 on 101", "public segment 102"],
    );
    refused(Payload::sample_named("implement-network.tier"), &["VPC"]);
    let balancer = Payload::sample(Command::ApplyLbRules);
    refused(balancer.clone().with("lb_rules/0/algorithm", "leastconn"), &["rule 9", "leastconn"]);
    refused(balancer.with("lb_rules/0/protocol", "tcp-proxy"), &["rule 9", "tcp-proxy"]);
    let forward = Payload::sample_named("add-port-forward.range");
    refused(forward.clone().with("private_port", "80-81"), &["public_port 8080-8090"]);
    refused(forward.with("public_port", "1-9000").with("private_port", "1-9000"), &["public_port"]);
}

#[test]
fn the_guest_type_of_a_readme_network_follows_from_its_addresses() {
    let ovn = Ovn::new();
    let server = ovn.server();
    let isolated = Payload::sample_named("readme/implement-network");
    let update = server.send(isolated.clone()).succeeds().network_update().unwrap();
    assert_eq!(update.broadcast_domain_type, BroadcastDomainType::Lswitch);
    assert_eq!(update.broadcast_uri, "ovn://cs-net-42");
    assert!(ovn.northbound(&["show"]).contains("router"), "an isolated network is routed");
    let shared = isolated.with("network_id", "43").with("extension_ip", "10.0.0.2");
    server.send(shared).succeeds_silently();
    let layer_2 = Payload::sample_named("implement-network.l2").without("guest_type");
    assert!(server.send(layer_2).succeeds().network_update().is_some());
}

#[test]
fn it_declares_all_capabilities_that_the_server_needs() {
    let ovn = Ovn::new();
    let answer = ovn.server().extension().call(&ExtensionCall::bare(["--describe"]));
    let description: Value = serde_json::from_str(&answer.output).unwrap();
    assert_eq!(description.get("capability_faults"), None);
    assert_eq!(description["network.isolation.method"], "NetworkExtension");
}

#[test]
fn a_shared_network_is_plugged_into_the_data_centres_vlan() {
    let ovn = Ovn::new();
    let server = ovn.server();
    server.send(Payload::sample_named("prepare-nic.shared")).succeeds_silently();
    let network = Payload::sample_named("prepare-nic.shared");
    let id = network.field("network_id").unwrap().as_str().unwrap();
    let vlan = network.field("vlan").unwrap().as_str().unwrap();
    let shown = ovn.northbound(&["show"]);
    assert!(
        shown.contains(&format!("port cs-net-{id}-uplink\n        type: localnet\n        tag: {vlan}")),
        "{shown}"
    );
    assert!(!shown.contains("router "), "{shown}");
}

#[test]
fn an_absent_database_is_a_connection_failure() {
    let mut ovn = Ovn::new();
    let server = ovn.server();
    ovn.end_northbound();
    let judged = server.send(Payload::sample(Command::ImplementNetwork));
    judged.fails_with(2);
    assert!(judged.response.printed().contains("northbound"), "{judged:?}");
}

#[test]
fn the_next_database_is_used_if_one_is_absent() {
    let ovn = Ovn::new();
    let mut server = ovn.server();
    let there = server.registered()["northbound"].as_str().unwrap().to_owned();
    server.register("northbound", format!("unix:/nonexistent/nb.sock, tcp:127.0.0.1:1, {there}"));
    server.send(Payload::sample(Command::ImplementNetwork)).succeeds();
}

#[test]
fn a_database_that_never_answers_fails_at_the_deadline() {
    let folder = tempfile::TempDir::new().unwrap();
    let socket = folder.path().join("nb.sock");
    let _silent = UnixListener::bind(&socket).unwrap();
    let server = Ovn::new().server().detail("northbound", format!("unix:{}", socket.display()));
    let document = as_gson_writes(&server.document(&Payload::sample(Command::ImplementNetwork)));
    let began = Instant::now();
    let judged =
        server.call("implement-network", &ExtensionCall::new("implement-network", document).timeout(1));
    judged.fails_with(4);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn an_invalid_registration_is_refused() {
    let ovn = Ovn::new();
    for (name, value) in [
        ("northbound", "ssl:192.0.2.5:6641"),
        ("northbound", "unix:nb.sock"),
        ("gateway.chassis", "kvm 1"),
        ("public.network.name", "a,b"),
    ] {
        let server = ovn.server().detail(name, value);
        server.send(Payload::sample(Command::ImplementNetwork)).is_refused_naming(&[name]);
    }
    let server = ovn.server().detail("gateway.chassis", "");
    send_all(&server, &[Command::ImplementNetwork]);
    server.send(Payload::sample(Command::AssignIp)).is_refused_naming(&["gateway.chassis"]);
}
