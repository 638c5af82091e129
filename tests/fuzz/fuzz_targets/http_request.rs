//! The heads of requests to the file server, and what it answers.
#![no_main]

use highwater_examples::http::check_request;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_request(bytes));
