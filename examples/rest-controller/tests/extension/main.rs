//! The extension, run as CloudStack runs it, with an HTTPS controller that loses requests.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

mod controller;

use std::time::{Duration, Instant};

use controller::{Controller, Trouble};
use netext_core::protocol::Command;
use netext_core::testing::conformance::ConformanceSuite;
use netext_core::testing::{
    Executable, ExtensionCall, ExtensionProfile, JudgedResponse, Payload, Server, as_gson_writes,
};
use serde_json::json;

fn unregistered() -> Server<Executable> {
    Server::for_executable(env!("CARGO_BIN_EXE_netext-example-rest-controller")).unwrap()
}

fn server(controller: &Controller) -> Server<Executable> {
    unregistered()
        .detail("url", controller.url())
        .detail("password", controller::TOKEN)
        .detail("ca", controller.ca())
}

fn implement() -> Payload {
    Payload::sample(Command::ImplementNetwork)
}

/// Sends `implement-network` with a timeout in seconds.
fn implement_within(server: &Server<Executable>, seconds: u32) -> JudgedResponse {
    let document = as_gson_writes(&server.document(&implement()));
    server.call("implement-network", &ExtensionCall::new("implement-network", document).timeout(seconds))
}

#[test]
fn networks_addresses_and_rules_are_created_and_deleted() {
    let controller = Controller::new();
    let server = server(&controller);
    for command in
        [Command::ImplementNetwork, Command::AssignIp, Command::AddStaticNat, Command::ApplyFwRules]
    {
        server.send(Payload::sample(command)).succeeds_silently();
    }
    assert_eq!(controller.at("/v1/networks/209").unwrap()["cidr"], "10.1.1.0/24");
    assert_eq!(controller.at("/v1/networks/209/addresses/198.51.100.10").unwrap()["source_nat"], "true");
    let nat = "/v1/networks/209/static-nats/198.51.100.11";
    assert_eq!(controller.at(nat), Some(json!({ "private_ip": "10.1.1.10" })));
    assert_eq!(controller.at("/v1/networks/209/firewall").unwrap()["rules"][0]["portStart"], 22);

    // The mapping has another target by now.
    let late = Payload::sample(Command::DeleteStaticNat).with("private_ip", "10.1.1.99");
    server.send(late).succeeds_silently();
    assert!(controller.at(nat).is_some());
    for command in [Command::DeleteStaticNat, Command::ReleaseIp, Command::DestroyNetwork] {
        server.send(Payload::sample(command)).succeeds_silently();
        server.send(Payload::sample(command)).succeeds_silently();
    }
    assert!(controller.at(nat).is_none() && controller.at("/v1/networks/209").is_none());
}

#[test]
fn lost_requests_are_retried() {
    for trouble in [
        Trouble::ClosesAtOnce,
        Trouble::LosesTheRequest,
        Trouble::LosesTheAnswer,
        Trouble::Answers(500, None),
        Trouble::Answers(503, Some("0")),
    ] {
        let controller = Controller::new();
        controller.meets_with([trouble, trouble]);
        server(&controller).send(implement()).succeeds_silently();
        assert!(controller.at("/v1/networks/209").is_some(), "{trouble:?}");
    }
}

#[test]
fn a_command_survives_one_lost_answer() {
    let controller = Controller::new();
    controller.meets_with([Trouble::NeverAnswers]);
    implement_within(&server(&controller), 6).succeeds_silently();
    assert!(controller.at("/v1/networks/209").is_some());
}

#[test]
fn a_controller_that_never_answers_fails_before_the_deadline() {
    let controller = Controller::new();
    controller.meets_with([Trouble::NeverAnswers; 20]);
    let began = Instant::now();
    let judged = implement_within(&server(&controller), 3);
    judged.fails_with(2);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(judged.response.printed().contains("no answer in time"), "{judged:?}");
}

#[test]
fn an_absent_controller_is_a_connection_failure() {
    let server = server(&Controller::new());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = server.detail("url", format!("https://127.0.0.1:{port}/v1"));
    let judged = implement_within(&server, 2);
    judged.fails_with(2);
    assert!(judged.response.printed().contains("Connection refused"), "{judged:?}");
}

#[test]
fn a_busy_controller_sets_the_pause() {
    let controller = Controller::new();
    controller.meets_with([Trouble::Answers(429, Some("1"))]);
    let began = Instant::now();
    server(&controller).send(implement()).succeeds_silently();
    assert!(began.elapsed() >= Duration::from_secs(1));

    controller.meets_with([Trouble::Answers(429, Some("600"))]);
    let judged = server(&controller).send(implement());
    judged.fails_with(3);
    assert!(judged.response.printed().contains("after 600 s"), "{judged:?}");
    assert_eq!(controller.requests(), 3);
}

#[test]
fn a_controller_that_keeps_failing_is_given_up() {
    let controller = Controller::new();
    controller.meets_with([Trouble::Answers(500, Some("0")); 20]);
    let judged = server(&controller).send(implement());
    judged.fails_with(3);
    assert!(judged.response.printed().contains("failed 6 times"), "{judged:?}");
    assert_eq!(controller.requests(), 6);
}

#[test]
fn a_refusal_is_final_and_shows_the_controllers_message() {
    let controller = Controller::new();
    controller.meets_with([Trouble::Answers(422, None)]);
    let judged = server(&controller).send(implement());
    judged.fails_with(3);
    let message = judged.response.printed();
    assert!(
        message.contains("PUT https://") && message.contains("422 Unprocessable Entity: no room"),
        "{message}"
    );
    assert_eq!(controller.requests(), 1);
}

#[test]
fn a_redirect_does_not_get_the_token() {
    let (controller, elsewhere) = (Controller::new(), Controller::new());
    controller.meets_with([Trouble::Redirects(elsewhere.url())]);
    server(&controller).send(implement()).fails_with(3);
    assert_eq!((controller.requests(), elsewhere.requests()), (1, 0));
}

#[test]
fn a_wrong_token_is_refused_once_and_never_shown() {
    let controller = Controller::new();
    let judged = server(&controller).detail("password", "t0ken-of-yesterday").send(implement());
    judged.fails_with(2);
    let message = judged.response.printed();
    // The controller repeats the token in its answer.
    assert!(
        message.contains("401") && message.contains("[redacted]") && !message.contains("yesterday"),
        "{message}"
    );
    assert_eq!(controller.requests(), 1);
}

#[test]
fn a_controller_of_an_unknown_authority_gets_no_token() {
    let (controller, other) = (Controller::new(), Controller::new());
    for server in [
        server(&controller).detail("ca", other.ca()),
        unregistered().detail("url", controller.url()).detail("password", controller::TOKEN),
    ] {
        let judged = server.send(implement());
        judged.fails_with(2);
        assert!(judged.response.printed().contains("cannot be verified"), "{judged:?}");
    }
    assert_eq!(controller.requests(), 0);
}

#[test]
fn an_authority_may_be_registered_in_one_line() {
    let controller = Controller::new();
    let server = server(&controller).detail("ca", controller.ca().replace('\n', "\\n"));
    server.send(implement()).succeeds_silently();
}

#[test]
fn an_unsafe_registration_is_refused() {
    let controller = Controller::new();
    for (name, value) in [
        ("url", ""),
        ("url", "http://127.0.0.1/v1"),
        ("url", "https://admin:pw@127.0.0.1/v1"),
        ("url", "https://127.0.0.1/v1?x=1"),
        ("url", "unix:/run/controller"),
        ("password", ""),
        ("password", "t0ken\nX-Forwarded-For: 127.0.0.1"),
        ("ca", "-----BEGIN CERTIFICATE-----"),
    ] {
        server(&controller).detail(name, value).send(implement()).is_refused_naming(&[name]);
    }
    assert_eq!(controller.requests(), 0);
}

#[test]
fn it_conforms_to_the_protocol() {
    let controller = Controller::new();
    let server = server(&controller);
    let profile = ExtensionProfile::described_by(server.extension()).unwrap();
    ConformanceSuite::new(&server, profile).assert_conforms();
}
