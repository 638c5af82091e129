//! The reading half: searching is a synchronous step on the buffer, only refilling waits.

mod adapter;
#[cfg(feature = "codec")]
mod decode;
mod limited;
mod lines;
mod shown;
mod step;

pub use adapter::AsyncReader;
#[cfg(feature = "codec")]
pub use decode::{DecodeError, Decoded};
pub use limited::Limited;
pub use lines::{Lines, Split};

use self::shown::MaybeShown;
use self::step::Step;
use crate::source::{Arrival, Source};
use crate::{LimitedReadError, ReadExactlyError, ReadUntilError, SkipUntilError, TransportError};
use bytes::Bytes;
use highwater_buffer::{IntoSeparators, ReadBuffer, Separators, Verdict};
use std::borrow::Borrow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// asyncio's `StreamReader` over any [`Source`]. **Not** `tokio_util::io::StreamReader`, which turns a
/// `Stream` of chunks into an `AsyncRead`.
///
/// | read | gives |
/// | --- | --- |
/// | [`read`](Self::read) | up to `n` bytes, as soon as one is there |
/// | [`read_exactly`](Self::read_exactly) | exactly `n` |
/// | [`read_until`](Self::read_until) | everything through the first of one or several separators |
/// | [`read_line`](Self::read_line), [`lines`](Self::lines) | the next line |
/// | [`read_to_end`](Self::read_to_end) | the rest, if it is not too long |
/// | [`peek`](Self::peek), [`unread`](Self::unread), [`skip_until`](Self::skip_until) | a look ahead, a step back, a way past |
///
/// Bytes are pulled from the transport only when a read needs them, and never more than the limit plus
/// the longest separator plus one fill of at most 64 KiB are held (for `read_exactly(n)` and
/// `read_to_end(n)`, `n` plus one fill).
///
/// # Cancel safety
/// Every read is cancel safe: bytes leave the buffer only in the step that returns them. Drop any of them
/// at any point, in `select!` or a time-out, and read on: nothing is lost, nothing is seen twice, and a
/// search goes on where it stopped.
///
/// # Errors
/// What is buffered and satisfies a read is delivered before an end of stream or an error. A failure of
/// the transport is kept and told by every later read that would have to wait.
///
/// # tokio's traits
/// It does not implement `AsyncRead` or `AsyncBufRead` itself, so that no unbounded or lossy method of
/// their extension traits is called by accident. [`as_async_read`](Self::as_async_read) and
/// [`into_async_read`](Self::into_async_read) give a reader that does:
///
/// ```compile_fail
/// use tokio::io::AsyncReadExt;
/// # async fn never(mut reader: highwater_stream::StreamReader<&[u8]>) {
/// let mut text = String::new();
/// reader.read_to_string(&mut text).await; // unbounded: not there
/// # }
/// ```
///
/// # Source
/// asyncio: `StreamReader`. diverges:
/// - Bytes are pulled, not read ahead: the limit bounds memory, and a connection on which nobody reads
///   costs nothing.
/// - Bytes come before an error, also one that a write has met: the last words of a peer often say why it
///   hung up.
/// - A second reader does not compile, since reads take `&mut self`; there it is a `RuntimeError`, sometimes.
/// - A read that is cancelled or fails loses nothing, so that every one may stand in a time-out.
///
/// ```
/// use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\nbody"[..]);
/// assert_eq!(reader.read_until(b"\r\n").await?, "GET / HTTP/1.1\r\n");
/// assert_eq!(reader.read_until(b"\r\n\r\n").await?, "Host: example.org\r\n\r\n");
/// assert_eq!(reader.read_exactly(4).await?, "body");
/// assert_eq!(reader.read_line().await?, None);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub struct StreamReader<R> {
    source: R,
    buffer: ReadBuffer,
    /// The failure that was met, told from now on. Invariant: then the buffer has not ended.
    failed: Option<TransportError>,
    idle: Idle,
    /// In a box: only a decoder leaves any.
    shown: MaybeShown,
}

/// The read time-out and the wait that it measures.
struct Idle {
    after: Option<Duration>,
    /// Invariant: present while a read has waited in vain since the last byte, cancelled or not.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<R: Source> StreamReader<R> {
    /// A reader with a limit of 64 KiB.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let reader = StreamReader::new(tokio::io::empty());
    /// assert_eq!(reader.limit(), 64 * 1024);
    /// ```
    pub fn new(source: R) -> Self {
        Self::from_parts(source, ReadBuffer::new())
    }

    /// A reader with a limit of its own, in bytes: see [`set_limit`](Self::set_limit).
    ///
    /// asyncio: the `limit` of `StreamReader`. diverges: 0 is a limit, too, and lets empty payloads pass; the
    /// rule needs no exception.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let reader = StreamReader::with_limit(tokio::io::empty(), 1024);
    /// assert_eq!(reader.limit(), 1024);
    /// ```
    pub fn with_limit(source: R, limit: usize) -> Self {
        Self::from_parts(source, ReadBuffer::with_limit(limit))
    }

    /// A reader that goes on with what `buffer` holds: its unread bytes, its limit, a skip in force.
    ///
    /// ```
    /// use highwater_stream::{ReadBuffer, StreamReader};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"read bef");
    /// let mut reader = StreamReader::from_parts(&b"ore\n"[..], buffer);
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "read before\n");
    /// # });
    /// ```
    pub fn from_parts(source: R, buffer: ReadBuffer) -> Self {
        Self {
            source,
            buffer,
            failed: None,
            idle: Idle { after: None, timer: None },
            shown: MaybeShown::default(),
        }
    }

    /// The source and the buffer with its unread bytes. [`from_parts`](Self::from_parts) is the way back.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"line\nrest"[..]);
    /// reader.read_line().await.unwrap();
    /// let (_source, buffer) = reader.into_parts();
    /// assert_eq!(buffer.unread_bytes(), b"rest");
    /// # });
    /// ```
    pub fn into_parts(mut self) -> (R, ReadBuffer) {
        self.put_back();
        (self.source, self.buffer)
    }

    // ---- reads ---------------------------------------------------------------------------------

    /// Up to `n` bytes, as soon as one is there; empty at the end of the stream, and at once for
    /// `n == 0`.
    ///
    /// # Errors
    /// The kept error, once nothing is buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// # Source
    /// asyncio: `StreamReader.read(n)`. diverges: bytes come before a kept error, since they may explain it;
    /// and `read(0)` tells none.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"abc"[..]);
    /// assert_eq!(reader.read(2).await?, "ab");
    /// assert_eq!(reader.read(2).await?, "c");
    /// assert_eq!(reader.read(2).await?, "");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn read(&mut self, n: usize) -> Result<Bytes, TransportError> {
        self.put_back();
        let missing = n.saturating_sub(self.buffer.buffered());
        self.source.absorb(&mut self.buffer, missing);
        let n = self.complete::<_, TransportError>(|buffer| Ok(buffer.find_some(n))).await?;
        Ok(self.buffer.take(n))
    }

    /// Everything up to the end of the stream, if that is at most `max` bytes.
    ///
    /// Exactly `max` bytes and then the end pass.
    ///
    /// # Errors
    /// - [`LimitOverrun`](LimitedReadError::LimitOverrun): one byte more came; all stay buffered.
    /// - [`Transport`](LimitedReadError::Transport): the kept error; what came before stays buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// # Source
    /// asyncio: `StreamReader.read(-1)`. diverges: bounded, so that no peer decides how much is held; and
    /// nothing is lost when it is cancelled, or when an error comes.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"all of it"[..]);
    /// assert!(reader.read_to_end(8).await.is_err());
    /// assert_eq!(reader.read_to_end(9).await?, "all of it");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn read_to_end(&mut self, max: usize) -> Result<Bytes, LimitedReadError> {
        let n = self.complete::<_, LimitedReadError>(|buffer| Ok(buffer.find_end(max)?)).await?;
        Ok(self.buffer.take(n))
    }

    /// Exactly `n` bytes; none, at once, for `n == 0`. The limit does not count here.
    ///
    /// # Errors
    /// - [`Incomplete`](ReadExactlyError::Incomplete): the stream ended first. The error carries all that
    ///   was buffered; the buffer is now empty.
    /// - [`Transport`](ReadExactlyError::Transport): the kept error; what came before stays buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// # Source
    /// asyncio: `StreamReader.readexactly`.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"\x00\x03abc"[..]);
    /// let length = reader.read_exactly(2).await?;
    /// let length = u16::from_be_bytes([length[0], length[1]]);
    /// assert_eq!(reader.read_exactly(length.into()).await?, "abc");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_exactly(&mut self, n: usize) -> impl Future<Output = Result<Bytes, ReadExactlyError>> {
        Step::new(
            self,
            n,
            |&n, buffer| buffer.has_ready(n).then_some(n),
            |&n, buffer| Ok(buffer.otherwise_exactly(n)?),
            |buffer, n| buffer.take(n),
        )
    }

    /// [`read_exactly`](Self::read_exactly), borrowed from the buffer: neither a copy nor an allocation.
    ///
    /// # Errors
    /// Those of [`read_exactly`](Self::read_exactly).
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"abc"[..]);
    /// assert_eq!(reader.read_exactly_ref(2).await?, b"ab");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_exactly_ref(&mut self, n: usize) -> impl Future<Output = Result<&[u8], ReadExactlyError>> {
        Step::new(
            self,
            n,
            |&n, buffer| buffer.has_ready(n).then_some(n),
            |&n, buffer| Ok(buffer.otherwise_exactly(n)?),
            |buffer, n| buffer.take_ref(n),
        )
    }

    /// Everything through the first separator, separator included.
    ///
    /// The limit counts the bytes before the separator; a match that starts exactly at the limit is
    /// accepted. Of several separators the match that ends first wins.
    ///
    /// # Errors
    /// - [`Incomplete`](ReadUntilError::Incomplete): the stream ended first. The error carries all that
    ///   was buffered, possibly with a prefix of a separator; the buffer is now empty.
    /// - [`LimitOverrun`](ReadUntilError::LimitOverrun): every byte is still buffered. Read again with a
    ///   larger limit ([`limited`](Self::limited)), take `consumed` bytes, or
    ///   [`skip_until`](Self::skip_until).
    /// - [`InvalidSeparators`](ReadUntilError::InvalidSeparators): before anything is read.
    /// - [`Transport`](ReadUntilError::Transport): the kept error; what came before stays buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned, and the search goes on where it
    /// stopped.
    ///
    /// # Source
    /// asyncio: `StreamReader.readuntil`. diverges: the outcome never depends on how the bytes were cut.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"one;two\r\nthree"[..]);
    /// assert_eq!(reader.read_until((b"\r\n", b";")).await?, "one;");
    /// assert_eq!(reader.read_until((b"\r\n", b";")).await?, "two\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_until(
        &mut self,
        separators: impl IntoSeparators,
    ) -> impl Future<Output = Result<Bytes, ReadUntilError>> {
        Step::new(
            self,
            separators.into_separators(),
            |compiled, buffer| buffer.ready_frame(compiled.as_ref().ok()?.borrow(), buffer.limit()),
            |compiled, buffer| match compiled {
                Ok(compiled) => Ok(buffer.otherwise_frame(compiled.borrow(), buffer.limit())?),
                Err(error) => Err((*error).into()),
            },
            |buffer, n| buffer.take(n),
        )
    }

    /// [`read_until`](Self::read_until), borrowed from the buffer: neither a copy nor an allocation.
    ///
    /// # Errors
    /// Those of [`read_until`](Self::read_until).
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"key\0value\0"[..]);
    /// assert_eq!(reader.read_until_ref(b"\0").await?, b"key\0");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_until_ref(
        &mut self,
        separators: impl IntoSeparators,
    ) -> impl Future<Output = Result<&[u8], ReadUntilError>> {
        Step::new(
            self,
            separators.into_separators(),
            |compiled, buffer| buffer.ready_frame(compiled.as_ref().ok()?.borrow(), buffer.limit()),
            |compiled, buffer| match compiled {
                Ok(compiled) => Ok(buffer.otherwise_frame(compiled.borrow(), buffer.limit())?),
                Err(error) => Err((*error).into()),
            },
            |buffer, n| buffer.take_ref(n),
        )
    }

    /// The next line with its newline; the last line may lack it; `None` at the end of the stream.
    ///
    /// # Errors
    /// - [`LimitOverrun`](LimitedReadError::LimitOverrun): every byte is still buffered.
    /// - [`Transport`](LimitedReadError::Transport): the kept error; what came before stays buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// # Source
    /// asyncio: `StreamReader.readline`. diverges: an overrun keeps every byte; asyncio drops them, though
    /// only the caller knows whether to skip, to take, or to allow more. The end is `None`, not an empty
    /// line: the compiler asks about it.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"first\nlast"[..]);
    /// assert_eq!(reader.read_line().await?.unwrap(), "first\n");
    /// assert_eq!(reader.read_line().await?.unwrap(), "last");
    /// assert_eq!(reader.read_line().await?, None);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_line(&mut self) -> impl Future<Output = Result<Option<Bytes>, LimitedReadError>> {
        Step::new(
            self,
            (),
            |(), buffer| buffer.ready_line(buffer.limit()).map(Some),
            |(), buffer| Ok(buffer.otherwise_line(buffer.limit())?),
            |buffer, n| n.map(|n| buffer.take(n)),
        )
    }

    /// [`read_line`](Self::read_line), borrowed from the buffer: neither a copy nor an allocation.
    ///
    /// # Errors
    /// Those of [`read_line`](Self::read_line).
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the buffer only when they are returned.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"one\ntwo\n"[..]);
    /// while let Some(line) = reader.read_line_ref().await? {
    ///     assert_eq!(line.len(), 4);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[inline]
    pub fn read_line_ref(&mut self) -> impl Future<Output = Result<Option<&[u8]>, LimitedReadError>> {
        Step::new(
            self,
            (),
            |(), buffer| buffer.ready_line(buffer.limit()).map(Some),
            |(), buffer| Ok(buffer.otherwise_line(buffer.limit())?),
            |buffer, n| n.map(|n| buffer.take_ref(n)),
        )
    }

    /// The first `n` bytes, or all there are when the stream ends before. They stay unread.
    ///
    /// # Errors
    /// The kept error, when fewer than `n` bytes came before it. They stay buffered.
    ///
    /// # Cancel safety
    /// Cancel safe: no byte leaves the buffer.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"PRI * HTTP/2.0"[..]);
    /// let is_http2 = reader.peek(3).await? == b"PRI";
    /// assert!(is_http2);
    /// assert_eq!(reader.read(3).await?, "PRI");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn peek(&mut self, n: usize) -> Result<&[u8], TransportError> {
        let n = self.complete::<_, TransportError>(|buffer| Ok(buffer.find_peek(n))).await?;
        Ok(&self.buffer.unread_bytes()[..n])
    }

    /// Discards everything through the first separator, in constant memory and without a limit, and tells
    /// how many bytes that were.
    ///
    /// # Errors
    /// - [`Incomplete`](SkipUntilError::Incomplete): the stream ended first; all of it is discarded.
    /// - [`InvalidSeparators`](SkipUntilError::InvalidSeparators): before anything is read.
    /// - [`Transport`](SkipUntilError::Transport): the kept error; the skip stays in force.
    ///
    /// # Cancel safety
    /// Cancel safe, and the skip stays in force: called again with the same separators it goes on and
    /// counts all it discarded; any other read first finishes it.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long\nok\n"[..], 4);
    /// assert!(reader.read_line().await.is_err());
    /// assert_eq!(reader.skip_until(b"\n").await.unwrap(), 13);
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "ok\n");
    /// # });
    /// ```
    pub async fn skip_until(&mut self, separators: impl IntoSeparators) -> Result<u64, SkipUntilError> {
        let compiled = separators.into_separators()?;
        self.complete::<_, SkipUntilError>(|buffer| Ok(buffer.skip_until(compiled.borrow())?)).await
    }

    /// The lines that follow, as a `futures` `Stream` that borrows the reader. An error comes once, then
    /// the stream ends; the bytes stay, and reading may go on.
    ///
    /// # Source
    /// asyncio: `async for line in reader`. diverges: there a line that is too long raises `ValueError` and
    /// is lost; here the caller decides what becomes of it.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"a\nb\n"[..]);
    /// let mut lines = reader.lines();
    /// let mut count = 0;
    /// while let Some(line) = lines.next().await {
    ///     assert!(line.unwrap().ends_with(b"\n"));
    ///     count += 1;
    /// }
    /// assert_eq!(count, 2);
    /// # });
    /// ```
    pub fn lines(&mut self) -> Lines<'_, R> {
        let limit = self.buffer.limit();
        Lines::new(self, limit)
    }

    /// The frames that follow, separators included, as a `futures` `Stream` that borrows the reader. What
    /// stands behind the last separator comes as the last frame. An error comes once, then the stream
    /// ends; the bytes stay.
    ///
    /// # Errors
    /// [`InvalidSeparators`](highwater_buffer::InvalidSeparators), before anything is read.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"a;b"[..]);
    /// let mut fields = reader.split(b";")?;
    /// assert_eq!(fields.next().await.unwrap().unwrap(), "a;");
    /// assert_eq!(fields.next().await.unwrap().unwrap(), "b");
    /// assert!(fields.next().await.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn split(
        &mut self,
        separators: impl IntoSeparators,
    ) -> Result<Split<'_, R>, highwater_buffer::InvalidSeparators> {
        let separators: Separators = separators.into_separators()?.borrow().clone();
        let limit = self.buffer.limit();
        Ok(Split::new(self, separators, limit))
    }

    /// The reads that know a limit, with another one for as long as it is borrowed.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"a very long header\n"[..]);
    /// assert!(reader.limited(10).read_line().await.is_err());
    /// assert!(reader.read_line().await.is_ok());
    /// # });
    /// ```
    pub fn limited(&mut self, limit: usize) -> Limited<'_, R> {
        Limited::new(self, limit)
    }

    /// Puts bytes back in front of all that is unread. A [`skip_until`](Self::skip_until) that is in force
    /// stands before them: it skips them too.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"tail"[..]);
    /// reader.unread(b"head and ");
    /// assert_eq!(reader.read_to_end(100).await.unwrap(), "head and tail");
    /// # });
    /// ```
    pub fn unread(&mut self, bytes: &[u8]) {
        self.put_back();
        self.buffer.unread(bytes);
    }

    // ---- state ---------------------------------------------------------------------------------

    /// The most bytes before a separator.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// assert_eq!(StreamReader::with_limit(tokio::io::empty(), 80).limit(), 80);
    /// ```
    pub fn limit(&self) -> usize {
        self.buffer.limit()
    }

    /// Sets the limit for the reads that follow: the most bytes before a separator, or in a line before
    /// its newline.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let mut reader = StreamReader::new(tokio::io::empty());
    /// reader.set_limit(1024 * 1024);
    /// assert_eq!(reader.limit(), 1024 * 1024);
    /// ```
    pub fn set_limit(&mut self, limit: usize) {
        self.buffer.set_limit(limit);
    }

    /// Lets a read that waits for this long without a byte end in `TimedOut`; `None`, the default, waits
    /// for as long as it takes. The wait is measured from the last byte, or the first read that had to
    /// wait, across reads that were cancelled. What is buffered stays, and a later read waits anew.
    ///
    /// # Panics
    /// A read that waits panics outside a tokio runtime with its time enabled.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # use std::time::Duration;
    /// # let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// # runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let (silent, _peer) = tokio::io::duplex(64);
    /// let mut reader = StreamReader::new(silent);
    /// reader.set_read_timeout(Some(Duration::from_secs(60)));
    /// let error = reader.read(1).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    /// # });
    /// ```
    pub fn set_read_timeout(&mut self, after: Option<Duration>) {
        self.idle = Idle { after, timer: None };
    }

    /// How many bytes have arrived and are unread.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"line\nmore"[..]);
    /// reader.read_line().await.unwrap();
    /// assert_eq!(reader.buffered(), 4);
    /// # });
    /// ```
    pub fn buffered(&self) -> usize {
        self.shown().len() + self.buffer.buffered() + self.source.arrived().bytes
    }

    /// The bytes that were read from the source and not returned yet. They stay unread.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"line\nmore"[..]);
    /// reader.read_line().await.unwrap();
    /// assert_eq!(reader.unread_bytes(), b"more");
    /// # });
    /// ```
    pub fn unread_bytes(&self) -> &[u8] {
        // One of them is empty.
        match self.shown() {
            [] => self.buffer.unread_bytes(),
            shown => shown,
        }
    }

    /// Whether the end of the stream was seen and nothing is left to read.
    ///
    /// # Source
    /// asyncio: `StreamReader.at_eof`. diverges: over a transport it turns when a read has met the end, not
    /// when the end has arrived; what was not read is not known.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"x"[..]);
    /// reader.read_to_end(10).await.unwrap();
    /// assert!(reader.at_eof());
    /// # });
    /// ```
    pub fn at_eof(&self) -> bool {
        (self.buffer.has_ended() || self.source.arrived().ended) && self.buffered() == 0
    }

    /// The failure that is kept, if there was one; reads tell it once they run out of bytes.
    ///
    /// # Source
    /// asyncio: `StreamReader.exception`. diverges: over a transport it turns when a read or a write has met
    /// the failure, since nothing is read ahead; and the first stays, since later ones are its effects.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let (reader, feeder) = StreamReader::detached();
    /// assert!(reader.error().is_none());
    /// feeder.feed_error(std::io::Error::other("unplugged")).unwrap();
    /// assert_eq!(reader.error().unwrap().to_string(), "unplugged");
    /// ```
    pub fn error(&self) -> Option<TransportError> {
        self.failed.clone().or_else(|| self.source.failure())
    }

    /// The source.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let reader = StreamReader::new(&b"not read yet"[..]);
    /// assert_eq!(reader.get_ref().len(), 12);
    /// ```
    pub fn get_ref(&self) -> &R {
        &self.source
    }

    /// The source. What is read from it directly is read past the buffer.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"abc"[..]);
    /// *reader.get_mut() = b"xyz";
    /// assert_eq!(reader.read(3).await.unwrap(), "xyz");
    /// # });
    /// ```
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.source
    }

    // ---- steps within --------------------------------------------------------------------------

    pub(crate) fn is_skipping(&self) -> bool {
        self.buffer.is_skipping()
    }

    /// Forgets everything but the options, as for another source. Returns what was buffered.
    pub(crate) fn start_afresh(&mut self) -> Bytes {
        self.put_back();
        self.shown = MaybeShown::default();
        let buffer = ReadBuffer::with_limit(self.buffer.limit());
        let old = std::mem::replace(&mut self.buffer, buffer);
        self.failed = None;
        self.idle.timer = None;
        Bytes::copy_from_slice(old.unread_bytes())
    }

    /// Completes a step on the buffer, refilling it as long as the step needs more.
    fn complete<T, E: From<TransportError>>(
        &mut self,
        mut step: impl FnMut(&mut ReadBuffer) -> Result<Verdict<T>, E>,
    ) -> impl Future<Output = Result<T, E>> {
        poll_fn(move |cx| self.poll_step(cx, &mut |_: &mut ReadBuffer| None, &mut step))
    }

    /// Waits until bytes or the end have come into the buffer. Asked only when a step needs more.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.put_back() {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &self.failed {
            return Poll::Ready(Err(error.clone()));
        }
        match self.source.poll_fill(cx, &mut self.buffer) {
            Poll::Ready(Ok(arrival)) => {
                self.idle.timer = None;
                if arrival == Arrival::End {
                    self.buffer.feed_eof();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                self.idle.timer = None;
                self.failed = Some(error.clone());
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                self.buffer.release();
                self.idle.poll(cx).map(Err)
            }
        }
    }
}

impl Idle {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let Some(after) = self.after else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| {
            let end = Instant::now().checked_add(after);
            // A time-out past the clock's range is as good as none: thirty years from now.
            let far = Duration::from_secs(86_400 * 365 * 30);
            Box::pin(sleep_until(end.unwrap_or_else(|| Instant::now() + far)))
        });
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.timer = None;
        Poll::Ready(TransportError::read_timed_out(after))
    }
}

impl<R: fmt::Debug> fmt::Debug for StreamReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("source", &self.source)
            .field("buffer", &self.buffer)
            .field("error", &self.failed)
            .finish()
    }
}
