//! The errors of the buffers: few, written by hand, each with the numbers that a recovery needs.

use bytes::Bytes;
use core::error::Error;
use core::fmt;

/// The stream ended before the request was met. asyncio: `IncompleteReadError`.
///
/// ```
/// use highwater_buffer::ReadBuffer;
///
/// let mut buffer = ReadBuffer::new();
/// buffer.feed(b"only six");
/// buffer.feed_eof();
/// let error = buffer.read_exactly(10).unwrap_err();
/// assert_eq!(&error.partial()[..], b"only six");
/// assert_eq!(error.expected(), Some(10));
/// assert_eq!(error.to_string(), "the stream ended after 8 of 10 bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncompleteRead {
    partial: Bytes,
    expected: Option<usize>,
    skipped: u64,
}

impl IncompleteRead {
    pub(crate) fn exactly(partial: Bytes, expected: usize) -> Self {
        Self { partial, expected: Some(expected), skipped: 0 }
    }

    pub(crate) fn until(partial: Bytes) -> Self {
        Self { partial, expected: None, skipped: 0 }
    }

    pub(crate) fn skipping(skipped: u64) -> Self {
        Self { partial: Bytes::new(), expected: None, skipped }
    }

    /// The bytes that came before the end. They are handed over here and no longer buffered.
    ///
    /// asyncio: `IncompleteReadError.partial`.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"half");
    /// buffer.feed_eof();
    /// assert_eq!(&buffer.read_exactly(8).unwrap_err().partial()[..], b"half");
    /// ```
    pub fn partial(&self) -> &Bytes {
        &self.partial
    }

    /// The bytes that came before the end, taken out of the error.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"tail");
    /// buffer.feed_eof();
    /// let tail = buffer.read_exactly(10).unwrap_err().into_partial();
    /// assert_eq!(&tail[..], b"tail");
    /// ```
    pub fn into_partial(self) -> Bytes {
        self.partial
    }

    /// How many bytes were asked for; `None` when a separator was sought.
    ///
    /// asyncio: `IncompleteReadError.expected`.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed_eof();
    /// assert_eq!(buffer.read_exactly(8).unwrap_err().expected(), Some(8));
    /// ```
    pub fn expected(&self) -> Option<usize> {
        self.expected
    }

    /// How many bytes a `skip_until` had discarded when the stream ended; zero for every other read.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Separators};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"no newline");
    /// buffer.feed_eof();
    /// let error = buffer.skip_until(Separators::newline()).unwrap_err();
    /// assert_eq!((error.skipped(), error.partial().len()), (10, 0));
    /// ```
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl fmt::Display for IncompleteRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.expected, self.skipped) {
            (Some(expected), _) => {
                write!(f, "the stream ended after {} of {expected} bytes", self.partial.len())
            }
            (None, 0) => {
                write!(f, "the stream ended after {} bytes without a separator", self.partial.len())
            }
            (None, skipped) => {
                write!(f, "the stream ended after {skipped} skipped bytes without a separator")
            }
        }
    }
}

impl Error for IncompleteRead {}

/// The limit was met before a separator, or before the end of the stream. asyncio: `LimitOverrunError`.
///
/// Every byte is still in the buffer. There are three ways on: read again with a larger limit, take
/// [`consumed`](Self::consumed) bytes, or skip to the next separator.
///
/// ```
/// use highwater_buffer::{FrameError, ReadBuffer, Separators};
///
/// let mut buffer = ReadBuffer::with_limit(4);
/// buffer.feed(b"too long\nok\n");
/// let Err(FrameError::LimitOverrun(error)) = buffer.read_until(Separators::newline()) else { panic!() };
/// assert_eq!((error.consumed(), error.limit()), (5, 4));
/// assert_eq!(error.to_string(), "no separator within the limit of 4 bytes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitOverrun {
    consumed: usize,
    limit: usize,
    sought: Sought,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sought {
    Separator,
    End,
}

impl LimitOverrun {
    pub(crate) fn separator(consumed: usize, limit: usize) -> Self {
        Self { consumed, limit, sought: Sought::Separator }
    }

    pub(crate) fn end(max: usize) -> Self {
        Self { consumed: max.saturating_add(1), limit: max, sought: Sought::End }
    }

    /// How many bytes from the front of the buffer hold no separator and may be taken. They are always
    /// buffered, and their number depends on the bytes alone, never on how they arrived.
    ///
    /// asyncio: `LimitOverrunError.consumed`. diverges: there the number follows the packets, so that the
    /// same input gives different ones.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::with_limit(4);
    /// buffer.feed(b"too long\n");
    /// let error = buffer.read_line().unwrap_err();
    /// assert_eq!(buffer.take_ref(error.consumed()), b"too l");
    /// ```
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// The limit that was in force, in bytes.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::with_limit(4);
    /// buffer.feed(b"too long\n");
    /// assert_eq!(buffer.read_line().unwrap_err().limit(), 4);
    /// ```
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl fmt::Display for LimitOverrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sought {
            Sought::Separator => write!(f, "no separator within the limit of {} bytes", self.limit),
            Sought::End => write!(f, "the stream goes on past the limit of {} bytes", self.limit),
        }
    }
}

impl Error for LimitOverrun {}

/// Why a read up to a separator did not return a frame.
///
/// ```
/// use highwater_buffer::{FrameError, ReadBuffer, Separators};
///
/// let mut buffer = ReadBuffer::new();
/// buffer.feed(b"unterminated");
/// buffer.feed_eof();
/// match buffer.read_until(Separators::newline()) {
///     Err(FrameError::Incomplete(error)) => assert_eq!(&error.partial()[..], b"unterminated"),
///     other => panic!("{other:?}"),
/// }
/// ```
///
/// Exhaustive: a step ends in a frame, in need of more, or in one of these two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The stream ended first. The error carries all buffered bytes; the buffer is now empty.
    Incomplete(IncompleteRead),
    /// The limit was met first. Nothing is consumed.
    LimitOverrun(LimitOverrun),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Incomplete(error) => error.fmt(f),
            FrameError::LimitOverrun(error) => error.fmt(f),
        }
    }
}

impl Error for FrameError {}

impl From<IncompleteRead> for FrameError {
    fn from(error: IncompleteRead) -> Self {
        FrameError::Incomplete(error)
    }
}

impl From<LimitOverrun> for FrameError {
    fn from(error: LimitOverrun) -> Self {
        FrameError::LimitOverrun(error)
    }
}

/// A set of separators that cannot end any frame. asyncio: the `ValueError` of `readuntil`.
///
/// ```
/// use highwater_buffer::{InvalidSeparators, Separators};
///
/// let none: [&[u8]; 0] = [];
/// assert_eq!(Separators::new(none).unwrap_err(), InvalidSeparators::None);
/// let error = Separators::new(["\r\n", ""]).unwrap_err();
/// assert_eq!(error, InvalidSeparators::Empty { index: 1 });
/// assert_eq!(error.to_string(), "separator 1 is empty: a separator holds at least one byte");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSeparators {
    /// There is no separator in the set.
    None,
    /// A separator holds no byte.
    Empty {
        /// Its place in the set, counted from zero.
        index: usize,
    },
}

impl fmt::Display for InvalidSeparators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidSeparators::None => f.write_str("no separator was given: a set holds at least one"),
            InvalidSeparators::Empty { index } => {
                write!(f, "separator {index} is empty: a separator holds at least one byte")
            }
        }
    }
}

impl Error for InvalidSeparators {}

/// A high mark below the low one. asyncio: the `ValueError` of `set_write_buffer_limits`.
///
/// ```
/// use highwater_buffer::Watermarks;
/// let error = Watermarks::new(10, 20).unwrap_err();
/// assert_eq!(error.to_string(), "the high mark of 10 bytes is below the low mark of 20");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidWatermarks {
    pub(crate) high: usize,
    pub(crate) low: usize,
}

impl fmt::Display for InvalidWatermarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the high mark of {} bytes is below the low mark of {}", self.high, self.low)
    }
}

impl Error for InvalidWatermarks {}

#[cfg(feature = "std")]
mod io {
    use super::{FrameError, IncompleteRead, InvalidSeparators, InvalidWatermarks, LimitOverrun};
    use std::io;

    macro_rules! into_io_error {
        ($($error:ty => $kind:ident),* $(,)?) => {$(
            /// The error stays inside, reachable by `get_ref` and `downcast`.
            impl From<$error> for io::Error {
                fn from(error: $error) -> Self {
                    io::Error::new(io::ErrorKind::$kind, error)
                }
            }
        )*};
    }

    into_io_error! {
        IncompleteRead => UnexpectedEof,
        LimitOverrun => InvalidData,
        InvalidSeparators => InvalidInput,
        InvalidWatermarks => InvalidInput,
    }

    /// The inner error is what `get_ref` and `downcast` give.
    impl From<FrameError> for io::Error {
        fn from(error: FrameError) -> Self {
            match error {
                FrameError::Incomplete(error) => error.into(),
                FrameError::LimitOverrun(error) => error.into(),
            }
        }
    }
}
