//! A read as a future that costs next to nothing where what it asks for is there.
//!
//! Written by hand, because what an `async fn` compiles to is never inlined whatever its size: on short
//! records the call and the state in memory cost more than the read.

use super::StreamReader;
use crate::TransportError;
use crate::source::Source;
use highwater_buffer::{ReadBuffer, Verdict};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A step on the buffer in two parts: what is there at once, and what to say otherwise.
///
/// Cancel safe: bytes leave the buffer in `take`, in the poll that returns them.
#[must_use = "nothing is read until it is awaited"]
pub(super) struct Step<'a, R, What, Ready, Otherwise, Take> {
    /// Invariant: present until the step is complete.
    reader: Option<&'a mut StreamReader<R>>,
    /// What the steps are told.
    what: What,
    /// What is found without a doubt and without waiting.
    ready: Ready,
    /// Why not, which is an error, the end, or that more has to come. Asked when `ready` has found nothing.
    otherwise: Otherwise,
    take: Take,
}

impl<'a, R, What, Ready, Otherwise, Take> Step<'a, R, What, Ready, Otherwise, Take> {
    #[inline(always)]
    pub(super) fn new<N, T, E>(
        reader: &'a mut StreamReader<R>,
        what: What,
        ready: Ready,
        otherwise: Otherwise,
        take: Take,
    ) -> Self
    where
        Ready: Fn(&What, &mut ReadBuffer) -> Option<N>,
        Otherwise: Fn(&What, &mut ReadBuffer) -> Result<Verdict<N>, E>,
        Take: Fn(&'a mut ReadBuffer, N) -> T,
    {
        Self { reader: Some(reader), what, ready, otherwise, take }
    }
}

/// Nothing is pinned: the closures are called, never polled.
impl<R, What, Ready, Otherwise, Take> Unpin for Step<'_, R, What, Ready, Otherwise, Take> {}

impl<'a, R, What, Ready, Otherwise, Take, N, T, E> Future for Step<'a, R, What, Ready, Otherwise, Take>
where
    R: Source,
    Ready: Fn(&What, &mut ReadBuffer) -> Option<N>,
    Otherwise: Fn(&What, &mut ReadBuffer) -> Result<Verdict<N>, E>,
    Take: Fn(&'a mut ReadBuffer, N) -> T,
    E: From<TransportError>,
{
    type Output = Result<T, E>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let reader = this.reader.take().expect("a future is not polled after it was ready");
        if let Some(found) = (this.ready)(&this.what, &mut reader.buffer) {
            return Poll::Ready(Ok((this.take)(&mut reader.buffer, found)));
        }
        let what = &this.what;
        let polled = reader.poll_step(
            cx,
            &mut |buffer: &mut ReadBuffer| (this.ready)(what, buffer),
            &mut |buffer: &mut ReadBuffer| (this.otherwise)(what, buffer),
        );
        match polled {
            Poll::Ready(Ok(found)) => Poll::Ready(Ok((this.take)(&mut reader.buffer, found))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.reader = Some(reader);
                Poll::Pending
            }
        }
    }
}

impl<R: Source> StreamReader<R> {
    /// Repeats a step, the second part first, until it is complete, refilling the buffer in between. A function
    /// of its own, so that little is inlined around it.
    #[inline(never)]
    pub(super) fn poll_step<N, E: From<TransportError>>(
        &mut self,
        cx: &mut Context<'_>,
        ready: &mut impl FnMut(&mut ReadBuffer) -> Option<N>,
        otherwise: &mut impl FnMut(&mut ReadBuffer) -> Result<Verdict<N>, E>,
    ) -> Poll<Result<N, E>> {
        loop {
            match otherwise(&mut self.buffer)? {
                Verdict::Ready(found) => return Poll::Ready(Ok(found)),
                Verdict::NeedMore => ready!(self.poll_fill(cx))?,
            }
            if let Some(found) = ready(&mut self.buffer) {
                return Poll::Ready(Ok(found));
            }
        }
    }
}
