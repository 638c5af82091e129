//! What a peer sends to the line tool: shown on a terminal, as a dump, and read as the answers to STARTTLS.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::talk(bytes));
