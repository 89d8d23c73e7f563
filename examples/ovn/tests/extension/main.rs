//! The extension, run as CloudStack runs it, on a real OVN: its rows, and where packets would go.

#![allow(clippy::unwrap_used, reason = "a test may panic, wherever its code stands")]

mod ovn;
mod packets;
mod rows;

use netext_core::protocol::Command;
use netext_core::testing::conformance::ConformanceSuite;
use netext_core::testing::{Executable, ExtensionProfile, Payload, Server};
use ovn::Ovn;

/// The samples for a network with all services.
const EVERYTHING: &[Command] = &[
    Command::ImplementNetwork,
    Command::AssignIp,
    Command::PrepareNic,
    Command::AddDhcpEntry,
    Command::ConfigDnsSubnet,
    Command::AddDnsEntry,
    Command::AddStaticNat,
    Command::AddPortForward,
    Command::ApplyFwRules,
    Command::ApplyLbRules,
];

/// The commands with the first instance of a network, without rules.
const FIRST_INSTANCE: &[Command] = EVERYTHING.split_at(6).0;

fn send_all(server: &Server<Executable>, commands: &[Command]) {
    for command in commands {
        server.send(Payload::sample(*command)).succeeds();
    }
}

#[test]
fn it_conforms_to_the_protocol() {
    let ovn = Ovn::new();
    let server = ovn.server();
    let profile = ExtensionProfile::described_by(server.extension()).unwrap();
    ConformanceSuite::new(&server, profile).assert_conforms();
    assert_eq!(ovn.northbound(&["lr-list"]), "", "nothing is left of the networks that were tried");
}
