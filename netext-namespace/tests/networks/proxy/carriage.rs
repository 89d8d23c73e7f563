//! Commands on their way to a host, and replies on their way back.

use std::time::Duration;

use netext_lab::{FIRST_HOST, Forward, Lab, SourceNat, as_gson_writes, fleet, joined};
use serde_json::json;

use super::connections;

#[test]
fn a_network_is_created_used_and_removed_on_the_host() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    assert_eq!(network.details(), json!({"host": FIRST_HOST, "namespace": "cs-net-209", "epoch": 1}));
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    lab.client("203.0.113.5").connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
    network.shutdown().destroy();
    assert!(!lab.has_namespace("cs-net-209"));
}

#[test]
fn a_connection_in_the_background_does_not_hold_the_output() {
    let lab = fleet!();
    let network = lab.network(209);
    // `finish` fails if a process holds the output after the command has ended.
    network.command("implement-network", &network.extension_field()).succeeds_silently();
    assert_eq!(connections(&lab).len(), 1, "one connection for all commands");
}

#[test]
fn a_payload_of_ten_mebibytes_arrives_byte_for_byte() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement();
    let every: String = (1..=0x2100).filter_map(char::from_u32).collect();
    let mut user_data = String::with_capacity(10 << 20);
    while user_data.len() < 10 << 20 {
        user_data.push_str(&every);
    }
    let fields = joined(&network.nic_fields("10.1.1.10"), &json!({"userdata": user_data}));
    // JSON escapes control characters and nothing from U+0080 on.
    network.command("save-userdata", &fields).succeeds_silently();
    let guest = network.guest("10.1.1.10");
    let told = guest.sandbox().output("curl", &["-s", "-f", "http://10.1.1.1/latest/user-data"]);
    assert_eq!(told.stdout.len(), user_data.len());
    assert!(told.stdout == user_data.as_bytes(), "the guest reads what was sent");
    let left = lab.server().output("find", &["/run/lab/state", "-size", "+1M"]);
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no copy is left on the management server");
}

#[test]
fn fifty_commands_at_once_all_take_effect() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    for process in connections(&lab) {
        lab.server().output("kill", &[&process.to_string()]);
    }
    let forwards: Vec<_> = (0..50)
        .map(|number| Forward::tcp(&format!("198.51.100.10:{}", 3000 + number), "10.1.1.10:22"))
        .collect();
    let documents: Vec<_> = forwards.iter().map(|it| network.document(&network.forward_fields(it))).collect();
    let running: Vec<_> = documents.iter().map(|document| lab.start("add-port-forward", document)).collect();
    for command in running {
        command.finish().succeeds_silently();
    }
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    for number in 0..50 {
        client.connects_to(&format!("198.51.100.10:{}", 3000 + number)).answered_by("10.1.1.10");
    }
}

#[test]
fn the_error_of_a_failed_command_is_the_hosts() {
    let lab = fleet!();
    let network = lab.network(209);
    network.ensure_device(&json!({}));
    lab.breaks("nft");
    let outcome = network.command("implement-network", &network.extension_field());
    outcome.fails_with(3);
    assert!(
        outcome.output.starts_with(&format!("{FIRST_HOST}: ")) && outcome.output.contains("nft"),
        "{outcome:?}"
    );
    lab.mends("nft");
    network.implement();
}

#[test]
fn the_error_of_a_refused_payload_is_the_hosts() {
    let lab = fleet!();
    let network = lab.network(209);
    network
        .command("implement-network", &json!({"cidr": "10.1.1.0/99"}))
        .is_refused_naming(&[FIRST_HOST, "cidr"]);
    lab.start_with("implement-network", "{\"payload\": {", 60).finish().fails_with(1);
}

#[test]
fn a_host_without_the_extension_is_not_taken_for_one_that_is_down() {
    let lab = fleet!();
    lab.register("remote.path", "/opt/nowhere/acme-wrapper.sh");
    let network = lab.network(209);
    let details = json!({"host": FIRST_HOST, "namespace": "cs-net-209"});
    let document = joined(&network.document(&json!({})), &json!({"network-extension-details": details}));
    let outcome = lab.run("implement-network", &document);
    outcome.fails_with(3);
    for word in [FIRST_HOST, "/opt/nowhere/acme-wrapper.sh", "exit code 127", "deploy"] {
        assert!(outcome.output.contains(word), "{word} in {outcome:?}");
    }
}

#[test]
fn the_environment_names_the_executable_unless_a_detail_does() {
    let lab = fleet!();
    let deployed = "/etc/cloudstack/extensions/lab-router/lab-router-wrapper.sh";
    lab.set_variable("NETEXT_REMOTE_PATH", "/opt/nowhere/acme-wrapper.sh");
    let network = lab.network(209);
    let outcome = network.ensure_device(&json!({}));
    assert!(outcome.fails_with(2).output.contains("/opt/nowhere/acme-wrapper.sh"), "{outcome:?}");
    lab.register("remote.path", deployed);
    network.ensure_device(&json!({})).succeeds();
}

/// Registers an executable that prints a reply.
fn with_executable_that_prints(lab: &Lab, reply: &str) {
    let script = format!("#!/bin/sh\necho 'Welcome to this host!'\necho '{reply}'\n");
    lab.host().run(|| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write("/run/lab/other", script).expect("a script");
        std::fs::set_permissions("/run/lab/other", std::fs::Permissions::from_mode(0o755))
            .expect("executable");
    });
    lab.register("remote.path", "/run/lab/other");
}

#[test]
fn a_host_with_another_protocol_is_refused_and_one_with_another_version_is_not() {
    let lab = fleet!();
    let network = lab.network(209);
    with_executable_that_prints(&lab, r#"{"relay":2,"version":"7.0.0","content":{"probed":{"has":"more"}}}"#);
    let outcome = network.ensure_device(&json!({}));
    outcome.fails_with(2);
    for word in [FIRST_HOST, "7.0.0 speaks relay protocol 2", "deploy the same version"] {
        assert!(outcome.output.contains(word), "{word} in {outcome:?}");
    }
    with_executable_that_prints(
        &lab,
        r#"{"relay":1,"version":"7.0.0","content":{"probed":{"serves":null,"superseded":null,"copy":null,"new":1}}}"#,
    );
    network.ensure_device(&json!({})).succeeds();
}

#[test]
fn a_host_refuses_a_request_of_another_protocol() {
    let lab = fleet!();
    let program = "/etc/cloudstack/extensions/lab-router/lab-router-wrapper.sh";
    let script = format!("echo '{{\"relay\":2,\"version\":\"7.0.0\",\"content\":{{}}}}' | {program} relay");
    let said = lab.host().output("sh", &["-c", &script]);
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.starts_with("{\"relay\":1,") && said.contains("7.0.0 speaks relay protocol 2"), "{said}");
}

#[test]
fn the_host_keeps_the_deadline() {
    let lab = fleet!();
    let network = lab.network(209);
    network.implement();
    let lock = network.hold_lock();
    let document = as_gson_writes(&network.document(&network.extension_field()));
    let outcome = lab.start_with("implement-network", &document, 8).finish();
    // The host gave up first, so the error is its own.
    outcome.fails_with(4);
    assert!(
        outcome.output.starts_with(&format!("{FIRST_HOST}: implement-network: timed out")),
        "{outcome:?}"
    );
    assert!(outcome.duration < Duration::from_secs(8), "{outcome:?}");
    drop(lock);
}
