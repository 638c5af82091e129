//! Messages behind a `Content-Length`, whole and in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::content_length(bytes));
