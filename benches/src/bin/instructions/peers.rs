//! What others do for the same work, over the same source.

use crate::CHUNK;
use crate::writing::{PER_FLUSH, RECORD};
use highwater_benches::messages::{LONE, content_length, crlf_lines, frames, message};
use highwater_benches::{Cycle, Drain, records, runtime};
use std::hint::black_box;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};

fn reader(records: &[u8]) -> BufReader<Cycle> {
    BufReader::new(Cycle::new(records, CHUNK))
}

pub(crate) fn read_until<const LENGTH: usize>(count: usize) {
    let mut reader = reader(&records(1, LENGTH, b"\n"));
    let mut line = Vec::new();
    runtime().block_on(async {
        for _ in 0..count {
            line.clear();
            reader.read_until(b'\n', &mut line).await.expect("memory does not fail");
            black_box(line.len());
        }
    });
}

pub(crate) fn lines<const LENGTH: usize>(count: usize) {
    let mut lines = reader(&records(1, LENGTH, b"\n")).lines();
    runtime().block_on(async {
        for _ in 0..count {
            let line = lines.next_line().await.expect("memory does not fail");
            black_box(line.expect("the source never ends").len());
        }
    });
}

/// By hand: a line that lies in the buffer whole is used there, another one is gathered.
pub(crate) fn fill_buf<const LENGTH: usize>(count: usize) {
    let mut reader = reader(&records(1, LENGTH, b"\n"));
    let mut gathered = Vec::new();
    runtime().block_on(async {
        for _ in 0..count {
            loop {
                let there = reader.fill_buf().await.expect("memory does not fail");
                if let Some(at) = memchr::memchr(b'\n', there) {
                    if gathered.is_empty() {
                        black_box(there[..=at].len());
                    } else {
                        gathered.extend_from_slice(&there[..=at]);
                        black_box(gathered.len());
                        gathered.clear();
                    }
                    reader.consume(at + 1);
                    break;
                }
                gathered.extend_from_slice(there);
                let all = there.len();
                reader.consume(all);
            }
        }
    });
}

fn until_crlf(records: &[u8], count: usize) {
    let mut reader = reader(records);
    let mut line = Vec::new();
    runtime().block_on(async {
        for _ in 0..count {
            line.clear();
            while !line.ends_with(b"\r\n") {
                reader.read_until(b'\n', &mut line).await.expect("memory does not fail");
            }
            black_box(line.len());
        }
    });
}

pub(crate) fn crlf(count: usize) {
    until_crlf(&crlf_lines(b""), count);
}

pub(crate) fn crlf_lone(count: usize) {
    until_crlf(&crlf_lines(LONE), count);
}

pub(crate) fn frame<const LENGTH: u32>(count: usize) {
    let mut reader = reader(&frames(LENGTH));
    let mut body = Vec::new();
    runtime().block_on(async {
        for _ in 0..count {
            let length = reader.read_u32().await.expect("the source never ends");
            body.resize(length as usize, 0);
            reader.read_exact(&mut body).await.expect("the source never ends");
            black_box(body.len());
        }
    });
}

pub(crate) fn head_and_body(count: usize) {
    let mut reader = reader(&message());
    let (mut line, mut body) = (Vec::new(), Vec::new());
    runtime().block_on(async {
        for _ in 0..count {
            let mut length = 0;
            loop {
                line.clear();
                reader.read_until(b'\n', &mut line).await.expect("memory does not fail");
                if line == b"\r\n" {
                    break;
                }
                length = content_length(&line).unwrap_or(length);
            }
            body.resize(length, 0);
            reader.read_exact(&mut body).await.expect("the source never ends");
            black_box(body.len());
        }
    });
}

pub(crate) fn write(count: usize) {
    runtime().block_on(async {
        let mut writer = BufWriter::with_capacity(64 * 1024, Drain::default());
        for written in 1..=count {
            writer.write_all(black_box(&RECORD)).await.expect("memory does not fail");
            if written % PER_FLUSH == 0 {
                writer.flush().await.expect("memory does not fail");
            }
        }
    });
}
