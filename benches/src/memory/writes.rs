//! Small records, gathered and sent a hundred at a time.

use super::{Done, Load, Work, wait};
use crate::{CHUNK, Drain};
use futures::io::AsyncWriteExt as _;
use highwater_stream::StreamWriter;
use std::hint::black_box;
use std::io::Write as _;
use tokio::io::AsyncWriteExt as _;

const RECORD: [u8; 64] = [b'x'; 64];
/// Records between two flushes.
const PER_FLUSH: usize = 100;

pub(super) fn work() -> Work {
    Work::new("write/64/flush-per-100", Load::new(&RECORD.repeat(PER_FLUSH), PER_FLUSH))
        .ours("highwater write + flush", write_and_flush)
        .ours("highwater write + drain each", write_and_drain)
        .peer("tokio BufWriter, 64 KiB", |load| buf_writer(load, CHUNK))
        .peer("tokio BufWriter, 8 KiB", |load| buf_writer(load, 8 * 1024))
        .peer("futures BufWriter", futures_buf_writer)
        .bound("std BufWriter", std_buf_writer)
}

/// What was done is what has come out at the other end.
fn done(load: &Load, drain: &Drain) -> Done {
    Done { records: load.expected().records, bytes: drain.taken() }
}

fn flushes(load: &Load) -> usize {
    load.expected().records / PER_FLUSH
}

fn write_and_flush(load: &Load) -> Done {
    wait(async {
        let writer = StreamWriter::new(Drain::default());
        for _ in 0..flushes(load) {
            for _ in 0..PER_FLUSH {
                writer.write(black_box(&RECORD)).expect("memory does not fail");
            }
            writer.flush().await.expect("memory does not fail");
        }
        closed(load, writer).await
    })
}

/// As asyncio's users write: no flush, and the rest leaves when the loop is over.
fn write_and_drain(load: &Load) -> Done {
    wait(async {
        let writer = StreamWriter::new(Drain::default());
        for _ in 0..load.expected().records {
            writer.write(black_box(&RECORD)).expect("memory does not fail");
            writer.drain().await.expect("memory does not fail");
        }
        writer.flush().await.expect("memory does not fail");
        closed(load, writer).await
    })
}

/// Closes, so that the next contender does not pay for what this one left behind.
async fn closed(load: &Load, writer: StreamWriter<Drain>) -> Done {
    let done = writer.with_transport(|drain| done(load, drain)).expect("it is not closed yet");
    writer.close();
    writer.wait_closed().await.expect("memory does not fail");
    done
}

fn buf_writer(load: &Load, capacity: usize) -> Done {
    wait(async {
        let mut writer = tokio::io::BufWriter::with_capacity(capacity, Drain::default());
        for _ in 0..flushes(load) {
            for _ in 0..PER_FLUSH {
                writer.write_all(black_box(&RECORD)).await.expect("memory does not fail");
            }
            writer.flush().await.expect("memory does not fail");
        }
        done(load, writer.get_ref())
    })
}

fn futures_buf_writer(load: &Load) -> Done {
    wait(async {
        let mut writer = futures::io::BufWriter::with_capacity(CHUNK, Drain::default());
        for _ in 0..flushes(load) {
            for _ in 0..PER_FLUSH {
                writer.write_all(black_box(&RECORD)).await.expect("memory does not fail");
            }
            writer.flush().await.expect("memory does not fail");
        }
        done(load, writer.get_ref())
    })
}

fn std_buf_writer(load: &Load) -> Done {
    let mut writer = std::io::BufWriter::with_capacity(CHUNK, Drain::default());
    for _ in 0..flushes(load) {
        for _ in 0..PER_FLUSH {
            writer.write_all(black_box(&RECORD)).expect("memory does not fail");
        }
        writer.flush().expect("memory does not fail");
    }
    done(load, writer.get_ref())
}
