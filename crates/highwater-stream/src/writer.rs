//! The writing half: a write is a step on the queue, sending happens elsewhere.

mod adapter;
mod sink;
mod wait;
mod weak;

pub use adapter::AsyncWriter;
pub use weak::WeakWriter;

use crate::connection::{Connection, Linger, Pushed};
use crate::outbox::Outbox;
use crate::pair::Options;
use crate::payload::Payload;
use crate::sync::lock;
use crate::{CloseError, TransportError, WriteError};
use bytes::Buf;
use highwater_buffer::{Watermarks, WriteBuffer};
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::AsyncWrite;
use wait::{Drain, Polled, Wait};

/// asyncio's `StreamWriter` over any `AsyncWrite`: `write` queues and never waits, the queue is sent
/// without any further call, `drain` holds a fast writer back.
///
/// | call | does |
/// | --- | --- |
/// | [`write`](Self::write), [`write_lines`](Self::write_lines), `write!` | queue a message whole; no wait, no system call |
/// | [`drain`](Self::drain) | waits while too much is queued |
/// | [`flush`](Self::flush) | waits until everything queued before is sent |
/// | [`write_eof`](Self::write_eof) | ends our half behind what is queued |
/// | [`close`](Self::close), [`wait_closed`](Self::wait_closed) | ends the connection behind what is queued |
/// | [`abort`](Self::abort) | ends it at once |
///
/// It can be cloned and called from anywhere: another task, a plain thread, a callback, a `Drop`. When the
/// last writer goes, what was accepted is still sent, then our half ends; when the reader has gone too,
/// the connection closes. Bytes leave when the task next yields, at a `drain` above the high mark, and at
/// a `flush`: many small writes become one system call.
///
/// Without [`set_max_buffered`](Self::set_max_buffered) the queue has no bound but the caller's
/// [`drain`](Self::drain): call it after writing, as in asyncio.
///
/// # tokio's traits
/// It does not implement `AsyncWrite` itself, so that tokio's `write`, which may take only a part, is never
/// called by accident; [`into_async_write`](Self::into_async_write) gives a writer that does. It is a
/// `Sink<Bytes>`.
///
/// # Panics
/// Nothing here panics, in or outside of a runtime. The time-outs need the runtime's time enabled, as
/// `#[tokio::main]` and `enable_all` do; without it, the task that sends ends with a panic of its own when
/// it first needs a clock (a delivery or a linger that has to wait), and the connection with it.
///
/// # Source
/// asyncio: `StreamWriter`. diverges:
/// - Dropping is closing, and delivers what was written; there the collector and the loop decide. Nothing
///   is left to chance.
/// - Dropping the last writer ends our half and leaves the reader its own: a program that is done with
///   writing may still read.
/// - A runtime that ends hands the transport what it takes, because `write` and return from `main` is a
///   fair program. Bytes that could not be delivered and that nobody waits for are reported.
///
/// ```
/// use highwater_stream::StreamWriter;
/// use tokio::io::AsyncReadExt;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (near, mut far) = tokio::io::duplex(1024);
/// let writer = StreamWriter::new(near);
/// writer.write("EHLO example.org\r\n")?;
/// write!(writer, "MAIL FROM:<{}>\r\n", "me@example.org")?;
/// writer.drain().await?;
/// writer.close();
/// writer.wait_closed().await?;
///
/// let mut sent = String::new();
/// far.read_to_string(&mut sent).await?;
/// assert_eq!(sent, "EHLO example.org\r\nMAIL FROM:<me@example.org>\r\n");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub struct StreamWriter<W, F = ()>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    connection: Arc<Connection<W, F>>,
    polled: Polled,
    /// This writer has written since the flush in course, if there is one, was last polled. A flush that
    /// was given up would not cover that.
    has_written: AtomicBool,
}

/// What the queue copies in any case: anything shorter than this, in bytes.
const SHORT: usize = 2 * 1024;

impl<W> StreamWriter<W>
where
    W: AsyncWrite + Unpin + Send + 'static,
{
    /// A writer over a transport that only writes. For one that also reads, see [`pair`](crate::pair).
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("into the void").unwrap();
    /// writer.flush().await.unwrap();
    /// # });
    /// ```
    pub fn new(transport: W) -> Self {
        Self::from_connection(Options::new(None).connect(transport, (), None, false))
    }
}

impl<W, F> StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    pub(crate) fn from_connection(connection: Arc<Connection<W, F>>) -> Self {
        Self { connection, polled: Polled::default(), has_written: AtomicBool::new(false) }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection<W, F>> {
        &self.connection
    }

    fn outbox(&self) -> &Outbox {
        &self.connection.outbox
    }

    // ---- writing -------------------------------------------------------------------------------

    /// Queues a payload whole, in one step: messages of several writers never interleave. It never waits
    /// and makes no system call. An empty payload queues nothing.
    ///
    /// The queue grows until [`drain`](Self::drain) is awaited, unless
    /// [`max_buffered`](Self::set_max_buffered) is set.
    ///
    /// # Errors
    /// Nothing of the payload was queued:
    /// - [`Closed`](WriteError::Closed), [`Ended`](WriteError::Ended): after `close`, after `write_eof`.
    /// - [`Full`](WriteError::Full): it would pass `max_buffered`.
    /// - [`Transport`](WriteError::Transport): the kept error of a connection that failed.
    ///
    /// # Source
    /// asyncio: `StreamWriter.write`. diverges: no immediate system call, so that many small writes become
    /// one; an error instead of silence on a connection that is gone or closed, so that a program learns of
    /// it; and what was written is what is sent, whatever becomes of a borrowed buffer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("text")?;
    /// writer.write(b"bytes")?;
    /// writer.write(vec![0; 1_000_000])?; // handed over, not copied
    /// assert_eq!(writer.queued(), 1_000_009);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    // Inlined wherever it is called: what a function of its own stores on the stack, the lock waits for.
    #[inline(always)]
    pub fn write(&self, payload: impl Payload) -> Result<(), WriteError> {
        self.has_written.store(true, Ordering::Relaxed);
        let bytes = payload.payload_bytes();
        if bytes.len() < SHORT && self.outbox().accept_straight(bytes) {
            return Ok(());
        }
        self.write_whole(payload)
    }

    /// Queues several payloads as one message; empty ones are skipped. asyncio's `writelines`, which adds
    /// no newlines either.
    ///
    /// # Errors
    /// Those of [`write`](Self::write), for all of them together: all are queued or none.
    ///
    /// # Source
    /// asyncio: `StreamWriter.writelines`. diverges: an empty payload at the end is skipped like any other,
    /// for it has nothing to send; there it may never be done with.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write_lines(["one\n", "", "two\n"])?;
    /// assert_eq!(writer.queued(), 8);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn write_lines<I>(&self, payloads: I) -> Result<(), WriteError>
    where
        I: IntoIterator,
        I::Item: Payload,
    {
        self.has_written.store(true, Ordering::Relaxed);
        // Gathered before the lock is taken: the iterator is the caller's code.
        let mut message = WriteBuffer::new();
        for payload in payloads {
            payload.queue_into(&mut message);
        }
        let next = self.outbox().accept(message.remaining(), |queue| queue.append(&mut message))?;
        self.connection.follow(next);
        Ok(())
    }

    /// What `write!(writer, …)` calls: queues the formatted text as one message.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// write!(writer, "{}-{}", 250, "PIPELINING\r\n")?;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn write_fmt(&self, text: fmt::Arguments<'_>) -> Result<(), WriteError> {
        match text.as_str() {
            Some(text) => self.write(text),
            None => self.write(text.to_string()),
        }
    }

    /// Returns at once as long as the queue has not gone above the high mark. Once it has, waits until the
    /// queue is down to the low one. Any number of tasks may wait. It is backpressure, not a flush: up to
    /// the high mark may be queued when it returns.
    ///
    /// # Errors
    /// The kept error of a connection that failed or was aborted. It never succeeds for bytes that were
    /// thrown away.
    ///
    /// # Cancel safety
    /// Cancel safe: what is queued stays queued and is sent.
    ///
    /// # Source
    /// asyncio: `StreamWriter.drain`. diverges: an abort under it is an error, since success must not be said
    /// of lost bytes; and its error is the first cause, since "Connection lost" explains nothing.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// for _ in 0..1000 {
    ///     writer.write([0; 1000])?;
    ///     writer.drain().await?;
    ///     assert!(writer.queued() <= writer.watermarks().high());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn drain(&self) -> impl Future<Output = Result<(), TransportError>> {
        Drain::new(self)
    }

    /// Waits until everything queued before the call has gone through the transport's own flush.
    ///
    /// # Errors
    /// The kept error of a connection that failed or was aborted.
    ///
    /// # Cancel safety
    /// Cancel safe: what is queued stays queued and is sent.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("now, please")?;
    /// writer.flush().await?;
    /// assert_eq!(writer.queued(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn flush(&self) -> Result<(), TransportError> {
        let ticket = self.outbox().flush_ticket();
        // Mostly the transport takes it all there and then.
        if self.connection.push() == Pushed::All {
            return Ok(());
        }
        let mut wait = Wait::new(self.outbox());
        poll_fn(|cx| self.poll_flush_to(ticket, &mut wait.slot, cx)).await
    }

    // ---- the end -------------------------------------------------------------------------------

    /// Ends our half behind what is queued; reading goes on. Once, or any number of times. Where nobody
    /// reads, because the reader was dropped or there never was one (a pipe), it is [`close`](Self::close).
    ///
    /// # Errors
    /// - [`CannotWriteEof`](WriteError::CannotWriteEof): see [`can_write_eof`](Self::can_write_eof).
    /// - [`Transport`](WriteError::Transport): the kept error of a connection that failed.
    ///
    /// # Source
    /// asyncio: `StreamWriter.write_eof`.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (mut reader, writer) = highwater_stream::pair(near);
    /// let (mut peer, reply) = highwater_stream::pair(far);
    /// writer.write("a request")?;
    /// writer.write_eof()?;
    /// assert_eq!(peer.read_to_end(100).await?, "a request");
    /// reply.write("a reply")?;
    /// assert_eq!(reader.read(100).await?, "a reply");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn write_eof(&self) -> Result<(), WriteError> {
        if !self.can_write_eof() {
            return Err(WriteError::CannotWriteEof);
        }
        if self.connection.write_eof()? {
            self.connection.see_to_the_rest();
        }
        Ok(())
    }

    /// Whether the transport can end its writing half and go on reading.
    ///
    /// # Source
    /// asyncio: `StreamWriter.can_write_eof`.
    ///
    /// ```
    /// let (_reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// assert!(writer.can_write_eof());
    /// ```
    pub fn can_write_eof(&self) -> bool {
        self.connection.manners.can_write_eof
    }

    /// Ends the connection behind what is queued: delivers it, ends our half, reads on for a bounded time
    /// so that unread input does not destroy the reply, and lets the transport go. It does not wait, and
    /// hands the transport what it takes there and then. Any number of times.
    ///
    /// A waiting read is woken; what is buffered is read first, then the end.
    ///
    /// # Source
    /// asyncio: `StreamWriter.close`. diverges: it lingers, because the reply that explains a refusal has to
    /// arrive, and is bounded in time, because no wait may be without an end.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (mut reader, writer) = highwater_stream::pair(near);
    /// writer.close();
    /// assert_eq!(reader.read(10).await?, "");
    /// assert!(writer.write("more").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn close(&self) {
        if self.connection.close() {
            self.connection.see_to_the_rest();
        }
    }

    /// Whether the stream was closed or aborted, or has failed.
    ///
    /// # Source
    /// asyncio: `StreamWriter.is_closing`.
    ///
    /// ```
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// assert!(!writer.is_closing());
    /// writer.close();
    /// assert!(writer.is_closing());
    /// ```
    pub fn is_closing(&self) -> bool {
        self.outbox().is_closing()
    }

    /// Waits until the connection is gone, and tells how it went. Any number of tasks, before or after, as
    /// often as they like: the answer is the same each time. It does not close.
    ///
    /// That includes the linger: a peer that keeps its own half open makes it last 2 s, one that goes on
    /// sending at most 30 s. [`flush`](Self::flush) is the wait for delivery alone.
    ///
    /// # Errors
    /// [`CloseError`] when not everything was delivered, or the connection failed or was aborted: the cause
    /// and the number of bytes lost.
    ///
    /// # Cancel safety
    /// Cancel safe: the connection ends all the same.
    ///
    /// # Source
    /// asyncio: `StreamWriter.wait_closed`. diverges: cancelling one call does not spoil the next, since
    /// every wait can be cancelled; a reset that the linger meets is no error, since nothing was lost; an
    /// abort is one, since it is not an end.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("last words")?;
    /// writer.close();
    /// writer.wait_closed().await?;
    /// writer.wait_closed().await?;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn wait_closed(&self) -> Result<(), CloseError> {
        let mut wait = Wait::new(self.outbox());
        poll_fn(|cx| self.poll_closed(&mut wait.slot, cx)).await
    }

    /// Ends the connection at once, drops what is queued, and resets where the transport can. Reads give
    /// what is buffered and end in `ConnectionAborted`.
    ///
    /// Where another task uses the transport just then, the reset is left to it: a program that ends next awaits
    /// [`wait_closed`](Self::wait_closed), or the system may end the connection well.
    ///
    /// # Source
    /// asyncio: `transport.abort`. diverges: readers and waiters are told, because an abort is not an end.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (near, _far) = tokio::io::duplex(64);
    /// let (mut reader, writer) = highwater_stream::pair(near);
    /// writer.abort();
    /// let error = reader.read(10).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    /// # });
    /// ```
    pub fn abort(&self) {
        self.connection.abort(TransportError::aborted());
    }

    // ---- the queue -----------------------------------------------------------------------------

    /// How many bytes are queued: accepted, and not taken by the transport yet.
    ///
    /// # Source
    /// asyncio: `transport.get_write_buffer_size`. diverges: the number is kept, not added up at each look,
    /// so that many small writes to a slow peer take linear time.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.write("four").unwrap();
    /// assert_eq!(writer.queued(), 4);
    /// writer.flush().await.unwrap();
    /// assert_eq!(writer.queued(), 0);
    /// # });
    /// ```
    pub fn queued(&self) -> usize {
        self.outbox().queued()
    }

    /// The marks that [`drain`](Self::drain) goes by.
    ///
    /// # Source
    /// asyncio: `transport.get_write_buffer_limits`.
    ///
    /// ```
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// assert_eq!((writer.watermarks().high(), writer.watermarks().low()), (64 * 1024, 16 * 1024));
    /// ```
    pub fn watermarks(&self) -> Watermarks {
        self.outbox().marks()
    }

    /// Sets the marks, for all writers of the connection and at once: a queue above the new high mark makes
    /// the next [`drain`](Self::drain) wait, one at the new low mark lets those go on that wait.
    ///
    /// # Source
    /// asyncio: `transport.set_write_buffer_limits`.
    ///
    /// ```
    /// # use highwater_stream::Watermarks;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.set_watermarks(Watermarks::with_high(1024));
    /// assert_eq!(writer.watermarks().low(), 256);
    /// # });
    /// ```
    pub fn set_watermarks(&self, watermarks: Watermarks) {
        self.outbox().set_marks(watermarks);
    }

    /// Sets a hard cap on queued bytes: a `write` that would pass it is refused whole with
    /// [`Full`](WriteError::Full), so that a broadcast can drop its slow readers. `None`, the default, is
    /// no cap.
    ///
    /// ```
    /// # use highwater_stream::WriteError;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::duplex(1).0);
    /// writer.set_max_buffered(Some(10));
    /// writer.write("ten bytes.").unwrap();
    /// assert!(matches!(writer.write("!"), Err(WriteError::Full { queued: 10, .. })));
    /// # });
    /// ```
    pub fn set_max_buffered(&self, max_buffered: Option<usize>) {
        self.outbox().set_max_buffered(max_buffered);
    }

    /// Sets for how long delivery may stand still after `close`, or after the last writer has gone: see
    /// [`Pair::delivery_timeout`](crate::Pair::delivery_timeout). A delivery that stands still already keeps
    /// the time that it had.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_stream::StreamWriter;
    /// let (transport, _peer_that_never_reads) = tokio::io::duplex(4);
    /// let writer = StreamWriter::new(transport);
    /// writer.set_delivery_timeout(std::time::Duration::from_millis(1));
    /// writer.write("too much").unwrap();
    /// writer.close();
    /// assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 4);
    /// # });
    /// ```
    pub fn set_delivery_timeout(&self, after: Duration) {
        lock(&self.connection.manners.farewell).delivery_timeout = after;
    }

    /// Sets how long a closed connection reads on and discards: see [`Pair::linger`](crate::Pair::linger).
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_stream::Linger;
    /// let (transport, _peer_that_never_ends) = tokio::io::duplex(64);
    /// let (_reader, writer) = highwater_stream::pair(transport);
    /// writer.set_linger(Linger::NONE);
    /// writer.close();
    /// assert!(writer.downgrade().is_gone());
    /// # });
    /// ```
    pub fn set_linger(&self, linger: Linger) {
        lock(&self.connection.manners.farewell).linger = linger;
    }

    // ---- the connection ------------------------------------------------------------------------

    /// A writer that does not keep the connection open, for lists of clients.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// let weak = writer.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(writer);
    /// assert!(weak.upgrade().is_none());
    /// # });
    /// ```
    pub fn downgrade(&self) -> WeakWriter<W, F> {
        WeakWriter::new(&self.connection)
    }

    /// What is known of the connection. It outlives the connection.
    ///
    /// # Source
    /// asyncio: `StreamWriter.get_extra_info`, typed.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (_reader, writer) = Pair::new(tokio::io::duplex(64).0).facts("over memory").split();
    /// writer.abort();
    /// assert_eq!(*writer.facts(), "over memory");
    /// ```
    pub fn facts(&self) -> &F {
        &self.connection.facts
    }

    /// Calls `inspect` with the transport, for its options; `None` once the connection is gone. Reads
    /// and sends stand still meanwhile: do not block in it, and do not call this method again inside.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// assert!(writer.with_transport(|_sink| ()).is_some());
    /// # });
    /// ```
    pub fn with_transport<V>(&self, inspect: impl FnOnce(&W) -> V) -> Option<V> {
        self.connection.with_transport(inspect)
    }

    // ---- steps within --------------------------------------------------------------------------

    /// A write for which there is more to do than to append it.
    #[inline(never)]
    fn write_whole(&self, payload: impl Payload) -> Result<(), WriteError> {
        let bytes = payload.payload_bytes();
        let next = if bytes.len() < SHORT {
            // Copied, and dropped once the lock is released: that may run the caller's code.
            self.outbox().accept(bytes.len(), |queue| queue.push(bytes))?
        } else {
            // Gathered before the lock is taken: a payload may be of the caller's own kind.
            let mut message = WriteBuffer::new();
            payload.queue_into(&mut message);
            self.outbox().accept(message.remaining(), |queue| queue.append(&mut message))?
        };
        self.connection.follow(next);
        Ok(())
    }
}

/// One more writer of the same connection.
impl<W, F> Clone for StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        self.outbox().add_writer();
        Self::from_connection(Arc::clone(&self.connection))
    }
}

impl<W, F> Drop for StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.connection.outbox.leave(&mut self.polled.slot);
        let left = self.connection.outbox.remove_writer();
        self.connection.half_gone(left);
    }
}

impl<W, F> fmt::Debug for StreamWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWriter")
            .field("queued", &self.queued())
            .field("watermarks", &self.watermarks())
            .field("is_closing", &self.is_closing())
            .finish()
    }
}
