//! The extension, run as CloudStack runs it.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

use netext_core::protocol::{BroadcastDomainType, Command, GuestType, Service};
use netext_core::testing::conformance::ConformanceSuite;
use netext_core::testing::{
    CallStreams, Executable, Extension, ExtensionCall, ExtensionProfile, JudgedResponse, Payload, Server,
};
use serde_json::{Value, json};

fn server() -> Server<Executable> {
    Server::for_executable(env!("CARGO_BIN_EXE_netext-example-l2-naming")).unwrap()
}

fn network() -> Payload {
    Payload::sample_named("implement-network.l2")
}

#[track_caller]
fn uri(answer: &JudgedResponse) -> String {
    let update = answer.succeeds().network_update().unwrap();
    assert_eq!(update.broadcast_domain_type, BroadcastDomainType::Vswitch);
    update.broadcast_uri
}

#[test]
fn a_segment_is_named_by_prefix_mode_and_id() {
    assert_eq!(uri(&server().send(network())), "l2://cs-internal-240");
    let server = server().detail("mode", "nat").detail("name_prefix", "lab");
    assert_eq!(uri(&server.send(network())), "l2://lab-nat-240");
}

#[test]
fn details_may_be_an_object_or_json_text() {
    let registered = json!({ "mode": "nat", "name_prefix": "lab" });
    let stored = json!({ "mode": "internal", "name_prefix": "old" });
    let named = |physical: Value, device: Value| {
        let document = network().document(physical, device);
        uri(&server().send_document("implement-network", &document, CallStreams::Merged))
    };
    let text = |value: &Value| Value::from(value.to_string());
    assert_eq!(named(registered.clone(), json!({})), "l2://lab-nat-240");
    assert_eq!(named(text(&registered), json!("{}")), "l2://lab-nat-240");
    assert_eq!(named(registered.clone(), stored.clone()), "l2://old-internal-240");
    assert_eq!(named(text(&registered), text(&stored)), "l2://old-internal-240");

    let document = network().document(registered, json!({ "mode": ["nat"] }));
    server().send_document("implement-network", &document, CallStreams::Merged).is_refused_naming(&["mode"]);
}

#[test]
fn a_network_keeps_its_name_when_another_is_registered() {
    let mut server = server().detail("mode", "nat");
    server.send(network()).succeeds();
    server.register("mode", "internal");
    server.register("name_prefix", "new");
    assert_eq!(uri(&server.send(network())), "l2://cs-nat-240");
    assert_eq!(uri(&server.send(network().with("network_id", "241"))), "l2://new-internal-241");
}

#[test]
fn a_network_of_another_kind_is_refused() {
    for payload in [
        Payload::sample(Command::ImplementNetwork),
        Payload::sample_named("implement-network.shared"),
        Payload::sample_named("readme/implement-network"),
    ] {
        server().send(payload).is_refused_naming(&["guest_type l2"]);
    }
}

#[test]
fn a_network_without_a_type_and_without_addresses_is_one_of_layer_2() {
    assert_eq!(uri(&server().send(network().without("guest_type"))), "l2://cs-internal-240");
}

#[test]
fn commands_with_user_data_succeed() {
    for command in Command::ALL.iter().filter(|it| it.services().contains(&Service::UserData)) {
        server().send(Payload::sample(*command).with("guest_type", "l2")).succeeds_silently();
    }
}

#[test]
fn it_registers_what_a_layer_2_offering_needs() {
    let answer = server().extension().call(&ExtensionCall::bare(["--describe"]));
    let description: Value = serde_json::from_str(&answer.output).unwrap();
    assert_eq!(description["network.services"], "UserData,CustomAction");
    assert_eq!(description["network.isolation.method"], "NetworkExtension");
    assert_eq!(description.get("capability_faults"), None);
}

#[test]
fn unknown_modes_and_invalid_prefixes_are_refused() {
    for mode in ["bridged", "NAT", "nat internal"] {
        server().detail("mode", mode).send(network()).is_refused_naming(&["mode", mode]);
    }
    for prefix in ["../etc", "1st", "a b", "Lab", "-", "lab/../x", &"x".repeat(33)] {
        server().detail("name_prefix", prefix).send(network()).is_refused_naming(&["name_prefix"]);
    }
}

#[test]
fn the_other_commands_succeed_without_doing_anything() {
    for command in
        [Command::PrepareNic, Command::ReleaseNic, Command::ShutdownNetwork, Command::DestroyNetwork]
    {
        server().send(Payload::sample(command).with("guest_type", "l2")).succeeds_silently();
    }
}

#[test]
fn actions_are_refused() {
    server().send(Payload::sample(Command::CustomAction)).fails_with(5);
}

#[test]
fn it_conforms_to_the_protocol() {
    let server = server();
    let profile = ExtensionProfile::described_by(server.extension()).unwrap();
    ConformanceSuite::new(&server, profile.guest_type(GuestType::L2)).assert_conforms();
}
