//! `cargo xtask loom`: the models of the writer's core, in every order in which threads may take its locks.
//!
//! What is modelled is in `crates/highwater-stream/src/models`. It is built under a cfg of our own, and so into a
//! folder of its own.

use crate::outcome::Outcome;
use crate::suite::Suite;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, preemptions: Option<usize>) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    let mut command =
        workspace.cargo("test -p highwater-stream --profile checked --lib models:: --no-fail-fast");
    command.env("RUSTFLAGS", "--cfg highwater_loom").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", workspace.target().join("loom"));
    if let Some(preemptions) = preemptions {
        command.env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
    }
    suite.run(&mut command)?;
    suite.close(|tally| tally.closing_line("loom"))
}
