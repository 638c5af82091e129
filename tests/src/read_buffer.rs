//! [`ReadBuffer`] as a [`Subject`]: each read in each of its forms, bytes arriving on either way.
//!
//! A buffer knows no transport errors. Here, as in the layers above, a read that needs more when the
//! transport has failed ends in that failure.

use crate::subject::Subject;
use bytes::{BufMut, Bytes};
use highwater_buffer::ReadBuffer;
use highwater_testing::{Call, Form, Outcome};
use std::io;
use std::task::Poll;

/// How bytes arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Through `feed`.
    Fed,
    /// Written into the room that `spare` gives, as a transport does.
    Spare,
}

/// A [`ReadBuffer`], and how it is used.
#[derive(Debug)]
pub struct BufferSubject {
    buffer: ReadBuffer,
    form: Form,
    arrival: Arrival,
    failed: bool,
    waiting: Option<Call>,
}

impl BufferSubject {
    /// An empty buffer with this limit.
    pub fn new(form: Form, arrival: Arrival, limit: usize) -> Self {
        let buffer = ReadBuffer::with_limit(limit);
        Self { buffer, form, arrival, failed: false, waiting: None }
    }

    /// The buffer itself, for what the door does not show.
    pub fn buffer(&mut self) -> &mut ReadBuffer {
        &mut self.buffer
    }
}

/// Writes `bytes` into spare room, as often as it takes.
pub fn fill(buffer: &mut ReadBuffer, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        bytes = fill_once(buffer, bytes);
    }
}

/// Writes as much of `bytes` into spare room as one fill takes, and returns the rest.
pub fn fill_once<'a>(buffer: &mut ReadBuffer, bytes: &'a [u8]) -> &'a [u8] {
    let mut spare = buffer.spare();
    let room = spare.remaining_mut();
    assert!(room > 0, "spare room is at least one byte");
    let (now, later) = bytes.split_at(room.min(bytes.len()));
    spare.put_slice(now);
    later
}

impl Subject for BufferSubject {
    fn feed(&mut self, bytes: &[u8]) {
        match self.arrival {
            Arrival::Fed => self.buffer.feed(bytes),
            Arrival::Spare => fill(&mut self.buffer, bytes),
        }
    }

    fn feed_eof(&mut self) {
        self.buffer.feed_eof();
    }

    fn feed_error(&mut self) {
        self.failed = true;
    }

    fn begin(&mut self, call: &Call) -> Poll<Outcome> {
        let outcome = match call.on_buffer(self.form, &mut self.buffer) {
            Poll::Pending if self.failed => Poll::Ready(Outcome::Failed(io::ErrorKind::ConnectionReset)),
            outcome => outcome,
        };
        self.waiting = outcome.is_pending().then(|| call.clone());
        outcome
    }

    fn resume(&mut self) -> Poll<Outcome> {
        let call = self.waiting.take().expect("only a read that waits is resumed");
        self.begin(&call)
    }

    fn cancel(&mut self) {
        self.waiting = None;
    }

    fn unread(&mut self, bytes: &[u8]) {
        self.buffer.unread(bytes);
    }

    fn set_limit(&mut self, limit: usize) {
        self.buffer.set_limit(limit);
    }

    fn buffered(&mut self) -> Bytes {
        assert_eq!(self.buffer.buffered(), self.buffer.unread_bytes().len());
        Bytes::copy_from_slice(self.buffer.unread_bytes())
    }

    fn at_eof(&mut self) -> bool {
        self.buffer.at_eof()
    }
}
