//! Headers of the PROXY protocol, whole and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::proxy_header(bytes));
