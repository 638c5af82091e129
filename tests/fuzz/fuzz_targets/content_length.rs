//! Messages behind a `Content-Length`, whole and in pieces.
#![no_main]

use highwater_examples::fuzz_checks::check_content_length;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_content_length(bytes));
