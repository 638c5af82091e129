//! Operations on a `WriteBuffer` beside its model.
#![no_main]

use highwater_testing::{WriteScript, check_writes};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check_writes(&WriteScript::from_bytes(bytes)));
