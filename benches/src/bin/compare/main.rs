//! Ours and the peers in one run, taking turns: `cargo xtask bench` runs it.
//!
//! Within a round every contender of a work runs once, each round beginning with another one, so that whatever
//! else the machine does falls on all of them alike.

mod allocations;
mod external;
mod machine;
mod memory;
mod plots;
mod ratio;
mod report;
mod rounds;
mod sockets;
mod table;
mod targets;

use clap::Parser;
use highwater_benches::CHUNK;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure highwater beside what a user would pick instead.
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Arguments {
    /// Five short rounds instead of long ones: an answer within two minutes
    #[arg(long)]
    quick: bool,

    /// Also what is not Rust, where it is installed
    #[arg(long)]
    external: bool,

    /// Only the works whose name contains this
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,

    /// How often every contender runs [default: 7, or 5 with --quick]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,

    /// Measure nothing: every contender in memory does its work once, and says what it saw
    #[arg(long)]
    check: bool,

    /// Also write performance.md and its plots into this folder
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
}

/// What is to be measured, and how long.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Short rounds.
    pub(crate) quick: bool,
    /// What is not Rust, too.
    pub(crate) external: bool,
    /// How often every contender runs, the warm-up not counted.
    pub(crate) rounds: usize,
    /// A part of the names of the works that are wanted.
    pub(crate) only: Option<String>,
}

impl Choice {
    /// Whether the work of this name is wanted.
    pub(crate) fn includes(&self, work: &str) -> bool {
        self.only.as_deref().is_none_or(|part| work.contains(part))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let choice = Choice {
        quick: arguments.quick,
        external: arguments.external,
        rounds: arguments.rounds.map_or(if arguments.quick { 5 } else { 7 }, usize::from),
        only: arguments.only,
    };
    let outcome = if arguments.check { memory::check(&choice) } else { compare(&choice, arguments.report) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("compare: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn compare(choice: &Choice, report: Option<PathBuf>) -> Result<(), String> {
    let load_before = machine::load();
    let mut measurements = memory::measure(choice)?;
    measurements.extend(allocations::measure(choice)?);
    measurements.extend(sockets::measure(choice)?);
    // Of those the list of targets and the report say enough.
    for table in table::tables(&measurements).iter().filter(|table| table.metric != allocations::METRIC) {
        table.print();
    }
    targets::print(&targets::reached(&measurements, |work| choice.includes(work)));
    match report {
        Some(folder) => report::write(&folder, &measurements, choice, load_before),
        None => Ok(()),
    }
}

/// A place beside this program, among what is built, for what the bench builds itself.
pub(crate) fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.with_file_name(name)
}
