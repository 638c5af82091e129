//! Connecting to a Unix socket, by its path or its abstract name.

#[cfg(feature = "tls")]
use super::tls::{self, Deadline};
use super::{ConnectError, OpenConnection, StreamReader, StreamWriter};
use crate::address::adopt_unix;
use crate::unix::{UnixPath, UnixPathError, found};
use std::future::{Future, IntoFuture};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::UnixStream;

/// Where a full queue is looked at again, first and at the longest: each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Opens a connection to a Unix socket: a reader and a writer. Await it, after its options if it needs any.
/// On Unix only.
///
/// A path that begins with a NUL is an abstract name (Linux, Android).
///
/// If the server's queue is full, it waits for room, as long as the time-out lets it and the server lives.
///
/// # Errors
/// [`ConnectError::Unix`]: with the path, and what is wrong with it.
///
/// # Panics
/// Awaited outside of a tokio runtime with its I/O and its time enabled.
///
/// # Cancel safety
/// Cancel safe: dropped, it closes the socket that is being connected.
///
/// # Source
/// asyncio: `open_unix_connection`; its `sock` is [`open_connection`](crate::open_connection) of a socket.
/// diverges: with a full queue asyncio takes the socket for connected, and the first write fails.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, open_unix_connection, start_unix_server};
/// # let path = std::env::temp_dir().join(format!("highwater-open-{}", std::process::id()));
/// let greet = |_: StreamReader, writer: StreamWriter| async move { writer.write("hello\n") };
/// let server = start_unix_server(greet, &path).await?;
/// let (mut reader, _writer) = open_unix_connection(&path).limit(1024).await?;
/// assert_eq!(reader.read_line().await?.unwrap(), "hello\n");
/// # drop(server);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub fn open_unix_connection(path: impl AsRef<Path>) -> OpenConnection<UnixPath> {
    OpenConnection::new(UnixPath::new(path))
}

impl OpenConnection<UnixPath> {
    /// How long it may wait for room in the server's queue. Without it, as long as the server lives.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::open_unix_connection;
    /// # let path = std::env::temp_dir().join(format!("highwater-timeout-{}", std::process::id()));
    /// # let _listener = std::os::unix::net::UnixListener::bind(&path)?;
    /// let connecting = open_unix_connection(&path).connect_timeout(std::time::Duration::from_secs(10));
    /// assert!(connecting.await.is_ok());
    /// # std::fs::remove_file(&path)
    /// # }).unwrap();
    /// ```
    pub fn connect_timeout(mut self, after: Duration) -> Self {
        self.timeout = Some(after);
        self
    }

    async fn connect(self) -> Result<(StreamReader, StreamWriter), ConnectError> {
        let streams = self.options();
        #[cfg(feature = "tls")]
        let deadline = Deadline::after(self.timeout);
        let connecting = connect(&self.to);
        let connected = match self.timeout {
            None => connecting.await,
            Some(after) => match tokio::time::timeout(after, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(UnixPathError::TimedOut { after }),
            },
        };
        let socket = match connected {
            Ok(socket) => socket,
            Err(error) => return Err(ConnectError::Unix { path: self.to, error }),
        };
        let (transport, facts) = adopt_unix(socket, None);
        let halves = streams.split(transport, facts);
        #[cfg(feature = "tls")]
        let halves = tls::secure(halves, self.tls, deadline).await?;
        Ok(halves)
    }
}

impl IntoFuture for OpenConnection<UnixPath> {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

async fn connect(path: &UnixPath) -> Result<UnixStream, UnixPathError> {
    path.check()?;
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match UnixStream::connect(path.as_path()).await {
            Ok(socket) => return Ok(socket),
            Err(error) => error,
        };
        match error.kind() {
            // The queue is full. No event tells when it has room.
            io::ErrorKind::WouldBlock => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            io::ErrorKind::NotFound => return Err(UnixPathError::NotFound(error)),
            io::ErrorKind::ConnectionRefused => return Err(refused(path, error)),
            _ => return Err(UnixPathError::Os(error)),
        }
    }
}

/// Systems refuse a connection to a directory just as one to a socket without a server.
fn refused(path: &UnixPath, error: io::Error) -> UnixPathError {
    let file = (!path.is_abstract()).then(|| std::fs::metadata(path.as_path()).ok()).flatten();
    match file.and_then(|file| found(file.file_type())) {
        Some(found) => UnixPathError::NotASocket { found },
        None => UnixPathError::Refused(error),
    }
}
