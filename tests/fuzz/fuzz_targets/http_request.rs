//! The heads of requests to the file server, and what it answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::http_request(bytes));
