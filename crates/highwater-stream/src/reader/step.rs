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

/// A step on the buffer, asked in full only if `ready` knows no answer.
///
/// Cancel safe: bytes leave the buffer in `take`, in the poll that returns them.
#[must_use = "nothing is read until it is awaited"]
pub(super) struct Step<'a, R, What, Ready, Whole, Take> {
    /// Invariant: present until the step is complete.
    reader: Option<&'a mut StreamReader<R>>,
    /// What the steps are told.
    what: What,
    /// What is found without a doubt and without waiting.
    ready: Ready,
    /// The whole step, which knows the ends, the limits and a skip in force.
    whole: Whole,
    take: Take,
}

impl<'a, R, What, Ready, Whole, Take> Step<'a, R, What, Ready, Whole, Take> {
    #[inline(always)]
    pub(super) fn new<N, T, E>(
        reader: &'a mut StreamReader<R>,
        what: What,
        ready: Ready,
        whole: Whole,
        take: Take,
    ) -> Self
    where
        Ready: Fn(&What, &mut ReadBuffer) -> Option<N>,
        Whole: Fn(&What, &mut ReadBuffer) -> Result<Verdict<N>, E>,
        Take: Fn(&'a mut ReadBuffer, N) -> T,
    {
        Self { reader: Some(reader), what, ready, whole, take }
    }
}

/// Nothing is pinned: the closures are called, never polled.
impl<R, What, Ready, Whole, Take> Unpin for Step<'_, R, What, Ready, Whole, Take> {}

impl<'a, R, What, Ready, Whole, Take, N, T, E> Future for Step<'a, R, What, Ready, Whole, Take>
where
    R: Source,
    Ready: Fn(&What, &mut ReadBuffer) -> Option<N>,
    Whole: Fn(&What, &mut ReadBuffer) -> Result<Verdict<N>, E>,
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
        match reader.poll_step(cx, &mut |buffer: &mut ReadBuffer| (this.whole)(&this.what, buffer)) {
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
    /// Repeats a step until it is complete, refilling the buffer in between. A function of its own, so that
    /// little is inlined around it.
    #[inline(never)]
    pub(super) fn poll_step<N, E: From<TransportError>>(
        &mut self,
        cx: &mut Context<'_>,
        step: &mut impl FnMut(&mut ReadBuffer) -> Result<Verdict<N>, E>,
    ) -> Poll<Result<N, E>> {
        loop {
            match step(&mut self.buffer)? {
                Verdict::Ready(found) => return Poll::Ready(Ok(found)),
                Verdict::NeedMore => ready!(self.poll_fill(cx))?,
            }
        }
    }
}
