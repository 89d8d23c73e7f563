//! Commands that reach their host over SSH, from a management server of its own, with real sshds.

mod carriage;
mod choice;
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

/// `ensure-network-device` for a network of which the server has these details, and nothing else stored.
fn ensure(lab: &Lab, network: &Network<'_>, timeout: u32) -> netext_lab::Outcome {
    let fields = json!({"current_details": network.details().to_string()});
    lab.start_with("ensure-network-device", &netext_lab::as_gson_writes(&network.document(&fields)), timeout)
        .finish()
}
