//! The transport's reading side: what a read gets, and what it is told when nothing more comes.

use super::{Berth, Channel, Connection};
use crate::TransportError;
use crate::outbox::Access;
use crate::source::{Arrival, poll_read_into};
use crate::sync::lock;
use highwater_buffer::ReadBuffer;
use std::io;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::has_budget_remaining;

impl<T: AsyncRead + AsyncWrite + Unpin, F> Connection<T, F> {
    /// Reads for the reading half. What the kernel still holds comes before a failure that the writer
    /// met; a failure is never followed by a clean end.
    pub(crate) fn poll_fill(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<Result<Arrival, TransportError>> {
        let mut channel = lock(&self.channel);
        // Asked with the channel in hand: a linger that has begun has its own waker in the transport.
        let access = self.outbox.reader_access();
        let is_lost = matches!(access, Access::Lost);
        if let Some(verdict) = access.over().or_else(|| self.note_panic().map(Err)) {
            self.unlock(channel);
            return Poll::Ready(verdict.map(|()| Arrival::End));
        }
        let read = match &mut channel.transport {
            Berth::Here(transport) => poll_read_into(transport, cx, buffer),
            _ => Poll::Pending, // Gone since the verdict: `keep_reader` tells how.
        };
        let verdict = match read {
            Poll::Ready(Ok(Arrival::Bytes)) => {
                if is_lost {
                    self.outbox.read_on();
                }
                Poll::Ready(Ok(Arrival::Bytes))
            }
            Poll::Ready(Ok(Arrival::End)) => self.ended(&mut channel, Ok(Arrival::End)),
            // The peer's half came to an end that it should not have come to. Ours has not: what is queued is
            // still delivered.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ended(&mut channel, Err(error.into()))
            }
            Poll::Ready(Err(error)) => {
                let kept = self.outbox.lose(error.into());
                self.let_go(&mut channel);
                Poll::Ready(Err(kept))
            }
            // The task has used up its turn: the transport was not even asked, and has woken the task again.
            Poll::Pending if !has_budget_remaining() => Poll::Pending,
            Poll::Pending => match self.outbox.keep_reader(cx.waker()) {
                None => Poll::Pending,
                Some(Ok(())) => Poll::Ready(Ok(Arrival::End)),
                Some(Err(error)) => self.read_out(&mut channel, error),
            },
        };
        self.unlock(channel);
        if is_lost && verdict.is_pending() {
            self.outbox.wait_for_reader();
        }
        verdict
    }

    /// The peer's half has ended so, which after a loss is not told.
    fn ended(
        &self,
        channel: &mut Channel<T>,
        end: Result<Arrival, TransportError>,
    ) -> Poll<Result<Arrival, TransportError>> {
        channel.peer_ended = true;
        match self.outbox.lost() {
            None => Poll::Ready(end),
            Some(error) => self.read_out(channel, error),
        }
    }

    /// Nothing comes any more after a loss: the transport has no further use.
    fn read_out(
        &self,
        channel: &mut Channel<T>,
        error: TransportError,
    ) -> Poll<Result<Arrival, TransportError>> {
        self.let_go(channel);
        Poll::Ready(Err(error))
    }
}
