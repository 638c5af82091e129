//! `cargo xtask loom`: the models of the writer's core, in every order in which threads may take its locks.
//!
//! What is modelled is in `crates/highwater-stream/src/models`. It is built under a cfg of our own, and so into a
//! folder of its own.

use crate::outcome::Outcome;
use crate::suite::Suite;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, preemptions: Option<usize>) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    let mut command = workspace.cargo("test -p highwater-stream --release --lib models:: --no-fail-fast");
    command.env("RUSTFLAGS", "--cfg highwater_loom").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.env("CARGO_TARGET_DIR", workspace.target().join("loom"));
    // Optimised, for there are many orders, but with the assertions that check the invariants; and linking takes
    // longer than it saves.
    command.env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true").env("CARGO_PROFILE_RELEASE_LTO", "off");
    if let Some(preemptions) = preemptions {
        command.env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
    }
    suite.run(&mut command)?;
    suite.close(|tally| tally.closing_line("loom"))
}
