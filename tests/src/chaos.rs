//! A transport that does everything that it may, in an order that a seed decides: it takes and gives bytes in
//! bits, waits although it need not, and is interrupted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Any transport, made difficult.
#[derive(Debug)]
pub struct Chaos<T> {
    transport: T,
    state: u64,
    most: usize,
}

impl<T> Chaos<T> {
    /// Does at most `most` bytes at a time.
    pub fn new(transport: T, seed: u64, most: usize) -> Self {
        Self { transport, state: seed.max(1), most }
    }

    fn roll(&mut self) -> u64 {
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A wait that ends at once, an interruption, or how many bytes may go.
    fn chance(&mut self, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        match self.roll() % 8 {
            0 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            1 => Poll::Ready(Err(io::ErrorKind::Interrupted.into())),
            _ => Poll::Ready(Ok(1 + self.roll() as usize % self.most)),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Chaos<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = ready!(self.chance(cx))?.min(into.remaining());
        let mut bits = vec![0; most];
        let mut part = ReadBuf::new(&mut bits);
        ready!(Pin::new(&mut self.transport).poll_read(cx, &mut part))?;
        into.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Chaos<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = ready!(self.chance(cx))?.min(bytes.len());
        Pin::new(&mut self.transport).poll_write(cx, &bytes[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.roll() % 4 == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.roll() % 4 == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
