//! One call, on a `ReadBuffer` or on a `StreamReader`, in each of the forms that a read has there.

use crate::call::{Call, Op, Outcome};
use bytes::Bytes;
use highwater_buffer::{ReadBuffer, Separators, Verdict};
use highwater_stream::{Source, StreamReader};
use std::task::Poll;

/// Which of the forms of a read is called, where it has several.
///
/// ```
/// use highwater_testing::Form;
/// assert_eq!(Form::ALL, [Form::Owned, Form::Borrowed, Form::TwoHalves]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `read_line`: returns bytes of its own.
    Owned,
    /// `read_line_ref`: borrows them.
    Borrowed,
    /// `find_line`, then `take`. Only a buffer has this; a reader reads as if it were `Owned`.
    TwoHalves,
}

impl Form {
    /// Each form, for suites that run them all.
    ///
    /// ```
    /// # use highwater_testing::Form;
    /// assert!(Form::ALL.contains(&Form::TwoHalves));
    /// ```
    pub const ALL: [Form; 3] = [Form::Owned, Form::Borrowed, Form::TwoHalves];
}

type Step = Result<Verdict<Outcome>, Outcome>;

impl Call {
    /// One step of the call on a buffer. `Pending`: it needs more, and has taken nothing.
    ///
    /// ```
    /// use highwater_testing::{Call, Form, Op, Outcome};
    /// use std::task::Poll;
    ///
    /// let mut buffer = highwater_buffer::ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// let three = Call::from(Op::ReadExactly(3));
    /// assert_eq!(three.on_buffer(Form::Borrowed, &mut buffer), Poll::Ready(Outcome::Bytes("abc".into())));
    /// ```
    pub fn on_buffer(&self, form: Form, buffer: &mut ReadBuffer) -> Poll<Outcome> {
        let verdict = match &self.op {
            Op::ReadUntil(separators) => match Separators::new(separators) {
                Ok(separators) => self.read_until(form, buffer, &separators),
                Err(error) => Err(error.into()),
            },
            Op::SkipUntil(separators) => match Separators::new(separators) {
                Ok(separators) => step(buffer.skip_until(&separators), Outcome::Skipped),
                Err(error) => Err(error.into()),
            },
            Op::ReadLine => self.read_line(form, buffer),
            Op::ReadExactly(n) => match form {
                Form::Owned => step(buffer.read_exactly(*n), Outcome::Bytes),
                Form::Borrowed => step(buffer.read_exactly_ref(*n), copied),
                Form::TwoHalves => step(buffer.find_exactly(*n), |n| take(buffer, form, n)),
            },
            Op::Read(n) if form == Form::TwoHalves => {
                let found = buffer.find_some(*n);
                Ok(found.map(|n| Outcome::Bytes(buffer.take(n))))
            }
            Op::Read(n) => Ok(buffer.read(*n).map(Outcome::Bytes)),
            Op::ReadToEnd(max) if form == Form::TwoHalves => {
                let found = buffer.find_end(*max);
                step(found, |n| Outcome::Bytes(buffer.take(n)))
            }
            Op::ReadToEnd(max) => step(buffer.read_to_end(*max), Outcome::Bytes),
            Op::Peek(n) if form == Form::TwoHalves => {
                let found = buffer.find_peek(*n);
                Ok(found.map(|n| copied(&buffer.unread_bytes()[..n])))
            }
            Op::Peek(n) => Ok(buffer.peek(*n).map(copied)),
        };
        match verdict {
            Ok(Verdict::Ready(outcome)) | Err(outcome) => Poll::Ready(outcome),
            Ok(Verdict::NeedMore) => Poll::Pending,
        }
    }

    fn read_until(&self, form: Form, buffer: &mut ReadBuffer, separators: &Separators) -> Step {
        match (form, self.limit) {
            (Form::Owned, None) => step(buffer.read_until(separators), Outcome::Bytes),
            (Form::Borrowed, None) => step(buffer.read_until_ref(separators), copied),
            (Form::TwoHalves, _) | (_, Some(_)) => {
                let limit = self.limit.unwrap_or(buffer.limit());
                let found = buffer.find_until(separators, limit);
                step(found, |n| take(buffer, form, n))
            }
        }
    }

    fn read_line(&self, form: Form, buffer: &mut ReadBuffer) -> Step {
        match (form, self.limit) {
            (Form::Owned, None) => step(buffer.read_line(), line(Outcome::Bytes)),
            (Form::Borrowed, None) => step(buffer.read_line_ref(), line(copied)),
            (Form::TwoHalves, _) | (_, Some(_)) => {
                let limit = self.limit.unwrap_or(buffer.limit());
                let found = buffer.find_line(limit);
                step(found, line(|n| take(buffer, form, n)))
            }
        }
    }

    /// The call on a reader over any source.
    ///
    /// # Cancel safety
    /// Cancel safe, as the reads of a [`StreamReader`] are.
    ///
    /// ```
    /// use highwater_stream::StreamReader;
    /// use highwater_testing::{Call, Form, Op, Outcome};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"one\ntwo"[..]);
    /// let line = Call::from(Op::ReadLine);
    /// assert_eq!(line.on_reader(Form::Owned, &mut reader).await, Outcome::Bytes("one\n".into()));
    /// # });
    /// ```
    pub async fn on_reader<R: Source>(&self, form: Form, reader: &mut StreamReader<R>) -> Outcome {
        let borrowed = form == Form::Borrowed;
        match (&self.op, self.limit) {
            (Op::Read(n), _) => settle(reader.read(*n).await, Outcome::Bytes),
            (Op::ReadToEnd(max), _) => settle(reader.read_to_end(*max).await, Outcome::Bytes),
            (Op::ReadExactly(n), _) if borrowed => settle(reader.read_exactly_ref(*n).await, copied),
            (Op::ReadExactly(n), _) => settle(reader.read_exactly(*n).await, Outcome::Bytes),
            (Op::ReadUntil(set), None) if borrowed => settle(reader.read_until_ref(&set[..]).await, copied),
            (Op::ReadUntil(set), None) => settle(reader.read_until(&set[..]).await, Outcome::Bytes),
            (Op::ReadUntil(set), Some(limit)) if borrowed => {
                settle(reader.limited(limit).read_until_ref(&set[..]).await, copied)
            }
            (Op::ReadUntil(set), Some(limit)) => {
                settle(reader.limited(limit).read_until(&set[..]).await, Outcome::Bytes)
            }
            (Op::ReadLine, None) if borrowed => settle(reader.read_line_ref().await, line(copied)),
            (Op::ReadLine, None) => settle(reader.read_line().await, line(Outcome::Bytes)),
            (Op::ReadLine, Some(limit)) if borrowed => {
                settle(reader.limited(limit).read_line_ref().await, line(copied))
            }
            (Op::ReadLine, Some(limit)) => {
                settle(reader.limited(limit).read_line().await, line(Outcome::Bytes))
            }
            (Op::Peek(n), _) => settle(reader.peek(*n).await, copied),
            (Op::SkipUntil(set), _) => settle(reader.skip_until(&set[..]).await, Outcome::Skipped),
        }
    }
}

fn step<T, E: Into<Outcome>>(step: Result<Verdict<T>, E>, ready: impl FnOnce(T) -> Outcome) -> Step {
    match step {
        Ok(verdict) => Ok(verdict.map(ready)),
        Err(error) => Err(error.into()),
    }
}

fn settle<T, E: Into<Outcome>>(read: Result<T, E>, ready: impl FnOnce(T) -> Outcome) -> Outcome {
    read.map_or_else(Into::into, ready)
}

fn copied(bytes: &[u8]) -> Outcome {
    Outcome::Bytes(Bytes::copy_from_slice(bytes))
}

fn line<T>(ready: impl FnOnce(T) -> Outcome) -> impl FnOnce(Option<T>) -> Outcome {
    |line| line.map_or(Outcome::Nothing, ready)
}

fn take(buffer: &mut ReadBuffer, form: Form, n: usize) -> Outcome {
    match form {
        Form::Borrowed => copied(buffer.take_ref(n)),
        Form::Owned | Form::TwoHalves => Outcome::Bytes(buffer.take(n)),
    }
}
