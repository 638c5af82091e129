//! A transport in memory that never ends, for measurements that are the difference of two counts.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// The same records over and over, in reads of at most a chunk.
///
/// The records lie in one block whatever number of them is read, so that making it drops out of a
/// difference, and the chunks cut them at every place.
#[derive(Debug)]
pub struct Cycle {
    block: Vec<u8>,
    at: usize,
    chunk: usize,
}

impl Cycle {
    /// `records` one after the other, without end, in chunks of `chunk` bytes.
    pub fn new(records: &[u8], chunk: usize) -> Self {
        Self { block: records.repeat(chunk), at: 0, chunk }
    }

    /// The next bytes, at most `most`.
    #[inline]
    pub fn next(&mut self, most: usize) -> &[u8] {
        let count = most.min(self.chunk).min(self.block.len() - self.at);
        let from = self.at;
        self.at = if from + count == self.block.len() { 0 } else { from + count };
        &self.block[from..from + count]
    }
}

impl AsyncRead for Cycle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = into.remaining();
        into.put_slice(self.next(most));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_goes_round_without_a_gap() {
        let mut cycle = Cycle::new(b"abc", 4);
        let read: Vec<u8> = (0..10).flat_map(|_| cycle.next(3).to_vec()).collect();
        assert_eq!(read, b"abc".repeat(10));
    }
}
