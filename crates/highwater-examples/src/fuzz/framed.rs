//! What is read in frames: whatever comes, and however it is cut, it gives one answer and leaves the same bytes
//! behind it.

use std::fmt::Debug;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use highwater_net::stream::{Detached, StreamReader};

use crate::content_length::{frame, read_message};
use crate::proxy_protocol::{Version, read_header};
use crate::resp;
use crate::text::is_command;

/// Less than an input can announce, and more than most bring.
const REPLY_LIMIT: usize = 4096;
const MESSAGE_LIMIT: usize = 256;

/// Replies, one after the other. What is shown of them does not command a terminal.
///
/// ```
/// highwater_examples::fuzz::resp(b"*1\r\n:1\r\n+OK\r\n$99999");
/// ```
pub fn resp(bytes: &[u8]) {
    let read = |cut| {
        each_until_error(bytes, cut, async |reader: &mut Reader| resp::read_value(reader, REPLY_LIMIT).await)
    };
    let whole = read(bytes.len());
    for value in &whole.values {
        let shown = value.to_string();
        assert!(shown.chars().all(|c| c == '\n' || !is_command(c)), "{shown:?}");
    }
    for cut in [1, 2, 7] {
        assert_eq!(read(cut), whole, "fed by {cut}");
    }
}

/// A header, of either version. What is understood can be written in both, and is understood again.
///
/// ```
/// highwater_examples::fuzz::proxy_header(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello");
/// ```
pub fn proxy_header(bytes: &[u8]) {
    let read = |bytes: &[u8], cut| {
        let mut over = false;
        let once = async |reader: &mut Reader| match std::mem::replace(&mut over, true) {
            true => Ok(None),
            false => read_header(reader).await.map(Some),
        };
        each_until_error(bytes, cut, once)
    };
    let whole = read(bytes, bytes.len());
    for cut in [1, 2, 7] {
        assert_eq!(read(bytes, cut), whole, "fed by {cut}");
    }
    for header in &whole.values {
        for version in [Version::V1, Version::V2] {
            assert_eq!(read(&header.encode(version), 1).values, [*header]);
        }
    }
}

/// Messages behind their headers, one after the other.
///
/// ```
/// highwater_examples::fuzz::content_length(b"Content-Length: 2\r\n\r\n{}");
/// ```
pub fn content_length(bytes: &[u8]) {
    let read = |bytes: &[u8], cut| {
        each_until_error(bytes, cut, async |reader: &mut Reader| read_message(reader, MESSAGE_LIMIT).await)
    };
    let whole = read(bytes, bytes.len());
    for cut in [1, 2, 7] {
        assert_eq!(read(bytes, cut), whole, "fed by {cut}");
    }
    let again: Vec<u8> = whole.values.iter().flat_map(frame).collect();
    assert_eq!(read(&again, again.len()).values, whole.values);
}

type Reader = StreamReader<Detached>;

/// What came of some bytes.
#[derive(Debug, PartialEq)]
struct Read<T> {
    values: Vec<T>,
    error: Option<(io::ErrorKind, String)>,
    left: Vec<u8>,
}

/// Calls a parser until it meets the end or fails, on bytes that come so many at a time.
fn each_until_error<T: Debug>(
    bytes: &[u8],
    cut: usize,
    mut parse: impl AsyncFnMut(&mut Reader) -> io::Result<Option<T>>,
) -> Read<T> {
    let (mut reader, feeder) = Reader::detached_with_cap(bytes.len());
    let mut pieces = bytes.chunks(cut.max(1));
    let mut values = Vec::new();
    let error = loop {
        let mut parsing = pin!(parse(&mut reader));
        // Only the feeder is ever waited for, and it is fed here.
        let outcome = loop {
            match parsing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(outcome) => break outcome,
                Poll::Pending => match pieces.next() {
                    Some(piece) => feeder.feed(piece).expect("there is room for all of it"),
                    None => feeder.feed_eof(),
                },
            }
        };
        match outcome {
            Ok(Some(value)) => values.push(value),
            Ok(None) => break None,
            Err(error) => break Some((error.kind(), error.to_string())),
        }
    };
    let mut left = reader.unread_bytes().to_vec();
    left.extend(pieces.flatten());
    Read { values, error, left }
}
