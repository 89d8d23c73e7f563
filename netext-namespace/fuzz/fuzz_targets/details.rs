//! Details that an operator registers: see `netext_namespace::fuzzing::registered_details`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::registered_details(input));
