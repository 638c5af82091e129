//! What is read and written while there are bytes and room takes no memory of its own.

use std::collections::BTreeMap;
use std::process::Command;

/// Allocations per record, by work and contender.
fn counted() -> BTreeMap<(String, String), f64> {
    let output = Command::new(env!("CARGO_BIN_EXE_allocations")).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let figures = text.lines().map(|line| {
        let [work, contender, _, count] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line:?} is no figure")
        };
        ((work.to_owned(), contender.to_owned()), count.parse().expect("a count is a number"))
    });
    figures.collect()
}

#[test]
fn what_is_buffered_is_read_and_written_without_allocating() {
    let counted = counted();
    let mut held = 0;
    for ((work, contender), count) in &counted {
        let most = match (work.as_str(), contender.as_str()) {
            ("wait/64", "highwater read_line_ref") => 1.0,
            ("wait/64", "highwater read_line") => 2.0,
            // Not short, and handed over as it grew.
            ("frame/1048576", "highwater read_exactly") => 4.0,
            (_, "highwater read_exactly" | "highwater read_line") => 1.0,
            ("head+body", "highwater read_until + read_exactly") => 2.0,
            // A flush may wait, and has somebody to wake: three allocations for a hundred writes.
            ("write/64/flush-per-100", _) => 0.03,
            (_, name) if name.starts_with("highwater") => 0.0,
            _ => continue,
        };
        assert!(*count <= most, "{work} by {contender}: {count} allocations each, and not {most}");
        held += 1;
    }
    assert!(held >= 20, "only {held} of ours were counted");
    // The counter counts: a `String` for each line.
    assert!(counted[&("line/64/owned".to_owned(), "tokio lines".to_owned())] >= 0.99);
}
