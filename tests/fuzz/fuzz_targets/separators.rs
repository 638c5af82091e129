//! Sets of separators beside a naive search.
#![no_main]

use highwater_testing::{SearchScript, check_searches};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_searches(&SearchScript::from_bytes(bytes)));
