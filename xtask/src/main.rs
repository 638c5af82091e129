//! The project's tasks, run as `cargo xtask TASK`; `cargo xtask --help` tells what each is for.
//!
//! One module per task, and beneath them what they share. `ci` and `interop` need other programs too;
//! everything else here asks for no more than cargo, rustc and a linker.

// The tasks.
mod bench;
mod ci;
mod demo;
mod interop;
mod soak;
mod test;

// What they share.
mod outcome;
mod process;
mod suite;
mod tally;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// The tasks of the highwater workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

// The first paragraph of each is its entry in `cargo xtask --help`; the rest is for the task's own `--help`.
#[derive(Debug, Subcommand)]
enum Task {
    /// Show the libraries at work: two processes talk over TCP, and what was observed is printed as a
    /// transcript.
    ///
    /// Builds the demo in release mode and runs it. Every line of FILE is sent, echoed and compared byte for
    /// byte. The exit code is the demo's own, which is zero only if all that it announces has happened.
    Demo {
        /// The file to send [default: the project's README.md]
        file: Option<PathBuf>,
    },

    /// Run every test and doc test with nothing but cargo, rustc and a linker.
    ///
    /// Closes with the tests that failed, the tests that were skipped and why, the counts that tests
    /// reported, and one line: `N passed, N failed, N skipped`. Fails if a test failed, if cargo did, or if
    /// no test ran at all.
    Test,

    /// Run all that must hold before a change goes in: `test`, then format, lints, docs, features, and every
    /// slower suite.
    ///
    /// A failing step does not keep the next from running. Each step closes with a line that counts what
    /// passed and failed; a table of the steps and one line for all of them end the run. Needs rustfmt,
    /// clippy and python3 (3.8 or later), and valgrind for the gate on instruction counts, which is skipped
    /// without it; `.ci/run` installs Python and valgrind if they are missing.
    Ci,

    /// Let our programs talk to Python's asyncio and a real HTTP server, and compare what arrives. Needs
    /// python3.
    ///
    /// Builds the example and test programs in release mode and runs `tests/interop/run.py` on them, for ten
    /// minutes at most.
    Interop,

    /// Measure ours beside the peers, all of them in turns, and list what was to be reached.
    ///
    /// Prints a table for each work, with the ratio to the best peer and the spread; a target that is missed
    /// fails nothing, and a contender that loses a byte does. `cargo bench -p highwater-benches` runs the same
    /// contenders one by one, with criterion.
    Bench {
        /// Short rounds, for an answer within two minutes
        #[arg(long)]
        quick: bool,

        /// Also write docs/performance.md and its plots
        #[arg(long)]
        report: bool,

        /// Also measure asyncio, uvloop and Go, each where it is installed
        #[arg(long)]
        external: bool,

        /// Only the works whose name contains this, such as `line/16`
        #[arg(long, value_name = "FILTER", conflicts_with = "report")]
        only: Option<String>,

        /// Count the instructions of each operation instead, with valgrind, and fail if one of ours grew by
        /// more than 3 % over what benches/instructions.toml says
        #[arg(long, conflicts_with_all = ["quick", "report", "external", "only"])]
        gate: bool,

        /// Write what was counted to benches/instructions.toml
        #[arg(long, requires = "gate")]
        record: bool,
    },

    /// Let thousands of clients of every kind loose on one server, check every byte, and end with a table.
    ///
    /// Clients that echo, pipeline, end their half, abort and stall, over TCP, Unix sockets and TLS, in
    /// processes of their own. Fails on a wrong byte, an error that was not to come, a connection that hangs, or a
    /// descriptor or a task that is left. Ctrl-C ends it early, with the table.
    Soak(soak::Choice),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}

fn run(task: Task) -> Outcome {
    let workspace = Workspace::find()?;
    match task {
        Task::Demo { file } => demo::run(&workspace, file),
        Task::Test => test::run(&workspace),
        Task::Ci => ci::run(&workspace),
        Task::Interop => interop::run(&workspace),
        Task::Soak(choice) => soak::run(&workspace, &choice),
        Task::Bench { gate: true, record, .. } => {
            bench::gate(&workspace, if record { bench::Then::Record } else { bench::Then::Compare })
        }
        Task::Bench { quick, report, external, only, .. } => {
            bench::run(&workspace, &bench::Choice { quick, report, external, only })
        }
    }
}
