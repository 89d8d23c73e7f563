//! The extension, run as CloudStack runs it.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

use std::fs;

use netext_core::protocol::Command;
use netext_core::testing::conformance::ConformanceSuite;
use netext_core::testing::{Executable, ExtensionProfile, Payload, Server};
use tempfile::TempDir;

fn server(folder: &TempDir) -> Server<Executable> {
    let executable = Executable::new(env!("CARGO_BIN_EXE_netext-example-minimal")).unwrap();
    Server::new(executable.variable("NETEXT_MINIMAL_FOLDER", folder.path()))
}

#[test]
fn a_network_is_a_file_from_implement_to_destroy() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("network-209.json");
    let server = server(&folder);

    server.send(Payload::sample(Command::ImplementNetwork)).succeeds_silently();
    server.send(Payload::sample(Command::ImplementNetwork)).succeeds_silently();
    let network: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(network["vlan"], "1910");

    server.send(Payload::sample(Command::DestroyNetwork)).succeeds_silently();
    server.send(Payload::sample(Command::DestroyNetwork)).succeeds_silently();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn it_conforms_to_the_protocol() {
    ConformanceSuite::new(&server(&TempDir::new().unwrap()), ExtensionProfile::new([])).assert_conforms();
}
