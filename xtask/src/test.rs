//! `cargo xtask test`: every test and doc test of the workspace, with nothing but cargo, rustc and a linker.
//!
//! Whatever needs more (formatting, lints, Python) belongs to [`ci`](crate::ci), so that this runs on a fresh
//! machine.

use crate::outcome::Outcome;
use crate::suite::Suite;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    // All targets but the benchmarks, which are slow to build and test nothing.
    suite.run(&mut workspace.cargo("test --workspace --lib --bins --tests --examples --no-fail-fast"))?;
    suite.run(&mut workspace.cargo("test --workspace --doc --no-fail-fast"))?;
    // By itself: the tests of the workspace listen to stderr, where nothing is said with this feature.
    suite.run(&mut workspace.cargo("test -p highwater-net --features tracing --test tracing"))?;
    suite.close(|tally| tally.to_string())
}
