//! Replies of a Redis server, whole and in pieces.
#![no_main]

use highwater_examples::fuzz_checks::check_resp;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_resp(bytes));
