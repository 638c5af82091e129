//! `cargo xtask soak`: thousands of clients of every kind on one server, for as long as one likes.
//!
//! What they do and what is counted is the program's own business; it lies in `tests/src/bin/soak`.

use std::process::Command;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

/// For how long, with how many, and which.
#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    /// For how long
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    minutes: f64,

    /// How many connections at once
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: usize,

    /// What a run has printed, to decide again what each client does
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(workspace: &Workspace, choice: &Choice) -> Outcome {
    process::run(&mut workspace.cargo("build --release -p highwater-tests --bin soak"))?;
    let mut command = Command::new(workspace.programs("release").join("soak"));
    command.args(["--minutes", &choice.minutes.to_string()]);
    command.args(["--connections", &choice.connections.to_string()]);
    if let Some(seed) = choice.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    process::become_it(&mut command)
}
