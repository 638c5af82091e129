//! What libFuzzer says while it runs: passed on, but for the lines that only it needs, and counted.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// What was said up to now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) executions: u64,
    /// Edges that were covered.
    covered: u64,
    /// Inputs that are worth keeping.
    inputs: u64,
    /// The files that replay what was found.
    pub(crate) findings: Vec<String>,
}

impl Seen {
    pub(crate) fn read(&mut self, output: impl Read) -> io::Result<()> {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            if self.read_line(text.trim_end()) {
                eprint!("{text}");
            }
            line.clear();
        }
        Ok(())
    }

    /// Takes a line, and says whether it is one for people.
    fn read_line(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word| words.iter().position(|known| *known == word).and_then(|at| words.get(at + 1));
        if let Some(covered) = after("cov:").and_then(|count| count.parse().ok()) {
            self.covered = covered;
        }
        // `corp: 12/345b`: so many inputs, and their bytes.
        if let Some((inputs, _)) = after("corp:").and_then(|sizes| sizes.split_once('/')) {
            self.inputs = inputs.parse().unwrap_or(self.inputs);
        }
        if let Some(count) = after("stat::number_of_executed_units:").and_then(|count| count.parse().ok()) {
            self.executions = count;
        }
        if let Some((_, file)) = line.split_once("Test unit written to ") {
            self.findings.push(file.to_owned());
        }
        let is_small_talk =
            ["\"", "###### ", "WARNING: Failed to find function"].iter().any(|start| line.starts_with(start));
        !is_small_talk && !matches!(words.get(1), Some(&("NEW" | "REDUCE" | "RELOAD")))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, covered, inputs, findings } = self;
        let findings = findings.len();
        write!(f, "{executions} executions, {covered} edges covered by {inputs} inputs, {findings} findings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_counted() {
        let mut seen = Seen::default();
        assert!(!seen.read_line("#91\tNEW    cov: 812 ft: 1613 corp: 62/9kb lim: 512 exec/s: 0 rss: 28Mb"));
        assert!(
            seen.read_line("#4096\tpulse  cov: 900 ft: 2613 corp: 162/19kb lim: 512 exec/s: 90 rss: 28Mb")
        );
        assert!(!seen.read_line("\"\\012a\" # Uses: 10"));
        assert!(seen.read_line("stat::number_of_executed_units: 245942"));
        let shown = "245942 executions, 900 edges covered by 162 inputs, 0 findings";
        assert_eq!(seen.to_string(), shown);
    }

    #[test]
    fn a_finding_is_the_file_that_replays_it() {
        let mut seen = Seen::default();
        assert!(seen.read_line("artifact_prefix='a/'; Test unit written to a/crash-c526"));
        assert_eq!(seen.findings, ["a/crash-c526"]);
    }
}
