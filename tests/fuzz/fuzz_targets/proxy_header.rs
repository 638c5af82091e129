//! Headers of the PROXY protocol, whole and in pieces.
#![no_main]

use highwater_examples::fuzz_checks::check_proxy_header;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_proxy_header(bytes));
