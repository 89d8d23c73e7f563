//! The extension, run as CloudStack runs it, with a controller behind TLS that loses what it is sent.

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
fn networks_addresses_and_rules_reach_the_controller_and_go() {
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

    // It leads to another instance by now.
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
fn what_was_lost_is_sent_again() {
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
fn one_answer_that_never_comes_does_not_cost_the_command() {
    let controller = Controller::new();
    controller.meets_with([Trouble::NeverAnswers]);
    implement_within(&server(&controller), 6).succeeds_silently();
    assert!(controller.at("/v1/networks/209").is_some());
}

#[test]
fn a_controller_that_never_answers_is_given_up_before_the_deadline() {
    let controller = Controller::new();
    controller.meets_with([Trouble::NeverAnswers; 20]);
    let began = Instant::now();
    let judged = implement_within(&server(&controller), 3);
    judged.fails_with(2);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(judged.response.printed().contains("no answer in time"), "{judged:?}");
}

#[test]
fn a_controller_that_is_not_there_is_a_failure_of_the_connection() {
    let server = server(&Controller::new());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = server.detail("url", format!("https://127.0.0.1:{port}/v1"));
    let judged = implement_within(&server, 2);
    judged.fails_with(2);
    assert!(judged.response.printed().contains("Connection refused"), "{judged:?}");
}

#[test]
fn a_busy_controller_says_when_to_come_back() {
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
fn a_controller_that_keeps_failing_is_not_asked_for_ever() {
    let controller = Controller::new();
    controller.meets_with([Trouble::Answers(500, Some("0")); 20]);
    let judged = server(&controller).send(implement());
    judged.fails_with(3);
    assert!(judged.response.printed().contains("failed 6 times"), "{judged:?}");
    assert_eq!(controller.requests(), 6);
}

#[test]
fn a_refusal_is_final_and_told_in_the_controllers_words() {
    let controller = Controller::new();
    controller.meets_with([Trouble::Answers(422, None)]);
    let judged = server(&controller).send(implement());
    judged.fails_with(3);
    let told = judged.response.printed();
    assert!(told.contains("PUT https://") && told.contains("422 Unprocessable Entity: no room"), "{told}");
    assert_eq!(controller.requests(), 1);
}

#[test]
fn a_redirect_does_not_lead_the_token_elsewhere() {
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
    let told = judged.response.printed();
    // The controller repeats the token in its answer.
    assert!(told.contains("401") && told.contains("[redacted]") && !told.contains("yesterday"), "{told}");
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
fn a_registration_that_cannot_be_safe_is_refused() {
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
