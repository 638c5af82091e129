//! Operations on a `ReadBuffer` beside its model.
#![no_main]

use highwater_testing::{ReadScript, check_reads};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_reads(&ReadScript::from_bytes(bytes)));
