//! Random operations on a buffer beside its model, compared after each.
//!
//! The checks are plain functions over plain values, and the values come from bytes: a property test draws
//! the bytes, and a fuzzer mutates them.

mod choices;
mod read;
mod write;

pub use read::{ReadOperation, ReadScript, check_reads};
pub use write::{WriteOperation, WriteScript, check_writes};
