//! Answers of the kernel: see `netext_namespace::fuzzing::netlink_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::netlink_answer(input));
