//! The writer's core: what was accepted, what became of it, and who waits for that.
//!
//! Everything here happens under one short lock that is never held across a call into the transport,
//! nor while a waker runs. There is no tokio type and no transport in it: `connection` moves the bytes.
//!
//! ```text
//!   write ──▶ pending ──▶ (taken by whoever pushes) ──▶ transport ──▶ flushed
//!             └───────────── queued ─────────────┘
//! ```

mod halves;
mod program;
mod transport;
mod waits;

pub(crate) use halves::{Access, Halves};

use crate::sync::{AtomicBool, Mutex, MutexGuard, lock};
use crate::waiters::{Waiters, wake};
use crate::{CloseError, TransportError, WriteError};
use bytes::Buf;
use highwater_buffer::{Watermarks, WriteBuffer};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Wake, Waker};

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
    /// The connection failed; a read that waits is to have the time to fetch what the kernel holds.
    WaitForReader,
    /// The connection failed, and nobody reads, or whoever does is told so.
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

#[cfg(all(test, not(highwater_loom)))]
mod tests;
