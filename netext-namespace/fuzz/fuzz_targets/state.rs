//! State documents: see `netext_namespace::fuzzing::state_document`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::state_document(input));
