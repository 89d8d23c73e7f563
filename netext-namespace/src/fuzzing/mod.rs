//! Properties of everything that is parsed, for any input. An input that breaks one makes the check panic.
//!
//! `make fuzz` looks for such inputs: each target of `fuzz/` calls one check. The tests call every check with the committed
//! inputs of its target: samples, and findings of earlier runs.

mod folder;
mod metadata;
mod replica;
mod state;
mod text;

pub use crate::kernel::fuzzing::{netlink_answer, nft_complaint, nft_listing};
pub use metadata::metadata_request;
pub use replica::replica_delta;
pub use state::state_document;
pub use text::{registered_details, relay_line, routing_words};

/// A check of one input.
pub type Check = fn(&[u8]);

/// The checks by the names of their targets.
pub const CHECKS: [(&str, Check); 9] = [
    ("details", registered_details),
    ("metadata", metadata_request),
    ("netlink", netlink_answer),
    ("nft_complaint", nft_complaint),
    ("nft_listing", nft_listing),
    ("relay", relay_line),
    ("replica", replica_delta),
    ("state", state_document),
    ("words", routing_words),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_committed_input_keeps_the_properties_of_its_target() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (target, check) in CHECKS {
            let inputs = std::fs::read_dir(corpora.join(target)).expect("the target has a corpus");
            let mut count = 0;
            for input in inputs {
                let path = input.expect("an entry").path();
                let bytes = std::fs::read(&path).expect("an input");
                let checked = std::panic::catch_unwind(|| check(&bytes));
                assert!(checked.is_ok(), "{} breaks a property", path.display());
                count += 1;
            }
            assert!(count > 0, "{target} has no inputs");
        }
    }
}
