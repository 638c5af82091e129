//! The transport's side: what is taken from the queue and what became of it, told by whoever drives the connection.

use super::{Duty, Flusher, Outbox, Phase, Taken, lock};
use crate::waiters::wake;
use crate::{CloseError, TransportError};
use highwater_buffer::WriteBuffer;
use std::mem;
use std::task::Waker;

impl Outbox {
    /// The flusher sleeps with `waker` until it is roused. Says whether it can do so at once, for there is nothing
    /// to send, nothing to end and nothing to give back.
    pub(crate) fn sleep(&self, waker: &Waker) -> bool {
        let mut state = self.hold();
        if let Flusher::Running { waker: kept, is_idle } = &mut state.flusher {
            *is_idle = true;
            match kept {
                Some(kept) => kept.clone_from(waker),
                empty => *empty = Some(waker.clone()),
            }
        }
        let is_settled = state.is_settled && state.pending.is_empty();
        is_settled && state.phase == Phase::Open && state.lost.is_none()
    }

    /// What whoever drives the connection has to do.
    pub(crate) fn duty(&self) -> Duty {
        let state = lock(&self.state);
        if state.outcome.is_some() {
            Duty::Over
        } else if state.lost.is_none() {
            Duty::Work(state.phase)
        } else if state.phase == Phase::Closing || !state.reader {
            Duty::LetGo
        } else if state.is_read_out || state.reader_waker.is_none() {
            Duty::Nothing
        } else {
            Duty::WaitForReader
        }
    }

    /// Moves what is pending into `outgoing`, once that is empty: behind a stall, short writes are gathered
    /// in `pending`, and a flush covers what was taken with it and waits for nothing that came later.
    pub(crate) fn take(&self, outgoing: &mut WriteBuffer) -> Taken {
        self.hold().take(outgoing)
    }

    /// Everything was sent: gives back the memory that it was in, but for what `pending` keeps for a short answer.
    pub(crate) fn settle(&self, sent: &mut WriteBuffer) {
        *sent = WriteBuffer::new();
        let mut state = lock(&self.state);
        if state.queued() == 0 {
            state.pending.release();
            state.is_settled = true;
        }
    }

    /// The transport took `count` bytes.
    pub(crate) fn wrote(&self, count: usize) {
        let wakers = {
            let mut state = self.hold();
            state.written += count as u64;
            if state.lost.is_some() {
                // An abort in the meantime has emptied the queue, and counted these as unsent.
                state.unsent -= count as u64;
                return;
            }
            state.outgoing -= count;
            let is_low = state.paused && state.queued() <= state.marks.low();
            if is_low || mem::take(&mut state.room_wanted) {
                state.paused &= !is_low;
                state.waiters.wake_all()
            } else {
                Vec::new()
            }
        };
        wake(wakers);
    }

    /// The transport has flushed everything that it took up to `written`, of `outgoing` all. Then goes on as
    /// `take` does.
    pub(crate) fn flushed(&self, written: u64, outgoing: &mut WriteBuffer) -> Taken {
        let (taken, wakers) = {
            let mut state = self.hold();
            let is_awaited = state.flush_wanted > state.flushed;
            state.flushed = state.flushed.max(written);
            let wakers = if is_awaited { state.waiters.wake_all() } else { Vec::new() };
            if state.pending.is_empty() {
                // The next burst goes where the cache is warm, and mostly needs no second block.
                mem::swap(outgoing, &mut state.pending);
            }
            (state.take(outgoing), wakers)
        };
        wake(wakers);
        taken
    }

    /// The transport has ended our half.
    pub(crate) fn shut(&self) {
        let wakers = {
            let mut state = self.hold();
            state.is_shut = true;
            state.waiters.wake_all()
        };
        wake(wakers);
    }

    /// Whether our half was ended, or the connection.
    pub(crate) fn is_ending(&self) -> bool {
        lock(&self.state).phase > Phase::Open
    }

    /// Bytes that the transport has taken so far, and whether anybody is left who could write more.
    pub(crate) fn progress(&self) -> (u64, bool) {
        let state = lock(&self.state);
        (state.written, state.phase == Phase::Closing || state.writers == 0)
    }

    /// Keeps the first failure and drops what is queued. Returns the failure that is kept.
    pub(crate) fn lose(&self, error: TransportError) -> TransportError {
        // What is queued runs the caller's code when it is dropped: not under the lock.
        let (kept, (dropped, wakers)) = {
            let mut state = self.hold();
            let (kept, dropped) = state.lose(error);
            (kept, (dropped, state.wake_everybody()))
        };
        drop(dropped);
        wake(wakers);
        kept
    }

    /// Whether everything is flushed and there is one writer. If not, how many others there are; none where
    /// more was queued, or something was lost.
    pub(crate) fn check_quiet(&self) -> Result<(), usize> {
        lock(&self.state).check_quiet()
    }

    /// Ends all writing, so that the transport can be taken back, if it is quiet.
    pub(crate) fn retire(&self) -> Result<(), usize> {
        let mut state = self.hold();
        state.check_quiet()?;
        let _nothing_pending = state.lose(TransportError::reunited());
        Ok(())
    }

    /// The transport is gone. What was queued until now is lost, for the reason given if none is kept.
    /// Returns what nobody is left to be told.
    pub(crate) fn over(&self, reason: impl FnOnce() -> TransportError) -> Option<CloseError> {
        let (untold, dropped, wakers, flusher) = {
            let mut state = self.hold();
            if state.outcome.is_some() {
                return None;
            }
            let held_back = state.is_held_back();
            let dropped = (state.queued() > 0 || held_back).then(|| state.lose(reason()).1);
            let outcome = match &state.lost {
                Some(error) => Err(CloseError::new(state.unsent, error.clone())),
                None => Ok(()),
            };
            state.outcome = Some(outcome.clone());
            state.phase = Phase::Closing;
            let untold =
                outcome.err().filter(|error| state.writers == 0 && (error.unsent() > 0 || held_back));
            let wakers = state.wake_everybody();
            // Its waker keeps the memory of its task, and facts outlive the connection.
            let flusher = mem::replace(&mut state.flusher, Flusher::Absent);
            (untold, dropped, wakers, flusher)
        };
        drop((dropped, flusher));
        wake(wakers);
        untold
    }

    // ---- the flusher ---------------------------------------------------------------------------

    /// The reader has had its time.
    pub(crate) fn read_out(&self) {
        let waker = {
            let mut state = self.hold();
            state.is_read_out = true;
            state.reader_waker.take()
        };
        wake(waker);
    }

    /// The flusher has gone, or could not be started. Whoever waits is woken to do its work.
    pub(crate) fn flusher_gone(&self) {
        let wakers = {
            let mut state = self.hold();
            state.flusher = Flusher::Absent;
            state.is_read_out = state.lost.is_some();
            state.wake_everybody()
        };
        wake(wakers);
    }

    /// There will be one: nobody has to start it.
    pub(crate) fn expect_flusher(&self) {
        self.hold().flusher = Flusher::STARTED;
    }

    /// The flusher is being polled, and looks at the queue before it sleeps again: nobody needs to wake it.
    pub(crate) fn flusher_is_awake(&self) {
        if let Flusher::Running { is_idle, .. } = &mut self.hold().flusher {
            *is_idle = false;
        }
    }

    pub(crate) fn has_flusher(&self) -> bool {
        matches!(lock(&self.state).flusher, Flusher::Running { .. })
    }
}
