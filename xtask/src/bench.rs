//! `cargo xtask bench`: ours beside the peers, in turns, and the gate, which needs no clock.

mod gate;
mod record;

use std::process::Command;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

pub(crate) use gate::Then;

/// What is to be measured, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) quick: bool,
    pub(crate) report: bool,
    pub(crate) external: bool,
    pub(crate) only: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, choice: &Choice) -> Outcome {
    build(workspace)?;
    let mut command = compare(workspace);
    let flags = [(choice.quick, "--quick"), (choice.external, "--external")];
    command.args(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    if let Some(part) = &choice.only {
        command.arg("--only").arg(part);
    }
    if choice.report {
        command.arg("--report").arg(workspace.root().join("docs"));
    }
    process::pass_through(&mut command)
}

/// Instructions per operation, beside what was recorded.
pub(crate) fn gate(workspace: &Workspace, then: Then) -> Outcome {
    gate::run(workspace, then)
}

/// Builds what [`compare`] runs, and what that one starts.
pub(crate) fn build(workspace: &Workspace) -> Outcome {
    process::run(&mut workspace.cargo("build --release -p highwater-benches --bins"))
}

/// The program that compares, to be followed by its arguments.
pub(crate) fn compare(workspace: &Workspace) -> Command {
    Command::new(workspace.release_programs().join("compare"))
}

/// The command that runs the benchmarks of criterion, to be followed by criterion's arguments.
pub(crate) fn criterion(workspace: &Workspace) -> Command {
    // The benchmarks alone: without `--bench` cargo also starts the test harness of the package's library,
    // which stumbles over criterion's arguments.
    workspace.cargo("bench -p highwater-benches --bench * --")
}
