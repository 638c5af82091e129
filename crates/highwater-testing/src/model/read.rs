//! The model of `ReadBuffer`, and, with its transport error, of the readers above it.

use crate::call::{Call, End, Op, Outcome};
use bytes::Bytes;
use std::io;
use std::task::Poll;

/// A reader in which every read starts from scratch.
///
/// ```
/// use highwater_testing::{Op, Outcome, ReadModel};
/// use std::task::Poll;
///
/// let mut model = ReadModel::new(4);
/// model.feed(b"a line that is long\n");
/// let overrun = Outcome::LimitOverrun { consumed: 5, limit: 4 };
/// assert_eq!(model.call(&Op::ReadLine.into()), Poll::Ready(overrun));
/// ```
#[derive(Clone, Debug)]
pub struct ReadModel {
    bytes: Vec<u8>,
    end: End,
    limit: usize,
    skip: Option<Skip>,
}

/// A skip in force: what it seeks, and how much it has discarded.
#[derive(Clone, Debug)]
struct Skip {
    separators: Vec<Bytes>,
    skipped: u64,
}

/// Where the first match starts and ends.
struct Match {
    start: usize,
    end: usize,
}

/// What a read would do: take so many bytes from the front, or end otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It would take (or show) this many bytes.
    Length(usize),
    /// It ended in this, having taken what its error carries.
    Ended(Outcome),
}

impl ReadModel {
    /// An empty one with this limit.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// assert_eq!(ReadModel::new(9).limit(), 9);
    /// ```
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), end: End::Open, limit, skip: None }
    }

    /// These bytes arrive.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// let mut model = ReadModel::new(9);
    /// model.feed(b"abc");
    /// assert_eq!(model.unread_bytes(), b"abc");
    /// ```
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The peer has finished sending.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// let mut model = ReadModel::new(9);
    /// model.feed_eof();
    /// assert!(model.at_eof());
    /// ```
    pub fn feed_eof(&mut self) {
        self.end = End::Eof;
    }

    /// The transport fails: what is buffered is delivered, and then `ConnectionReset`.
    ///
    /// ```
    /// # use highwater_testing::{Op, Outcome, ReadModel};
    /// # use std::{io, task::Poll};
    /// let mut model = ReadModel::new(9);
    /// model.feed_error();
    /// let failed = Outcome::Failed(io::ErrorKind::ConnectionReset);
    /// assert_eq!(model.call(&Op::Read(1).into()), Poll::Ready(failed));
    /// ```
    pub fn feed_error(&mut self) {
        self.end = End::Error;
    }

    /// Puts bytes back in front of all that is unread.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// let mut model = ReadModel::new(9);
    /// model.feed(b"c");
    /// model.unread(b"ab");
    /// assert_eq!(model.unread_bytes(), b"abc");
    /// ```
    pub fn unread(&mut self, bytes: &[u8]) {
        self.bytes.splice(..0, bytes.iter().copied());
    }

    /// Sets the limit of the reads that follow.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// let mut model = ReadModel::new(9);
    /// model.set_limit(3);
    /// assert_eq!(model.limit(), 3);
    /// ```
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The limit of the reads that follow: the most bytes before a separator.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// assert_eq!(ReadModel::new(9).limit(), 9);
    /// ```
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// What is unread.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// assert_eq!(ReadModel::new(9).unread_bytes(), b"");
    /// ```
    pub fn unread_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How the stream has ended, if it has.
    ///
    /// ```
    /// # use highwater_testing::{End, ReadModel};
    /// assert_eq!(ReadModel::new(9).end(), End::Open);
    /// ```
    pub fn end(&self) -> End {
        self.end
    }

    /// Whether the end of the stream has come and nothing is left.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// assert!(!ReadModel::new(9).at_eof());
    /// ```
    pub fn at_eof(&self) -> bool {
        self.end == End::Eof && self.bytes.is_empty()
    }

    /// Whether a skip is in force.
    ///
    /// ```
    /// # use highwater_testing::{Op, ReadModel};
    /// let mut model = ReadModel::new(9);
    /// assert!(model.call(&Op::SkipUntil(vec![";".into()]).into()).is_pending());
    /// assert!(model.is_skipping());
    /// ```
    pub fn is_skipping(&self) -> bool {
        self.skip.is_some()
    }

    /// The whole read: find, then take. `Pending`: it needs more, and has taken nothing.
    ///
    /// ```
    /// # use highwater_testing::{Op, Outcome, ReadModel};
    /// # use std::task::Poll;
    /// let mut model = ReadModel::new(9);
    /// assert_eq!(model.call(&Op::ReadLine.into()), Poll::Pending);
    /// model.feed(b"a\n");
    /// assert_eq!(model.call(&Op::ReadLine.into()), Poll::Ready(Outcome::Bytes("a\n".into())));
    /// ```
    pub fn call(&mut self, call: &Call) -> Poll<Outcome> {
        self.find(call).map(|found| match found {
            Found::Ended(outcome) => outcome,
            Found::Length(n) if matches!(call.op, Op::Peek(_)) => {
                Outcome::Bytes(Bytes::copy_from_slice(&self.bytes[..n]))
            }
            Found::Length(n) => Outcome::Bytes(self.take(n)),
        })
    }

    /// The first half of a read.
    pub(crate) fn find(&mut self, call: &Call) -> Poll<Found> {
        let limit = call.limit.unwrap_or(self.limit);
        if let Op::ReadUntil(separators) | Op::SkipUntil(separators) = &call.op {
            if separators.is_empty() || separators.iter().any(Bytes::is_empty) {
                return Poll::Ready(Found::Ended(Outcome::Invalid));
            }
        }
        if let Op::SkipUntil(separators) = &call.op {
            return self.skip_until(separators);
        }
        if let Op::Read(0) | Op::Peek(0) | Op::ReadExactly(0) = call.op {
            return Poll::Ready(Found::Length(0));
        }
        if self.skip.is_some() && self.skip_on().is_none() {
            return self.need_more();
        }
        let ended = self.end == End::Eof;
        let there = self.bytes.len();
        match &call.op {
            Op::Read(n) if there > 0 || ended => Poll::Ready(Found::Length(there.min(*n))),
            Op::Peek(n) if there >= *n || ended => Poll::Ready(Found::Length(there.min(*n))),
            Op::ReadToEnd(max) if there > *max => Poll::Ready(overrun(max + 1, *max)),
            Op::ReadToEnd(_) if ended => Poll::Ready(Found::Length(there)),
            Op::ReadExactly(n) if there >= *n => Poll::Ready(Found::Length(*n)),
            Op::ReadExactly(n) if ended => self.incomplete(Some(*n)),
            Op::ReadUntil(separators) => match self.frame(separators, limit) {
                Some(found) => Poll::Ready(found),
                None if ended => self.incomplete(None),
                None => self.need_more(),
            },
            Op::ReadLine => match self.frame(&[Bytes::from_static(b"\n")], limit) {
                Some(found) => Poll::Ready(found),
                None if ended && there == 0 => Poll::Ready(Found::Ended(Outcome::Nothing)),
                None if ended => Poll::Ready(Found::Length(there)),
                None => self.need_more(),
            },
            _ => self.need_more(),
        }
    }

    /// Takes `n` bytes from the front.
    ///
    /// # Panics
    /// When there are fewer.
    ///
    /// ```
    /// # use highwater_testing::ReadModel;
    /// let mut model = ReadModel::new(9);
    /// model.feed(b"abc");
    /// assert_eq!(model.take(2), "ab");
    /// ```
    pub fn take(&mut self, n: usize) -> Bytes {
        self.bytes.drain(..n).collect()
    }

    /// The overrun rule, word by word. `None`: what is there decides nothing.
    fn frame(&self, separators: &[Bytes], limit: usize) -> Option<Found> {
        let most = limit.saturating_add(longest(separators));
        match first_match(&self.bytes[..self.bytes.len().min(most)], separators) {
            Some(found) if found.start <= limit => Some(Found::Length(found.end)),
            Some(found) => Some(overrun(found.start, limit)),
            None if self.bytes.len() >= most => Some(overrun(limit + 1, limit)),
            None => None,
        }
    }

    fn skip_until(&mut self, separators: &[Bytes]) -> Poll<Found> {
        let same = self.skip.as_ref().is_some_and(|skip| as_set(&skip.separators) == as_set(separators));
        if self.skip.is_some() && !same && self.skip_on().is_none() {
            return self.need_more();
        }
        let skip = Skip { separators: separators.to_vec(), skipped: 0 };
        self.skip.get_or_insert(skip);
        match self.skip_on() {
            Some(outcome) => Poll::Ready(Found::Ended(outcome)),
            None => self.need_more(),
        }
    }

    /// Discards through the separator of the skip in force, or all that can no longer be part of it.
    fn skip_on(&mut self) -> Option<Outcome> {
        let mut skip = self.skip.take().expect("a skip is in force");
        if let Some(found) = first_match(&self.bytes, &skip.separators) {
            self.take(found.end);
            return Some(Outcome::Skipped(skip.skipped + found.end as u64));
        }
        let kept = if self.end == End::Eof { 0 } else { longest(&skip.separators) - 1 };
        let gone = self.bytes.len().saturating_sub(kept);
        self.take(gone);
        skip.skipped += gone as u64;
        if self.end == End::Eof {
            return Some(Outcome::Incomplete {
                partial: Bytes::new(),
                expected: None,
                skipped: skip.skipped,
            });
        }
        self.skip = Some(skip);
        None
    }

    fn incomplete(&mut self, expected: Option<usize>) -> Poll<Found> {
        let partial = self.take(self.bytes.len());
        Poll::Ready(Found::Ended(Outcome::Incomplete { partial, expected, skipped: 0 }))
    }

    fn need_more(&self) -> Poll<Found> {
        match self.end {
            End::Error => Poll::Ready(Found::Ended(Outcome::Failed(io::ErrorKind::ConnectionReset))),
            End::Open | End::Eof => Poll::Pending,
        }
    }
}

/// The match that ends first; of those that end together, the shortest.
fn first_match(bytes: &[u8], separators: &[Bytes]) -> Option<Match> {
    for end in 1..=bytes.len() {
        let ending_here = separators.iter().filter(|separator| bytes[..end].ends_with(separator));
        if let Some(shortest) = ending_here.map(Bytes::len).min() {
            return Some(Match { start: end - shortest, end });
        }
    }
    None
}

fn longest(separators: &[Bytes]) -> usize {
    separators.iter().map(Bytes::len).max().expect("an empty set was refused before")
}

fn overrun(consumed: usize, limit: usize) -> Found {
    Found::Ended(Outcome::LimitOverrun { consumed, limit })
}

fn as_set(separators: &[Bytes]) -> std::collections::BTreeSet<&Bytes> {
    separators.iter().collect()
}
