//! Counting tests: what libtest's output says, line by line, and what comes of adding it up.
//!
//! Text in, counts out; running cargo and keeping the files is [`suite`](crate::suite)'s part.

use std::fmt;

use crate::outcome::closing_line;

/// The sum over any number of test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// As libtest counts: a test that had to skip returns early, and has passed.
    passed: usize,
    failed: usize,
    /// Names, for a person who would otherwise look for them in a long output.
    failures: Vec<String>,
    /// `name: reason`, from tests that found something lacking when they ran, and so are in `passed` too.
    skipped: Vec<String>,
    /// `name: reason`, from tests and examples whose mark tells libtest not to start them.
    ignored: Vec<String>,
}

impl Tally {
    /// Takes a line that cargo or a test program wrote.
    pub(crate) fn read_line(&mut self, line: &str) {
        match Line::parse(line) {
            Line::Result { passed, failed } => {
                self.passed += passed;
                self.failed += failed;
            }
            Line::Failed(name) => self.failures.push(name.to_owned()),
            Line::Ignored { name, reason } => self.ignored.push(format!("{name}: {reason}")),
            Line::Other => {}
        }
    }

    /// Takes the file of skips: a line `name: reason` from each test that had to. A test that says so more
    /// than once is still one test.
    pub(crate) fn read_skips(&mut self, file: &str) {
        for line in file.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if !self.skipped.iter().any(|known| name_of(known) == name_of(line)) {
                self.skipped.push(line.to_owned());
            }
        }
    }

    /// Counts a failure that libtest could not: a test program that did not build, or that died before its
    /// `test result` line.
    pub(crate) fn add_failure(&mut self, what: &str) {
        self.failed += 1;
        self.failures.push(what.to_owned());
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// How many have failed so far, to see whether a run added any.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// Whether no test was even started. A suite that tests nothing must not pass for one that found nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.passed + self.failed == 0
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(crate) fn skips(&self) -> impl Iterator<Item = &String> {
        self.skipped.iter().chain(&self.ignored)
    }

    /// The closing line of a suite that bears a name.
    pub(crate) fn closing_line(&self, suite: &str) -> String {
        closing_line(suite, self.passed_in_full(), self.failed)
    }

    fn passed_in_full(&self) -> usize {
        self.passed.saturating_sub(self.skipped.len())
    }
}

/// The closing line of a whole test run.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed_in_full(),
            self.failed,
            self.skips().count()
        )
    }
}

/// What a line of libtest's output tells us.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// `test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
    Result { passed: usize, failed: usize },
    /// `test limits::zero ... FAILED`
    Failed(&'a str),
    /// `test limits::huge ... ignored, needs 64 GiB`
    Ignored { name: &'a str, reason: &'a str },
    /// Anything else, a test that passed included: the result line counts it.
    Other,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Self {
        let parsed =
            line.trim_end().strip_prefix("test ").and_then(|rest| match rest.strip_prefix("result: ") {
                Some(result) => Self::parse_result(result),
                None => Self::parse_test(rest),
            });
        parsed.unwrap_or(Self::Other)
    }

    fn parse_result(result: &str) -> Option<Self> {
        let (_verdict, counts) = result.split_once(". ")?;
        let mut counts = counts.split("; ");
        let passed = counts.next()?.strip_suffix(" passed")?.parse().ok()?;
        let failed = counts.next()?.strip_suffix(" failed")?.parse().ok()?;
        Some(Self::Result { passed, failed })
    }

    fn parse_test(rest: &'a str) -> Option<Self> {
        let (name, verdict) = rest.split_once(" ... ")?;
        match verdict {
            "FAILED" => Some(Self::Failed(name)),
            "ignored" => Some(Self::Ignored { name, reason: "ignored" }),
            _ => verdict.strip_prefix("ignored, ").map(|reason| Self::Ignored { name, reason }),
        }
    }
}

/// The name in `name: reason`. A name may hold `::`, but no colon with a space after it.
fn name_of(skip: &str) -> &str {
    skip.split_once(": ").map_or(skip, |(name, _reason)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str, skips: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read_line(line));
        tally.read_skips(skips);
        tally
    }

    #[test]
    fn results_of_several_programs_are_added_up() {
        let tally = tally(
            "running 3 tests\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
             test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out\n",
            "",
        );
        assert_eq!(tally.to_string(), "15 passed, 1 failed, 0 skipped");
        assert!(tally.has_failed());
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let tally = tally(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "net::dual_stack: no IPv6 here\n",
        );
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped");
        assert_eq!(tally.closing_line("model"), "model: 2 passed, 0 failed");
        assert_eq!(tally.skips().collect::<Vec<_>>(), ["net::dual_stack: no IPv6 here"]);
    }

    #[test]
    fn a_test_that_skips_twice_is_skipped_once() {
        let tally = tally(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "net::dual_stack: no IPv6 here\n\nnet::dual_stack: no IPv6 for the second address\n",
        );
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn an_ignored_test_is_skipped_with_its_reason() {
        let tally = tally(
            "test limits::huge ... ignored, needs 64 GiB ... or more\n\
             test src/lib.rs - frame (line 3) ... ignored\n\
             test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out",
            "",
        );
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 2 skipped");
        assert_eq!(
            tally.skips().collect::<Vec<_>>(),
            ["limits::huge: needs 64 GiB ... or more", "src/lib.rs - frame (line 3): ignored"]
        );
    }

    #[test]
    fn failed_tests_are_known_by_name() {
        let tally = tally("test limits::zero ... FAILED\r\ntest limits::one ... ok\r\n", "");
        assert_eq!(tally.failures(), ["limits::zero"]);
    }

    #[test]
    fn nothing_ran_when_every_program_was_empty() {
        let output =
            "running 0 tests\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out";
        assert!(tally(output, "").is_empty());
    }

    #[test]
    fn a_failure_outside_libtest_counts() {
        let mut tally =
            tally("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out", "");
        tally.add_failure("`cargo test` failed");
        assert_eq!(tally.to_string(), "3 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn other_lines_count_for_nothing() {
        let quoted = "a test result: ok. 1 passed; 1 failed; 0 ignored";
        for line in ["", "test", "test result: who knows", "testing, 1, 2", "test a ... ok", quoted] {
            assert_eq!(Line::parse(line), Line::Other, "{line:?}");
        }
    }
}
