//! Two connected pairs that write and read at once, over a transport that does its worst, on a paused clock.
#![no_main]

use highwater_testing::{PairScript, check_pair};
use tokio::runtime::Builder;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(check_pair(&PairScript::from_bytes(bytes)));
});
