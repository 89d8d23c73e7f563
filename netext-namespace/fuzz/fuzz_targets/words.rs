//! Words of routes and rules: see `netext_namespace::fuzzing::routing_words`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::routing_words(input));
