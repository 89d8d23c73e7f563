//! The contract of every command with the management server: output, exit codes, secrets, files.

use std::time::Duration;

use netext_lab::{
    Firewall, Forward, Lab, Network, Rule, SECRET_KEY, SECRET_PASSWORD, Signal, SourceNat, joined, lab,
};
use serde_json::json;

use crate::setup::network_with_forward;

/// A network with a forward that the firewall opens.
fn network(lab: &Lab) -> Network<'_> {
    let network = network_with_forward(lab);
    network.apply_firewall(&Firewall::egress_allowed().with(Rule::ingress("198.51.100.10").tcp(2222)));
    network
}

#[test]
fn the_device_details_are_one_line_of_json_and_name_the_namespace() {
    let lab = lab!();
    let network = lab.network(209);
    for _ in 0..2 {
        let outcome = network.ensure_device(&json!({}));
        outcome.succeeds();
        assert_eq!(network.details()["namespace"], "cs-net-209");
        assert!(
            network.details().get("status").is_none(),
            "the server would read a status as the result of an action"
        );
    }
}

#[test]
fn ids_may_be_numbers_and_details_json_strings() {
    let lab = lab!();
    let network = lab.network(209);
    let mut document = network.document(&network.extension_field());
    document["payload"]["network_id"] = 209.into();
    document["payload"]["zone_id"] = 1.into();
    document["payload"]["vlan"] = 1910.into();
    document["payload"]["something_newer"] = json!({"deep": [1, 2, 3]});
    for details in ["physical-network-extension-details", "network-extension-details"] {
        document[details] = document[details].to_string().into();
    }
    lab.run("implement-network", &document).succeeds_silently();
    network.guest("10.1.1.10").pings("10.1.1.1");
}

#[test]
fn commands_of_undeclared_services_are_silent_no_ops() {
    let lab = lab!();
    let network = network(&lab);
    for (command, field) in
        [("apply-network-acl", json!({"acl_rules": []})), ("apply-lb-rules", json!({"lb_rules": []}))]
    {
        network.command(command, &field).succeeds_silently();
    }
}

#[test]
fn commands_about_instance_data_print_nothing_and_log_no_secret() {
    let lab = lab!();
    let network = network(&lab);
    let nic = network.nic_fields("10.1.1.10");
    let dns = json!({"dns": "192.0.2.53", "domain": "cs.example"});
    for command in [
        "config-dhcp-subnet",
        "add-dhcp-entry",
        "remove-dhcp-entry",
        "remove-dhcp-subnet",
        "config-dns-subnet",
        "add-dns-entry",
        "remove-dns-entry",
        "remove-dns-subnet",
    ] {
        network.command(command, &joined(&nic, &dns)).succeeds_silently();
    }
    for (command, field) in [
        ("save-vm-data", json!({"vm_data": [{"dir": "userdata", "file": "user_data", "content": "x"}]})),
        ("save-password", json!({"password": "fgh4-never-to-be-seen"})),
        ("save-userdata", json!({"userdata": "#cloud-config\n"})),
        ("save-sshkey", json!({"sshkey": "ssh-ed25519 AAAA someone"})),
        ("save-hypervisor-hostname", json!({"hypervisor_hostname": "kvm-1"})),
        ("set-dhcp-options", json!({"options": {"42": "192.0.2.1"}})),
    ] {
        network.command(command, &joined(&nic, &field)).succeeds_silently();
    }
    assert!(!lab.log().contains("fgh4-never-to-be-seen"));
}

#[test]
fn malformed_calls_are_refused_in_one_line() {
    let lab = lab!();
    let network = lab.network(209);
    let document = network.document(&json!({}));
    lab.run("make-coffee", &document).is_refused_naming(&["make-coffee"]);
    lab.start_with("implement-network", "", 60).finish().fails_with(1);
    lab.start_with("implement-network", "{\"payload\": {", 60).finish().fails_with(1);
    lab.start_with("implement-network", "[]", 60).finish().fails_with(1);
    lab.start_bare(&["implement-network", "/run/lab/payloads/absent.json", "60"])
        .finish()
        .is_refused_naming(&["/run/lab/payloads/absent.json"]);
    lab.run("implement-network", &json!({"payload": {}})).is_refused_naming(&["network_id"]);
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn secrets_are_never_printed_and_never_stored() {
    let lab = lab!();
    let network = network(&lab);
    let mut printed = vec![network.ensure_device(&json!({})).output];
    network.guest("10.1.1.10");
    network.add_static_nat("198.51.100.11", "10.1.1.10").delete_static_nat("198.51.100.11", "10.1.1.10");
    for (command, fields) in [
        ("assign-ip", joined(&network.public_fields("198.51.100.300", SourceNat::No), &json!({}))),
        ("add-port-forward", network.forward_fields(&Forward::tcp("198.51.100.10:1", "10.1.1.10:70000"))),
        ("implement-network", json!({"cidr": "10.1.1.0/99"})),
        ("make-coffee", json!({})),
    ] {
        let outcome = network.command(command, &fields);
        assert_ne!(outcome.code, Some(0), "{command}");
        printed.push(outcome.output);
    }
    // A document that ends right after the secrets.
    let text = network.document(&json!({})).to_string();
    let broken = &text[..text.find("\"payload\"").expect("a payload")];
    printed.push(lab.start_with("assign-ip", broken, 60).finish().fails_with(1).output.clone());
    lab.register("port", "no number");
    printed.push(network.command("implement-network", &network.extension_field()).output);

    for secret in [SECRET_PASSWORD, SECRET_KEY, "SAMPLE KEY"] {
        assert!(!printed.iter().any(|output| output.contains(secret)), "{secret} in {printed:?}");
        for (path, _, content) in lab.files() {
            assert!(!content.contains(secret), "{secret} in {}", path.display());
        }
    }
}

#[test]
fn only_the_owner_can_read_state_and_log() {
    let lab = lab!();
    let _network = network(&lab);
    let files = lab.files();
    assert!(files.len() > 3, "{files:?}");
    for (path, mode, _) in files {
        // Daemons that are not root may enter folders, but not list them.
        let expected: &[u32] = if mode & 0o100 == 0 { &[0o600] } else { &[0o700, 0o711] };
        assert!(expected.contains(&mode), "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn the_log_has_every_call_with_its_network_and_outcome() {
    let lab = lab!();
    let network = network(&lab);
    network.command("assign-ip", &network.public_fields("198.51.100.300", SourceNat::No)).fails_with(1);
    let log = lab.log();
    for command in ["ensure-network-device", "implement-network", "assign-ip", "add-port-forward"] {
        let is_logged = log.lines().any(|line| line.contains(command) && line.contains("209"));
        assert!(is_logged, "{command} in {log}");
    }
    assert!(log.contains("198.51.100.300"), "the refused value is in the log: {log}");
}

#[test]
fn a_command_ends_at_its_deadline_and_changes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let fields = network.forward_fields(&Forward::tcp("198.51.100.10:2222", "10.1.1.11:22"));
    let before = (network.router().ruleset(), state(&lab));

    let lock = network.hold_lock();
    let outcome = lab
        .start_with("add-port-forward", &netext_lab::as_gson_writes(&network.document(&fields)), 1)
        .finish();
    outcome.fails_with(4);
    assert!(outcome.duration > Duration::from_millis(800), "it waited for the lock: {:?}", outcome.duration);
    assert!(outcome.duration < Duration::from_secs(3), "it ended in time: {:?}", outcome.duration);
    assert_eq!((network.router().ruleset(), state(&lab)), before);
    client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");

    drop(lock);
    network.command("add-port-forward", &fields).succeeds_silently();
    client.cannot_connect_to("198.51.100.10:2222");
}

#[test]
fn a_command_that_fails_on_the_host_changes_nothing_and_succeeds_when_repeated() {
    let lab = lab!();
    let network = network(&lab);
    let guest = network.guest("10.1.1.10");
    let _servers = (guest.listen_tcp(22), guest.listen_tcp(23));
    let client = lab.client("203.0.113.5");
    let before = (network.router().ruleset(), state(&lab));
    // A range needs nft; a change of a single element does not.
    let range = network.forward_fields(&Forward::tcp("198.51.100.10:2222-2223", "10.1.1.10:2222-2223"));
    let closed = network.firewall_fields(&Firewall::egress_denied());
    let mut flow = client.talks_to("198.51.100.10:2222");
    flow.goes_on();

    lab.breaks("nft");
    network.command("add-port-forward", &range).fails_with(3);
    network.command("apply-fw-rules", &closed).fails_with(3);
    lab.mends("nft");
    assert_eq!((network.router().ruleset(), state(&lab)), before);
    flow.goes_on();
    client.connects_to("198.51.100.10:2222");

    network.command("apply-fw-rules", &closed).succeeds_silently();
    client.cannot_connect_to("198.51.100.10:2222");
}

#[test]
fn a_command_waits_for_the_lock() {
    let lab = lab!();
    let network = network(&lab);
    network.ensure_device(&json!({}));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let lock = network.hold_lock();
    let fields = network.firewall_fields(&Firewall::egress_allowed());
    let mut waiting = lab.start("apply-fw-rules", &network.document(&fields));
    std::thread::sleep(Duration::from_millis(200));
    waiting.still_runs();
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222");
    drop(lock);
    waiting.finish().succeeds_silently();
    lab.client("203.0.113.5").cannot_connect_to("198.51.100.10:2222");
}

#[test]
fn a_terminated_command_ends_at_once_and_changes_nothing() {
    let lab = lab!();
    let network = network(&lab);
    let before = (network.router().ruleset(), state(&lab));
    let lock = network.hold_lock();
    let fields = network.forward_fields(&Forward::tcp("198.51.100.10:2223", "10.1.1.10:22"));
    let waiting = lab.start("add-port-forward", &network.document(&fields));
    std::thread::sleep(Duration::from_millis(200));
    waiting.signal(Signal::SIGTERM);
    let outcome = waiting.finish();
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.duration < Duration::from_secs(2), "{outcome:?}");
    assert!(outcome.output.lines().count() <= 1, "{outcome:?}");
    drop(lock);
    assert_eq!((network.router().ruleset(), state(&lab)), before);
    network.command("add-port-forward", &fields).succeeds_silently();
}

#[test]
fn the_proxy_role_without_hosts_acts_on_the_local_machine() {
    for role in [Some("proxy"), None] {
        let lab = lab!();
        match role {
            Some(role) => lab.set_variable("NETEXT_ROLE", role),
            // The executable's name does not end in -wrapper.sh: it is the proxy.
            None => lab.unset_variable("NETEXT_ROLE"),
        }
        lab.unregister("hosts");
        let network = lab.network(209);
        network.implement();
        network.guest("10.1.1.10").pings("10.1.1.1");
    }
}

#[test]
fn the_name_of_the_wrapper_selects_the_host_role() {
    let lab = lab!();
    lab.unset_variable("NETEXT_ROLE");
    let network = lab.network(209);
    let document = network.document(&network.extension_field());
    lab.run_wrapper("implement-network", &document).succeeds_silently();
    network.guest("10.1.1.10").pings("10.1.1.1");
}

/// All state but the log: paths and contents.
fn state(lab: &Lab) -> Vec<(std::path::PathBuf, String)> {
    let files = lab.files().into_iter().filter(|(path, ..)| path.starts_with(lab.state_folder()));
    let mut files: Vec<_> = files.map(|(path, _, content)| (path, content)).collect();
    files.sort();
    files
}
