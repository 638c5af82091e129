//! A line for which the reader has to wait, since its buffer is empty.

use super::{Done, Load, Work, wait};
use crate::CHUNK;
use highwater_stream::StreamReader;
use std::hint::black_box;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};

const LENGTH: usize = 64;

pub(super) fn work() -> Work {
    Work::new("wait/64", Load::new(&crate::records(1, LENGTH, b"\n"), 1))
        .ours("highwater read_line_ref", ours)
        .ours("highwater read_line", ours_owned)
        .peer("tokio read_until, 64 KiB", tokio_read_until)
}

fn lines(load: &Load) -> impl Iterator<Item = &[u8]> {
    let (block, passes) = load.block();
    (0..passes).flat_map(|_| block.chunks(LENGTH))
}

fn ours(load: &Load) -> Done {
    let (near, mut far) = duplex(CHUNK);
    wait(async {
        let mut reader = StreamReader::new(near);
        let mut done = Done::default();
        for line in lines(load) {
            // In this order: the reader asks first, and there is nothing.
            let (read, written) = futures::join!(reader.read_line_ref(), far.write_all(line));
            written.expect("memory does not fail");
            done.add(black_box(read.expect("lines are short").expect("the other end is open")).len());
        }
        done
    })
}

fn ours_owned(load: &Load) -> Done {
    let (near, mut far) = duplex(CHUNK);
    wait(async {
        let mut reader = StreamReader::new(near);
        let mut done = Done::default();
        for line in lines(load) {
            let (read, written) = futures::join!(reader.read_line(), far.write_all(line));
            written.expect("memory does not fail");
            done.add(black_box(read.expect("lines are short").expect("the other end is open")).len());
        }
        done
    })
}

fn tokio_read_until(load: &Load) -> Done {
    let (near, mut far) = duplex(CHUNK);
    wait(async {
        let mut reader = BufReader::with_capacity(CHUNK, near);
        let (mut gathered, mut done) = (Vec::new(), Done::default());
        for line in lines(load) {
            let (read, written) =
                futures::join!(reader.read_until(b'\n', &mut gathered), far.write_all(line));
            written.expect("memory does not fail");
            done.add(black_box(read.expect("memory does not fail")));
            gathered.clear();
        }
        done
    })
}
