//! Connecting: what is to be connected, and what all connections have in common.

mod by_name;
mod connector;
mod driver;
mod error;
mod order;
mod race;
mod socket;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;

pub use connector::Connector;
pub(crate) use error::Listed;
pub use error::{Attempt, Conflict, ConnectError};
#[cfg(feature = "tls")]
pub use tls::HostTls;
#[cfg(unix)]
pub use unix::open_unix_connection;

#[cfg(feature = "tls")]
use crate::NamedClientTls;
use crate::address::{ConnectTo, Socket};
use crate::{StreamOptions, StreamReader, StreamWriter};
use by_name::Reach;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

/// Opens a connection: a reader and a writer. Await it, after its options if it needs any.
///
/// The addresses of a name are raced (happy eyeballs): each starts a quarter of a second after the one before,
/// or when one fails, the families taking turns, and the first that connects wins. The others are closed by
/// then.
///
/// # Errors
/// [`ConnectError`]: the name or the local address did not resolve, options contradict each other, no address
/// could be connected (each is listed with its error), the time ran out, or the socket could not be taken.
/// No socket is left open.
///
/// # Panics
/// Awaited outside of a tokio runtime with its I/O enabled, or without its time where time counts: with a
/// time-out, or with a second address to try.
///
/// # Cancel safety
/// Cancel safe: dropped, it closes the sockets that are being connected, or the one that was handed in.
///
/// # Source
/// asyncio: `open_connection`. RFC 8305 §5. diverges:
/// - Happy eyeballs is on: a family that is broken should not cost minutes.
/// - TCP_NODELAY is set on every TCP stream, because whether a small write is delayed must not depend on who
///   made the socket.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
/// # use std::time::Duration;
/// # let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("127.0.0.1", 0)).await?;
/// # let port = server.local_addrs()[0].port();
/// let (reader, writer) = open_connection(("127.0.0.1", port))
///     .limit(1024 * 1024)
///     .connect_timeout(Duration::from_secs(10))
///     .await?;
/// # drop((reader, writer));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// A socket that was made elsewhere has no options for connecting. diverges: asyncio raises `ValueError`;
/// what can be found early should be.
///
/// ```compile_fail
/// # async fn never(socket: tokio::net::TcpStream) {
/// let connection = highwater_net::open_connection(socket).connect_timeout(std::time::Duration::ZERO);
/// # }
/// ```
///
/// ```compile_fail
/// # async fn never(socket: tokio::net::TcpStream) {
/// let connection = highwater_net::open_connection(socket).family(highwater_net::Family::V4);
/// # }
/// ```
///
/// ```compile_fail
/// # async fn never(socket: tokio::net::TcpStream) {
/// let connection = highwater_net::open_connection(socket).local_addr(("127.0.0.1", 0));
/// # }
/// ```
///
/// ```compile_fail
/// # async fn never(socket: tokio::net::TcpStream) {
/// let connection = highwater_net::open_connection(socket).happy_eyeballs_delay(None);
/// # }
/// ```
///
/// ```compile_fail
/// # async fn never(socket: tokio::net::TcpStream) {
/// let connection = highwater_net::open_connection(socket).on_socket(|_| Ok(()));
/// # }
/// ```
pub fn open_connection<C: ConnectTo>(to: C) -> OpenConnection<C::Kind> {
    OpenConnection::new(to.into_target())
}

/// A connection to be opened: see [`open_connection`].
///
/// ```
/// use highwater_net::{ConnectTo, Name, OpenConnection, open_connection};
/// fn patient(to: impl ConnectTo<Kind = Name>) -> OpenConnection<Name> {
///     open_connection(to).connect_timeout(std::time::Duration::from_secs(60))
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = server.local_addr()?;
/// let (_reader, writer) = patient(address).await?;
/// assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing is connected until it is awaited"]
pub struct OpenConnection<K> {
    to: K,
    streams: StreamOptions,
    limit: Option<usize>,
    /// How a name is reached. A socket has been: only a name has methods that change it.
    timeout: Option<Duration>,
    reach: Reach,
    #[cfg(feature = "tls")]
    tls: Option<NamedClientTls>,
}

impl<K> OpenConnection<K> {
    pub(crate) fn new(to: K) -> Self {
        Self {
            to,
            streams: StreamOptions::new(),
            limit: None,
            timeout: None,
            reach: Reach::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The reader's limit, in bytes before a separator.
    ///
    /// asyncio: the `limit` of `open_connection`; 64 KiB unless said otherwise, as there.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (reader, _writer) = open_connection(address).limit(1024).await?;
    /// assert_eq!(reader.limit(), 1024);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// All options of the reader and the writer, in place of those said before, but for a
    /// [`limit`](Self::limit) that is said here.
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let options = StreamOptions::new().limit(1024).max_buffered(Some(4));
    /// let (reader, writer) = open_connection(address).streams(options).await?;
    /// assert_eq!(reader.limit(), 1024);
    /// assert!(writer.write("five!").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn streams(mut self, options: StreamOptions) -> Self {
        self.streams = options;
        self
    }

    fn options(&self) -> StreamOptions {
        let options = self.streams.clone();
        match self.limit {
            Some(limit) => options.limit(limit),
            None => options,
        }
    }
}

impl IntoFuture for OpenConnection<Socket> {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let streams = self.options();
            let (transport, facts) = self.to.adopt().map_err(ConnectError::Socket)?;
            let halves = streams.split(transport, facts);
            #[cfg(feature = "tls")]
            let halves = tls::secure(halves, self.tls, None).await?;
            Ok(halves)
        })
    }
}

impl<K: fmt::Debug> fmt::Debug for OpenConnection<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenConnection").field("to", &self.to).finish_non_exhaustive()
    }
}
