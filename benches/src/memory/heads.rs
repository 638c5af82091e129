//! A head until a blank line, and a body as long as the head says.

use super::codecs::{Message, decode};
use super::{Done, Load, Work, bounds, wait};
use crate::CHUNK;
use crate::messages::{ContentLength, HEAD_END, content_length, message};
use futures::io::{AsyncBufReadExt as _, AsyncReadExt as _};
use highwater_stream::{Separators, StreamReader};
use std::hint::black_box;
use std::io::{BufRead as _, Read as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};

pub(super) fn work() -> Work {
    Work::new("head+body", Load::new(&message(), 1))
        .ours("highwater read_until_ref + read_exactly_ref", borrowed)
        .ours("highwater read_until + read_exactly", owned)
        .peer("tokio read_until + read_exact", tokio_lines)
        .peer("own codec, memmem", |load| {
            decode(load, Message::new(), |(head, body)| head.len() + body.len())
        })
        .peer("futures read_until + read_exact", futures_lines)
        .bound("std read_until + read_exact", std_lines)
        .bound("copy", bounds::copy)
}

fn blank_line() -> Separators {
    Separators::one(HEAD_END).expect("it is not empty")
}

fn borrowed(load: &Load) -> Done {
    let (blank_line, content_length) = (blank_line(), ContentLength::new());
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(head) = reader.read_until_ref(&blank_line).await {
            let head_length = black_box(head).len();
            let length = content_length.of_head(head);
            let body = reader.read_exactly_ref(length).await.expect("the body is there");
            done.add(head_length + black_box(body).len());
        }
        done
    })
}

fn owned(load: &Load) -> Done {
    let (blank_line, content_length) = (blank_line(), ContentLength::new());
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(head) = reader.read_until(&blank_line).await {
            let length = content_length.of_head(&head);
            let body = reader.read_exactly(length).await.expect("the body is there");
            done.add(black_box(&head).len() + black_box(&body).len());
        }
        done
    })
}

/// The lines of a head one by one, as one reads them with a `BufReader`.
#[derive(Default)]
struct Head {
    bytes: usize,
    length: usize,
}

impl Head {
    /// Takes a line, and tells whether it was the last one.
    fn take(&mut self, line: &[u8]) -> bool {
        self.bytes += black_box(line).len();
        self.length = content_length(line).unwrap_or(self.length);
        line == b"\r\n"
    }
}

fn tokio_lines(load: &Load) -> Done {
    wait(async {
        let mut reader = tokio::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut line, mut body, mut done) = (Vec::new(), Vec::new(), Done::default());
        loop {
            let mut head = Head::default();
            loop {
                line.clear();
                if reader.read_until(b'\n', &mut line).await.expect("memory does not fail") == 0 {
                    return done;
                }
                if head.take(&line) {
                    break;
                }
            }
            body.resize(head.length, 0);
            reader.read_exact(&mut body).await.expect("the body is there");
            done.add(head.bytes + black_box(&body).len());
        }
    })
}

fn futures_lines(load: &Load) -> Done {
    wait(async {
        let mut reader = futures::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut line, mut body, mut done) = (Vec::new(), Vec::new(), Done::default());
        loop {
            let mut head = Head::default();
            loop {
                line.clear();
                if reader.read_until(b'\n', &mut line).await.expect("memory does not fail") == 0 {
                    return done;
                }
                if head.take(&line) {
                    break;
                }
            }
            body.resize(head.length, 0);
            reader.read_exact(&mut body).await.expect("the body is there");
            done.add(head.bytes + black_box(&body).len());
        }
    })
}

fn std_lines(load: &Load) -> Done {
    let mut reader = std::io::BufReader::with_capacity(CHUNK, load.source());
    let (mut line, mut body, mut done) = (Vec::new(), Vec::new(), Done::default());
    loop {
        let mut head = Head::default();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).expect("memory does not fail") == 0 {
                return done;
            }
            if head.take(&line) {
                break;
            }
        }
        body.resize(head.length, 0);
        reader.read_exact(&mut body).expect("the body is there");
        done.add(head.bytes + black_box(&body).len());
    }
}
