//! Listings of nft: see `netext_namespace::fuzzing::nft_listing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| netext_namespace::fuzzing::nft_listing(input));
