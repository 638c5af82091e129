//! The project's tasks, run as `cargo xtask TASK`; `cargo xtask --help` tells what each is for.
//!
//! One module per task, and beneath them what they share. `ci` and `interop` need other programs too;
//! everything else here asks for no more than cargo, rustc and a linker.

// The tasks.
mod bench;
mod book;
mod ci;
mod demo;
mod fuzz;
mod interop;
mod loom;
mod minimal_versions;
mod publish;
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

        /// Also write the transcript as a picture, an SVG
        #[arg(long, value_name = "SVG")]
        picture: Option<PathBuf>,
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
    /// passed and failed; a table of the steps and one line for all of them end the run. Needs rustfmt and clippy,
    /// the programs that `interop` asks for, and valgrind for the gate on instruction counts, which is skipped
    /// without it; `.ci/run` installs what is missing.
    Ci {
        /// Only these steps, by the names in the table
        #[arg(value_name = "STEP")]
        steps: Vec<String>,
    },

    /// Let our programs talk to asyncio, OpenSSL, curl, nginx, Redis and others, and compare what arrives.
    ///
    /// Builds the example and test programs, optimised and with debug assertions, and runs `tests/interop/run.py` on
    /// them, for ten minutes at most. Needs python3 (3.11 or later) and the programs that `tests/interop/README.md`
    /// names; one sentence tells those that are missing.
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

    /// Make a website of the documentation, with mdBook.
    ///
    /// The pages that docs/SUMMARY.md lists, with a search over all of them, in the target folder. Takes the mdbook
    /// that is installed, or else installs one beneath the target folder, which needs the network.
    Book,

    /// Let thousands of clients of every kind loose on one server, check every byte, and end with a table.
    ///
    /// Clients that echo, pipeline, end their half, abort and stall, over TCP, Unix sockets and TLS, in
    /// processes of their own. Fails on a wrong byte, an error that was not to come, a connection that hangs, or a
    /// descriptor or a task that is left. Ctrl-C ends it early, with the table.
    Soak(soak::Choice),

    /// Check that the libraries build with the oldest versions of dependencies that they allow. Asks the registry.
    MinimalVersions,

    /// Model-check the writer's core: every order in which threads may take its locks, with loom.
    ///
    /// Builds highwater-stream with `--cfg highwater_loom`, which puts loom's locks in the place of the standard
    /// library's. A lost wake-up is reported as a deadlock.
    Loom {
        /// How often a thread may be interrupted in one order [default: 2]
        #[arg(long, value_name = "N")]
        preemptions: Option<usize>,
    },

    /// Run one fuzz target for some minutes, and tell executions, coverage and findings. Needs a C++ compiler.
    ///
    /// libFuzzer mutates inputs; each is a script that highwater-testing carries out beside a model. A finding
    /// ends the run, prints the file that replays it, and makes it fail. No input may take more than a minute,
    /// nor the program more than 1 GiB. What a run learns is kept beneath the target folder, where the next one
    /// takes it up, also after Ctrl-C; `cargo test` replays what is in tests/fuzz/corpus.
    ///
    /// Works with a stable toolchain, without cargo-fuzz: it builds tests/fuzz, a workspace of its own, with
    /// RUSTFLAGS of its own: `--cfg fuzzing`, `-C passes=sancov-module`, `-C codegen-units=1`, and `-C llvm-args`
    /// for counters at every edge and for comparisons (`-sanitizer-coverage-…`). Neither RUSTC_BOOTSTRAP nor the
    /// address sanitizer is used.
    Fuzz {
        /// Which
        target: fuzz::Target,

        /// For how long
        #[arg(long, default_value_t = 5, value_name = "N")]
        minutes: u64,

        /// Afterwards, put the fewest inputs that cover as much into tests/fuzz/corpus
        #[arg(long)]
        keep: bool,

        /// Only run this input, once
        #[arg(long, value_name = "FILE", conflicts_with_all = ["minutes", "keep"])]
        replay: Option<PathBuf>,
    },
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
        Task::Demo { file, picture: None } => demo::run(&workspace, file),
        Task::Demo { file, picture: Some(picture) } => demo::draw(&workspace, file, &picture),
        Task::Test => test::run(&workspace),
        Task::Book => book::run(&workspace),
        Task::Ci { steps } => ci::run(&workspace, &steps),
        Task::Interop => interop::run(&workspace),
        Task::Soak(choice) => soak::run(&workspace, &choice),
        Task::MinimalVersions => minimal_versions::run(&workspace),
        Task::Loom { preemptions } => loom::run(&workspace, preemptions),
        Task::Fuzz { target, replay: Some(file), .. } => fuzz::replay(&workspace, target, &file),
        Task::Fuzz { target, minutes, keep, .. } => fuzz::run(&workspace, target, minutes, keep),
        Task::Bench { gate: true, record, .. } => {
            bench::gate(&workspace, if record { bench::Then::Record } else { bench::Then::Compare })
        }
        Task::Bench { quick, report, external, only, .. } => {
            bench::run(&workspace, &bench::Choice { quick, report, external, only })
        }
    }
}
