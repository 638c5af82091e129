//! What the fuzzers have learnt, replayed: every input in `tests/fuzz/corpus`, by the functions that the fuzz
//! targets call.

use highwater_examples::fuzz;
use highwater_testing::{
    PairScript, ReadScript, SearchScript, WriteScript, check_pair, check_reads, check_searches, check_writes,
};
use highwater_tests::{bounded, report};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A corpus is for replaying in any test run, and travels with the repository: so many files, so many bytes.
const MOST_FILES: usize = 200;
const MOST_BYTES: usize = 200 * 1024;

#[test]
fn read_buffer() {
    replay("read_buffer", |bytes| check_reads(&ReadScript::from_bytes(bytes)));
}

#[test]
fn separators() {
    replay("separators", |bytes| check_searches(&SearchScript::from_bytes(bytes)));
}

#[test]
fn write_buffer() {
    replay("write_buffer", |bytes| check_writes(&WriteScript::from_bytes(bytes)));
}

#[test]
fn pair() {
    replay("pair", |bytes| {
        let script = PairScript::from_bytes(bytes);
        bounded::run_paused(async move { check_pair(&script).await });
    });
}

#[test]
fn http_request() {
    replay("http_request", fuzz::http_request);
}

#[test]
fn talk() {
    replay("talk", fuzz::talk);
}

#[test]
fn smtp() {
    replay("smtp", fuzz::smtp);
}

#[test]
fn ftp() {
    replay("ftp", fuzz::ftp);
}

#[test]
fn resp() {
    replay("resp", fuzz::resp);
}

#[test]
fn proxy_header() {
    replay("proxy_header", fuzz::proxy_header);
}

#[test]
fn content_length() {
    replay("content_length", fuzz::content_length);
}

#[test]
fn every_corpus_has_a_target() {
    let mut folders: Vec<_> = entries(&corpora()).iter().map(|folder| name(folder)).collect();
    folders.sort();
    let of_buffers = ["pair", "read_buffer", "separators", "write_buffer"];
    let of_examples = ["content_length", "ftp", "http_request", "proxy_header", "resp", "smtp", "talk"];
    let mut targets = [&of_buffers[..], &of_examples].concat();
    targets.sort();
    assert_eq!(folders, targets);
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    let files = entries(&corpora().join(target));
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    let mut bytes = 0;
    for file in &files {
        let input = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        bytes += input.len();
        println!("{target}: {}", name(file)); // Shown by a failure, for which it is the one.
        check(&input);
    }
    assert!(files.len() <= MOST_FILES && bytes <= MOST_BYTES, "{} files, {bytes} bytes", files.len());
    report(&format!("fuzz corpus of {target}: {} inputs, {bytes} bytes", files.len()));
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    paths.unwrap_or_else(|error: io::Error| panic!("{}: {error}", folder.display()))
}

fn name(path: &Path) -> String {
    path.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned()
}
