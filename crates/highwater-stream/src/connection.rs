//! One transport and both its halves: who polls it, and how it ends.
//!
//! Two locks, always taken in this order: the channel's, held by whoever polls the transport, and the
//! outbox's, held for a few statements and never across a call into the transport.
//!
//! ```text
//!            write            drain · flush · close · flusher                  read
//!              ▼                           ▼                                    ▼
//!   ┌────── Outbox ──────┐      ┌────────────────── Channel ──────────────────────────┐
//!   │ pending, counts,   │ take │ outgoing ─▶ poll_write_vectored ─▶ poll_flush        │
//!   │ waiters, phase     ├─────▶│            ─▶ poll_shutdown ─▶ linger ─▶ gone         │
//!   └────────────────────┘      └─────────────────────────────────────────────────────┘
//! ```

mod read;

use crate::outbox::{Duty, Halves, Next, Outbox, Phase};
use crate::report::unsent;
use crate::sync::{AtomicBool, Mutex, MutexGuard, before_release, fence, is_poisoned, lock};
use crate::waiters::Slot;
use crate::{CloseError, TransportError};
use bytes::Buf;
use highwater_buffer::WriteBuffer;
use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;

/// The most chunks that one vectored write takes along. Linux takes 1,024; gathered writes need few.
const MOST_SLICES: usize = 64;

/// The most batches that are sent in a turn.
const MOST_BATCHES: usize = 8;

/// How long a closed connection reads on and discards, so that unread input does not turn into a reset
/// that destroys the reply.
///
/// # Source
/// RFC 1122 §4.2.2.13: a close with unread input sends a reset. diverges: asyncio closes so, and the reset
/// may destroy what was written last; the reply that explains a refusal has to arrive.
///
/// ```
/// use highwater_stream::Linger;
/// use std::time::Duration;
///
/// let linger = Linger::default();
/// assert_eq!((linger.silence, linger.total), (Duration::from_secs(2), Duration::from_secs(30)));
/// assert_eq!(linger.bytes, 1024 * 1024);
/// assert_eq!(Linger::NONE.bytes, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linger {
    /// It ends when the peer has sent nothing for this long.
    pub silence: Duration,
    /// It ends after this long in any case.
    pub total: Duration,
    /// It ends after so many discarded bytes. Zero means not to linger.
    pub bytes: u64,
}

impl Linger {
    /// No linger: what is unread at the end may become a reset.
    ///
    /// ```
    /// use highwater_stream::Linger;
    /// let (transport, _peer_that_never_ends) = tokio::io::duplex(64);
    /// let (_reader, writer) = highwater_stream::Pair::new(transport).linger(Linger::NONE).split();
    /// writer.close();
    /// assert!(writer.downgrade().is_gone()); // at once
    /// ```
    pub const NONE: Self = Self { silence: Duration::ZERO, total: Duration::ZERO, bytes: 0 };
}

impl Default for Linger {
    fn default() -> Self {
        Self { silence: Duration::from_secs(2), total: Duration::from_secs(30), bytes: 1024 * 1024 }
    }
}

/// What a connection was told of its transport when it was made.
pub(crate) struct Manners<T> {
    pub(crate) abort: Option<fn(&mut T)>,
    pub(crate) discard: Option<Discard<T>>,
    /// Counts what the transport passes on of what it has accepted.
    pub(crate) progress: Option<fn(&T) -> u64>,
    pub(crate) can_write_eof: bool,
    pub(crate) farewell: Mutex<Farewell>,
    pub(crate) write_timeout: Option<Duration>,
}

/// How long the end of a connection may take: the only manners that change while it lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Farewell {
    pub(crate) linger: Linger,
    pub(crate) delivery_timeout: Duration,
}

impl Default for Farewell {
    fn default() -> Self {
        Self { linger: Linger::default(), delivery_timeout: Duration::from_secs(30) }
    }
}

/// Who is told of bytes that were lost when nobody else was left to be told.
pub(crate) type OnUnsent<F> = Arc<dyn Fn(&CloseError, &F) + Send + Sync>;

/// Reads and throws away; absent where the transport cannot be read.
pub(crate) type Discard<T> = fn(&mut T, &mut Context<'_>, &mut ReadBuf<'_>) -> Poll<io::Result<()>>;

pub(crate) fn discard<T: AsyncRead + Unpin>(
    transport: &mut T,
    cx: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    Pin::new(transport).poll_read(cx, into)
}

pub(crate) struct Connection<T, F> {
    pub(crate) outbox: Arc<Outbox>,
    channel: Mutex<Channel<T>>,
    /// The one waker that the transport's writing side sees: see `Outbox`'s `Wake`.
    waker: Waker,
    /// A close or an abort came while the channel was in use; whoever uses it acts on that after.
    called_on: AtomicBool,
    /// Nobody is left who could wait or write, nor a flusher: whoever uses the channel lets go of it.
    forsaken: AtomicBool,
    runtime: Option<Handle>,
    /// A flusher was dropped by `runtime`.
    runtime_ended: AtomicBool,
    pub(crate) manners: Manners<T>,
    on_unsent: Option<OnUnsent<F>>,
    pub(crate) facts: F,
}

/// Where the transport is.
#[derive(Debug)]
enum Berth<T> {
    Here(T),
    /// With [`StreamReader::upgrade`](crate::StreamReader::upgrade), which brings one back or lets go. Until
    /// then nothing is sent, read or ended.
    Lent,
    Gone,
}

/// The transport and what only its user needs.
struct Channel<T> {
    /// `None` once the connection is gone.
    transport: Berth<T>,
    /// Taken from the outbox, and not taken by the transport yet.
    outgoing: WriteBuffer,
    /// Our half is shut.
    shut: bool,
    /// The peer's end was seen.
    peer_ended: bool,
    /// Bytes discarded by the linger.
    discarded: u64,
    /// What nobody is left to be told, until the channel is free.
    untold: Option<CloseError>,
}

/// How far a push came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Everything that was queued is flushed.
    All,
    /// The transport takes no more for now.
    Part,
    /// The connection has failed, or its transport is not here.
    Nothing,
}

/// Where the connection stands after some work was done on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is nothing to do until the program asks for something.
    Idle,
    /// The transport takes no more for now. `progress` grows with each byte that it takes, or passes on;
    /// `unattended` when nobody is left who could write more.
    Stalled { progress: u64, unattended: bool },
    /// The connection failed; what the kernel still holds may be on its way to the reader.
    ReadingOut,
    /// Everything is delivered; the peer may still be sending. So much was discarded.
    Lingering { discarded: u64 },
    /// The transport is gone.
    Gone,
}

impl<T, F> Connection<T, F> {
    pub(crate) fn new(
        transport: T,
        outbox: Outbox,
        manners: Manners<T>,
        facts: F,
        on_unsent: Option<OnUnsent<F>>,
    ) -> Self {
        let outbox = Arc::new(outbox);
        Self {
            waker: Waker::from(Arc::clone(&outbox)),
            outbox,
            channel: Mutex::new(Channel {
                transport: Berth::Here(transport),
                outgoing: WriteBuffer::new(),
                shut: false,
                peer_ended: false,
                discarded: 0,
                untold: None,
            }),
            called_on: AtomicBool::new(false),
            forsaken: AtomicBool::new(false),
            runtime: Handle::try_current().ok(),
            runtime_ended: AtomicBool::new(false),
            manners,
            on_unsent,
            facts,
        }
    }

    pub(crate) fn farewell(&self) -> Farewell {
        *lock(&self.manners.farewell)
    }

    /// The runtime that the connection was made in, or, where there was none or it has ended, the one that
    /// it is used in.
    pub(crate) fn runtime(&self) -> Option<Handle> {
        let given = self.runtime.clone().filter(|_| !self.runtime_ended.load(Ordering::Relaxed));
        given.or_else(|| Handle::try_current().ok())
    }
}

impl<T: AsyncWrite + Unpin, F> Connection<T, F> {
    // ---- writing -------------------------------------------------------------------------------

    /// Hands the transport what it takes there and then. Errors are kept in the outbox.
    pub(crate) fn push(&self) -> Pushed {
        let mut channel = lock(&self.channel);
        let pushed = self.push_through(&mut channel);
        self.unlock(channel);
        pushed
    }

    /// A transport that has panicked is not called again: in a drop, the second panic would end the
    /// process.
    fn note_panic(&self) -> Option<TransportError> {
        is_poisoned(&self.channel).then(|| self.outbox.lose(TransportError::panicked()))
    }

    /// Sends what is queued and flushes.
    fn push_through(&self, channel: &mut Channel<T>) -> Pushed {
        self.note_panic();
        let mut cx = Context::from_waker(&self.waker);
        let Channel { transport: Berth::Here(transport), outgoing, .. } = channel else {
            return Pushed::Nothing;
        };
        let mut batches = MOST_BATCHES;
        let mut taken = self.outbox.take(outgoing);
        loop {
            if taken.is_lost {
                outgoing.clear();
                outgoing.release();
                return Pushed::Nothing;
            }
            // With nothing to send and nothing to flush, the transport is left alone.
            if outgoing.is_empty() && !taken.must_flush {
                return Pushed::All;
            }
            if batches == 0 {
                // Somebody writes as fast as the transport takes it: others want a turn, too.
                self.waker.wake_by_ref();
                return Pushed::Part;
            }
            batches -= 1;
            taken = match self.send(transport, outgoing, taken.written, &mut cx) {
                Poll::Pending => return Pushed::Part,
                Poll::Ready(Ok(written)) => self.outbox.flushed(written, outgoing),
                Poll::Ready(Err(error)) => {
                    self.outbox.lose(error.into());
                    self.outbox.take(outgoing)
                }
            };
        }
    }

    /// Hands `outgoing` to the transport and flushes it. Tells how many bytes the transport has taken since
    /// the start, of which it had `written` before.
    fn send(
        &self,
        transport: &mut T,
        outgoing: &mut WriteBuffer,
        mut written: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        while outgoing.has_remaining() {
            let count = ready!(poll_write(transport, cx, outgoing))?;
            outgoing.advance(count);
            written += count as u64;
            self.outbox.wrote(count);
        }
        Pin::new(transport).poll_flush(cx).map_ok(|()| written)
    }

    /// Does what there is to do: sends, ends our half, lingers, lets go. With `cx` the linger reads.
    fn work(&self, channel: &mut Channel<T>, mut cx: Option<&mut Context<'_>>) -> Standing {
        self.note_panic();
        if matches!(channel.transport, Berth::Lent) {
            // An abort does not wait for what is lent: who has it may never be polled again.
            if self.outbox.is_closed() && self.outbox.lost().is_some() {
                channel.untold = self.outbox.over(TransportError::aborted).or(channel.untold.take());
            }
            return if self.outbox.is_over() { Standing::Gone } else { Standing::Idle };
        }
        loop {
            let phase = match self.outbox.duty() {
                Duty::Work(phase) => phase,
                Duty::WaitForReader => return Standing::ReadingOut,
                Duty::Nothing => return Standing::Idle,
                Duty::LetGo => return self.let_go(channel),
                Duty::Over => return Standing::Gone,
            };
            match self.push_through(channel) {
                Pushed::All => {}
                Pushed::Part => return self.stalled(channel),
                Pushed::Nothing => continue, // For the reason that the outbox tells next.
            }
            let must_shut = match phase {
                Phase::Open => return Standing::Idle,
                Phase::Ending => self.manners.can_write_eof && !channel.shut,
                Phase::Closing => !channel.shut,
            };
            if must_shut {
                let Berth::Here(transport) = &mut channel.transport else { return Standing::Gone };
                match Pin::new(transport).poll_shutdown(&mut Context::from_waker(&self.waker)) {
                    Poll::Pending => return self.stalled(channel),
                    Poll::Ready(Err(error)) if !is_peer_gone(&error) => {
                        self.outbox.lose(error.into());
                        continue;
                    }
                    Poll::Ready(_) => {
                        channel.shut = true;
                        self.outbox.shut();
                    }
                }
            }
            if phase == Phase::Ending {
                return Standing::Idle;
            }
            return match self.linger(channel, cx.as_deref_mut()) {
                Poll::Ready(()) => self.let_go(channel),
                Poll::Pending => Standing::Lingering { discarded: channel.discarded },
            };
        }
    }

    /// Reads and discards until the peer's end or the byte limit. The time limits are the flusher's.
    fn linger(&self, channel: &mut Channel<T>, cx: Option<&mut Context<'_>>) -> Poll<()> {
        let (Some(discard), Berth::Here(transport)) = (self.manners.discard, &mut channel.transport) else {
            return Poll::Ready(());
        };
        let most = self.farewell().linger.bytes;
        if channel.peer_ended || most == 0 {
            return Poll::Ready(());
        }
        let Some(cx) = cx else { return Poll::Pending };
        let mut scratch = [MaybeUninit::uninit(); 4096];
        while channel.discarded < most {
            let mut into = ReadBuf::uninit(&mut scratch);
            match ready!(discard(transport, cx, &mut into)) {
                Ok(()) if !into.filled().is_empty() => channel.discarded += into.filled().len() as u64,
                // The end, or a reset by a peer that has all it will take: nothing is left to protect.
                _ => break,
            }
        }
        Poll::Ready(())
    }

    fn stalled(&self, channel: &Channel<T>) -> Standing {
        let (written, unattended) = self.outbox.progress();
        let passed_on = match (self.manners.progress, &channel.transport) {
            (Some(progress), Berth::Here(transport)) => progress(transport),
            _ => 0,
        };
        Standing::Stalled { progress: written + passed_on, unattended }
    }

    /// Works as far as it goes without waiting, on behalf of the flusher, which waits with `cx`.
    pub(crate) fn drive(&self, cx: &mut Context<'_>) -> Standing {
        // First the waker, then the look at the queue: what is queued in between rouses again.
        if self.outbox.sleep(cx.waker()) {
            return Standing::Idle;
        }
        let mut channel = lock(&self.channel);
        let standing = self.work(&mut channel, Some(cx));
        if standing == Standing::Idle {
            // Here and not after each push: a writer that never rests keeps its blocks.
            self.outbox.settle(&mut channel.outgoing);
        }
        self.unlock(channel);
        standing
    }

    // ---- the end -------------------------------------------------------------------------------

    /// Ends the connection behind what is queued, there and then as far as the transport goes along.
    /// Returns whether the flusher has to see to the rest.
    pub(crate) fn close(&self) -> bool {
        self.outbox.close() && !self.act().is_some_and(Standing::is_settled)
    }

    /// Ends our half at the program's wish, there and then as far as the transport goes along. Returns
    /// whether the flusher has to see to the rest.
    pub(crate) fn write_eof(&self) -> Result<bool, TransportError> {
        Ok(self.outbox.end()? && !self.act().is_some_and(Standing::is_settled))
    }

    /// Ends our half because the last writer has gone, there and then as far as the transport goes along.
    /// Returns whether the flusher has to see to the rest.
    fn end(&self) -> bool {
        // Also when it was to end already: from now on nobody attends to the delivery, which bounds it.
        self.outbox.end().is_ok() && !self.act().is_some_and(Standing::is_settled)
    }

    /// Ends the connection at once and drops what is queued.
    pub(crate) fn abort(&self, error: TransportError) {
        if !self.outbox.is_over() {
            self.outbox.abort(error);
            self.act();
        }
    }

    /// The peer's silence, or its flood, has lasted long enough.
    pub(crate) fn give_up_linger(&self) {
        let mut channel = lock(&self.channel);
        self.let_go(&mut channel);
        self.unlock(channel);
    }

    /// Does what was called for, or leaves it to whoever uses the channel right now. That may be this very
    /// thread, in a callback of the transport.
    fn act(&self) -> Option<Standing> {
        let mut channel = self.call_on()?;
        // A swap, not a store: a call that came in between and found the channel in use is seen below.
        self.called_on.swap(false, Ordering::SeqCst);
        let standing = self.work(&mut channel, None);
        self.unlock(channel);
        Some(standing)
    }

    /// The channel, or, where it is in use, a call that its user answers in `unlock`.
    fn call_on(&self) -> Option<MutexGuard<'_, Channel<T>>> {
        self.called_on.store(true, Ordering::SeqCst);
        // A lock that is not taken orders nothing. With this fence and that of `unlock`, either the call is seen
        // there, or the release here.
        fence(Ordering::SeqCst);
        self.try_channel()
    }

    fn try_channel(&self) -> Option<MutexGuard<'_, Channel<T>>> {
        match self.channel.try_lock() {
            Ok(channel) => Some(channel),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Releases the channel, and acts on what was called for while it was in use.
    fn unlock<'a>(&'a self, mut channel: MutexGuard<'a, Channel<T>>) {
        loop {
            let untold = channel.untold.take();
            before_release(&self.called_on);
            drop(channel);
            if let Some(error) = untold {
                self.tell_unsent(&error);
            }
            // Whoever calls after this look finds the channel free, or in the hands of one who will look.
            fence(Ordering::SeqCst);
            if !self.called_on.load(Ordering::SeqCst) {
                return;
            }
            let Some(again) = self.try_channel() else { return };
            channel = again;
            if self.called_on.swap(false, Ordering::SeqCst) {
                if self.forsaken.load(Ordering::Relaxed) {
                    self.work_last(&mut channel);
                } else {
                    self.work(&mut channel, None);
                }
            }
        }
    }

    /// Perhaps in a drop, where a panic of the hook's would end the program.
    fn tell_unsent(&self, error: &CloseError) {
        match &self.on_unsent {
            Some(hook) => drop(catch_unwind(AssertUnwindSafe(|| hook(error, &self.facts)))),
            None => unsent(error),
        }
    }

    /// Drops the transport and tells everybody how it ended.
    fn let_go(&self, channel: &mut Channel<T>) -> Standing {
        if let Berth::Here(mut transport) = mem::replace(&mut channel.transport, Berth::Gone) {
            if let (Some(abort), Some(_)) = (self.manners.abort, self.outbox.lost()) {
                abort(&mut transport);
            }
            drop(transport);
        }
        channel.outgoing.clear();
        channel.outgoing.release();
        channel.untold = self.outbox.over(TransportError::runtime_ended).or(channel.untold.take());
        Standing::Gone
    }

    /// The flusher was dropped by a runtime that shuts down: hands over what the transport takes there
    /// and then. An open connection stays usable by whoever still has a half; a closed one is over.
    pub(crate) fn last_push(&self) {
        self.runtime_ended.store(true, Ordering::Relaxed);
        self.outbox.flusher_gone();
        self.push_last(lock(&self.channel));
    }

    /// [`last_push`](Self::last_push) for a flusher that never ran. Its runtime had ended, and this may be
    /// a `write` in a callback of the transport: then whoever uses the channel sends.
    pub(crate) fn last_push_unless_in_use(&self) {
        self.runtime_ended.store(true, Ordering::Relaxed);
        self.outbox.flusher_gone();
        if let Some(channel) = self.call_on() {
            self.push_last(channel);
        }
    }

    fn push_last(&self, mut channel: MutexGuard<'_, Channel<T>>) {
        self.work_last(&mut channel);
        self.unlock(channel);
    }

    /// Does what can be done there and then. If the connection is to end, that was all.
    fn work_last(&self, channel: &mut Channel<T>) {
        let mut cx = Context::from_waker(&self.waker);
        self.work(channel, Some(&mut cx));
        // What is lent ends with the upgrade, which is told as everybody is.
        if self.outbox.is_closed() && !matches!(channel.transport, Berth::Lent) {
            // It may have been written to, and closed, since.
            self.work(channel, Some(&mut cx));
            self.let_go(channel);
        }
    }

    /// Drives a connection that has no flusher, for a task that waits for its end. There is no clock, so
    /// the linger ends when nothing more is there.
    pub(crate) fn drive_without_flusher(&self, cx: &mut Context<'_>) {
        let mut channel = lock(&self.channel);
        if let Standing::Lingering { .. } = self.work(&mut channel, Some(cx)) {
            self.let_go(&mut channel);
        }
        self.unlock(channel);
    }

    /// The transport gone, or a wait.
    pub(crate) fn poll_gone(&self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<()> {
        let gone = self.outbox.poll_gone(slot, cx.waker());
        if gone.is_ready() || !self.outbox.is_closed() || self.outbox.has_flusher() {
            return gone;
        }
        // Nobody else ends it.
        self.drive_without_flusher(cx);
        self.outbox.poll_gone(slot, cx.waker())
    }

    // ---- the transport itself ------------------------------------------------------------------

    /// Calls `inspect` with the transport, unless it is gone.
    pub(crate) fn with_transport<V>(&self, inspect: impl FnOnce(&T) -> V) -> Option<V> {
        let channel = lock(&self.channel);
        // A panic in `inspect` is not the transport's.
        let seen = catch_unwind(AssertUnwindSafe(|| match &channel.transport {
            Berth::Here(transport) => Some(inspect(transport)),
            Berth::Lent | Berth::Gone => None,
        }));
        self.unlock(channel);
        seen.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// The transport, for good, if everything is flushed and there is one writer; the connection is over.
    /// Otherwise tells how many other writers there are; none where more was queued meanwhile.
    pub(crate) fn take_transport(&self) -> Result<Option<T>, usize> {
        let mut channel = lock(&self.channel);
        let taken = self.outbox.retire().map(|()| {
            let transport = mem::replace(&mut channel.transport, Berth::Gone);
            let _: Option<CloseError> = self.outbox.over(TransportError::reunited);
            transport.here()
        });
        self.unlock(channel);
        taken
    }

    /// The transport, on loan, under the same conditions. Nothing is sent until
    /// [`give_back`](Self::give_back) or [`forfeit`](Self::forfeit); `close` and `abort` rouse the reader
    /// and wait for either.
    pub(crate) fn lend_transport(&self) -> Result<Option<T>, usize> {
        let mut channel = lock(&self.channel);
        let lent = self.outbox.check_quiet().map(|()| match &channel.transport {
            Berth::Here(_) => mem::replace(&mut channel.transport, Berth::Lent).here(),
            Berth::Lent | Berth::Gone => None,
        });
        self.unlock(channel);
        lent
    }

    /// Goes on with `transport` in place of the one that was lent.
    pub(crate) fn give_back(&self, transport: T) {
        let mut channel = lock(&self.channel);
        // The runtime may have ended, and the connection with it.
        if !self.outbox.is_over() {
            channel.transport = Berth::Here(transport);
            channel.peer_ended = false;
        }
        self.unlock(channel);
    }

    /// Ends a connection whose transport was lent and does not come back, with `error` if none is kept.
    pub(crate) fn forfeit(&self, error: TransportError) {
        let mut channel = lock(&self.channel);
        channel.transport = Berth::Gone;
        self.outbox.lose(error);
        self.let_go(&mut channel);
        self.unlock(channel);
    }
}

impl<T> Berth<T> {
    fn here(self) -> Option<T> {
        match self {
            Berth::Here(transport) => Some(transport),
            Berth::Lent | Berth::Gone => None,
        }
    }
}

impl<T, F> Connection<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// Follows up on what the outbox asked for.
    pub(crate) fn follow(self: &Arc<Self>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Wake(waker) => waker.wake(),
            Next::StartFlusher => {
                self.start_flusher();
                // The runtime that the connection was made in may have ended: then the one in use serves.
                if !self.outbox.has_flusher() && matches!(self.outbox.rouse_flusher(), Next::StartFlusher) {
                    self.start_flusher();
                }
            }
        }
    }

    fn start_flusher(self: &Arc<Self>) {
        match self.runtime() {
            Some(runtime) => crate::flusher::start(&runtime, Arc::clone(self)),
            None => self.outbox.flusher_gone(),
        }
    }

    /// Leaves the rest to the flusher.
    pub(crate) fn see_to_the_rest(self: &Arc<Self>) {
        let next = self.outbox.rouse_flusher();
        self.follow(next);
    }

    /// A half has gone: ends what nobody can use any more.
    pub(crate) fn half_gone(self: &Arc<Self>, left: Halves) {
        let has_rest = match left {
            Halves::SomeWriter => {
                // A failed connection is kept for its reader only.
                if self.outbox.lost().is_some() {
                    self.act();
                }
                false
            }
            Halves::ReaderOnly => self.end(),
            Halves::None => {
                self.close();
                !self.outbox.is_over()
            }
        };
        if !has_rest {
            return;
        }
        self.see_to_the_rest();
        if left == Halves::None && !self.outbox.has_flusher() {
            // No runtime, and nobody left to wait: what was not delivered never will be.
            self.forsaken.store(true, Ordering::Relaxed);
            self.last_push_unless_in_use();
        }
    }
}

impl Standing {
    /// Nothing is left to do for now.
    fn is_settled(self) -> bool {
        matches!(self, Standing::Idle | Standing::Gone)
    }
}

fn poll_write<T: AsyncWrite + Unpin>(
    transport: &mut T,
    cx: &mut Context<'_>,
    outgoing: &WriteBuffer,
) -> Poll<io::Result<usize>> {
    loop {
        let mut transport = Pin::new(&mut *transport);
        let first = outgoing.chunk();
        // One chunk, or a transport that would take the first anyway: no vector is needed.
        let written = if first.len() == outgoing.remaining() || !transport.is_write_vectored() {
            transport.as_mut().poll_write(cx, first)
        } else {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let count = outgoing.chunks_vectored(&mut slices);
            transport.as_mut().poll_write_vectored(cx, &slices[..count])
        };
        return match ready!(written) {
            Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => Poll::Ready(Ok(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Poll::Ready(Err(error)),
        };
    }
}

/// Whether our half could not be ended only because the peer went first: nothing is lost by that, since
/// everything was flushed before, and the reader finds out by itself how the peer went. A socket says it is
/// not connected; TLS, which has one more thing to say, cannot say it any more.
fn is_peer_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}
