//! The inputs of the fuzz target: samples, and findings of earlier runs.

#[path = "../../fuzz/property.rs"]
mod property;

use std::path::Path;

#[test]
fn every_committed_input_keeps_the_property_of_payload_files() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/parse");
    let inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|input| input.unwrap().path()).collect();
    assert!(inputs.len() > 50, "{} inputs", inputs.len());
    for path in inputs {
        let bytes = std::fs::read(&path).unwrap();
        let checked = std::panic::catch_unwind(|| property::payload_file(&bytes));
        assert!(checked.is_ok(), "{} breaks the property", path.display());
    }
}
