//! Connecting: resolve, try each address in turn, keep every error.

use crate::address::{ConnectTo, Name, Socket, adopt_tcp};
use crate::{StreamOptions, StreamReader, StreamWriter};
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;

/// Opens a connection: a reader and a writer. Await it, after its options if it needs any.
///
/// # Errors
/// [`ConnectError`]: the name did not resolve, no address could be connected (each is listed with its
/// error), the time ran out, or the socket could not be taken.
///
/// # Panics
/// Awaited outside of a tokio runtime with its I/O enabled, or with a time-out but without its time.
///
/// # Cancel safety
/// Cancel safe: dropped, it closes the socket that is being connected, or that was handed in.
///
/// # Source
/// asyncio: `open_connection`. diverges: TCP_NODELAY is set on every TCP stream, because whether a small
/// write is delayed must not depend on who made the socket.
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
pub fn open_connection<C: ConnectTo>(to: C) -> OpenConnection<C::Kind> {
    OpenConnection { to: to.into_target(), streams: StreamOptions::new(), limit: None, timeout: None }
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
#[derive(Debug)]
#[must_use = "nothing is connected until it is awaited"]
pub struct OpenConnection<K> {
    to: K,
    streams: StreamOptions,
    limit: Option<usize>,
    timeout: Option<Duration>,
}

impl<K> OpenConnection<K> {
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
}

impl<K> OpenConnection<K> {
    fn options(&self) -> StreamOptions {
        let options = self.streams.clone();
        match self.limit {
            Some(limit) => options.limit(limit),
            None => options,
        }
    }
}

impl OpenConnection<Name> {
    /// How long resolving and connecting may take together. Without it, as long as the system lets it.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let connecting = open_connection(address).connect_timeout(Duration::from_secs(10));
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn connect_timeout(mut self, after: Duration) -> Self {
        self.timeout = Some(after);
        self
    }

    async fn connect(self) -> Result<(StreamReader, StreamWriter), ConnectError> {
        let streams = self.options();
        let mut attempts = Vec::new();
        let mut trying = None;
        let connecting = connect_in_turn(&self.to, &mut attempts, &mut trying);
        let connected = match self.timeout {
            None => connecting.await,
            Some(after) => match tokio::time::timeout(after, connecting).await {
                Ok(connected) => connected,
                Err(elapsed) => {
                    let given_up = |address| Attempt { address, error: elapsed.into() };
                    attempts.extend(trying.map(given_up));
                    return Err(ConnectError::TimedOut { to: self.to, after, attempts });
                }
            },
        };
        match connected {
            Ok(Some(socket)) => {
                let (transport, facts) = adopt_tcp(socket, None);
                Ok(streams.split(transport, facts))
            }
            Ok(None) => Err(ConnectError::Unreachable { to: self.to, attempts }),
            Err(error) => Err(ConnectError::Resolve { to: self.to, error }),
        }
    }
}

/// The first address that connects; the others are in `attempts`, each with its error. Dropped, it was
/// `trying` an address.
async fn connect_in_turn(
    to: &Name,
    attempts: &mut Vec<Attempt>,
    trying: &mut Option<SocketAddr>,
) -> io::Result<Option<TcpStream>> {
    for address in to.resolve().await? {
        *trying = Some(address);
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(Some(socket)),
            Err(error) => attempts.push(Attempt { address, error }),
        }
    }
    Ok(None)
}

impl IntoFuture for OpenConnection<Name> {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

impl IntoFuture for OpenConnection<Socket> {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let streams = self.options();
            let (transport, facts) = self.to.adopt().map_err(ConnectError::Socket)?;
            Ok(streams.split(transport, facts))
        })
    }
}

/// An address that was tried, and why it was not the one.
///
/// ```
/// use highwater_net::{ConnectError, open_connection};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let address = nobody.local_addr().unwrap();
/// # drop(nobody);
/// let refused = open_connection(address).await;
/// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
/// assert!(attempts[0].to_string().starts_with("127.0.0.1:"));
/// # });
/// ```
#[derive(Debug)]
pub struct Attempt {
    pub(crate) address: SocketAddr,
    pub(crate) error: io::Error,
}

impl Attempt {
    /// The address.
    ///
    /// ```
    /// use highwater_net::{ConnectError, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let address = nobody.local_addr().unwrap();
    /// # drop(nobody);
    /// let refused = open_connection(address).await;
    /// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
    /// assert_eq!(attempts[0].address(), address);
    /// # });
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why it was not the one.
    ///
    /// ```
    /// use highwater_net::{ConnectError, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let address = nobody.local_addr().unwrap();
    /// # drop(nobody);
    /// let refused = open_connection(address).await;
    /// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
    /// assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::ConnectionRefused);
    /// # });
    /// ```
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.error)
    }
}

/// Every attempt with its error; the error alone where the address was what was asked for.
pub(crate) struct Listed<'a> {
    attempts: &'a [Attempt],
    asked_for: Option<SocketAddr>,
}

impl<'a> Listed<'a> {
    pub(crate) fn all(attempts: &'a [Attempt]) -> Self {
        Self { attempts, asked_for: None }
    }

    fn of(attempts: &'a [Attempt], to: &Name) -> Self {
        Self { attempts, asked_for: to.to_string().parse().ok() }
    }
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([attempt], Some(_)) = (self.attempts, self.asked_for) {
            return attempt.error.fmt(f);
        }
        for (index, attempt) in self.attempts.iter().enumerate() {
            write!(f, "{}{attempt}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Why a connection was not opened.
///
/// # Source
/// asyncio: the exception of `open_connection`. diverges: every address has its error, because the one that
/// matters may be any of them; there one error stands for all, or a text without an `errno`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{ConnectError, open_connection};
/// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let address = nobody.local_addr().unwrap();
/// # drop(nobody);
/// match open_connection(address).await {
///     Err(ConnectError::Unreachable { attempts, .. }) => {
///         assert_eq!(attempts[0].address(), address);
///         assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::ConnectionRefused);
///     }
///     other => panic!("{other:?}"),
/// }
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name did not resolve.
    Resolve {
        /// What was to be connected.
        to: Name,
        /// Why it did not resolve.
        error: io::Error,
    },
    /// No address could be connected.
    Unreachable {
        /// What was to be connected.
        to: Name,
        /// Every address that was tried, in order. None when the name resolved to nothing.
        attempts: Vec<Attempt>,
    },
    /// The connect time-out ran out.
    TimedOut {
        /// What was to be connected.
        to: Name,
        /// The time-out.
        after: Duration,
        /// The addresses that had failed by then, and the one that was being tried, with `TimedOut`.
        attempts: Vec<Attempt>,
    },
    /// The socket that was handed in could not be taken.
    Socket(io::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Resolve { to, error } => write!(f, "{to} did not resolve: {error}"),
            ConnectError::Unreachable { to, attempts } if attempts.is_empty() => {
                write!(f, "{to} resolved to no address")
            }
            ConnectError::Unreachable { to, attempts } => {
                write!(f, "could not connect to {to}: {}", Listed::of(attempts, to))
            }
            ConnectError::TimedOut { to, after, attempts } if attempts.is_empty() => {
                write!(f, "{to} was not connected within {after:?}")
            }
            ConnectError::TimedOut { to, after, attempts } => {
                write!(f, "{to} was not connected within {after:?}: {}", Listed::of(attempts, to))
            }
            ConnectError::Socket(error) => write!(f, "the socket could not be taken: {error}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ConnectError::Resolve { error, .. } | ConnectError::Socket(error) => Some(error),
            ConnectError::Unreachable { attempts, .. } | ConnectError::TimedOut { attempts, .. } => {
                attempts.last().map(|attempt| &attempt.error as _)
            }
        }
    }
}

/// Of the kind of the last attempt's error; this error stays inside.
impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::Resolve { error, .. } | ConnectError::Socket(error) => error.kind(),
            ConnectError::Unreachable { attempts, .. } => {
                attempts.last().map_or(io::ErrorKind::NotFound, |attempt| attempt.error.kind())
            }
            ConnectError::TimedOut { .. } => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, error)
    }
}
