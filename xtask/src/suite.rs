//! A suite of tests: any number of `cargo test` commands, counted together and closed with one line.
//!
//! Cargo's output goes through as it comes, and is read on the way. What it cannot tell, tests append to two
//! files that are named in their environment:
//!
//! - `HIGHWATER_SKIPPED` takes a line `name: reason` from a test that had to skip;
//! - `HIGHWATER_REPORT` takes lines that a person should see although the test has passed, such as how many
//!   cases it compared.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::outcome::{Failure, Outcome};
use crate::process;
use crate::tally::Tally;
use crate::workspace::Workspace;

#[derive(Debug)]
pub(crate) struct Suite {
    tally: Tally,
    skipped: PathBuf,
    report: PathBuf,
}

impl Suite {
    pub(crate) fn new(workspace: &Workspace) -> Outcome<Self> {
        let folder = workspace.fresh_folder("xtask-suite")?;
        let suite =
            Self { tally: Tally::default(), skipped: folder.join("skipped"), report: folder.join("report") };
        for file in [&suite.skipped, &suite.report] {
            File::create(file).map_err(|error| format!("could not make {}: {error}", file.display()))?;
        }
        Ok(suite)
    }

    /// Runs a `cargo test` command, passing its output on line by line.
    pub(crate) fn run(&mut self, command: &mut Command) -> Outcome {
        command.env("HIGHWATER_SKIPPED", &self.skipped).env("HIGHWATER_REPORT", &self.report);
        command.stdout(Stdio::piped());
        let failed_before = self.tally.failed();

        let mut child = process::start(command)?;
        if let Some(output) = child.stdout.take() {
            self.pass_on(BufReader::new(output)).map_err(|error| process::lost(command, &error))?;
        }
        let status = child.wait().map_err(|error| process::lost(command, &error))?;

        if let Err(failure) = process::success(command, status) {
            // A failed test has been counted. If there is none, something broke that libtest could not count,
            // and the sum must not look as if nothing had.
            if self.tally.failed() == failed_before {
                self.tally.add_failure(&process::shown(command));
            }
            failure.report();
        }
        Ok(())
    }

    /// Prints what a reader of the last screenful wants to know, and then the closing line that `closing`
    /// makes of the tally.
    pub(crate) fn close(mut self, closing: impl FnOnce(&Tally) -> String) -> Outcome {
        self.tally.read_skips(&read(&self.skipped)?);
        let report = read(&self.report)?;

        print_list("failed", self.tally.failures());
        print_list("skipped", self.tally.skips());
        print_list("reports", report.lines());
        println!();
        if self.tally.is_empty() {
            eprintln!("xtask: no test ran, which proves nothing");
        }
        println!("{}", closing(&self.tally));

        if self.tally.has_failed() || self.tally.is_empty() { Err(Failure::Told(1)) } else { Ok(()) }
    }

    fn pass_on(&mut self, mut output: impl BufRead) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        let mut line = Vec::new();
        // Bytes, not `lines()`: what a test prints need not be UTF-8.
        while output.read_until(b'\n', &mut line)? > 0 {
            stdout.write_all(&line)?;
            self.tally.read_line(&String::from_utf8_lossy(&line));
            line.clear();
        }
        stdout.flush()
    }
}

fn read(file: &PathBuf) -> Outcome<String> {
    let bytes = fs::read(file).map_err(|error| format!("could not read {}: {error}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A heading with a line for each item, or nothing at all.
fn print_list<T: std::fmt::Display>(heading: &str, items: impl IntoIterator<Item = T>) {
    let mut items = items.into_iter().peekable();
    if items.peek().is_some() {
        println!("\n{heading}:");
    }
    for item in items {
        println!("  {item}");
    }
}
