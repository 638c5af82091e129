//! `cargo xtask bench`: the benchmarks, with any arguments for criterion.

use std::ffi::OsString;
use std::process::Command;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Outcome {
    process::run(command(workspace).args(arguments))
}

/// The command that criterion's arguments are to follow.
pub(crate) fn command(workspace: &Workspace) -> Command {
    // The benchmarks alone: without `--bench` cargo also starts the test harness of the package's library,
    // which stumbles over criterion's arguments.
    workspace.cargo("bench -p highwater-benches --bench * --")
}
