//! What may be said of the streams of a connection, wherever it comes from.

use crate::transport::adopt;
use crate::{CloseError, Facts, StreamReader, StreamWriter, Transport};
use highwater_stream::{DEFAULT_LIMIT, Linger, Pair, Watermarks};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// The options of the reader and the writer of a connection: those of [`highwater_stream::Pair`], to be
/// given to [`OpenConnection::streams`](crate::OpenConnection::streams) and
/// [`StartServer::streams`](crate::StartServer::streams).
///
/// ```
/// use highwater_net::{StreamOptions, Watermarks};
/// use std::time::Duration;
///
/// let options = StreamOptions::new()
///     .limit(1024 * 1024)
///     .watermarks(Watermarks::with_high(256 * 1024))
///     .read_timeout(Some(Duration::from_secs(300)));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to what makes the connection"]
pub struct StreamOptions {
    limit: usize,
    watermarks: Watermarks,
    max_buffered: Option<usize>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    delivery_timeout: Duration,
    linger: Linger,
    can_write_eof: bool,
}

impl StreamOptions {
    /// The defaults: a limit of 64 KiB, marks of 64 and 16 KiB, 30 s for a delivery that stands still, no
    /// other time-out, no cap.
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (reader, _writer) = open_connection(address).streams(StreamOptions::new()).await?;
    /// assert_eq!(reader.limit(), 64 * 1024);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn new() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            watermarks: Watermarks::default(),
            max_buffered: None,
            read_timeout: None,
            write_timeout: None,
            delivery_timeout: Duration::from_secs(30),
            linger: Linger::default(),
            can_write_eof: true,
        }
    }

    /// The reader's limit, in bytes before a separator: see [`Pair::limit`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().limit(1024);
    /// let (reader, _writer) = open_connection(address).streams(options).await?;
    /// assert_eq!(reader.limit(), 1024);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The writer's marks: see [`Pair::watermarks`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, Watermarks, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().watermarks(Watermarks::with_high(1024));
    /// let (_reader, writer) = open_connection(address).streams(options).await?;
    /// assert_eq!(writer.watermarks().high(), 1024);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn watermarks(mut self, watermarks: Watermarks) -> Self {
        self.watermarks = watermarks;
        self
    }

    /// A hard cap on queued bytes, past which a write is refused: see [`Pair::max_buffered`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().max_buffered(Some(4));
    /// let (_reader, writer) = open_connection(address).streams(options).await?;
    /// assert!(writer.write("five!").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn max_buffered(mut self, max_buffered: Option<usize>) -> Self {
        self.max_buffered = max_buffered;
        self
    }

    /// How long a read may wait for a byte: see [`Pair::read_timeout`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().read_timeout(Some(Duration::from_millis(1)));
    /// let (mut reader, _writer) = open_connection(address).streams(options).await?;
    /// assert_eq!(reader.read(1).await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn read_timeout(mut self, after: Option<Duration>) -> Self {
        self.read_timeout = after;
        self
    }

    /// How long queued bytes may stand still while the connection is open: see [`Pair::write_timeout`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().write_timeout(Some(Duration::from_millis(1)));
    /// let (_reader, writer) = open_connection(address).streams(options).await?;
    /// writer.write(vec![0; 64 << 20])?; // nobody reads it
    /// assert_eq!(writer.flush().await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn write_timeout(mut self, after: Option<Duration>) -> Self {
        self.write_timeout = after;
        self
    }

    /// How long delivery may stand still after `close`, or after the last writer has gone: see
    /// [`Pair::delivery_timeout`].
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().delivery_timeout(Duration::from_millis(1));
    /// let (_reader, writer) = open_connection(address).streams(options).await?;
    /// writer.write(vec![0; 64 << 20])?; // nobody reads it
    /// writer.close();
    /// assert!(writer.wait_closed().await.unwrap_err().unsent() > 0);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn delivery_timeout(mut self, after: Duration) -> Self {
        self.delivery_timeout = after;
        self
    }

    /// How long a closed connection reads on and discards: see [`Pair::linger`].
    ///
    /// ```
    /// # use highwater_net::{Linger, StreamOptions, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().linger(Linger::NONE);
    /// let (_reader, writer) = open_connection(address).streams(options).await?;
    /// writer.close();
    /// assert!(writer.downgrade().is_gone());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn linger(mut self, linger: Linger) -> Self {
        self.linger = linger;
        self
    }

    /// Whether the transport can end its writing half and go on reading; no for the pipes of a child, say,
    /// whose shutdown closes nothing. Sockets can.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::StreamOptions;
    /// let (transport, _peer) = tokio::io::duplex(64);
    /// let (_reader, writer) = StreamOptions::new().can_write_eof(false).pair(transport);
    /// assert!(writer.write_eof().is_err());
    /// # });
    /// ```
    pub fn can_write_eof(mut self, can: bool) -> Self {
        self.can_write_eof = can;
        self
    }

    /// A reader and a writer over anything that reads and writes: [`pair`](crate::pair) with these options.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::StreamOptions;
    /// let (transport, _peer) = tokio::io::duplex(64);
    /// let (reader, _writer) = StreamOptions::new().limit(1024).pair(transport);
    /// assert_eq!(reader.limit(), 1024);
    /// # });
    /// ```
    pub fn pair(
        &self,
        transport: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> (StreamReader, StreamWriter) {
        let (transport, facts) = adopt(transport);
        self.split(transport, facts)
    }

    pub(crate) fn split(&self, transport: Transport, facts: Facts) -> (StreamReader, StreamWriter) {
        self.pair_over(transport, facts).split()
    }

    /// For a server, which has somebody to tell, and a task that sends.
    pub(crate) fn split_attended(
        &self,
        transport: Transport,
        facts: Facts,
        on_unsent: Arc<OnUnsent>,
    ) -> (StreamReader, StreamWriter, Attendant) {
        self.pair_over(transport, facts).shared_on_unsent(on_unsent).split_attended()
    }

    fn pair_over(&self, transport: Transport, facts: Facts) -> Pair<Transport, Facts> {
        Pair::new(transport)
            .limit(self.limit)
            .watermarks(self.watermarks)
            .max_buffered(self.max_buffered)
            .read_timeout(self.read_timeout)
            .write_timeout(self.write_timeout)
            .delivery_timeout(self.delivery_timeout)
            .linger(self.linger)
            .can_write_eof(self.can_write_eof)
            .on_abort(Transport::reset)
            .progress(Transport::passed_on)
            .facts(facts)
    }
}

/// Who sends what is written to a connection, in the task that serves it.
pub(crate) type Attendant = highwater_stream::Attendant<Transport, Facts>;

/// Who is told of bytes that were lost when nobody else was left to be told.
pub(crate) type OnUnsent = dyn Fn(&CloseError, &Facts) + Send + Sync;

impl Default for StreamOptions {
    fn default() -> Self {
        Self::new()
    }
}
