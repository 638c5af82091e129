//! A writer as tokio's `AsyncWrite`, for those who ask for it by name.

use super::StreamWriter;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// What a write takes at the least, if the cap lets it: a mark of zero is no wish for a byte at a time.
const SMALLEST_PIECE: usize = 8 * 1024;

/// A [`StreamWriter`] as `AsyncWrite`, for `tokio::io::copy`, hyper, tokio-util.
///
/// A write waits while the queue is above the high mark, or at its cap, and takes at most that mark's bytes
/// at a time (8 KiB where the mark is lower), and no more than the cap leaves; `flush` is [`StreamWriter::flush`]; `shutdown` ends our half behind what is queued, or closes where the
/// transport cannot do that.
///
/// ```
/// use tokio::io::AsyncWriteExt;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(64);
/// let (_reader, writer) = highwater_stream::pair(near);
/// let (mut peer, _) = highwater_stream::pair(far);
/// let mut writer = writer.into_async_write();
/// tokio::io::copy(&mut &b"a file"[..], &mut writer).await?;
/// writer.shutdown().await?;
/// assert_eq!(peer.read_to_end(100).await?, "a file");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct AsyncWriter<W, F = ()>(StreamWriter<W, F>)
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static;

impl<W, F> StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// This writer as `AsyncWrite`; a clone of it may go on beside.
    ///
    /// ```
    /// use tokio::io::AsyncWriteExt;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (_reader, writer) = highwater_stream::pair(near);
    /// let (mut peer, _writer) = highwater_stream::pair(far);
    /// writer.into_async_write().write_all(b"all of it\n").await.unwrap();
    /// assert_eq!(peer.read_line().await.unwrap().unwrap(), "all of it\n");
    /// # });
    /// ```
    pub fn into_async_write(self) -> AsyncWriter<W, F> {
        AsyncWriter(self)
    }
}

impl<W, F> AsyncWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// The writer again.
    ///
    /// ```
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("four").unwrap();
    /// assert_eq!(writer.into_async_write().into_inner().queued(), 4);
    /// ```
    pub fn into_inner(self) -> StreamWriter<W, F> {
        self.0
    }
}

impl<W, F> AsyncWrite for AsyncWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let writer = &mut self.get_mut().0;
        let mut polled = writer.polled;
        let room = writer.poll_any_room(&mut polled.slot, cx);
        writer.polled = polled;
        let piece = writer.watermarks().high().max(SMALLEST_PIECE);
        let count = bytes.len().min(piece).min(ready!(room)?.max(1));
        writer.write(&bytes[..count])?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_flush_all(cx).map_err(io::Error::from)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let writer = &mut self.get_mut().0;
        ready!(writer.poll_flush_all(cx))?;
        if writer.can_write_eof() {
            writer.write_eof()?;
        } else {
            writer.close();
        }
        let mut polled = writer.polled;
        let shut = writer.poll_shut(&mut polled.slot, cx);
        writer.polled = polled;
        shut.map_err(io::Error::from)
    }
}
