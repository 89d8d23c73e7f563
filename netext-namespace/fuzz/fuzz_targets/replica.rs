//! Deltas of replicas: see `netext_namespace::fuzzing::replica_delta`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::replica_delta(input));
