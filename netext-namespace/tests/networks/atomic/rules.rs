//! The packet rules of a namespace that is new: they count only for it, and not for one of its name before it.

use netext_lab::{Expectation, Forward, Observation, lab};

use super::trial::{Left, Trial, call, sample};
use crate::setup::{network_with_forward, operator};

/// The number of calls before which the first command in a namespace is killed.
const ROUNDS: usize = 14;

#[test]
fn the_first_command_in_a_namespace_leaves_no_rules_that_pass_for_others() {
    let lab = lab!();
    let network = network_with_forward(&lab);
    let guest = network.guest("10.1.1.10");
    let _ssh = guest.listen_tcp(22);
    let client = lab.client("203.0.113.5");
    let added = Forward::tcp("198.51.100.10:2223", "10.1.1.10:22");
    let add = call(&network, "add-port-forward", &network.forward_fields(&added));
    let trial = Trial::of(&lab, add.clone(), Vec::new());
    // What the command does in a namespace that is there is of no interest.
    lab.host().ip("netns delete cs-net-209\n");
    let recorded = lab.record(&add);
    let traces = recorded.calls.into_iter().filter(|call| !call.leaves_no_trace()).collect();
    trial.go_back();

    for (round, call) in sample(traces, ROUNDS).iter().enumerate() {
        // The rules that were acknowledged were the first ones of their namespace, too.
        let unplugged = lab.reboot();
        trial.reconcile();
        unplugged.plug_in();
        let unplugged = (round % 2 == 1).then(|| lab.reboot());
        if unplugged.is_none() {
            lab.host().ip("netns delete cs-net-209\n");
        }
        let what = format!("round {round}, {}", trial.kill(call));

        let status = lab.start_bare(&["status"]).finish();
        let is_whole = trial.is_either(&Observation::of(&lab));
        assert!(is_whole || status.code != Some(0), "{what}: not noticed: {}", status.output);
        if round % 4 < 2 {
            trial.reconcile();
        } else {
            // Any command heals, even one that changes nothing.
            network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
        }
        if let Some(unplugged) = unplugged {
            unplugged.plug_in();
        }
        let left = trial.has_left(&what);
        client.connects_to("198.51.100.10:2222").answered_by("10.1.1.10");
        let new = client.tries_tcp("198.51.100.10:2223", Expectation::Refused);
        assert_eq!(new.is_ok(), left == Left::After, "{what}: {new:?}");
        trial.go_back();
    }
    operator(&lab, "status", 0);
}
