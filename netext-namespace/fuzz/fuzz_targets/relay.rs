//! Lines of the relay: see `netext_namespace::fuzzing::relay_line`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::relay_line(input));
