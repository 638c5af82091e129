//! Buffers too simple to be wrong: bytes in a `Vec`, found by nested loops.
//!
//! Nothing is remembered from one call to the next but what the contracts name: the bytes, how the stream
//! ended, the limit, and a skip that is in force.

mod read;
mod write;

pub(crate) use read::Found;
pub use read::ReadModel;
pub use write::WriteModel;
