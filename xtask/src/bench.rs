//! `cargo xtask bench`: the benchmarks, with any arguments for criterion, and the gate, which needs no clock.

mod gate;
mod record;

use std::ffi::OsString;
use std::process::Command;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

pub(crate) use gate::Then;

pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Outcome {
    process::run(command(workspace).args(arguments))
}

/// Instructions per operation, beside what was recorded.
pub(crate) fn gate(workspace: &Workspace, then: Then) -> Outcome {
    gate::run(workspace, then)
}

/// The command that criterion's arguments are to follow.
pub(crate) fn command(workspace: &Workspace) -> Command {
    // The benchmarks alone: without `--bench` cargo also starts the test harness of the package's library,
    // which stumbles over criterion's arguments.
    workspace.cargo("bench -p highwater-benches --bench * --")
}
