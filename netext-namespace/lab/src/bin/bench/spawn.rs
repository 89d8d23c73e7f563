//! The cost of a call that does almost nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use netext_lab::Lab;
use serde_json::json;

use crate::clock::{Work, milliseconds};
use crate::figure::{Figure, FigureTable, Target};

/// The smallest extension on the runner, built beside the measured executable. It declares no service.
const MINIMAL: &str = "netext-example-minimal";

/// Commands that change nothing or almost nothing, against a program that does nothing.
pub(crate) fn measure(lab: &Lab, table: &mut FigureTable, rounds: usize) {
    table.group("calling the extension", "spawning /bin/true");
    let network = lab.network(800);
    network.ensure_device(&json!({}));
    let against_true =
        |name: &str, mut ours: Work| Figure::against_true(name, rounds, || milliseconds(ours.run()));
    let no_op = lab.ready("assign-ip", &network.document(&json!({"public_ip": "198.51.100.9"})));
    match beside(lab.executable(), MINIMAL) {
        Some(minimal) => {
            let name = "no-op (a service that is not declared)";
            table.add(against_true(name, given_to(&minimal, &no_op, &[])).must_reach(Target::AtMost(3.0)));
            // Above the floor are the runner and the small file that this device writes.
            let implement = lab.ready("implement-network", &network.document(&json!({})));
            let folder = [("NETEXT_MINIMAL_FOLDER", "/run/netext-minimal")];
            let name = "runner: payload to device (implement-network)";
            table.add(
                against_true(name, given_to(&minimal, &implement, &folder)).must_reach(Target::Adds(2.0)),
            );
        }
        None => table.say(&format!("no-op: not measured, because {MINIMAL} is not beside the executable")),
    }
    let ensure = network.document(&json!({"current_details": network.details().to_string()}));
    table.add(against_true("ensure-network-device", lab.ready("ensure-network-device", &ensure).into()));
}

fn beside(executable: &str, name: &str) -> Option<PathBuf> {
    Some(Path::new(executable).with_file_name(name)).filter(|path| path.exists())
}

/// The same call to another program, with more variables.
fn given_to(program: &Path, call: &Command, more: &[(&str, &str)]) -> Work {
    let mut other = Command::new(program);
    other.args(call.get_args()).env_clear().envs(more.iter().copied());
    other.envs(call.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Work::from(other)
}
