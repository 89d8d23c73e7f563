//! Requests of guests to the metadata server: see `netext_namespace::fuzzing::metadata_request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::metadata_request(input));
