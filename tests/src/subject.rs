//! The door through which every suite drives a reader: bytes arrive, a read begins, waits, goes on or is
//! dropped.
//!
//! A buffer, a detached reader with its feeder and a reader over any transport all fit behind it, so that
//! one recorded run and one case serve them all. It is synchronous: an asynchronous reader polls its
//! future where the trait says [`begin`](Subject::begin) and [`resume`](Subject::resume), and drops it
//! where the trait says [`cancel`](Subject::cancel).

use bytes::Bytes;
use highwater_buffer::Separators;
use highwater_testing::{Call, End, Outcome};
use std::task::Poll;

/// A reader as a suite sees it.
pub trait Subject {
    /// These bytes arrive. There may be none.
    fn feed(&mut self, bytes: &[u8]);

    /// The peer has finished sending. It may say so again.
    fn feed_eof(&mut self);

    /// The transport fails. Nothing arrives after that.
    fn feed_error(&mut self);

    /// The bytes end so.
    fn feed_end(&mut self, end: End) {
        match end {
            End::Open => {}
            End::Eof => self.feed_eof(),
            End::Error => self.feed_error(),
        }
    }

    /// Begins a read. `Pending` means that it waits, and is then resumed or cancelled.
    fn begin(&mut self, call: &Call) -> Poll<Outcome>;

    /// Goes on with the read that waits, after something has arrived.
    fn resume(&mut self) -> Poll<Outcome>;

    /// Drops the read that waits.
    fn cancel(&mut self);

    /// Puts bytes back in front of all that is unread.
    fn unread(&mut self, bytes: &[u8]);

    /// Sets the limit of the reads that follow.
    fn set_limit(&mut self, limit: usize);

    /// All that has arrived and was not taken, what still waits in a transport included. It stays.
    fn buffered(&mut self) -> Bytes;

    /// Whether the peer has finished sending and all that arrived was taken.
    fn at_eof(&mut self) -> bool;

    /// What is left when a run is over, where [`buffered`](Self::buffered) cannot look without taking.
    fn rest(&mut self) -> Bytes {
        self.buffered()
    }
}

/// Owned byte strings of what a set of separators is written as.
pub fn byte_strings<S: AsRef<[u8]>>(separators: &[S]) -> Vec<Bytes> {
    separators.iter().map(|separator| Bytes::copy_from_slice(separator.as_ref())).collect()
}

/// A compiled set, for tests that know that none is empty.
pub fn separators<S: AsRef<[u8]>>(separators: &[S]) -> Separators {
    Separators::new(separators).expect("the set holds a separator, and none is empty")
}

/// A subject whose reads are dropped at every poll and called again: nothing may be lost by it.
#[derive(Debug)]
pub struct Impatient<S> {
    subject: S,
    waiting: Option<Call>,
}

impl<S: Subject> Impatient<S> {
    /// Drops the reads of `subject`.
    pub fn new(subject: S) -> Self {
        Self { subject, waiting: None }
    }
}

impl<S: Subject> Subject for Impatient<S> {
    fn feed(&mut self, bytes: &[u8]) {
        self.subject.feed(bytes);
    }

    fn feed_eof(&mut self) {
        self.subject.feed_eof();
    }

    fn feed_error(&mut self) {
        self.subject.feed_error();
    }

    fn begin(&mut self, call: &Call) -> Poll<Outcome> {
        let outcome = self.subject.begin(call);
        if outcome.is_pending() {
            self.subject.cancel();
            self.waiting = Some(call.clone());
        }
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
        self.subject.unread(bytes);
    }

    fn set_limit(&mut self, limit: usize) {
        self.subject.set_limit(limit);
    }

    fn buffered(&mut self) -> Bytes {
        self.subject.buffered()
    }

    fn at_eof(&mut self) -> bool {
        self.subject.at_eof()
    }

    fn rest(&mut self) -> Bytes {
        self.subject.rest()
    }
}
