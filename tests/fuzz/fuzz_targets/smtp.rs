//! What is said in SMTP: commands, replies, and a message that travels and arrives as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::smtp(bytes));
