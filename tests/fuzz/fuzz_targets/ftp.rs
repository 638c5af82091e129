//! What is said in FTP: replies, ports, sizes, listings.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| highwater_examples::fuzz::ftp(bytes));
