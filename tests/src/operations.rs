//! Random operations on a buffer beside its model, compared after each.
//!
//! The check is a plain function over plain values, so that a property test and a fuzz target can both
//! call it.

mod read;
mod write;

pub use read::{ReadOperation, ReadScript, check_reads, read_scripts};
pub use write::{WriteOperation, check_writes, write_scripts};
