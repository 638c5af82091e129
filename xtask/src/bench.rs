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
    process::run(&mut workspace.cargo("build --release -p highwater-benches --bins"))?;
    let mut command = Command::new(workspace.programs("release").join("compare"));
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

/// That every contender does its work once: by criterion, and by the program that compares. With the profile of
/// the tests, because whether they work is the question, and most of what is built is there already.
pub(crate) fn checks(workspace: &Workspace) -> [Command; 2] {
    [
        workspace.cargo("test -p highwater-benches --bench *"),
        workspace.cargo("run -p highwater-benches --bin compare -- --check"),
    ]
}
