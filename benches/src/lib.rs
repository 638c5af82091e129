//! What the benches share: transports in memory that cost as little as a transport can, and what they carry.

mod cycle;
mod measurement;
pub mod messages;

pub use cycle::Cycle;
pub use measurement::{Measurement, Role};

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes that one read of a [`Source`] brings, as a busy socket would.
pub const CHUNK: usize = 64 * 1024;

/// Bytes that are there already, in reads of at most [`CHUNK`] bytes.
#[derive(Clone, Debug)]
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    /// A source of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl AsyncRead for Source<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.0.len().min(into.remaining()).min(CHUNK);
        let (read, rest) = self.0.split_at(count);
        into.put_slice(read);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

/// Takes everything and keeps the count, after looking at each byte as a copy to the kernel would.
#[derive(Debug, Default)]
pub struct Drain {
    taken: Vec<u8>,
}

impl AsyncWrite for Drain {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.taken.clear();
        self.taken.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

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
