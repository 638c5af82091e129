//! What can go wrong on a stream. Each operation's error lists only what it can produce.

use highwater_buffer::{FrameError, IncompleteRead, InvalidSeparators, LimitOverrun};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The connection failed, or a time-out ran out: an [`io::Error`] that is kept and shared.
///
/// The first failure of a connection is kept once and told by both halves every time. Clones are the
/// same error. Its text is the cause's own.
///
/// # Source
/// asyncio: the exception of `StreamReader.exception` and of `connection_lost`. diverges: the first failure
/// stays, as the cause; a later one, its effect, does not replace it.
///
/// ```
/// use highwater_stream::TransportError;
/// use std::io;
///
/// let error = TransportError::from(io::Error::from_raw_os_error(104)); // ECONNRESET on Linux
/// assert_eq!(error.raw_os_error(), Some(104));
/// assert_eq!(io::Error::from(error.clone()).raw_os_error(), Some(104));
/// ```
#[derive(Clone, Debug)]
pub struct TransportError(Arc<io::Error>);

impl TransportError {
    /// The kind of the error, by which programs decide.
    ///
    /// ```
    /// # use highwater_stream::TransportError;
    /// # use std::io;
    /// let error = TransportError::from(io::Error::from(io::ErrorKind::TimedOut));
    /// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    /// ```
    pub fn kind(&self) -> io::ErrorKind {
        self.0.kind()
    }

    /// The number that the operating system gave, if it was the operating system.
    ///
    /// ```
    /// # use highwater_stream::TransportError;
    /// # use std::io;
    /// assert_eq!(TransportError::from(io::Error::from_raw_os_error(32)).raw_os_error(), Some(32));
    /// assert_eq!(TransportError::from(io::Error::other("no number")).raw_os_error(), None);
    /// ```
    pub fn raw_os_error(&self) -> Option<i32> {
        self.0.raw_os_error()
    }

    /// The error as the transport returned it.
    ///
    /// ```
    /// # use highwater_stream::TransportError;
    /// # use std::io;
    /// let error = TransportError::from(io::Error::other("a cause"));
    /// assert_eq!(error.io_error().to_string(), "a cause");
    /// ```
    pub fn io_error(&self) -> &io::Error {
        &self.0
    }

    pub(crate) fn aborted() -> Self {
        io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was aborted").into()
    }

    pub(crate) fn read_timed_out(after: Duration) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, format!("no byte arrived for {after:?}")).into()
    }

    pub(crate) fn write_timed_out(after: Duration, queued: usize) -> Self {
        let text = format!("no byte was taken for {after:?}, with {queued} bytes queued");
        io::Error::new(io::ErrorKind::TimedOut, text).into()
    }

    pub(crate) fn runtime_ended() -> Self {
        io::Error::new(io::ErrorKind::NotConnected, "the runtime ended before everything was sent").into()
    }

    pub(crate) fn panicked() -> Self {
        io::Error::other("the transport panicked").into()
    }

    pub(crate) fn feeder_dropped() -> Self {
        io::Error::new(io::ErrorKind::BrokenPipe, "the feeder was dropped before the end of the stream")
            .into()
    }

    pub(crate) fn closed_in_upgrade() -> Self {
        let text = "the connection was closed while it was upgraded";
        io::Error::new(io::ErrorKind::ConnectionAborted, text).into()
    }

    pub(crate) fn not_upgraded() -> Self {
        let text = "the upgrade of the connection failed, or was given up";
        io::Error::new(io::ErrorKind::ConnectionAborted, text).into()
    }

    pub(crate) fn reunited() -> Self {
        io::Error::new(io::ErrorKind::NotConnected, "the transport was taken back from the pair").into()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<TransportError>() {
            Ok(kept) => kept,
            Err(error) => Self(Arc::new(error)),
        }
    }
}

/// Of the same kind; an error of the operating system keeps its number, any other stays inside.
impl From<TransportError> for io::Error {
    fn from(error: TransportError) -> Self {
        match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error),
        }
    }
}

macro_rules! operation_error {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident($inner:ty)),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant($inner)),*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$variant(error) => error.fmt(f)),* }
            }
        }

        impl Error for $name {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                match self { $(Self::$variant(error) => error.source()),* }
            }
        }

        $(impl From<$inner> for $name {
            fn from(error: $inner) -> Self {
                Self::$variant(error)
            }
        })*

        /// The inner error is what `get_ref` and `downcast` give.
        impl From<$name> for io::Error {
            fn from(error: $name) -> Self {
                match error { $($name::$variant(error) => error.into()),* }
            }
        }
    };
}

operation_error! {
    /// Why `read_exactly` did not return its bytes.
    ///
    /// ```
    /// use highwater_stream::{ReadExactlyError, StreamReader};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"short"[..]);
    /// match reader.read_exactly(10).await {
    ///     Err(ReadExactlyError::Incomplete(error)) => assert_eq!(&error.partial()[..], b"short"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # });
    /// ```
    ReadExactlyError {
        /// The stream ended first. The error carries all that was buffered; the buffer is now empty.
        Incomplete(IncompleteRead),
        /// The connection failed, or a read time-out ran out. What came before stays buffered.
        Transport(TransportError),
    }
}

operation_error! {
    /// Why `read_until` did not return a frame.
    ///
    /// ```
    /// use highwater_stream::{ReadUntilError, StreamReader};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"much too long;"[..], 4);
    /// match reader.read_until(b";").await {
    ///     Err(ReadUntilError::LimitOverrun(error)) => assert_eq!(error.consumed(), 5),
    ///     other => panic!("{other:?}"),
    /// }
    /// # });
    /// ```
    ReadUntilError {
        /// The stream ended first. The error carries all that was buffered; the buffer is now empty.
        Incomplete(IncompleteRead),
        /// The limit was met first. Every byte is still buffered.
        LimitOverrun(LimitOverrun),
        /// There was no separator, or an empty one. Nothing was read.
        InvalidSeparators(InvalidSeparators),
        /// The connection failed, or a read time-out ran out. What came before stays buffered.
        Transport(TransportError),
    }
}

impl From<FrameError> for ReadUntilError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Incomplete(error) => Self::Incomplete(error),
            FrameError::LimitOverrun(error) => Self::LimitOverrun(error),
        }
    }
}

operation_error! {
    /// Why `read_line` did not return a line, or `read_to_end` not the rest.
    ///
    /// ```
    /// use highwater_stream::{LimitedReadError, StreamReader};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"too long\n"[..], 4);
    /// assert!(matches!(reader.read_line().await, Err(LimitedReadError::LimitOverrun(_))));
    /// assert_eq!(reader.limited(100).read_line().await.unwrap().unwrap(), "too long\n");
    /// # });
    /// ```
    LimitedReadError {
        /// The limit was met first. Every byte is still buffered.
        LimitOverrun(LimitOverrun),
        /// The connection failed, or a read time-out ran out. What came before stays buffered.
        Transport(TransportError),
    }
}

operation_error! {
    /// Why `skip_until` did not reach a separator.
    ///
    /// ```
    /// use highwater_stream::{SkipUntilError, StreamReader};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"no newline"[..]);
    /// match reader.skip_until(b"\n").await {
    ///     Err(SkipUntilError::Incomplete(error)) => assert_eq!(error.skipped(), 10),
    ///     other => panic!("{other:?}"),
    /// }
    /// # });
    /// ```
    SkipUntilError {
        /// The stream ended first; all of it was discarded, and the error says how much.
        Incomplete(IncompleteRead),
        /// There was no separator, or an empty one. Nothing was read.
        InvalidSeparators(InvalidSeparators),
        /// The connection failed, or a read time-out ran out. The skip stays in force.
        Transport(TransportError),
    }
}

/// Why bytes were not accepted: `write`, `write_lines` and `write_eof` refuse whole or not at all.
///
/// ```
/// use highwater_stream::{StreamWriter, WriteError};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let writer = StreamWriter::new(tokio::io::sink());
/// writer.close();
/// let error = writer.write("too late").unwrap_err();
/// assert!(matches!(error, WriteError::Closed));
/// assert_eq!(error.to_string(), "the stream was closed");
/// # });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// `close` was called before.
    Closed,
    /// `write_eof` was called before.
    Ended,
    /// `max_buffered` would be passed. Nothing of the payload was queued.
    Full {
        /// Bytes queued already.
        queued: usize,
        /// Bytes in the payload.
        payload: usize,
        /// The cap.
        max_buffered: usize,
    },
    /// The transport cannot end its writing half alone.
    CannotWriteEof,
    /// The connection failed or was aborted: the kept error.
    Transport(TransportError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Closed => f.write_str("the stream was closed"),
            WriteError::Ended => f.write_str("the stream was ended by write_eof"),
            WriteError::Full { queued, payload, max_buffered } => write!(
                f,
                "a payload of {payload} bytes does not fit: {queued} of at most {max_buffered} bytes are queued"
            ),
            WriteError::CannotWriteEof => f.write_str("the transport cannot end its writing half alone"),
            WriteError::Transport(error) => error.fmt(f),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            WriteError::Transport(error) => error.source(),
            _ => None,
        }
    }
}

impl From<TransportError> for WriteError {
    fn from(error: TransportError) -> Self {
        WriteError::Transport(error)
    }
}

/// `Closed` and `Ended` are `BrokenPipe`, `Full` is `QuotaExceeded`, `CannotWriteEof` is `Unsupported`.
impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        let kind = match error {
            WriteError::Transport(error) => return error.into(),
            WriteError::Closed | WriteError::Ended => io::ErrorKind::BrokenPipe,
            WriteError::Full { .. } => io::ErrorKind::QuotaExceeded,
            WriteError::CannotWriteEof => io::ErrorKind::Unsupported,
        };
        io::Error::new(kind, error)
    }
}

/// The connection ended before everything was delivered, or was aborted.
///
/// ```
/// use highwater_stream::StreamWriter;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (stuck, _never_read) = tokio::io::duplex(4);
/// let writer = StreamWriter::new(stuck);
/// writer.write("ten bytes.").unwrap();
/// writer.abort();
/// let error = writer.wait_closed().await.unwrap_err();
/// assert_eq!(error.unsent(), 10);
/// assert_eq!(error.to_string(), "closed with 10 bytes unsent: the connection was aborted");
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct CloseError {
    unsent: u64,
    cause: TransportError,
}

impl CloseError {
    pub(crate) fn new(unsent: u64, cause: TransportError) -> Self {
        Self { unsent, cause }
    }

    /// How many bytes were accepted by `write` and never taken by the transport.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (stuck, _never_read) = tokio::io::duplex(4);
    /// let writer = highwater_stream::StreamWriter::new(stuck);
    /// writer.write("ten bytes.").unwrap();
    /// tokio::task::yield_now().await; // four are taken
    /// writer.abort();
    /// assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 6);
    /// # });
    /// ```
    pub fn unsent(&self) -> u64 {
        self.unsent
    }

    /// The kept error.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// writer.abort();
    /// let error = writer.wait_closed().await.unwrap_err();
    /// assert_eq!(error.cause().kind(), std::io::ErrorKind::ConnectionAborted);
    /// # });
    /// ```
    pub fn cause(&self) -> &TransportError {
        &self.cause
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.unsent == 1 { "byte" } else { "bytes" };
        write!(f, "closed with {} {unit} unsent: {}", self.unsent, self.cause)
    }
}

impl Error for CloseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// Of the cause's kind; this error stays inside.
impl From<CloseError> for io::Error {
    fn from(error: CloseError) -> Self {
        io::Error::new(error.cause.kind(), error)
    }
}
