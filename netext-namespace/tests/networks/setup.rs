//! Networks, VPCs and hosts that several tests start with.

use std::thread;
use std::time::{Duration, Instant};

use netext_lab::{Forward, Lab, Network, SourceNat, Vpc};

/// A network whose guests leave with 198.51.100.10, without rules.
pub(crate) fn network(lab: &Lab) -> Network<'_> {
    let network = lab.network(209);
    network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
    network
}

/// The same network with a forward of port 2222 to 10.1.1.10.
pub(crate) fn network_with_forward(lab: &Lab) -> Network<'_> {
    let network = network(lab);
    network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
    network
}

/// The same network with the forward, and with a static NAT of 198.51.100.11 to 10.1.1.11.
pub(crate) fn network_with_ways_in(lab: &Lab) -> Network<'_> {
    let network = network_with_forward(lab);
    network.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.11");
    network
}

/// A VPC whose guests leave with 198.51.100.20.
pub(crate) fn vpc(lab: &Lab) -> Vpc<'_> {
    let vpc = lab.vpc(7);
    vpc.implement_with("198.51.100.20");
    vpc
}

/// The same VPC with two implemented tiers.
pub(crate) fn two_tiers(lab: &Lab) -> (Vpc<'_>, Network<'_>, Network<'_>) {
    let vpc = vpc(lab);
    let (one, other) = (vpc.tier(1), vpc.tier(2));
    one.implement();
    other.implement();
    (vpc, one, other)
}

/// Reboots the host, which then reconciles its routers.
#[track_caller]
pub(crate) fn reboot(lab: &Lab) {
    let unplugged = lab.reboot();
    let outcome = lab.start_bare(&["reconcile", "--all"]).finish();
    assert_eq!(outcome.code, Some(0), "{}", outcome.output);
    unplugged.plug_in();
}

/// Runs a command for operators, which must exit with `code`, and returns its output.
#[track_caller]
pub(crate) fn operator(lab: &Lab, words: &str, code: i32) -> String {
    let outcome = lab.start_bare(&words.split(' ').collect::<Vec<_>>()).finish();
    assert_eq!(outcome.code, Some(code), "{words}: {}", outcome.output);
    outcome.output
}

/// The haproxy processes of the lab, with those that only wait for the end of their connections.
pub(crate) fn haproxies(lab: &Lab) -> Vec<i32> {
    let processes = lab.processes().into_iter();
    processes.filter(|(_, line)| line.starts_with("haproxy ")).map(|(process, _)| process).collect()
}

/// Waits until `happens`, or fails.
#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, happens: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !happens() {
        assert!(Instant::now() < deadline, "{what} did not happen within {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
