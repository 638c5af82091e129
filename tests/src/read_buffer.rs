//! [`ReadBuffer`] as a [`Subject`]: each read in each of its forms, bytes arriving on either way.
//!
//! A buffer knows no transport errors. Here, as in the layers above, a read that needs more when the
//! transport has failed ends in that failure.

use crate::subject::{Call, Op, Outcome, Subject};
use bytes::{BufMut, Bytes};
use highwater_buffer::{ReadBuffer, Separators, Verdict};
use std::task::Poll;

/// Which of the forms of a read is called, where it has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `read_line`: returns bytes of its own.
    Owned,
    /// `read_line_ref`: borrows them.
    Borrowed,
    /// `find_line`, then `take`.
    TwoHalves,
}

/// Each form, for suites that run them all.
pub const FORMS: [Form; 3] = [Form::Owned, Form::Borrowed, Form::TwoHalves];

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

    /// One step of `call` in `form`, whatever form the subject was made with.
    pub fn step(&mut self, form: Form, call: &Call) -> Poll<Outcome> {
        let verdict = match &call.op {
            Op::ReadUntil(separators) => match Separators::new(separators) {
                Ok(separators) => self.read_until(form, call, &separators),
                Err(error) => Err(error.into()),
            },
            Op::SkipUntil(separators) => match Separators::new(separators) {
                Ok(separators) => settle(self.buffer.skip_until(&separators), Outcome::Skipped),
                Err(error) => Err(error.into()),
            },
            Op::ReadLine => self.read_line(form, call),
            Op::ReadExactly(n) => self.read_exactly(form, *n),
            Op::Read(n) if form == Form::TwoHalves => {
                let found = self.buffer.find_some(*n);
                Ok(found.map(|n| Outcome::Bytes(self.buffer.take(n))))
            }
            Op::Read(n) => Ok(self.buffer.read(*n).map(Outcome::Bytes)),
            Op::ReadToEnd(max) if form == Form::TwoHalves => {
                let found = self.buffer.find_end(*max);
                settle(found, |n| Outcome::Bytes(self.buffer.take(n)))
            }
            Op::ReadToEnd(max) => settle(self.buffer.read_to_end(*max), Outcome::Bytes),
            Op::Peek(n) if form == Form::TwoHalves => {
                let found = self.buffer.find_peek(*n);
                Ok(found.map(|n| copied(&self.buffer.unread_bytes()[..n])))
            }
            Op::Peek(n) => Ok(self.buffer.peek(*n).map(copied)),
        };
        match verdict {
            Ok(Verdict::Ready(outcome)) | Err(outcome) => Poll::Ready(outcome),
            Ok(Verdict::NeedMore) if self.failed => Poll::Ready(Outcome::Failed),
            Ok(Verdict::NeedMore) => Poll::Pending,
        }
    }

    fn read_until(&mut self, form: Form, call: &Call, separators: &Separators) -> Step {
        let buffer = &mut self.buffer;
        match (form, call.limit) {
            (Form::Owned, None) => settle(buffer.read_until(separators), Outcome::Bytes),
            (Form::Borrowed, None) => settle(buffer.read_until_ref(separators), copied),
            (Form::TwoHalves, _) | (_, Some(_)) => {
                let limit = call.limit.unwrap_or(buffer.limit());
                let found = buffer.find_until(separators, limit);
                settle(found, |n| take(buffer, form, n))
            }
        }
    }

    fn read_line(&mut self, form: Form, call: &Call) -> Step {
        let buffer = &mut self.buffer;
        match (form, call.limit) {
            (Form::Owned, None) => {
                settle(buffer.read_line(), |line| line.map_or(Outcome::Nothing, Outcome::Bytes))
            }
            (Form::Borrowed, None) => {
                settle(buffer.read_line_ref(), |line| line.map_or(Outcome::Nothing, copied))
            }
            (Form::TwoHalves, _) | (_, Some(_)) => {
                let limit = call.limit.unwrap_or(buffer.limit());
                let found = buffer.find_line(limit);
                settle(found, |n| n.map_or(Outcome::Nothing, |n| take(buffer, form, n)))
            }
        }
    }

    fn read_exactly(&mut self, form: Form, n: usize) -> Step {
        let buffer = &mut self.buffer;
        match form {
            Form::Owned => settle(buffer.read_exactly(n), Outcome::Bytes),
            Form::Borrowed => settle(buffer.read_exactly_ref(n), copied),
            Form::TwoHalves => settle(buffer.find_exactly(n), |n| take(buffer, form, n)),
        }
    }
}

type Step = Result<Verdict<Outcome>, Outcome>;

fn settle<T, E: Into<Outcome>>(
    step: Result<Verdict<T>, E>,
    ready: impl FnOnce(T) -> Outcome,
) -> Result<Verdict<Outcome>, Outcome> {
    match step {
        Ok(verdict) => Ok(verdict.map(ready)),
        Err(error) => Err(error.into()),
    }
}

fn copied(bytes: &[u8]) -> Outcome {
    Outcome::Bytes(Bytes::copy_from_slice(bytes))
}

fn take(buffer: &mut ReadBuffer, form: Form, n: usize) -> Outcome {
    match form {
        Form::Borrowed => copied(buffer.take_ref(n)),
        Form::Owned | Form::TwoHalves => Outcome::Bytes(buffer.take(n)),
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
        let outcome = self.step(self.form, call);
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
