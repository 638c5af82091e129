//! What a writer waits for: room, a flush, the end. A wait pushes before it sleeps.

use super::StreamWriter;
use crate::outbox::Outbox;
use crate::waiters::Slot;
use crate::{CloseError, TransportError};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::AsyncWrite;

/// The wait of the `Sink` and of the `AsyncWrite` adapter, whose polls have no future of their own.
#[derive(Clone, Copy, Default)]
pub(super) struct Polled {
    pub(super) slot: Slot,
    /// Up to where the flush in course goes.
    ticket: Option<u64>,
}

impl<W, F> StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// What `look` finds, by a push if it finds nothing yet.
    fn poll_pushing<V>(
        &self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(Option<&Waker>) -> Poll<V>,
    ) -> Poll<V> {
        // Without a waker first: a push that does it all has nobody to wake.
        let before = look(None);
        if before.is_ready() {
            return before;
        }
        self.connection.push();
        let after = look(Some(cx.waker()));
        if after.is_ready() || self.outbox().has_flusher() {
            return after;
        }
        // Without a flusher the transport wakes those who wait, and this one may have come too late for that.
        self.connection.push();
        look(Some(cx.waker()))
    }

    /// Waits while the queue is above the marks.
    #[cold]
    pub(super) fn poll_drain(
        &self,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.poll_pushing(cx, |waker| self.outbox().poll_room(slot, waker))
    }

    /// [`poll_drain`](Self::poll_drain) that also waits while the cap leaves no room, and tells how much
    /// there is.
    pub(super) fn poll_any_room(
        &self,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, TransportError>> {
        self.poll_pushing(cx, |waker| self.outbox().poll_any_room(slot, waker))
    }

    /// Waits until the transport has ended our half.
    pub(super) fn poll_shut(
        &self,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        let shut = self.outbox().poll_shut(slot, cx.waker());
        if shut.is_ready() || self.outbox().has_flusher() {
            return shut;
        }
        self.connection.drive_without_flusher(cx);
        self.outbox().poll_shut(slot, cx.waker())
    }

    pub(super) fn poll_flush_to(
        &self,
        ticket: u64,
        slot: &mut Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), TransportError>> {
        self.poll_pushing(cx, |waker| self.outbox().poll_flushed(ticket, slot, waker))
    }

    /// The flush of polls that have no future of their own: up to what was queued when it began.
    pub(super) fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let mut polled = self.polled;
        if mem::take(self.has_written.get_mut()) {
            polled.ticket = None;
        }
        let ticket = *polled.ticket.get_or_insert_with(|| self.outbox().flush_ticket());
        let flushed = self.poll_flush_to(ticket, &mut polled.slot, cx);
        if flushed.is_ready() {
            polled.ticket = None;
        }
        self.polled = polled;
        flushed
    }

    pub(super) fn poll_closed(&self, slot: &mut Slot, cx: &mut Context<'_>) -> Poll<Result<(), CloseError>> {
        let closed = self.outbox().poll_closed(slot, cx.waker());
        if closed.is_ready() || !self.outbox().is_closed() || self.outbox().has_flusher() {
            return closed;
        }
        self.connection.drive_without_flusher(cx);
        self.outbox().poll_closed(slot, cx.waker())
    }
}

/// [`StreamWriter::drain`], which costs next to nothing as long as there is room. By hand, because what an
/// `async fn` compiles to is never inlined.
pub(super) struct Drain<'a, W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    writer: &'a StreamWriter<W, F>,
    wait: Wait<'a>,
}

impl<'a, W, F> Drain<'a, W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    pub(super) fn new(writer: &'a StreamWriter<W, F>) -> Self {
        Self { writer, wait: Wait::new(writer.outbox()) }
    }
}

impl<W, F> Future for Drain<'_, W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    type Output = Result<(), TransportError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.writer.outbox().is_calm() {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        this.writer.poll_drain(&mut this.wait.slot, cx)
    }
}

/// A wait for the outbox: given up, it leaves no waker behind.
pub(super) struct Wait<'a> {
    outbox: &'a Outbox,
    pub(super) slot: Slot,
}

impl<'a> Wait<'a> {
    pub(super) fn new(outbox: &'a Outbox) -> Self {
        Self { outbox, slot: None }
    }
}

impl Drop for Wait<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.slot.is_some() {
            self.outbox.leave(&mut self.slot);
        }
    }
}
