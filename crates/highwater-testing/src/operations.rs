//! Random operations on a buffer or a pair beside a model, compared after each, or when all are over.
//!
//! The checks are plain functions over plain values, and the values come from bytes: a property test draws
//! the bytes, and a fuzzer mutates them.

mod choices;
mod pair;
mod read;
mod search;
mod write;

pub use pair::{Act, EndScript, Ending, PairCounts, PairRead, PairScript, PairWrite, StartOver, check_pair};
pub use read::{ReadOperation, ReadScript, check_reads};
pub use search::{SearchScript, check_searches};
pub use write::{WriteOperation, WriteScript, check_writes};
