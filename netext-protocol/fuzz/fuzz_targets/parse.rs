//! Payload files: see `property::payload_file`.

#![no_main]

#[path = "../property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|input: &[u8]| property::payload_file(input));
