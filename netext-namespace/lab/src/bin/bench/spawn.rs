//! What it costs to be called at all.

use netext_lab::Lab;
use serde_json::json;

use crate::clock::{Work, interleave, milliseconds, program};
use crate::figure::{Figure, Table, Target};

/// Commands that change nothing, against a program that does nothing.
pub(crate) fn measure(lab: &Lab, table: &mut Table, rounds: usize) {
    table.group("being called", "spawning /bin/true");
    let network = lab.network(800);
    network.ensure_device(&json!({}));
    let no_op = network.document(&network.nic_fields("10.1.1.10"));
    let ensure = network.document(&json!({"current_details": network.details().to_string()}));
    for (name, command, document, target) in [
        ("no-op (a service that is not declared)", "apply-network-acl", no_op, Some(Target::AtMost(3.0))),
        ("ensure-network-device", "ensure-network-device", ensure, None),
    ] {
        let mut ours = Work::from(lab.ready(command, &document));
        let mut floor = Work::from(program("/bin/true", &[]));
        let measured = interleave(rounds, |_| milliseconds(ours.run()), |_| milliseconds(floor.run()));
        let figure = Figure::time(name, measured);
        table.add(match target {
            Some(target) => figure.must_reach(target),
            None => figure,
        });
    }
}
