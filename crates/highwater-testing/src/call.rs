//! Reads as values: what is called, and how it ends. What a model, a buffer and a reader can all be asked.

use bytes::Bytes;
use highwater_buffer::{FrameError, IncompleteRead, InvalidSeparators, LimitOverrun};
use highwater_stream::{LimitedReadError, ReadExactlyError, ReadUntilError, SkipUntilError, TransportError};
use std::io;

/// A read with its arguments.
///
/// ```
/// use highwater_testing::{Call, Form, Op, Outcome};
/// use std::task::Poll;
///
/// let mut buffer = highwater_buffer::ReadBuffer::new();
/// buffer.feed(b"one\ntw");
/// let line = Call::from(Op::ReadLine);
/// assert_eq!(line.on_buffer(Form::Owned, &mut buffer), Poll::Ready(Outcome::Bytes("one\n".into())));
/// assert_eq!(line.on_buffer(Form::Owned, &mut buffer), Poll::Pending);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which read.
    pub op: Op,
    /// A limit for this call alone.
    pub limit: Option<usize>,
}

impl From<Op> for Call {
    fn from(op: Op) -> Self {
        Self { op, limit: None }
    }
}

/// The reads that buffers and readers have.
///
/// ```
/// use highwater_testing::{Call, Op};
///
/// let header = Op::ReadUntil(vec!["\r\n".into(), "\n".into()]);
/// assert_eq!(Call::from(header.clone()), Call { op: header, limit: None });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `read(n)`
    Read(usize),
    /// `read_to_end(max)`
    ReadToEnd(usize),
    /// `read_exactly(n)`
    ReadExactly(usize),
    /// `read_until(separators)`; the set may be one that is refused.
    ReadUntil(Vec<Bytes>),
    /// `read_line()`
    ReadLine,
    /// `peek(n)`
    Peek(usize),
    /// `skip_until(separators)`
    SkipUntil(Vec<Bytes>),
}

/// How a read ended.
///
/// ```
/// use highwater_testing::{Op, Outcome, ReadModel};
/// use std::task::Poll;
///
/// let mut model = ReadModel::new(100);
/// model.feed(b"ab");
/// model.feed_eof();
/// let incomplete = Outcome::Incomplete { partial: "ab".into(), expected: Some(3), skipped: 0 };
/// assert_eq!(model.call(&Op::ReadExactly(3).into()), Poll::Ready(incomplete));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These bytes were returned.
    Bytes(Bytes),
    /// `read_line` returned `None`: the end of the stream.
    Nothing,
    /// `skip_until` met a separator after discarding this many bytes, the separator included.
    Skipped(u64),
    /// The stream ended first.
    Incomplete {
        /// What came before the end.
        partial: Bytes,
        /// How many bytes were asked for, if it was a number.
        expected: Option<usize>,
        /// How many bytes `skip_until` had discarded.
        skipped: u64,
    },
    /// The limit was met first.
    LimitOverrun {
        /// How many bytes from the front may be taken.
        consumed: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The separators were refused before anything was read.
    Invalid,
    /// The transport's error, after all that was buffered did not satisfy the read.
    Failed(io::ErrorKind),
}

/// How a run of bytes ends.
///
/// ```
/// use highwater_testing::{End, ReadModel};
///
/// let mut model = ReadModel::new(100);
/// assert_eq!(model.end(), End::Open);
/// model.feed_eof();
/// assert_eq!(model.end(), End::Eof);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More could come, but does not.
    Open,
    /// The peer has finished sending.
    Eof,
    /// The transport fails with `ConnectionReset`.
    Error,
}

impl From<IncompleteRead> for Outcome {
    fn from(error: IncompleteRead) -> Self {
        Outcome::Incomplete {
            expected: error.expected(),
            skipped: error.skipped(),
            partial: error.into_partial(),
        }
    }
}

impl From<LimitOverrun> for Outcome {
    fn from(error: LimitOverrun) -> Self {
        Outcome::LimitOverrun { consumed: error.consumed(), limit: error.limit() }
    }
}

impl From<FrameError> for Outcome {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Incomplete(error) => error.into(),
            FrameError::LimitOverrun(error) => error.into(),
        }
    }
}

impl From<InvalidSeparators> for Outcome {
    fn from(_: InvalidSeparators) -> Self {
        Outcome::Invalid
    }
}

impl From<TransportError> for Outcome {
    fn from(error: TransportError) -> Self {
        Outcome::Failed(error.kind())
    }
}

macro_rules! outcome_of {
    ($($error:ident { $($variant:ident),* })*) => {$(
        impl From<$error> for Outcome {
            fn from(error: $error) -> Self {
                match error {
                    $($error::$variant(error) => error.into(),)*
                    // A later release may know more; each of them becomes an `io::Error`.
                    other => Outcome::Failed(io::Error::from(other).kind()),
                }
            }
        }
    )*};
}

outcome_of! {
    ReadExactlyError { Incomplete, Transport }
    ReadUntilError { Incomplete, LimitOverrun, InvalidSeparators, Transport }
    LimitedReadError { LimitOverrun, Transport }
    SkipUntilError { Incomplete, InvalidSeparators, Transport }
}
