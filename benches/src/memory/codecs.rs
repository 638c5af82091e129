//! Codecs as one would write them for tokio-util, which has none for these.

use crate::CHUNK;
use crate::messages::{ContentLength, HEAD_END};
use aho_corasick::AhoCorasick;
use bytes::{Buf, BytesMut};
use futures::StreamExt;
use memchr::memmem::Finder;
use std::hint::black_box;
use std::io;
use tokio_util::codec::{Decoder, FramedRead};

use super::{Done, Load, wait};

/// All that a codec makes of a load. `length` is that of what it yields, separators included.
pub(super) fn decode<D>(load: &Load, codec: D, mut length: impl FnMut(&D::Item) -> usize) -> Done
where
    D: Decoder,
    D::Error: std::fmt::Debug,
{
    wait(async {
        let mut frames = std::pin::pin!(FramedRead::with_capacity(load.source(), codec, CHUNK));
        let mut done = Done::default();
        while let Some(frame) = frames.next().await {
            done.add(length(black_box(&frame.expect("records are short"))));
        }
        done
    })
}

/// Records that end in `\r\n`, found with memmem.
pub(super) struct Crlf {
    finder: Finder<'static>,
    searched: usize,
}

impl Crlf {
    pub(super) fn new() -> Self {
        Self { finder: Finder::new(b"\r\n"), searched: 0 }
    }
}

impl Decoder for Crlf {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        if let Some(at) = self.finder.find(&buffer[self.searched..]) {
            let end = std::mem::take(&mut self.searched) + at + 2;
            return Ok(Some(buffer.split_to(end)));
        }
        self.searched = buffer.len().saturating_sub(1);
        Ok(None)
    }
}

/// Records that end in one of several separators, found by one automaton for all of them.
pub(super) struct AnyString {
    automaton: AhoCorasick,
    longest: usize,
    searched: usize,
}

impl AnyString {
    pub(super) fn new(separators: &[&str]) -> Self {
        let automaton = AhoCorasick::new(separators).expect("separators are few");
        let longest = separators.iter().map(|separator| separator.len()).max().unwrap_or(1);
        Self { automaton, longest, searched: 0 }
    }
}

impl Decoder for AnyString {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        if let Some(found) = self.automaton.find(&buffer[self.searched..]) {
            let end = std::mem::take(&mut self.searched) + found.end();
            return Ok(Some(buffer.split_to(end)));
        }
        self.searched = buffer.len().saturating_sub(self.longest - 1);
        Ok(None)
    }
}

/// A head until a blank line, and a body as long as the head says.
pub(super) struct Message {
    finder: Finder<'static>,
    content_length: ContentLength,
    state: Expected,
}

enum Expected {
    /// A head; so many bytes were searched in vain.
    Head(usize),
    /// The body of this head.
    Body(BytesMut, usize),
}

impl Message {
    pub(super) fn new() -> Self {
        Self { finder: Finder::new(HEAD_END), content_length: ContentLength::new(), state: Expected::Head(0) }
    }
}

impl Decoder for Message {
    type Item = (BytesMut, BytesMut);
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<(BytesMut, BytesMut)>> {
        if let Expected::Head(searched) = self.state {
            let Some(at) = self.finder.find(&buffer[searched..]) else {
                self.state = Expected::Head(buffer.len().saturating_sub(HEAD_END.len() - 1));
                return Ok(None);
            };
            let head = buffer.split_to(searched + at + HEAD_END.len());
            let length = self.content_length.of_head(&head);
            self.state = Expected::Body(head, length);
        }
        match std::mem::replace(&mut self.state, Expected::Head(0)) {
            Expected::Body(head, length) if buffer.remaining() >= length => {
                Ok(Some((head, buffer.split_to(length))))
            }
            waiting => {
                self.state = waiting;
                Ok(None)
            }
        }
    }
}
