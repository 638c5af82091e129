//! What a task can wait for. Each wait has a slot of its own, which it leaves when it is over or given up.

use super::{Outbox, Phase, lock};
use crate::waiters::Slot;
use crate::{CloseError, TransportError};
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

impl Outbox {
    /// Whether there is room below the high mark, and no error to tell.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Acquire)
    }

    // A poll that finds a wait keeps the waker for it. Without one it is a mere look.

    /// Room below the high mark, an error, or a wait.
    pub(crate) fn poll_room(
        &self,
        slot: &mut Slot,
        waker: Option<&Waker>,
    ) -> Poll<Result<(), TransportError>> {
        let mut state = lock(&self.state);
        let ready = match &state.lost {
            Some(error) => Err(error.clone()),
            None if !state.paused => Ok(()),
            None => {
                if let Some(waker) = waker {
                    state.waiters.keep(slot, waker);
                }
                return Poll::Pending;
            }
        };
        state.waiters.leave(slot);
        Poll::Ready(ready)
    }

    /// Room for at least one byte below the high mark and the cap, and for how many, an error, or a wait.
    pub(crate) fn poll_any_room(
        &self,
        slot: &mut Slot,
        waker: Option<&Waker>,
    ) -> Poll<Result<usize, TransportError>> {
        let mut state = lock(&self.state);
        let room = state.max_buffered.map_or(usize::MAX, |most| most.saturating_sub(state.queued()));
        let ready = match &state.lost {
            Some(error) => Err(error.clone()),
            // A cap of zero never has room: the write tells.
            None if !state.paused && (room > 0 || state.queued() == 0) => Ok(room),
            None => {
                if let Some(waker) = waker {
                    state.room_wanted |= room == 0;
                    state.waiters.keep(slot, waker);
                }
                return Poll::Pending;
            }
        };
        state.waiters.leave(slot);
        Poll::Ready(ready)
    }

    /// Our half ended by the transport, an error, or a wait.
    pub(crate) fn poll_shut(&self, slot: &mut Slot, waker: &Waker) -> Poll<Result<(), TransportError>> {
        let mut state = lock(&self.state);
        let ready = match &state.lost {
            _ if state.is_shut => Ok(()),
            Some(error) => Err(error.clone()),
            None if state.outcome.is_some() => Ok(()),
            None => {
                state.waiters.keep(slot, waker);
                return Poll::Pending;
            }
        };
        state.waiters.leave(slot);
        Poll::Ready(ready)
    }

    /// A ticket for everything that is queued now.
    pub(crate) fn flush_ticket(&self) -> u64 {
        lock(&self.state).accepted()
    }

    /// Everything up to `ticket` flushed, an error, or a wait.
    pub(crate) fn poll_flushed(
        &self,
        ticket: u64,
        slot: &mut Slot,
        waker: Option<&Waker>,
    ) -> Poll<Result<(), TransportError>> {
        let mut state = lock(&self.state);
        let ready = match &state.lost {
            Some(error) => Err(error.clone()),
            None if state.flushed >= ticket => Ok(()),
            None => {
                if let Some(waker) = waker {
                    state.flush_wanted = state.flush_wanted.max(ticket);
                    state.waiters.keep(slot, waker);
                }
                return Poll::Pending;
            }
        };
        state.waiters.leave(slot);
        Poll::Ready(ready)
    }

    /// How the connection ended, or a wait.
    pub(crate) fn poll_closed(&self, slot: &mut Slot, waker: &Waker) -> Poll<Result<(), CloseError>> {
        let mut state = lock(&self.state);
        let ready = match (&state.outcome, &state.lost) {
            (Some(outcome), _) => outcome.clone(),
            // Kept for the reader only. Of a closing one the outcome follows, with the final count.
            (None, Some(error)) if state.phase < Phase::Closing => {
                Err(CloseError::new(state.unsent, error.clone()))
            }
            (None, _) => {
                state.waiters.keep(slot, waker);
                return Poll::Pending;
            }
        };
        state.waiters.leave(slot);
        Poll::Ready(ready)
    }

    /// The transport gone, or a wait.
    pub(crate) fn poll_gone(&self, slot: &mut Slot, waker: &Waker) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.outcome.is_none() {
            state.waiters.keep(slot, waker);
            return Poll::Pending;
        }
        state.waiters.leave(slot);
        Poll::Ready(())
    }

    /// Ends a wait that was given up.
    pub(crate) fn leave(&self, slot: &mut Slot) {
        if slot.is_some() {
            lock(&self.state).waiters.leave(slot);
        }
    }
}
