//! Commands that reach their host over SSH, from a management server of its own, with real sshds.

mod carriage;
mod choice;
mod failover;
mod login;
mod reach;
mod secrets;

use netext_lab::{Lab, Network};
use serde_json::json;

/// The ssh processes that keep a connection, on the management server.
fn connections(lab: &Lab) -> Vec<i32> {
    let ssh = |line: &str| line.starts_with("ssh ") || line.starts_with("ssh: ");
    let processes = lab.processes().into_iter();
    processes.filter(|(_, line)| ssh(line)).map(|(process, _)| process).collect()
}

pub(crate) const SECOND_HOST: &str = "192.0.2.11";
const THIRD_HOST: &str = "192.0.2.12";

pub(crate) fn host_of(network: &Network<'_>) -> String {
    network.details()["host"].as_str().unwrap_or_default().to_owned()
}

/// A network that prefers a host, by a number from `first` on.
#[track_caller]
pub(crate) fn network_on<'lab>(lab: &'lab Lab, host: &str, first: u32) -> Network<'lab> {
    let prefers = |network: &Network<'_>| {
        network.ensure_device(&json!({})).succeeds();
        host_of(network) == host
    };
    (first..first + 100).map(|id| lab.network(id)).find(prefers).expect("one in a hundred prefers the host")
}

/// `ensure-network-device` for a network of which the server has these details, and nothing else stored.
pub(crate) fn ensure(lab: &Lab, network: &Network<'_>, timeout: u32) -> netext_lab::CommandOutcome {
    let fields = json!({"current_details": network.details().to_string()});
    lab.start_with("ensure-network-device", &netext_lab::as_gson_writes(&network.document(&fields)), timeout)
        .finish()
}
