//! The writer's core: what was accepted, what became of it, and who waits for that.
//!
//! Everything here happens under one short lock that is never held across a call into the transport,
//! nor while a waker runs. There is no tokio type and no transport in it: `connection` moves the bytes.
//!
//! ```text
//!   write ──▶ pending ──▶ (taken by whoever pushes) ──▶ transport ──▶ flushed
//!             └───────────── queued ─────────────┘
//! ```

use crate::waiters::{Slot, Waiters, wake};
use crate::{CloseError, TransportError, WriteError};
use bytes::Buf;
use highwater_buffer::{Watermarks, WriteBuffer};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Wake, Waker};

/// Locks, and goes on after a panic elsewhere: no invariant is broken between two statements here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the stream has come towards its end, as seen by the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Open,
    /// Our half ends behind what is queued; reading goes on.
    Ending,
    /// The connection ends behind what is queued.
    Closing,
}

/// Who sends what was queued: a task of its own, or the one that attends to the connection.
#[derive(Debug)]
enum Flusher {
    /// None was started yet, or its runtime has ended: whoever waits does the work.
    Absent,
    /// Started. `waker` from its first poll on; `is_idle` while it waits and has not been woken for the burst in
    /// course. Invariant: nobody is idle without a waker.
    Running { waker: Option<Waker>, is_idle: bool },
}

impl Flusher {
    const STARTED: Self = Self::Running { waker: None, is_idle: false };

    /// Whom to wake, if it sleeps.
    fn rouse(&mut self) -> Option<Waker> {
        let Self::Running { waker, is_idle } = self else { return None };
        if mem::take(is_idle) { waker.clone() } else { None }
    }
}

/// What is to be done once the lock is released.
#[must_use]
#[derive(Debug)]
pub(crate) enum Next {
    Nothing,
    Wake(Waker),
    StartFlusher,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Whether a drain has nothing to wait for and no error to tell: a copy of `State::is_calm`, for those who
    /// ask nothing else. It changes under the lock alone, so whoever knows of a loss finds it told here.
    calm: AtomicBool,
}

/// The state, to be changed. What follows from it is derived anew when it is released.
struct Held<'a> {
    state: MutexGuard<'a, State>,
    calm: &'a AtomicBool,
}

#[derive(Debug)]
struct State {
    /// Accepted, and not taken by a push yet.
    pending: WriteBuffer,
    /// Nothing was taken since the flusher last found nothing to do.
    /// Invariant: then nothing is held back, and nothing has memory but `pending`.
    is_settled: bool,
    /// While `pending` holds less than this, a short write has nothing to look at but this. Invariant: what
    /// `State::straight_below` says, whenever the lock is free.
    straight_below: usize,
    /// Bytes that a push has taken, and the transport has not.
    outgoing: usize,
    /// The transport has taken this many bytes since the start. Invariant: at least `flushed`.
    written: u64,
    /// It has flushed this many.
    flushed: u64,
    /// The transport has ended our half.
    is_shut: bool,
    /// Somebody waits for room below `max_buffered`.
    room_wanted: bool,
    /// Somebody waits until this many are flushed.
    flush_wanted: u64,
    marks: Watermarks,
    /// Above the high mark, and not yet down to the low one again.
    paused: bool,
    max_buffered: Option<usize>,
    phase: Phase,
    /// The first failure. Invariant: then nothing is queued.
    lost: Option<TransportError>,
    /// After a loss: no more bytes are to be expected of the transport. A writer may meet a loss before the
    /// runtime has looked at the socket again, and what the kernel holds is the reader's.
    is_read_out: bool,
    /// Bytes that were accepted and dropped.
    unsent: u64,
    /// The transport is gone; this is how it went. Invariant: then the phase is `Closing`.
    outcome: Option<Result<(), CloseError>>,
    /// Writers alive. Invariant: from zero there is no way back.
    writers: usize,
    /// Whether a reading half is alive.
    reader: bool,
    reader_waker: Option<Waker>,
    flusher: Flusher,
    waiters: Waiters,
}

/// Where a push stands.
pub(crate) struct Taken {
    /// Bytes that the transport had taken when this was said.
    pub(crate) written: u64,
    pub(crate) must_flush: bool,
    pub(crate) is_lost: bool,
}

/// What there is to do for whoever drives the connection.
pub(crate) enum Duty {
    /// Send, then go on as the phase says.
    Work(Phase),
    /// The connection failed, and nobody needs the transport any more.
    LetGo,
    /// The connection failed; the reader is to have the time to fetch what the kernel holds.
    WaitForReader,
    /// The connection failed, and whoever reads is told so.
    Nothing,
    /// It is over.
    Over,
}

impl Outbox {
    pub(crate) fn new(marks: Watermarks, max_buffered: Option<usize>, reader: bool) -> Self {
        Self {
            state: Mutex::new(State {
                pending: WriteBuffer::new(),
                is_settled: true,
                straight_below: 0,
                outgoing: 0,
                written: 0,
                flushed: 0,
                is_shut: false,
                room_wanted: false,
                flush_wanted: 0,
                marks,
                paused: false,
                max_buffered,
                phase: Phase::Open,
                lost: None,
                is_read_out: false,
                unsent: 0,
                outcome: None,
                writers: 1,
                reader,
                reader_waker: None,
                flusher: Flusher::Absent,
                waiters: Waiters::default(),
            }),
            calm: AtomicBool::new(true),
        }
    }

    fn hold(&self) -> Held<'_> {
        Held { state: lock(&self.state), calm: &self.calm }
    }

    // ---- the program's side --------------------------------------------------------------------

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
        self.hold().max_buffered = max_buffered;
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

    // ---- the halves ----------------------------------------------------------------------------

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
    pub(crate) fn reader_verdict(&self) -> Option<Result<(), TransportError>> {
        let state = lock(&self.state);
        (state.phase == Phase::Closing).then(|| state.lost.clone().map_or(Ok(()), Err))
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

    // ---- the transport's side ------------------------------------------------------------------

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
        } else if state.is_read_out {
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

/// Which halves are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halves {
    SomeWriter,
    ReaderOnly,
    None,
}

impl State {
    /// Bytes accepted and not taken by the transport yet.
    fn queued(&self) -> usize {
        self.outgoing + self.pending.remaining()
    }

    /// Bytes accepted since the start, lost ones aside.
    fn accepted(&self) -> u64 {
        self.written + self.queued() as u64
    }

    /// The transport has taken bytes that it has not flushed.
    fn is_held_back(&self) -> bool {
        self.written > self.flushed
    }

    /// Nobody has to wait for the low mark, or to be told of a loss.
    fn is_calm(&self) -> bool {
        !self.paused && self.lost.is_none()
    }

    /// Below how many bytes pending a short write changes nothing but `pending`: it is allowed, it passes
    /// neither the high mark nor the cap, and the flusher is awake.
    fn straight_below(&self) -> usize {
        if self.phase != Phase::Open || self.lost.is_some() {
            return 0;
        }
        let Flusher::Running { is_idle: false, .. } = self.flusher else { return 0 };
        let mark = if self.paused { usize::MAX } else { self.marks.high() };
        let most = mark.min(self.max_buffered.unwrap_or(usize::MAX));
        most.checked_sub(self.outgoing).map_or(0, |most| most.saturating_add(1))
    }

    fn take(&mut self, outgoing: &mut WriteBuffer) -> Taken {
        if outgoing.is_empty() && !self.pending.is_empty() {
            self.outgoing += self.pending.remaining();
            outgoing.append(&mut self.pending);
            self.is_settled = false;
        }
        Taken { written: self.written, must_flush: self.is_held_back(), is_lost: self.lost.is_some() }
    }

    fn check_quiet(&self) -> Result<(), usize> {
        let is_quiet = self.writers == 1 && self.accepted() == self.flushed && self.lost.is_none();
        if is_quiet { Ok(()) } else { Err(self.writers - 1) }
    }

    fn check_writable(&self) -> Result<(), WriteError> {
        if let Some(error) = &self.lost {
            return Err(error.clone().into());
        }
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Ending => Err(WriteError::Ended),
            Phase::Closing => Err(WriteError::Closed),
        }
    }

    fn rouse_flusher(&mut self) -> Next {
        match &mut self.flusher {
            Flusher::Absent => {
                self.flusher = Flusher::STARTED;
                Next::StartFlusher
            }
            flusher => flusher.rouse().map_or(Next::Nothing, Next::Wake),
        }
    }

    /// Keeps the first failure, and returns what was pending, to be dropped once the lock is released.
    fn lose(&mut self, error: TransportError) -> (TransportError, WriteBuffer) {
        self.unsent += self.queued() as u64;
        self.outgoing = 0;
        self.paused = false;
        if self.lost.is_none() {
            // The flusher gives the reader its time; where there is none, there is no clock to give it by.
            self.is_read_out = matches!(self.flusher, Flusher::Absent);
        }
        (self.lost.get_or_insert(error).clone(), mem::take(&mut self.pending))
    }

    fn halves(&self) -> Halves {
        match (self.writers, self.reader) {
            (0, false) => Halves::None,
            (0, true) => Halves::ReaderOnly,
            _ => Halves::SomeWriter,
        }
    }

    fn wake_everybody(&mut self) -> Vec<Waker> {
        let mut wakers = self.waiters.wake_all();
        wakers.extend(self.reader_waker.take());
        wakers.extend(self.flusher.rouse());
        wakers
    }
}

impl Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.state.straight_below = self.state.straight_below();
        self.calm.store(self.state.is_calm(), Ordering::Release);
    }
}

/// The one waker that the transport's writing side ever sees, whoever polls it. It wakes the flusher,
/// and every waiter where there is no flusher: a waiter that pushes and is then cancelled leaves nobody
/// asleep.
impl Wake for Outbox {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers = {
            let mut state = self.hold();
            match &mut state.flusher {
                Flusher::Absent => state.waiters.wake_all(),
                flusher => flusher.rouse().into_iter().collect(),
            }
        };
        wake(wakers);
    }
}

#[cfg(test)]
mod tests;
