//! `cargo xtask demo`: builds the demo and runs it on a file.
//!
//! What it shows is the demo's own business; it lives among the examples.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, file: Option<PathBuf>) -> Outcome {
    process::run(&mut workspace.cargo("build --release -p highwater-examples --bin highwater-demo"))?;

    let demo = workspace.release_programs().join("highwater-demo").with_extension(env::consts::EXE_EXTENSION);
    let file = file.unwrap_or_else(|| workspace.root().join("README.md"));
    process::pass_through(Command::new(demo).arg(file))
}
