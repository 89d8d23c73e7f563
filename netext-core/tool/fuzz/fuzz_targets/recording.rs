//! Recorded files: see `recording::fuzzing::recorded_file`. The tool is no library, so the target contains its modules.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the rest of the tool is not here")]

#[path = "../../src/payload_file/mod.rs"]
mod payload_file;
#[path = "../../src/printer.rs"]
mod printer;
#[path = "../../src/recording/mod.rs"]
mod recording;

libfuzzer_sys::fuzz_target!(|input: &[u8]| recording::fuzzing::recorded_file(input));
