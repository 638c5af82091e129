//! A writer as a `Sink<Bytes>`.

use super::StreamWriter;
use crate::WriteError;
use bytes::Bytes;
use futures_sink::Sink;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// `poll_ready` is [`drain`](StreamWriter::drain), and waits for room where `max_buffered` is met; a message
/// that is larger than that room is still `Full`. `start_send` is [`write`](StreamWriter::write),
/// `poll_flush` is [`flush`](StreamWriter::flush), and `poll_close` closes and waits until the connection
/// is gone.
///
/// On a `&mut StreamWriter`, with `SinkExt` imported, `flush` and `close` are the `Sink`'s, which are
/// futures.
///
/// ```
/// use bytes::Bytes;
/// use futures::SinkExt;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut writer = highwater_stream::StreamWriter::new(tokio::io::sink());
/// writer.send(Bytes::from("a message")).await?;
/// SinkExt::close(&mut writer).await?;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
impl<W, F> Sink<Bytes> for StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    type Error = WriteError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        let this = self.get_mut();
        let mut polled = this.polled;
        let ready = this.poll_any_room(&mut polled.slot, cx);
        this.polled = polled;
        ready.map_ok(|_room| ()).map_err(WriteError::from)
    }

    fn start_send(self: Pin<&mut Self>, bytes: Bytes) -> Result<(), WriteError> {
        self.write(bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        self.get_mut().poll_flush_all(cx).map_err(WriteError::from)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        self.close();
        let this = self.get_mut();
        let mut polled = this.polled;
        let closed = this.poll_closed(&mut polled.slot, cx);
        this.polled = polled;
        closed.map_err(|error| error.cause().clone().into())
    }
}
