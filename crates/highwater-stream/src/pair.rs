//! Both halves of one transport: how they are made.

mod reunite;
mod upgrade;

pub use reunite::{ReuniteError, ReuniteReason, Reunited};
pub use upgrade::UpgradeError;

use crate::connection::{Connection, Discard, Farewell, Linger, Manners, OnUnsent, discard};
use crate::flusher::Attendant;
use crate::outbox::Outbox;
use crate::source::{Arrival, Source, sealed};
use crate::sync::Mutex;
use crate::{CloseError, StreamReader, StreamWriter, TransportError};
use highwater_buffer::{DEFAULT_LIMIT, ReadBuffer, Watermarks};
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// A reader and a writer over one transport, with the defaults of [`Pair`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(64);
/// let (mut reader, writer) = highwater_stream::pair(near);
/// let (mut peer, reply) = highwater_stream::pair(far);
/// writer.write("ping\n")?;
/// assert_eq!(peer.read_line().await?.unwrap(), "ping\n");
/// reply.write("pong\n")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "pong\n");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub fn pair<T>(transport: T) -> (StreamReader<ReadHalf<T>>, StreamWriter<T>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Pair::new(transport).split()
}

/// How a reader and a writer over one transport are made.
///
/// The halves share the transport: `close`, `abort`, the linger and an error met by either reach it
/// wherever the halves are. The runtime in which it is split sends what is queued; outside of a runtime
/// bytes leave at `drain` above the high mark, at `flush`, `close` and the last drop.
///
/// | option | default |
/// | --- | --- |
/// | [`limit`](Self::limit) | 64 KiB |
/// | [`watermarks`](Self::watermarks) | 64 KiB and 16 KiB |
/// | [`max_buffered`](Self::max_buffered) | none |
/// | [`linger`](Self::linger) | 2 s of silence, 30 s, 1 MiB |
/// | [`delivery_timeout`](Self::delivery_timeout) | 30 s |
/// | [`read_timeout`](Self::read_timeout), [`write_timeout`](Self::write_timeout) | none |
/// | [`on_abort`](Self::on_abort) | the transport is dropped |
/// | [`can_write_eof`](Self::can_write_eof) | yes |
/// | [`facts`](Self::facts) | none |
///
/// ```
/// use highwater_stream::Pair;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (transport, _peer) = tokio::io::duplex(64);
/// let pair = Pair::new(transport).limit(1024).max_buffered(Some(1 << 20)).facts("over memory");
/// let (reader, writer) = pair.split();
/// assert_eq!(reader.limit(), 1024);
/// assert_eq!(*writer.facts(), "over memory");
/// # });
/// ```
#[must_use = "nothing is made until `split`"]
pub struct Pair<T, F = ()> {
    transport: T,
    options: Options<T>,
    facts: F,
    on_unsent: Option<OnUnsent<F>>,
}

/// What may be said of a pair, or of a writer alone.
pub(crate) struct Options<T> {
    limit: usize,
    watermarks: Watermarks,
    max_buffered: Option<usize>,
    read_timeout: Option<Duration>,
    manners: Manners<T>,
}

impl<T> Options<T> {
    pub(crate) fn new(discard: Option<Discard<T>>) -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            watermarks: Watermarks::default(),
            max_buffered: None,
            read_timeout: None,
            manners: Manners {
                abort: None,
                discard,
                progress: None,
                can_write_eof: true,
                farewell: Mutex::default(),
                write_timeout: None,
            },
        }
    }

    fn farewell(&mut self) -> &mut Farewell {
        self.manners.farewell.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connect<F>(
        self,
        transport: T,
        facts: F,
        on_unsent: Option<OnUnsent<F>>,
        reader: bool,
    ) -> Arc<Connection<T, F>> {
        let outbox = Outbox::new(self.watermarks, self.max_buffered, reader);
        Arc::new(Connection::new(transport, outbox, self.manners, facts, on_unsent))
    }
}

impl<T> Pair<T>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// A pair over `transport`, which it will own.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (reader, writer) = Pair::new(tokio::io::duplex(64).0).split();
    /// assert_eq!((reader.buffered(), writer.queued()), (0, 0));
    /// ```
    pub fn new(transport: T) -> Self {
        Self { transport, options: Options::new(Some(discard::<T>)), facts: (), on_unsent: None }
    }
}

impl<T, F> Pair<T, F>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// The reader's limit in bytes: see [`StreamReader::set_limit`].
    ///
    /// asyncio: the `limit` of `open_connection`.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (reader, _writer) = Pair::new(tokio::io::duplex(64).0).limit(1024).split();
    /// assert_eq!(reader.limit(), 1024);
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.options.limit = limit;
        self
    }

    /// The writer's marks: see [`StreamWriter::drain`].
    ///
    /// asyncio: `transport.set_write_buffer_limits`.
    ///
    /// ```
    /// # use highwater_stream::{Pair, Watermarks};
    /// let pair = Pair::new(tokio::io::duplex(64).0).watermarks(Watermarks::with_high(1024));
    /// let (_reader, writer) = pair.split();
    /// assert_eq!(writer.watermarks().high(), 1024);
    /// ```
    pub fn watermarks(mut self, watermarks: Watermarks) -> Self {
        self.options.watermarks = watermarks;
        self
    }

    /// A hard cap on queued bytes: see [`StreamWriter::set_max_buffered`].
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (_reader, writer) = Pair::new(tokio::io::duplex(64).0).max_buffered(Some(4)).split();
    /// assert!(writer.write("four").is_ok());
    /// assert!(writer.write("!").is_err());
    /// ```
    pub fn max_buffered(mut self, max_buffered: Option<usize>) -> Self {
        self.options.max_buffered = max_buffered;
        self
    }

    /// How long a read may wait for a byte: see [`StreamReader::set_read_timeout`].
    ///
    /// ```
    /// # let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # use std::time::Duration;
    /// let (transport, _silent) = tokio::io::duplex(64);
    /// let pair = highwater_stream::Pair::new(transport).read_timeout(Some(Duration::from_secs(60)));
    /// let (mut reader, _writer) = pair.split();
    /// assert_eq!(reader.read(1).await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    /// # });
    /// ```
    pub fn read_timeout(mut self, after: Option<Duration>) -> Self {
        self.options.read_timeout = after;
        self
    }

    /// How long queued bytes may stand still while the connection is open. Then it is aborted, and
    /// `TimedOut` is the kept error. Counted from the last byte that the transport took.
    ///
    /// ```
    /// # let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// let (transport, _peer_that_never_reads) = tokio::io::duplex(4);
    /// let pair = highwater_stream::Pair::new(transport).write_timeout(Some(Duration::from_secs(5)));
    /// let (_reader, writer) = pair.split();
    /// writer.write("more than four bytes").unwrap();
    /// let error = writer.flush().await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    /// # });
    /// ```
    pub fn write_timeout(mut self, after: Option<Duration>) -> Self {
        self.options.manners.write_timeout = after;
        self
    }

    /// How long delivery may stand still after `close`, or after the last writer has gone. Then the
    /// connection is aborted and `wait_closed` tells how many bytes were lost.
    ///
    /// asyncio: `transport.close`. diverges: there a peer that takes nothing keeps a closing connection open
    /// for ever; no wait may be without an end.
    ///
    /// ```
    /// # let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # use std::time::Duration;
    /// let (transport, _never_reads) = tokio::io::duplex(4);
    /// let pair = highwater_stream::Pair::new(transport).delivery_timeout(Duration::from_secs(5));
    /// let (_reader, writer) = pair.split();
    /// writer.write("ten bytes.").unwrap();
    /// writer.close();
    /// assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 6);
    /// # });
    /// ```
    pub fn delivery_timeout(mut self, after: Duration) -> Self {
        self.options.farewell().delivery_timeout = after;
        self
    }

    /// How long a closed connection reads on and discards.
    ///
    /// ```
    /// # let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
    /// # use highwater_stream::{Linger, Pair};
    /// # use std::time::Duration;
    /// let linger = Linger { silence: Duration::from_millis(100), ..Linger::default() };
    /// let (transport, _never_ends) = tokio::io::duplex(64);
    /// let (_reader, writer) = Pair::new(transport).linger(linger).split();
    /// let start = tokio::time::Instant::now();
    /// writer.close();
    /// writer.wait_closed().await.unwrap();
    /// assert!(start.elapsed() < Duration::from_secs(1));
    /// # });
    /// ```
    pub fn linger(mut self, linger: Linger) -> Self {
        self.options.farewell().linger = linger;
        self
    }

    /// What makes the transport reset instead of end, called just before it is dropped; for TCP, a linger
    /// of zero seconds.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// static RESET: AtomicBool = AtomicBool::new(false);
    /// let (transport, _peer) = tokio::io::duplex(64);
    /// let pair = highwater_stream::Pair::new(transport).on_abort(|_| RESET.store(true, Ordering::Relaxed));
    /// let (_reader, writer) = pair.split();
    /// writer.abort();
    /// assert!(RESET.load(Ordering::Relaxed));
    /// ```
    pub fn on_abort(mut self, abort: fn(&mut T)) -> Self {
        self.options.manners.abort = Some(abort);
        self
    }

    /// Counts the bytes that the transport has passed on, for one that accepts bytes and holds them back, as
    /// TLS does: while the count grows, delivery does not stand still.
    ///
    /// ```
    /// struct Compressed {
    ///     inner: tokio::io::DuplexStream,
    ///     passed_on: u64,
    /// }
    /// # use std::{io, pin::Pin, task::{Context, Poll}};
    /// # use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
    /// # impl AsyncRead for Compressed {
    /// #     fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    /// #         Pin::new(&mut self.inner).poll_read(cx, into)
    /// #     }
    /// # }
    /// # impl AsyncWrite for Compressed {
    /// #     fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    /// #         Pin::new(&mut self.inner).poll_write(cx, bytes)
    /// #     }
    /// #     fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    /// #         Pin::new(&mut self.inner).poll_flush(cx)
    /// #     }
    /// #     fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    /// #         Pin::new(&mut self.inner).poll_shutdown(cx)
    /// #     }
    /// # }
    /// let transport = Compressed { inner: tokio::io::duplex(64).0, passed_on: 0 };
    /// let (_reader, writer) = highwater_stream::Pair::new(transport).progress(|it| it.passed_on).split();
    /// assert!(writer.write("counted when it leaves").is_ok());
    /// ```
    pub fn progress(mut self, passed_on: fn(&T) -> u64) -> Self {
        self.options.manners.progress = Some(passed_on);
        self
    }

    /// Whether the transport can end its writing half and go on reading.
    ///
    /// ```
    /// # use highwater_stream::{Pair, WriteError};
    /// let (_reader, writer) = Pair::new(tokio::io::duplex(64).0).can_write_eof(false).split();
    /// assert!(matches!(writer.write_eof(), Err(WriteError::CannotWriteEof)));
    /// ```
    pub fn can_write_eof(mut self, can: bool) -> Self {
        self.options.manners.can_write_eof = can;
        self
    }

    /// What is known of the connection, kept on both halves after it is gone.
    ///
    /// asyncio: the `extra` of a transport, typed.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (reader, writer) = Pair::new(tokio::io::duplex(64).0).facts(["a", "b"]).split();
    /// assert_eq!(reader.facts(), writer.facts());
    /// ```
    pub fn facts<G>(self, facts: G) -> Pair<T, G> {
        Pair { transport: self.transport, options: self.options, facts, on_unsent: None }
    }

    /// Who is told when bytes are lost and nobody is left to be told: both halves were dropped,
    /// and the transport failed or took nothing any more. Unless said otherwise it is a line on stderr, or an event
    /// of `tracing`. To be said after [`facts`](Self::facts), which it is shown.
    ///
    /// It is called where the connection ends, in a drop perhaps: it should not block, and what it panics
    /// with is lost.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use highwater_stream::Pair;
    /// let (near, far) = tokio::io::duplex(4);
    /// let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    /// let pair = Pair::new(near).facts("the printer");
    /// let pair = pair.on_unsent(move |error, facts| drop(tell.send(format!("{facts}: {error}"))));
    /// let (reader, writer) = pair.split();
    /// writer.write("too much").unwrap();
    /// drop((reader, writer, far));
    /// assert!(told.recv().await.unwrap().starts_with("the printer: closed with 4 bytes unsent"));
    /// # });
    /// ```
    pub fn on_unsent(self, hook: impl Fn(&CloseError, &F) + Send + Sync + 'static) -> Self {
        self.shared_on_unsent(Arc::new(hook))
    }

    /// One hook for many pairs. For the layers above.
    #[doc(hidden)]
    #[allow(clippy::type_complexity)] // Its alias is no name for users.
    pub fn shared_on_unsent(mut self, hook: Arc<dyn Fn(&CloseError, &F) + Send + Sync>) -> Self {
        self.on_unsent = Some(hook);
        self
    }

    /// The reader and the writer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (near, far) = tokio::io::duplex(64);
    /// let (mut reader, _writer) = highwater_stream::Pair::new(near).split();
    /// let (_reader, peer) = highwater_stream::Pair::new(far).split();
    /// peer.write("hello\n").unwrap();
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
    /// # });
    /// ```
    pub fn split(self) -> (StreamReader<ReadHalf<T, F>>, StreamWriter<T, F>) {
        self.halves()
    }

    /// The reader, the writer, and who sends: for the layers above, which have a task for it.
    #[doc(hidden)]
    #[allow(clippy::type_complexity)] // The layer above has names for them.
    pub fn split_attended(self) -> (StreamReader<ReadHalf<T, F>>, StreamWriter<T, F>, Attendant<T, F>) {
        let (reader, writer) = self.halves();
        let attendant = Attendant::new(Arc::clone(writer.connection()));
        (reader, writer, attendant)
    }

    fn halves(self) -> (StreamReader<ReadHalf<T, F>>, StreamWriter<T, F>) {
        let buffer = ReadBuffer::with_limit(self.options.limit);
        let read_timeout = self.options.read_timeout;
        let connection = self.options.connect(self.transport, self.facts, self.on_unsent, true);
        let half = ReadHalf { connection: Arc::clone(&connection) };
        let mut reader = StreamReader::from_parts(half, buffer);
        reader.set_read_timeout(read_timeout);
        (reader, StreamWriter::from_connection(connection))
    }
}

impl<T, F> fmt::Debug for Pair<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("limit", &self.options.limit)
            .field("watermarks", &self.options.watermarks)
            .field("max_buffered", &self.options.max_buffered)
            .finish_non_exhaustive()
    }
}

/// The reading half of a pair's transport, inside its [`StreamReader`].
///
/// When it goes last, the connection closes gracefully; writers that are left go on.
///
/// ```
/// use highwater_stream::{ReadHalf, StreamReader};
/// use tokio::io::DuplexStream;
/// fn limit_of(reader: &StreamReader<ReadHalf<DuplexStream>>) -> usize {
///     reader.limit()
/// }
/// let (reader, _writer) = highwater_stream::pair(tokio::io::duplex(64).0);
/// assert_eq!(limit_of(&reader), 64 * 1024);
/// ```
pub struct ReadHalf<T, F = ()>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    connection: Arc<Connection<T, F>>,
}

impl<T, F> sealed::Sealed for ReadHalf<T, F>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
}

impl<T, F> Source for ReadHalf<T, F>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<Result<Arrival, TransportError>> {
        self.connection.poll_fill(cx, buffer)
    }

    fn failure(&self) -> Option<TransportError> {
        self.connection.outbox.lost()
    }
}

impl<T, F> StreamReader<ReadHalf<T, F>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// What is known of the connection. It outlives the connection.
    ///
    /// # Source
    /// asyncio: `StreamWriter.get_extra_info`, typed.
    ///
    /// ```
    /// # use highwater_stream::Pair;
    /// let (reader, writer) = Pair::new(tokio::io::duplex(64).0).facts("over memory").split();
    /// writer.abort();
    /// assert_eq!(*reader.facts(), "over memory");
    /// ```
    pub fn facts(&self) -> &F {
        &self.get_ref().connection.facts
    }

    /// Calls `inspect` with the transport, for its options; `None` once the connection is gone. Reads
    /// and sends stand still meanwhile: do not block in it, and do not call this method again inside.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (reader, _writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// assert!(reader.with_transport(|duplex| format!("{duplex:?}")).is_some());
    /// # });
    /// ```
    pub fn with_transport<V>(&self, inspect: impl FnOnce(&T) -> V) -> Option<V> {
        self.get_ref().connection.with_transport(inspect)
    }
}

impl<T, F> StreamReader<ReadHalf<T, F>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn connection(&self) -> &Arc<Connection<T, F>> {
        &self.get_ref().connection
    }
}

impl<T, F> fmt::Debug for ReadHalf<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf").field("is_closing", &self.connection.outbox.is_closing()).finish()
    }
}

impl<T, F> Drop for ReadHalf<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn drop(&mut self) {
        let left = self.connection.outbox.remove_reader();
        self.connection.half_gone(left);
    }
}
