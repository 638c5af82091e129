//! Replies of a Redis server, whole and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::resp(bytes));
