//! Unix sockets: their paths, what may be wrong with one, and connecting to one.

use crate::address::adopt_unix;
use crate::{ConnectError, StreamOptions, StreamReader, StreamWriter};
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;
use tokio::net::UnixStream;

/// The most bytes of a path, and of an abstract name: what `sockaddr_un` holds, but for one byte.
const MOST: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Where a full queue is looked at again, first and at the longest: each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The path of a Unix socket, or its abstract name behind a NUL (Linux, Android). It shows a name as
/// `@name`, like the system's own tools.
///
/// ```
/// use highwater_net::UnixPath;
/// assert_eq!(UnixPath::new("/run/a.sock").to_string(), "/run/a.sock");
/// assert_eq!(UnixPath::new("\0name").to_string(), "@name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnixPath(PathBuf);

impl UnixPath {
    /// As it is: what is wrong with it is told when it is used.
    ///
    /// ```
    /// assert_eq!(highwater_net::UnixPath::new("a.sock").as_path().as_os_str(), "a.sock");
    /// ```
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// The path; an abstract name begins with a NUL.
    ///
    /// ```
    /// assert!(highwater_net::UnixPath::new("/run/a.sock").as_path().starts_with("/run"));
    /// ```
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }

    pub(crate) fn is_abstract(&self) -> bool {
        cfg!(any(target_os = "linux", target_os = "android")) && self.bytes().starts_with(b"\0")
    }

    /// Refuses what no system call needs to be asked about.
    pub(crate) fn check(&self) -> Result<(), UnixPathError> {
        let is_abstract = self.is_abstract();
        let name = if is_abstract { &self.bytes()[1..] } else { self.bytes() };
        if name.is_empty() {
            return Err(UnixPathError::Empty);
        }
        if name.len() > MOST {
            return Err(UnixPathError::TooLong { length: name.len(), most: MOST });
        }
        // An abstract name may hold any byte.
        if !is_abstract && name.contains(&0) {
            return Err(UnixPathError::Nul);
        }
        Ok(())
    }
}

impl fmt::Display for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_abstract() {
            return write!(f, "@{}", String::from_utf8_lossy(&self.bytes()[1..]));
        }
        fmt::Display::fmt(&self.0.display(), f)
    }
}

/// What is wrong with the path of a Unix socket.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{ConnectError, UnixPathError, open_unix_connection};
/// let long = "x".repeat(200);
/// let Err(ConnectError::Unix { error, .. }) = open_unix_connection(&long).await else { panic!() };
/// assert!(matches!(error, UnixPathError::TooLong { length: 200, .. }));
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum UnixPathError {
    /// It is empty.
    Empty,
    /// It is longer than the system's addresses.
    TooLong {
        /// Its length, in bytes; of an abstract name without the NUL.
        length: usize,
        /// The most that fit.
        most: usize,
    },
    /// It has a NUL inside, or at its front where the system has no abstract names.
    Nul,
    /// There is something else.
    NotASocket {
        /// What there is: "a directory", "a regular file".
        found: &'static str,
    },
    /// There is no such file. Connecting only.
    NotFound(io::Error),
    /// Nobody listens there. Connecting only.
    Refused(io::Error),
    /// The connect time-out ran out. Connecting only.
    TimedOut {
        /// The time-out.
        after: Duration,
    },
    /// A server is alive there. Listening only.
    InUse,
    /// The file was removed or replaced between the bind and the start of serving. Listening only.
    Replaced,
    /// The system refuses for another reason.
    Os(io::Error),
}

impl UnixPathError {
    pub(crate) fn kind(&self) -> io::ErrorKind {
        match self {
            UnixPathError::Empty | UnixPathError::TooLong { .. } | UnixPathError::Nul => {
                io::ErrorKind::InvalidInput
            }
            UnixPathError::NotASocket { .. } | UnixPathError::InUse | UnixPathError::Replaced => {
                io::ErrorKind::AddrInUse
            }
            UnixPathError::TimedOut { .. } => io::ErrorKind::TimedOut,
            UnixPathError::NotFound(error) | UnixPathError::Refused(error) | UnixPathError::Os(error) => {
                error.kind()
            }
        }
    }
}

impl fmt::Display for UnixPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnixPathError::Empty => f.write_str("the path is empty"),
            UnixPathError::TooLong { length, most } => {
                write!(f, "the path is {length} bytes long, and {most} is the most")
            }
            UnixPathError::Nul => f.write_str("the path contains a NUL"),
            UnixPathError::NotASocket { found } => write!(f, "there is {found}, not a socket"),
            UnixPathError::NotFound(error) => write!(f, "there is no such socket: {error}"),
            UnixPathError::Refused(error) => write!(f, "nobody listens there: {error}"),
            UnixPathError::TimedOut { after } => write!(f, "not connected within {after:?}"),
            UnixPathError::InUse => f.write_str("a live server listens there"),
            UnixPathError::Replaced => f.write_str("the file was removed or replaced since it was bound"),
            UnixPathError::Os(error) => error.fmt(f),
        }
    }
}

impl Error for UnixPathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            UnixPathError::NotFound(error) | UnixPathError::Refused(error) | UnixPathError::Os(error) => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// What a file is that is no socket.
pub(crate) fn found(kind: std::fs::FileType) -> Option<&'static str> {
    match () {
        () if kind.is_socket() => None,
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_file() => Some("a regular file"),
        () if kind.is_symlink() => Some("a symbolic link"),
        () if kind.is_fifo() => Some("a pipe"),
        () => Some("a device"),
    }
}

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
pub fn open_unix_connection(path: impl AsRef<Path>) -> OpenUnixConnection {
    OpenUnixConnection {
        path: UnixPath::new(path),
        streams: StreamOptions::new(),
        limit: None,
        timeout: None,
    }
}

/// A connection to be opened: see [`open_unix_connection`].
///
/// ```
/// use highwater_net::{ConnectError, UnixPathError, open_unix_connection};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let error = open_unix_connection("/nowhere/at-all.sock").await.unwrap_err();
/// assert!(matches!(&error, ConnectError::Unix { error: UnixPathError::NotFound(_), .. }));
/// assert!(error.to_string().starts_with("could not connect to /nowhere/at-all.sock: "));
/// # });
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is connected until it is awaited"]
pub struct OpenUnixConnection {
    path: UnixPath,
    streams: StreamOptions,
    limit: Option<usize>,
    timeout: Option<Duration>,
}

impl OpenUnixConnection {
    /// The reader's limit, in bytes before a separator.
    ///
    /// asyncio: the `limit` of `open_unix_connection`; 64 KiB unless said otherwise, as there.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::open_unix_connection;
    /// # let path = std::env::temp_dir().join(format!("highwater-limit-{}", std::process::id()));
    /// # let _listener = std::os::unix::net::UnixListener::bind(&path)?;
    /// let (reader, _writer) = open_unix_connection(&path).limit(1024).await?;
    /// assert_eq!(reader.limit(), 1024);
    /// # std::fs::remove_file(&path)
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
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::{StreamOptions, open_unix_connection};
    /// # let path = std::env::temp_dir().join(format!("highwater-streams-{}", std::process::id()));
    /// # let _listener = std::os::unix::net::UnixListener::bind(&path)?;
    /// let options = StreamOptions::new().max_buffered(Some(4));
    /// let (_reader, writer) = open_unix_connection(&path).streams(options).await?;
    /// assert!(writer.write("five!").is_err());
    /// # std::fs::remove_file(&path)
    /// # }).unwrap();
    /// ```
    pub fn streams(mut self, options: StreamOptions) -> Self {
        self.streams = options;
        self
    }

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
        let streams = match self.limit {
            Some(limit) => self.streams.limit(limit),
            None => self.streams,
        };
        let connecting = connect(&self.path);
        let connected = match self.timeout {
            None => connecting.await,
            Some(after) => match tokio::time::timeout(after, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(UnixPathError::TimedOut { after }),
            },
        };
        match connected {
            Ok(socket) => {
                let (transport, facts) = adopt_unix(socket, None);
                Ok(streams.split(transport, facts))
            }
            Err(error) => Err(ConnectError::Unix { path: self.path, error }),
        }
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

impl IntoFuture for OpenUnixConnection {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}
