//! What a test wants a person to know although it has passed: what it counted, or why it had to skip.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Prints `line`, and appends it to the file that `HIGHWATER_REPORT` names, if it does.
///
/// For counts that show how much was compared: `conformance: 1260 runs, 10483 steps compared`.
pub fn report(line: &str) {
    println!("{line}");
    append("HIGHWATER_REPORT", line);
}

/// Says that the test `name` cannot run here, and why, also to the file that `HIGHWATER_SKIPPED` names.
/// The test returns after this.
pub fn skip(name: &str, reason: &str) {
    println!("skipped {name}: {reason}");
    append("HIGHWATER_SKIPPED", &format!("{name}: {reason}"));
}

/// A proptest configuration: `cases` unless `PROPTEST_CASES` says otherwise. Nothing is written to disk:
/// a failure prints its input, which then becomes a test of its own.
pub fn property_cases(cases: u32) -> proptest::test_runner::Config {
    let chosen = env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok());
    proptest::test_runner::Config {
        cases: chosen.unwrap_or(cases),
        failure_persistence: None,
        ..Default::default()
    }
}

/// One write in append mode: tests report from several threads and several programs at once.
fn append(variable: &str, line: &str) {
    let Some(path) = env::var_os(variable).map(PathBuf::from) else { return };
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    if let Err(error) = written {
        panic!("could not append to {} ({variable}): {error}", path.display());
    }
}
