//! What the benches share: transports in memory that cost as little as a transport can, what they carry, and who
//! reads and writes it.

mod cycle;
mod drain;
mod measurement;
pub mod memory;
pub mod messages;
mod service;

pub use cycle::Cycle;
pub use drain::Drain;
pub use measurement::{Measurement, Role};
pub use service::Service;

/// The most bytes that one read brings, as a busy socket would.
pub const CHUNK: usize = 64 * 1024;

/// A runtime of one thread, as a server has one for each core.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}

/// `count` records of `length` bytes, each ending in `separator`.
pub fn records(count: usize, length: usize, separator: &[u8]) -> Vec<u8> {
    let mut record = vec![b'x'; length - separator.len()];
    record.extend_from_slice(separator);
    record.repeat(count)
}
