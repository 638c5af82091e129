//! How a case is written down.
//!
//! ```
//! use highwater_tests::case::case;
//!
//! case("separator split across two reads")
//!     .bytes("ab\r\ncd")
//!     .limit(8)
//!     .read_until(&["\r\n"]).gives("ab\r\n")
//!     .leaves("cd");
//! ```

use crate::subject::byte_strings;
use bytes::Bytes;
use highwater_buffer::DEFAULT_LIMIT;
use highwater_testing::{Call, End, Op, Outcome};
use std::io;
use std::task::Poll;

/// Bytes that arrive, reads in order, what each of them gives, and what is left at last.
///
/// A `read(n)` may return any part of what it is to give, and is repeated until that is complete: how
/// much comes at once is up to the transport.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rule that it shows.
    pub name: String,
    /// All bytes that arrive, however they are cut.
    pub bytes: Bytes,
    /// What comes after them.
    pub end: End,
    /// The limit that the reader begins with.
    pub limit: usize,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is unread after the last step.
    pub leaves: Bytes,
}

/// What is done with a reader.
#[derive(Clone, Debug)]
pub enum Step {
    /// A read, and how it ends. `Pending`: it still waits when all has arrived, and is dropped.
    Reads(Call, Poll<Outcome>),
    /// Bytes are put back.
    Unreads(Bytes),
    /// Another limit is set.
    SetsLimit(usize),
}

/// Begins a case. The stream stays open unless [`Draft::end`] says otherwise.
pub fn case(name: &str) -> Draft {
    Draft {
        limit: DEFAULT_LIMIT,
        limited: None,
        case: Case {
            name: name.to_owned(),
            bytes: Bytes::new(),
            end: End::Open,
            limit: DEFAULT_LIMIT,
            steps: Vec::new(),
            leaves: Bytes::new(),
        },
    }
}

/// A case until it says what it leaves.
#[derive(Clone, Debug)]
#[must_use = "a case is complete once it says what it leaves"]
pub struct Draft {
    case: Case,
    /// The limit in force at this point.
    limit: usize,
    /// The limit of the next call alone.
    limited: Option<usize>,
}

impl Draft {
    /// All bytes that arrive.
    pub fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.case.bytes = Bytes::copy_from_slice(bytes.as_ref());
        self
    }

    /// What comes after the bytes.
    pub fn end(mut self, end: End) -> Self {
        self.case.end = end;
        self
    }

    /// The limit that the reader begins with.
    pub fn limit(mut self, limit: usize) -> Self {
        self.case.limit = limit;
        self.limit = limit;
        self
    }

    /// Another limit for the reads that follow.
    pub fn set_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self.step(Step::SetsLimit(limit))
    }

    /// Another limit for the next read alone.
    pub fn limited(mut self, limit: usize) -> Self {
        self.limited = Some(limit);
        self
    }

    /// Puts bytes back.
    pub fn unread(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        self.step(Step::Unreads(bytes))
    }

    /// A `read(n)`.
    pub fn read(self, n: usize) -> Asked {
        self.ask(Op::Read(n))
    }

    /// A `read_to_end(max)`.
    pub fn read_to_end(self, max: usize) -> Asked {
        self.ask(Op::ReadToEnd(max))
    }

    /// A `read_exactly(n)`.
    pub fn read_exactly(self, n: usize) -> Asked {
        self.ask(Op::ReadExactly(n))
    }

    /// A `read_until(separators)`.
    pub fn read_until<S: AsRef<[u8]>>(self, separators: &[S]) -> Asked {
        self.ask(Op::ReadUntil(byte_strings(separators)))
    }

    /// A `read_line()`.
    pub fn read_line(self) -> Asked {
        self.ask(Op::ReadLine)
    }

    /// A `peek(n)`.
    pub fn peek(self, n: usize) -> Asked {
        self.ask(Op::Peek(n))
    }

    /// A `skip_until(separators)`.
    pub fn skip_until<S: AsRef<[u8]>>(self, separators: &[S]) -> Asked {
        self.ask(Op::SkipUntil(byte_strings(separators)))
    }

    /// What is unread after the last step. This completes the case.
    pub fn leaves(mut self, bytes: impl AsRef<[u8]>) -> Case {
        self.case.leaves = Bytes::copy_from_slice(bytes.as_ref());
        self.case
    }

    fn ask(mut self, op: Op) -> Asked {
        let call = Call { op, limit: self.limited.take() };
        Asked { call, draft: self }
    }

    fn step(mut self, step: Step) -> Self {
        self.case.steps.push(step);
        self
    }
}

/// A read that has not said how it ends.
#[derive(Clone, Debug)]
#[must_use = "a read says how it ends"]
pub struct Asked {
    draft: Draft,
    call: Call,
}

impl Asked {
    /// These bytes.
    pub fn gives(self, bytes: impl AsRef<[u8]>) -> Draft {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        self.ends(Poll::Ready(Outcome::Bytes(bytes)))
    }

    /// `None`: no more lines.
    pub fn gives_nothing(self) -> Draft {
        self.ends(Poll::Ready(Outcome::Nothing))
    }

    /// It discards this many bytes, the separator included.
    pub fn skips(self, count: u64) -> Draft {
        self.ends(Poll::Ready(Outcome::Skipped(count)))
    }

    /// The stream ends first; these bytes come with the error.
    pub fn is_incomplete(self, partial: impl AsRef<[u8]>) -> Draft {
        let partial = Bytes::copy_from_slice(partial.as_ref());
        let expected = match self.call.op {
            Op::ReadExactly(n) => Some(n),
            _ => None,
        };
        self.ends(Poll::Ready(Outcome::Incomplete { partial, expected, skipped: 0 }))
    }

    /// The stream ends first; so many bytes were discarded until then.
    pub fn is_incomplete_after(self, skipped: u64) -> Draft {
        let partial = Bytes::new();
        self.ends(Poll::Ready(Outcome::Incomplete { partial, expected: None, skipped }))
    }

    /// The limit is met first; so many bytes may be taken.
    pub fn overruns(self, consumed: usize) -> Draft {
        let limit = match self.call.op {
            Op::ReadToEnd(max) => max,
            _ => self.call.limit.unwrap_or(self.draft.limit),
        };
        self.ends(Poll::Ready(Outcome::LimitOverrun { consumed, limit }))
    }

    /// The separators are refused.
    pub fn is_invalid(self) -> Draft {
        self.ends(Poll::Ready(Outcome::Invalid))
    }

    /// The transport's error.
    pub fn fails(self) -> Draft {
        self.ends(Poll::Ready(Outcome::Failed(io::ErrorKind::ConnectionReset)))
    }

    /// It waits for more than has arrived, and is dropped.
    pub fn waits(self) -> Draft {
        self.ends(Poll::Pending)
    }

    fn ends(self, outcome: Poll<Outcome>) -> Draft {
        self.draft.step(Step::Reads(self.call, outcome))
    }
}
