//! Bytes that have arrived, and the synchronous steps that take them out again.
//!
//! ```text
//!  block   ┊ consumed ┊ searched in vain ┊ not looked at ┊ room for the next fill ┊
//!          0        start           searched_to        len                     capacity
//! ```
//!
//! What lives here: the reads, the limits, the search that is never done twice, and the memory. What
//! deliberately does not: waiting, time-outs, transport errors (see `highwater-stream`).

mod find;
mod marks;
mod memory;
mod run;
mod search;
#[cfg(test)]
mod tests;

use crate::{FrameError, IncompleteRead, LimitOverrun, Separators, Verdict};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::{BufMut, Bytes};
use core::fmt;

use marks::Marks;
use memory::Want;
pub use memory::{LARGEST_FILL, SMALLEST_FILL};
use run::Run;
use search::Skipped;

/// The limit of a reader that is given none: 64 KiB. asyncio: the same.
///
/// ```
/// use highwater_buffer::{DEFAULT_LIMIT, ReadBuffer};
/// assert_eq!(ReadBuffer::new().limit(), DEFAULT_LIMIT);
/// ```
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// Bytes that have arrived, with asyncio's reads as synchronous steps.
///
/// Feed it with [`feed`](Self::feed), or let a transport write straight into [`spare`](Self::spare);
/// say [`feed_eof`](Self::feed_eof) at the end. A read that returns [`Verdict::NeedMore`] has consumed
/// nothing and may be repeated, replaced or given up at no loss, and the search goes on where it
/// stopped.
///
/// Each read has an owned form, which returns [`Bytes`] of its own, and a borrowed one (`…_ref`), which
/// neither copies nor allocates.
///
/// # Memory
/// Reads of lines and frames ask for at most the limit plus the longest separator plus one fill (at most
/// 64 KiB), [`read_exactly`](Self::read_exactly) for `n` plus one fill, [`read_to_end`](Self::read_to_end)
/// for `max` plus one fill; at most 1 MiB, or as much as is there, is reserved ahead of what has arrived.
/// That bound holds for what comes through [`spare`](Self::spare). [`feed`](Self::feed) and
/// [`unread`](Self::unread) take whatever they are given.
///
/// A frame that is kept keeps little else alive: one of up to 64 bytes at most 256, a longer one at most
/// twice its length.
///
/// ```
/// use highwater_buffer::{ReadBuffer, Verdict};
///
/// let mut buffer = ReadBuffer::new();
/// buffer.feed(b"hello\nwor");
/// assert_eq!(buffer.read_line_ref()?, Verdict::Ready(Some(&b"hello\n"[..])));
/// assert_eq!(buffer.read_line_ref()?, Verdict::NeedMore);
/// buffer.feed(b"ld");
/// buffer.feed_eof();
/// assert_eq!(buffer.read_line_ref()?, Verdict::Ready(Some(&b"world"[..])));
/// assert_eq!(buffer.read_line_ref()?, Verdict::Ready(None));
/// # Ok::<(), highwater_buffer::LimitOverrun>(())
/// ```
///
/// # Source
/// asyncio: `StreamReader`, its `feed_data` and `feed_eof`.
pub struct ReadBuffer {
    block: Vec<u8>,
    /// Consumed bytes at the front of `block`. Invariant: at most `block.len()`.
    start: usize,
    limit: usize,
    input: Input,
    /// How far unread bytes were searched in vain, kept so that byte-by-byte arrival costs linear time.
    /// It stays behind where more is consumed, which is as good as `start`.
    /// Invariant: at most `block.len()`; no match of `sought` ends between `start` and it.
    searched_to: usize,
    /// What `searched_to` speaks of. Invariant: present when that is not zero.
    /// In a box, as what follows: most readers of short records never need it.
    sought: Option<Box<Separators>>,
    /// What is known of the bytes that come next.
    marks: Marks,
    run: Run,
    /// In a box: few readers ever skip, and most handlers hold a reader twice, as argument and as local.
    skip: Option<Box<Skip>>,
    /// What the last step was short of: how much room the next fill should get.
    want: Want,
    /// The size of the next fill. Invariant: from `SMALLEST_FILL` to `LARGEST_FILL`.
    fill: usize,
    /// The length of `block` when the last fill would have used all of its room.
    full_at: usize,
    /// Whether the block was found empty and much too large for a fill, and none has needed it since.
    too_large: bool,
    searched: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// A `skip_until` that has not met its separator. It stays in force until it does, or the stream ends.
struct Skip {
    separators: Separators,
    skipped: u64,
}

impl ReadBuffer {
    /// An empty buffer with the [`DEFAULT_LIMIT`]. It holds no memory until bytes arrive.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let buffer = ReadBuffer::new();
    /// assert_eq!((buffer.limit(), buffer.allocated()), (64 * 1024, 0));
    /// ```
    pub const fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An empty buffer with a limit of its own: the most bytes before a separator.
    ///
    /// diverges: asyncio refuses a limit of 0; here it lets exactly the empty payloads pass, as the rule
    /// for every other limit says.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// assert_eq!(ReadBuffer::with_limit(1024).limit(), 1024);
    /// ```
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            block: Vec::new(),
            start: 0,
            limit,
            input: Input::Open,
            searched_to: 0,
            sought: None,
            marks: Marks::NONE,
            run: Run::NONE,
            skip: None,
            want: Want::ANY,
            fill: SMALLEST_FILL,
            full_at: usize::MAX,
            too_large: false,
            searched: 0,
        }
    }

    // ---- arrival -------------------------------------------------------------------------------

    /// Appends bytes that have arrived. Empty ones change nothing. asyncio: `feed_data`.
    ///
    /// # Panics
    /// After [`feed_eof`](Self::feed_eof).
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"ab");
    /// buffer.feed(b"");
    /// assert_eq!(buffer.unread_bytes(), b"ab");
    /// ```
    pub fn feed(&mut self, bytes: &[u8]) {
        assert!(!self.has_ended(), "bytes were fed after the end of the stream");
        self.make_room(bytes.len());
        self.block.extend_from_slice(bytes);
        self.check_invariants();
    }

    /// Room for the next bytes, to be written straight into the buffer: at least one byte, at most 1 MiB
    /// or as much as is buffered, fitting what the last step was short of.
    ///
    /// Whatever is written there has arrived; nothing need be. Small at first, it grows towards 64 KiB
    /// while it is filled whole.
    ///
    /// # Panics
    /// After [`feed_eof`](Self::feed_eof).
    ///
    /// ```
    /// use bytes::BufMut;
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// assert_eq!(buffer.read_exactly(2)?, Verdict::NeedMore);
    /// buffer.spare().put_slice(b"hi"); // tokio: `transport.read_buf(&mut buffer.spare())`
    /// assert_eq!(buffer.read_exactly(2)?.ready().as_deref(), Some(&b"hi"[..]));
    /// # Ok::<(), highwater_buffer::IncompleteRead>(())
    /// ```
    pub fn spare(&mut self) -> impl BufMut + '_ {
        assert!(!self.has_ended(), "room was asked for after the end of the stream");
        let room = self.make_room_to_fill();
        (&mut self.block).limit(room)
    }

    /// Reads once from a blocking source, and feeds what came; at its end, feeds that. Tells how many bytes
    /// came: zero at the end.
    ///
    /// # Errors
    /// Those of the source, but for `Interrupted`, which is tried again. Nothing was fed.
    ///
    /// # Panics
    /// After [`feed_eof`](Self::feed_eof).
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut source = &b"one\ntwo"[..]; // a `TcpStream` of std, stdin, a file
    /// let mut buffer = ReadBuffer::new();
    /// let mut lines = Vec::new();
    /// loop {
    ///     match buffer.read_line()? {
    ///         Verdict::Ready(Some(line)) => lines.push(line),
    ///         Verdict::Ready(None) => break,
    ///         Verdict::NeedMore => {
    ///             buffer.fill_from(&mut source)?;
    ///         }
    ///     }
    /// }
    /// assert_eq!(lines, ["one\n", "two"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn fill_from(&mut self, source: &mut impl std::io::Read) -> std::io::Result<usize> {
        assert!(!self.has_ended(), "room was asked for after the end of the stream");
        let room = self.make_room_to_fill();
        let before = self.block.len();
        self.block.resize(before + room, 0);
        let read = loop {
            match source.read(&mut self.block[before..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.block.truncate(before + read.as_ref().map_or(0, |count| *count));
        if let Ok(0) = read {
            self.feed_eof();
        }
        read
    }

    /// The stream has ended: no more bytes will come. Any number of times. asyncio: `feed_eof`.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed_eof();
    /// assert!(buffer.at_eof());
    /// assert_eq!(buffer.read_line()?, Verdict::Ready(None));
    /// # Ok::<(), highwater_buffer::LimitOverrun>(())
    /// ```
    pub fn feed_eof(&mut self) {
        self.input = Input::Ended;
    }

    /// Puts bytes back in front of all that is unread, also after the end of the stream.
    ///
    /// A skip that is in force covers them too: they stand before what it seeks.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"world");
    /// buffer.unread(b"hello ");
    /// assert_eq!(buffer.unread_bytes(), b"hello world");
    /// ```
    pub fn unread(&mut self, bytes: &[u8]) {
        self.searched_to = 0;
        self.marks.forget();
        self.run.forget();
        if let Some(start) = self.start.checked_sub(bytes.len()) {
            self.block[start..self.start].copy_from_slice(bytes);
            self.start = start;
        } else {
            self.make_headroom(bytes.len());
            self.start -= bytes.len();
            self.block[self.start..self.start + bytes.len()].copy_from_slice(bytes);
        }
        self.full_at = usize::MAX;
        self.check_invariants();
    }

    // ---- reads ---------------------------------------------------------------------------------

    /// Up to `n` bytes, as soon as one is there; empty at the end of the stream, and at once for
    /// `n == 0`. asyncio: `StreamReader.read(n)`.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// assert_eq!(buffer.read(10), Verdict::NeedMore);
    /// buffer.feed(b"abc");
    /// assert_eq!(buffer.read(2), Verdict::Ready("ab".into()));
    /// assert_eq!(buffer.read(10), Verdict::Ready("c".into()));
    /// ```
    pub fn read(&mut self, n: usize) -> Verdict<Bytes> {
        self.find_some(n).map(|n| self.take(n))
    }

    /// Everything up to the end of the stream, if that is at most `max` bytes. Exactly `max` bytes and
    /// then the end pass. asyncio: `StreamReader.read(-1)`. diverges: bounded, so that no peer decides how
    /// much is held.
    ///
    /// # Errors
    /// [`LimitOverrun`] as soon as more than `max` bytes are there; all of them stay buffered.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// assert_eq!(buffer.read_to_end(3)?, Verdict::NeedMore);
    /// buffer.feed_eof();
    /// assert_eq!(buffer.read_to_end(2).unwrap_err().consumed(), 3);
    /// assert_eq!(buffer.read_to_end(3)?, Verdict::Ready("abc".into()));
    /// # Ok::<(), highwater_buffer::LimitOverrun>(())
    /// ```
    pub fn read_to_end(&mut self, max: usize) -> Result<Verdict<Bytes>, LimitOverrun> {
        Ok(self.find_end(max)?.map(|n| self.take(n)))
    }

    /// Exactly `n` bytes; none, at once, for `n == 0`. The limit does not count here.
    /// asyncio: `StreamReader.readexactly`.
    ///
    /// # Errors
    /// [`IncompleteRead`] when the stream ended first. It carries all that was buffered; the buffer is
    /// now empty.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// assert_eq!(buffer.read_exactly(2)?, Verdict::Ready("ab".into()));
    /// assert_eq!(buffer.read_exactly(2)?, Verdict::NeedMore);
    /// # Ok::<(), highwater_buffer::IncompleteRead>(())
    /// ```
    pub fn read_exactly(&mut self, n: usize) -> Result<Verdict<Bytes>, IncompleteRead> {
        Ok(self.find_exactly(n)?.map(|n| self.take(n)))
    }

    /// [`read_exactly`](Self::read_exactly), borrowed.
    ///
    /// # Errors
    /// Those of [`read_exactly`](Self::read_exactly).
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// assert_eq!(buffer.read_exactly_ref(2)?, Verdict::Ready(&b"ab"[..]));
    /// # Ok::<(), highwater_buffer::IncompleteRead>(())
    /// ```
    pub fn read_exactly_ref(&mut self, n: usize) -> Result<Verdict<&[u8]>, IncompleteRead> {
        Ok(self.find_exactly(n)?.map(|n| self.take_ref(n)))
    }

    /// Everything up to and including the first separator. asyncio: `StreamReader.readuntil`.
    ///
    /// The limit counts the bytes before the separator; a match that starts exactly at the limit is
    /// accepted.
    ///
    /// # Errors
    /// - [`FrameError::Incomplete`]: the stream ended first. The error carries all that was buffered,
    ///   possibly with a prefix of a separator; the buffer is now empty.
    /// - [`FrameError::LimitOverrun`]: nothing is consumed.
    ///
    /// diverges: what `consumed` says depends on the bytes alone, never on how they were cut.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Separators, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"key: value\r\n\r\nbody");
    /// let blank_line = Separators::one(b"\r\n\r\n")?;
    /// assert_eq!(buffer.read_until(&blank_line)?, Verdict::Ready("key: value\r\n\r\n".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_until(&mut self, separators: &Separators) -> Result<Verdict<Bytes>, FrameError> {
        Ok(self.find_until(separators, self.limit)?.map(|n| self.take(n)))
    }

    /// [`read_until`](Self::read_until), borrowed.
    ///
    /// # Errors
    /// Those of [`read_until`](Self::read_until).
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Separators, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"a\0b");
    /// assert_eq!(buffer.read_until_ref(&Separators::one([0])?)?, Verdict::Ready(&b"a\0"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_until_ref(&mut self, separators: &Separators) -> Result<Verdict<&[u8]>, FrameError> {
        Ok(self.find_until(separators, self.limit)?.map(|n| self.take_ref(n)))
    }

    /// The next line with its newline; the last one may lack it; `None` at the end of the stream.
    /// asyncio: `StreamReader.readline`. diverges: there the end is an empty line; here the compiler asks
    /// about it.
    ///
    /// # Errors
    /// [`LimitOverrun`]: nothing is consumed. diverges: asyncio raises `ValueError` and drops what was
    /// buffered, though only the caller knows whether to skip, to take, or to allow more.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"\nlast");
    /// buffer.feed_eof();
    /// assert_eq!(buffer.read_line()?, Verdict::Ready(Some("\n".into())));
    /// assert_eq!(buffer.read_line()?, Verdict::Ready(Some("last".into())));
    /// assert_eq!(buffer.read_line()?, Verdict::Ready(None));
    /// # Ok::<(), highwater_buffer::LimitOverrun>(())
    /// ```
    pub fn read_line(&mut self) -> Result<Verdict<Option<Bytes>>, LimitOverrun> {
        Ok(self.find_line(self.limit)?.map(|n| n.map(|n| self.take(n))))
    }

    /// [`read_line`](Self::read_line), borrowed.
    ///
    /// # Errors
    /// Those of [`read_line`](Self::read_line).
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"one\ntwo\n");
    /// assert_eq!(buffer.read_line_ref()?, Verdict::Ready(Some(&b"one\n"[..])));
    /// # Ok::<(), highwater_buffer::LimitOverrun>(())
    /// ```
    pub fn read_line_ref(&mut self) -> Result<Verdict<Option<&[u8]>>, LimitOverrun> {
        Ok(self.find_line(self.limit)?.map(|n| n.map(|n| self.take_ref(n))))
    }

    /// The first `n` bytes, or all there are when the stream ends before; they stay unread.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"\x16\x03\x01");
    /// assert_eq!(buffer.peek(1), Verdict::Ready(&b"\x16"[..]));
    /// assert_eq!(buffer.peek(4), Verdict::NeedMore);
    /// assert_eq!(buffer.buffered(), 3);
    /// ```
    pub fn peek(&mut self, n: usize) -> Verdict<&[u8]> {
        self.find_peek(n).map(|n| &self.unread_bytes()[..n])
    }

    /// Discards everything up to and including the first separator, in constant memory and without a
    /// limit, and tells how many bytes that were.
    ///
    /// It discards as bytes arrive and stays in force until its separator has come: any other read first
    /// finishes it. Asked again with the same separators it goes on, and the count covers all of it; with
    /// others, the first skip is finished and the new one begins.
    ///
    /// # Errors
    /// [`IncompleteRead`] when the stream ended first. All is discarded, and
    /// [`skipped`](IncompleteRead::skipped) says how much.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Separators, Verdict};
    /// let mut buffer = ReadBuffer::with_limit(4);
    /// buffer.feed(b"much too long");
    /// assert_eq!(buffer.skip_until(Separators::newline())?, Verdict::NeedMore);
    /// assert_eq!(buffer.buffered(), 0);
    /// buffer.feed(b" for us\nok\n");
    /// assert_eq!(buffer.skip_until(Separators::newline())?, Verdict::Ready(21));
    /// assert_eq!(buffer.unread_bytes(), b"ok\n");
    /// # Ok::<(), highwater_buffer::IncompleteRead>(())
    /// ```
    pub fn skip_until(&mut self, separators: &Separators) -> Result<Verdict<u64>, IncompleteRead> {
        if self.skip.as_ref().is_some_and(|skip| skip.separators != *separators) {
            if let Verdict::NeedMore = self.finish_skip() {
                return Ok(Verdict::NeedMore);
            }
        }
        if self.skip.is_none() {
            self.skip = Some(Box::new(Skip { separators: separators.clone(), skipped: 0 }));
        }
        match self.finish_skip() {
            Verdict::Ready(Skipped::Through(count)) => Ok(Verdict::Ready(count)),
            Verdict::Ready(Skipped::ToTheEnd(count)) => Err(IncompleteRead::skipping(count)),
            Verdict::NeedMore => Ok(Verdict::NeedMore),
        }
    }

    // ---- state ---------------------------------------------------------------------------------

    /// The most bytes before a separator.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// assert_eq!(ReadBuffer::new().limit(), 64 * 1024);
    /// ```
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sets the limit for the reads that follow. What is buffered already stays, however much it is.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::with_limit(1);
    /// buffer.feed(b"two\n");
    /// assert!(buffer.read_line().is_err());
    /// buffer.set_limit(3);
    /// assert!(buffer.read_line().is_ok());
    /// ```
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// How many bytes are unread.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// buffer.take_ref(1);
    /// assert_eq!(buffer.buffered(), 2);
    /// ```
    #[inline]
    pub fn buffered(&self) -> usize {
        self.block.len() - self.start
    }

    /// The bytes that are unread. They stay so.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// buffer.take_ref(1);
    /// assert_eq!(buffer.unread_bytes(), b"bc");
    /// ```
    pub fn unread_bytes(&self) -> &[u8] {
        &self.block[self.start..]
    }

    /// Whether the end of the stream was fed.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// buffer.feed_eof();
    /// assert!(buffer.has_ended() && !buffer.at_eof());
    /// ```
    pub fn has_ended(&self) -> bool {
        self.input == Input::Ended
    }

    /// Whether the stream has ended and nothing is left to read. asyncio: `StreamReader.at_eof`.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"abc");
    /// buffer.feed_eof();
    /// assert!(!buffer.at_eof());
    /// buffer.take_ref(3);
    /// assert!(buffer.at_eof());
    /// ```
    pub fn at_eof(&self) -> bool {
        self.has_ended() && self.buffered() == 0
    }

    /// Whether a [`skip_until`](Self::skip_until) is in force that has not reached its separator.
    ///
    /// ```
    /// # use highwater_buffer::{ReadBuffer, Separators, Verdict};
    /// let mut buffer = ReadBuffer::new();
    /// assert_eq!(buffer.skip_until(Separators::newline())?, Verdict::NeedMore);
    /// assert!(buffer.is_skipping());
    /// # Ok::<(), highwater_buffer::IncompleteRead>(())
    /// ```
    pub fn is_skipping(&self) -> bool {
        self.skip.is_some()
    }

    /// How many bytes all searches have looked at so far: at most the bytes that arrived plus, for each
    /// arrival, the longest separator less one, as long as the same separators are sought.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// for byte in b"a line\n" {
    ///     buffer.feed(&[*byte]);
    ///     let _ = buffer.find_line(100);
    /// }
    /// assert_eq!(buffer.bytes_searched(), 7);
    /// ```
    pub fn bytes_searched(&self) -> u64 {
        self.searched
    }

    // ---- steps within --------------------------------------------------------------------------

    fn take_all(&mut self) -> Bytes {
        self.take(self.buffered())
    }

    fn check_invariants(&self) {
        debug_assert!(self.start <= self.block.len());
        debug_assert!(self.searched_to <= self.block.len());
        debug_assert!(self.searched_to == 0 || self.sought.is_some());
        debug_assert!((SMALLEST_FILL..=LARGEST_FILL).contains(&self.fill));
    }
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReadBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuffer")
            .field("buffered", &self.buffered())
            .field("limit", &self.limit)
            .field("input", &self.input)
            .field("skipping", &self.skip.is_some())
            .finish()
    }
}
