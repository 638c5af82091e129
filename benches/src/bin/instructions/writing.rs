//! Our writes.

use highwater_benches::{Drain, runtime};
use highwater_stream::StreamWriter;
use std::hint::black_box;

pub(crate) const RECORD: [u8; 64] = [b'x'; 64];
/// Records between two flushes.
pub(crate) const PER_FLUSH: usize = 100;

pub(crate) fn write(count: usize) {
    runtime().block_on(async {
        let writer = StreamWriter::new(Drain::default());
        for written in 1..=count {
            writer.write(black_box(&RECORD)).expect("memory does not fail");
            if written % PER_FLUSH == 0 {
                writer.flush().await.expect("memory does not fail");
            }
        }
    });
}

/// As asyncio's users write: what has gathered leaves when the mark is passed.
pub(crate) fn write_and_drain(count: usize) {
    runtime().block_on(async {
        let writer = StreamWriter::new(Drain::default());
        for _ in 0..count {
            writer.write(black_box(&RECORD)).expect("memory does not fail");
            writer.drain().await.expect("memory does not fail");
        }
        writer.flush().await.expect("memory does not fail");
    });
}
