//! Properties of recorded files and of masking, for any input. An input that breaks one makes the check panic.
//!
//! `make fuzz` looks for such inputs; the test calls the check with the committed ones.

use netext_protocol::Command;
use serde_json::Value;

use super::replay::{ReplayedDetails, call};
use super::{MASK, Recorded, SHORTEST_SECRET, hide, masked};

/// A recorded file means the same when it is written again, and can be replayed. A payload is masked completely: masking
/// it again changes nothing, and no output shows what was masked. The first byte selects the payload's command.
pub(crate) fn recorded_file(input: &[u8]) {
    let Some((selector, file)) = input.split_first() else { return };
    if let Ok(recorded) = serde_json::from_slice::<Recorded>(file) {
        let written = serde_json::to_vec(&recorded).expect("a recorded run has a JSON form");
        let again: Recorded = serde_json::from_slice(&written).expect("what was written can be read");
        // The shortest digits of a number may mean its neighbour.
        assert_eq!(Recorded { took_ms: 0.0, ..again }, Recorded { took_ms: 0.0, ..recorded.clone() });
        let _ = call(&recorded, &ReplayedDetails::default());
    }
    let command = Command::ALL[usize::from(*selector) % Command::ALL.len()];
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(file) else { return };
    let (shown, secrets) = masked(command, document);
    assert_eq!(masked(command, shown.clone()).0, shown);
    let mut printed = secrets.join(" - ");
    hide(&mut printed, &secrets);
    // Masks themselves are not hidden.
    let counts = |secret: &&String| secret.len() >= SHORTEST_SECRET && !MASK.contains(secret.as_str());
    let has_no_part_of_masks = |secret: &&String| !secret.contains(['[', ']', ' ', '-']);
    for secret in secrets.iter().filter(counts).filter(has_no_part_of_masks) {
        assert!(!printed.contains(secret.as_str()), "{secret:?} is shown in {printed:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_committed_input_keeps_the_properties() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/recording");
        let inputs = std::fs::read_dir(corpus).expect("the target has a corpus");
        let inputs: Vec<_> = inputs.map(|input| input.expect("an entry").path()).collect();
        assert!(!inputs.is_empty());
        for path in inputs {
            let bytes = std::fs::read(&path).expect("an input");
            let checked = std::panic::catch_unwind(|| super::recorded_file(&bytes));
            assert!(checked.is_ok(), "{} breaks a property", path.display());
        }
    }
}
