//! Lines that end in `\n`.

use super::codecs::decode;
use super::{Done, Load, Work, bounds, wait};
use crate::CHUNK;
use bytes::BufMut;
use futures::io::AsyncBufReadExt as _;
use highwater_buffer::{DEFAULT_LIMIT, ReadBuffer, Verdict};
use highwater_stream::StreamReader;
use std::hint::black_box;
use std::io::BufRead as _;
use tokio::io::AsyncBufReadExt as _;
use tokio_util::codec::{AnyDelimiterCodec, LinesCodec};

/// What tokio takes when it is not told.
const DEFAULT: usize = 8 * 1024;

fn load(length: usize) -> Load {
    Load::new(&crate::records(1, length, b"\n"), 1)
}

pub(super) fn borrowed(length: usize) -> Work {
    Work::new(format!("line/{length}/borrowed"), load(length))
        .ours("highwater read_line_ref", read_line_ref)
        .ours("highwater limited(n).read_line_ref", limited_read_line_ref)
        .ours("highwater-buffer read_line_ref", buffer_read_line_ref)
        .peer("tokio read_until, 64 KiB", |load| read_until(load, CHUNK))
        .peer("tokio read_until, 8 KiB", |load| read_until(load, DEFAULT))
        .peer("tokio fill_buf + memchr, by hand", fill_buf)
        .peer("tokio fill_buf + memchr, a call a line", fill_buf_each)
        .peer("futures read_until", futures_read_until)
        .bound("std read_until", std_read_until)
        .bound("memchr, one slice", |load| {
            bounds::search(load, |bytes| memchr::memchr(b'\n', bytes).map(|at| at + 1))
        })
        .bound("copy", bounds::copy)
}

pub(super) fn owned(length: usize) -> Work {
    Work::new(format!("line/{length}/owned"), load(length))
        .ours("highwater read_line", read_line)
        .peer("tokio lines", lines)
        .peer("LinesCodec", |load| decode(load, LinesCodec::new(), |line| line.len() + 1))
        .peer("AnyDelimiterCodec", |load| {
            decode(load, AnyDelimiterCodec::new(b"\n".to_vec(), b"\n".to_vec()), |line| line.len() + 1)
        })
}

fn read_line_ref(load: &Load) -> Done {
    read_line_ref_within(load, DEFAULT_LIMIT)
}

pub(super) fn read_line_ref_within(load: &Load, limit: usize) -> Done {
    wait(async {
        let mut reader = StreamReader::with_limit(load.source(), limit);
        let mut done = Done::default();
        while let Some(line) = reader.read_line_ref().await.expect("lines are short") {
            done.add(black_box(line).len());
        }
        done
    })
}

fn limited_read_line_ref(load: &Load) -> Done {
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Some(line) = reader.limited(1024).read_line_ref().await.expect("lines are short") {
            done.add(black_box(line).len());
        }
        done
    })
}

fn read_line(load: &Load) -> Done {
    read_line_within(load, DEFAULT_LIMIT)
}

pub(super) fn read_line_within(load: &Load, limit: usize) -> Done {
    wait(async {
        let mut reader = StreamReader::with_limit(load.source(), limit);
        let mut done = Done::default();
        while let Some(line) = reader.read_line().await.expect("lines are short") {
            done.add(black_box(line).len());
        }
        done
    })
}

fn buffer_read_line_ref(load: &Load) -> Done {
    let mut source = load.source();
    let mut buffer = ReadBuffer::new();
    let mut done = Done::default();
    loop {
        match buffer.read_line_ref().expect("lines are short") {
            Verdict::Ready(Some(line)) => done.add(black_box(line).len()),
            Verdict::Ready(None) => return done,
            Verdict::NeedMore => {
                let mut spare = buffer.spare();
                let room = spare.remaining_mut();
                let count = source.next(room, |part| spare.put_slice(part));
                drop(spare);
                if count == 0 {
                    buffer.feed_eof();
                }
            }
        }
    }
}

pub(super) fn read_until(load: &Load, capacity: usize) -> Done {
    wait(async {
        let mut reader = tokio::io::BufReader::with_capacity(capacity, load.source());
        let (mut line, mut done) = (Vec::new(), Done::default());
        while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
            done.add(black_box(&line).len());
            line.clear();
        }
        done
    })
}

/// All lines that lie in the buffer whole are used there, and one that does not is gathered.
fn fill_buf(load: &Load) -> Done {
    wait(async {
        let mut reader = tokio::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut gathered, mut done) = (Vec::new(), Done::default());
        loop {
            let mut there = reader.fill_buf().await.expect("memory does not fail");
            if there.is_empty() {
                return done;
            }
            let all = there.len();
            while let Some(at) = memchr::memchr(b'\n', there) {
                let (line, rest) = there.split_at(at + 1);
                if gathered.is_empty() {
                    done.add(black_box(line).len());
                } else {
                    gathered.extend_from_slice(line);
                    done.add(black_box(&gathered).len());
                    gathered.clear();
                }
                there = rest;
            }
            gathered.extend_from_slice(there);
            reader.consume(all);
        }
    })
}

/// The same as a function has it that gives one line: what was used is consumed before the next one is sought.
fn fill_buf_each(load: &Load) -> Done {
    wait(async {
        let mut reader = tokio::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut gathered, mut done) = (Vec::new(), Done::default());
        loop {
            let there = reader.fill_buf().await.expect("memory does not fail");
            if there.is_empty() {
                return done;
            }
            let used = if let Some(at) = memchr::memchr(b'\n', there) {
                if gathered.is_empty() {
                    done.add(black_box(&there[..=at]).len());
                } else {
                    gathered.extend_from_slice(&there[..=at]);
                    done.add(black_box(&gathered).len());
                    gathered.clear();
                }
                at + 1
            } else {
                gathered.extend_from_slice(there);
                there.len()
            };
            reader.consume(used);
        }
    })
}

pub(super) fn futures_read_until(load: &Load) -> Done {
    wait(async {
        let mut reader = futures::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut line, mut done) = (Vec::new(), Done::default());
        while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
            done.add(black_box(&line).len());
            line.clear();
        }
        done
    })
}

pub(super) fn std_read_until(load: &Load) -> Done {
    let mut reader = std::io::BufReader::with_capacity(CHUNK, load.source());
    let (mut line, mut done) = (Vec::new(), Done::default());
    while reader.read_until(b'\n', &mut line).expect("memory does not fail") > 0 {
        done.add(black_box(&line).len());
        line.clear();
    }
    done
}

fn lines(load: &Load) -> Done {
    wait(async {
        let mut lines = tokio::io::BufReader::with_capacity(CHUNK, load.source()).lines();
        let mut done = Done::default();
        while let Some(line) = lines.next_line().await.expect("memory does not fail") {
            done.add(black_box(line).len() + 1);
        }
        done
    })
}
