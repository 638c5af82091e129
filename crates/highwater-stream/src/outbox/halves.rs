//! Who is left: the writers, and the reading half with its waker.

use super::{Flusher, Outbox, Phase, State, lock};
use crate::TransportError;
use crate::waiters::wake;
use std::task::Waker;

/// Which halves are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halves {
    SomeWriter,
    ReaderOnly,
    None,
}

/// Whether a read may ask the transport.
#[derive(Debug)]
pub(crate) enum Access {
    Open,
    /// It may, for what is still held.
    Lost,
    Over(Result<(), TransportError>),
}

impl Access {
    pub(crate) fn over(self) -> Option<Result<(), TransportError>> {
        if let Self::Over(verdict) = self { Some(verdict) } else { None }
    }
}

impl Outbox {
    pub(crate) fn add_writer(&self) {
        lock(&self.state).writers += 1;
    }

    /// One more writer, unless the last one has gone.
    pub(crate) fn try_add_writer(&self) -> bool {
        let mut state = self.hold();
        if state.writers > 0 {
            state.writers += 1;
        }
        state.writers > 0
    }

    pub(crate) fn writers(&self) -> usize {
        lock(&self.state).writers
    }

    pub(crate) fn remove_writer(&self) -> Halves {
        let mut state = self.hold();
        state.writers -= 1;
        state.halves()
    }

    pub(crate) fn remove_reader(&self) -> Halves {
        let mut state = self.hold();
        state.reader = false;
        state.reader_waker = None;
        state.halves()
    }

    /// What a read is told before the transport is asked: the end after `close`, the error after `abort`.
    pub(crate) fn reader_access(&self) -> Access {
        let state = lock(&self.state);
        match &state.lost {
            lost if state.phase == Phase::Closing => Access::Over(lost.clone().map_or(Ok(()), Err)),
            Some(_) => Access::Lost,
            None => Access::Open,
        }
    }

    /// Keeps the waker of a read for which the transport has nothing, unless the connection has ended.
    pub(crate) fn keep_reader(&self, waker: &Waker) -> Option<Result<(), TransportError>> {
        let mut state = lock(&self.state);
        match &state.lost {
            Some(error) if state.is_read_out || state.phase == Phase::Closing => {
                return Some(Err(error.clone()));
            }
            None if state.phase == Phase::Closing => return Some(Ok(())),
            _ => {}
        }
        match &mut state.reader_waker {
            Some(kept) => kept.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
        None
    }

    /// A read waits after the loss: the flusher gives it its time.
    pub(crate) fn wait_for_reader(&self) {
        let flusher = lock(&self.state).flusher.rouse();
        wake(flusher);
    }

    /// A read has got bytes after the loss: one that waits for more has its time again.
    pub(crate) fn read_on(&self) {
        let mut state = lock(&self.state);
        state.reader_waker = None;
        state.is_read_out = matches!(state.flusher, Flusher::Absent);
    }
}

impl State {
    fn halves(&self) -> Halves {
        match (self.writers, self.reader) {
            (0, false) => Halves::None,
            (0, true) => Halves::ReaderOnly,
            _ => Halves::SomeWriter,
        }
    }
}
