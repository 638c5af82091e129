//! The program's side: what is accepted, how the connection is to end, and what can be asked.

use super::{Next, Outbox, Phase, lock};
use crate::waiters::wake;
use crate::{TransportError, WriteError};
use bytes::Buf;
use highwater_buffer::{Watermarks, WriteBuffer};

impl Outbox {
    /// Accepts `bytes` if nothing else is to be decided or done, as it is for most writes of a burst.
    #[inline(always)]
    pub(crate) fn accept_straight(&self, bytes: &[u8]) -> bool {
        let mut state = lock(&self.state);
        let is_straight = state.pending.remaining() + bytes.len() < state.straight_below;
        if is_straight {
            state.pending.push(bytes);
        }
        is_straight
    }

    /// Accepts a payload of `length` bytes, which `push` appends, or refuses it whole.
    pub(crate) fn accept(
        &self,
        length: usize,
        push: impl FnOnce(&mut WriteBuffer),
    ) -> Result<Next, WriteError> {
        let mut state = self.hold();
        state.check_writable()?;
        if length == 0 {
            return Ok(Next::Nothing);
        }
        let queued = state.queued();
        if let Some(max_buffered) = state.max_buffered {
            if length > max_buffered.saturating_sub(queued) {
                return Err(WriteError::Full { queued, payload: length, max_buffered });
            }
        }
        push(&mut state.pending);
        state.paused |= state.queued() > state.marks.high();
        Ok(state.rouse_flusher())
    }

    /// Our half is to end behind what is queued; where nobody reads, that is the end of the connection.
    /// Says whether it is news.
    pub(crate) fn end(&self) -> Result<bool, TransportError> {
        let mut state = self.hold();
        if let Some(error) = &state.lost {
            return Err(error.clone());
        }
        let is_news = state.phase == Phase::Open;
        let end = if state.reader { Phase::Ending } else { Phase::Closing };
        state.phase = state.phase.max(end);
        Ok(is_news)
    }

    /// The connection is to end behind what is queued. `false` when it was to end already.
    pub(crate) fn close(&self) -> bool {
        let (changed, waker) = {
            let mut state = self.hold();
            let changed = state.phase < Phase::Closing;
            state.phase = Phase::Closing;
            (changed, state.reader_waker.take())
        };
        wake(waker);
        changed
    }

    /// The connection ends at once, for the reason given if none is kept.
    pub(crate) fn abort(&self, error: TransportError) {
        let (dropped, wakers) = {
            let mut state = self.hold();
            state.phase = Phase::Closing;
            (state.lose(error).1, state.wake_everybody())
        };
        drop(dropped);
        wake(wakers);
    }

    /// Wakes the flusher, or asks for one to be started.
    pub(crate) fn rouse_flusher(&self) -> Next {
        let mut state = self.hold();
        if state.outcome.is_some() { Next::Nothing } else { state.rouse_flusher() }
    }

    pub(crate) fn set_marks(&self, marks: Watermarks) {
        let wakers = {
            let mut state = self.hold();
            state.marks = marks;
            let queued = state.queued();
            state.paused = queued > marks.high() || (state.paused && queued > marks.low());
            state.waiters.wake_all()
        };
        wake(wakers);
    }

    pub(crate) fn marks(&self) -> Watermarks {
        lock(&self.state).marks
    }

    pub(crate) fn set_max_buffered(&self, max_buffered: Option<usize>) {
        let wakers = {
            let mut state = self.hold();
            state.max_buffered = max_buffered;
            state.waiters.wake_all()
        };
        wake(wakers);
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.state).queued()
    }

    pub(crate) fn is_closing(&self) -> bool {
        let state = lock(&self.state);
        state.phase == Phase::Closing || state.lost.is_some()
    }

    /// Whether `close` was called, or the last half has gone.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).phase == Phase::Closing
    }

    pub(crate) fn lost(&self) -> Option<TransportError> {
        lock(&self.state).lost.clone()
    }

    pub(crate) fn is_over(&self) -> bool {
        lock(&self.state).outcome.is_some()
    }
}
