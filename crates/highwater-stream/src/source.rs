//! Where a reader's bytes come from: the one seam between waiting and the kinds of transport.

use crate::TransportError;
use highwater_buffer::{ReadBuffer, SMALLEST_FILL};
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// What a [`StreamReader`](crate::StreamReader) can read from: every `AsyncRead + Unpin`, the
/// [`ReadHalf`](crate::ReadHalf) of a pair, and [`Detached`](crate::Detached).
///
/// It is sealed: implement `AsyncRead` for a transport of your own.
///
/// ```
/// fn is_source<R: highwater_stream::Source>() {}
/// is_source::<tokio::io::DuplexStream>();
/// is_source::<highwater_stream::Detached>();
/// ```
pub trait Source: sealed::Sealed {
    /// Brings bytes into `buffer`, or the news that no more will come.
    #[doc(hidden)]
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<Result<Arrival, TransportError>>;

    /// Brings up to `most` bytes that have arrived already into `buffer`, without waiting. Only a source that is fed holds any:
    /// there `read(n)` gives all that was fed, as asyncio's does.
    #[doc(hidden)]
    fn absorb(&mut self, _buffer: &mut ReadBuffer, _most: usize) {}

    /// What has arrived already, though no read has asked for it yet.
    #[doc(hidden)]
    fn arrived(&self) -> Arrived {
        Arrived::default()
    }

    /// The failure that is known already, though no read has met it yet.
    #[doc(hidden)]
    fn failure(&self) -> Option<TransportError> {
        None
    }
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Bytes,
    End,
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    pub bytes: usize,
    pub ended: bool,
}

pub(crate) mod sealed {
    #[allow(unnameable_types)] // That is what seals the trait.
    pub trait Sealed {}
}

impl<R: AsyncRead + Unpin> sealed::Sealed for R {}

impl<R: AsyncRead + Unpin> Source for R {
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<Result<Arrival, TransportError>> {
        poll_read_into(self, cx, buffer).map_err(TransportError::from)
    }
}

/// Reads once. A long fill goes straight into the spare room of `buffer`; a short one by way of the stack, so
/// that a read which finds nothing allocates nothing, and one that finds little holds no more than that.
pub(crate) fn poll_read_into<R: AsyncRead + Unpin>(
    transport: &mut R,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuffer,
) -> Poll<io::Result<Arrival>> {
    loop {
        let read = if buffer.is_fill_small() {
            ready!(poll_read_little(transport, cx, buffer))
        } else {
            let mut spare = buffer.spare();
            // The future holds nothing but its arguments, so that making one for each poll loses nothing.
            ready!(pin!(transport.read_buf(&mut spare)).poll(cx))
        };
        match read {
            Ok(0) => return Poll::Ready(Ok(Arrival::End)),
            Ok(_) => return Poll::Ready(Ok(Arrival::Bytes)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

fn poll_read_little<R: AsyncRead + Unpin>(
    transport: &mut R,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuffer,
) -> Poll<io::Result<usize>> {
    let mut room = [MaybeUninit::uninit(); SMALLEST_FILL];
    let mut read = ReadBuf::uninit(&mut room);
    ready!(Pin::new(transport).poll_read(cx, &mut read))?;
    buffer.feed_small_fill(read.filled());
    Poll::Ready(Ok(read.filled().len()))
}
