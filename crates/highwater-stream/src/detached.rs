//! A reader without a transport: bytes are fed by hand.

use crate::source::{Arrival, Arrived, Source, sealed};
use crate::sync::{Mutex, lock};
use crate::waiters::{Slot, Waiters, wake};
use crate::{StreamReader, TransportError};
use highwater_buffer::{DEFAULT_LIMIT, ReadBuffer};
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The source of a reader that is fed by a [`Feeder`]: see [`StreamReader::detached`].
///
/// ```
/// use highwater_stream::{Detached, StreamReader};
/// fn arrived(reader: &StreamReader<Detached>) -> usize {
///     reader.buffered()
/// }
/// let (reader, feeder) = StreamReader::detached();
/// feeder.feed(b"abc").unwrap();
/// assert_eq!(arrived(&reader), 3);
/// ```
pub struct Detached {
    inbox: Arc<Mutex<Inbox>>,
}

/// What feeds a detached reader: for tests, and for sources that push.
///
/// It holds at most its cap of bytes that no read has taken yet. Dropped before
/// [`feed_eof`](Self::feed_eof) it fails the reader with `BrokenPipe`: an end that was not said is none.
///
/// # Source
/// asyncio: `StreamReader.feed_data`, `feed_eof`, `set_exception`. diverges: it has a cap, because sources
/// that push need backpressure, too; and a reader that nobody feeds any more is told, instead of waiting for
/// ever.
///
/// ```
/// use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut reader, feeder) = StreamReader::detached();
/// feeder.feed(b"one\ntw")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "one\n");
/// feeder.feed(b"o")?;
/// feeder.feed_eof();
/// assert_eq!(reader.read_line().await?.unwrap(), "two");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Feeder {
    inbox: Arc<Mutex<Inbox>>,
}

struct Inbox {
    /// Fed, and not taken by a read yet. Invariant: at most `cap`.
    bytes: Vec<u8>,
    cap: usize,
    end: End,
    reader: Option<Waker>,
    /// Feeders that wait for room.
    waiters: Waiters,
}

enum End {
    Open,
    Eof,
    Failed(TransportError),
    /// The reader was dropped.
    Unread,
}

/// Why bytes were not fed. None of them was.
///
/// ```
/// use highwater_stream::{FeedError, StreamReader};
/// let (_reader, feeder) = StreamReader::detached_with_cap(4);
/// feeder.feed(b"abc").unwrap();
/// assert_eq!(feeder.feed(b"de").unwrap_err(), FeedError::Full { room: 1, payload: 2 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// The cap would be passed.
    Full {
        /// Bytes that would fit now.
        room: usize,
        /// Bytes that were fed.
        payload: usize,
    },
    /// The end of the stream, or a failure, was fed before.
    Ended,
    /// The reader was dropped.
    Unread,
}

impl StreamReader<Detached> {
    /// A reader without a transport, and what feeds it, with a cap of 64 KiB.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (mut reader, feeder) = StreamReader::detached();
    /// feeder.feed(b"a line\n").unwrap();
    /// assert_eq!(reader.read_line().await.unwrap().unwrap(), "a line\n");
    /// # });
    /// ```
    pub fn detached() -> (Self, Feeder) {
        Self::detached_with_cap(DEFAULT_LIMIT)
    }

    /// A reader without a transport, and what feeds it. At most `cap` bytes wait for a read; then
    /// [`feed`](Feeder::feed) is refused. The reader itself holds at most `cap` more than its reads ask for.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let (reader, feeder) = StreamReader::detached_with_cap(1024);
    /// assert!(feeder.feed(&[0; 1025]).is_err());
    /// assert_eq!(reader.buffered(), 0);
    /// ```
    pub fn detached_with_cap(cap: usize) -> (Self, Feeder) {
        let inbox = Arc::new(Mutex::new(Inbox {
            bytes: Vec::new(),
            cap,
            end: End::Open,
            reader: None,
            waiters: Waiters::default(),
        }));
        (Self::new(Detached { inbox: Arc::clone(&inbox) }), Feeder { inbox })
    }
}

impl Feeder {
    /// Feeds bytes, all or none. Empty ones change nothing.
    ///
    /// # Errors
    /// [`FeedError`]: nothing was fed.
    ///
    /// # Source
    /// asyncio: `StreamReader.feed_data`. diverges: there it takes any amount; here what passes the cap is
    /// refused, for backpressure.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let (reader, feeder) = StreamReader::detached_with_cap(4);
    /// assert!(feeder.feed(b"four").is_ok());
    /// assert!(feeder.feed(b"!").is_err());
    /// assert_eq!(reader.buffered(), 4);
    /// ```
    pub fn feed(&self, bytes: &[u8]) -> Result<(), FeedError> {
        let reader = {
            let mut inbox = lock(&self.inbox);
            inbox.check_open()?;
            let room = inbox.cap - inbox.bytes.len();
            if bytes.len() > room {
                return Err(FeedError::Full { room, payload: bytes.len() });
            }
            inbox.bytes.extend_from_slice(bytes);
            if bytes.is_empty() { None } else { inbox.reader.take() }
        };
        wake(reader);
        Ok(())
    }

    /// Waits until `count` bytes fit. Nobody else fits them in meanwhile unless this feeder is shared.
    ///
    /// # Errors
    /// [`FeedError`]: no wait would help, because `count` is more than the cap, or the stream has ended.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is fed.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (mut reader, feeder) = StreamReader::detached_with_cap(4);
    /// feeder.feed(b"full")?;
    /// let (read, room) = tokio::join!(reader.read(4), feeder.room(4));
    /// assert_eq!(read?, "full");
    /// room?;
    /// feeder.feed(b"more")?;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn room(&self, count: usize) -> Result<(), FeedError> {
        let mut wait = Room { feeder: self, slot: None };
        poll_fn(|cx| wait.poll(count, cx)).await
    }

    /// Feeds the end of the stream. Any number of times; after a failure it changes nothing.
    ///
    /// # Source
    /// asyncio: `StreamReader.feed_eof`.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// let (reader, feeder) = StreamReader::detached();
    /// feeder.feed_eof();
    /// assert!(reader.at_eof());
    /// assert!(feeder.feed(b"more").is_err());
    /// ```
    pub fn feed_eof(&self) {
        self.end(End::Eof).ok();
    }

    /// Feeds a failure: the reader delivers what came before, then this error every time.
    ///
    /// # Errors
    /// [`FeedError`] when the end or a failure was fed before: the first is kept.
    ///
    /// # Source
    /// asyncio: `StreamReader.set_exception`. diverges: what came before is delivered first, since the last
    /// words of a peer often say why it hung up; and the first failure stays, since later ones are its
    /// effects.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (mut reader, feeder) = StreamReader::detached();
    /// feeder.feed(b"last words")?;
    /// feeder.feed_error(std::io::Error::other("unplugged"))?;
    /// assert_eq!(reader.read(100).await?, "last words");
    /// assert_eq!(reader.read(100).await.unwrap_err().to_string(), "unplugged");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn feed_error(&self, error: io::Error) -> Result<(), FeedError> {
        self.end(End::Failed(error.into()))
    }

    /// How many bytes no read has taken yet.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (mut reader, feeder) = StreamReader::detached();
    /// feeder.feed(b"abc").unwrap();
    /// assert_eq!(feeder.pending(), 3);
    /// reader.read(1).await.unwrap();
    /// assert_eq!((feeder.pending(), reader.buffered()), (2, 2));
    /// # });
    /// ```
    pub fn pending(&self) -> usize {
        lock(&self.inbox).bytes.len()
    }

    fn end(&self, end: End) -> Result<(), FeedError> {
        let (reader, waiters) = {
            let mut inbox = lock(&self.inbox);
            inbox.check_open()?;
            inbox.end = end;
            (inbox.reader.take(), inbox.waiters.wake_all())
        };
        wake(reader);
        wake(waiters);
        Ok(())
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.end(End::Failed(TransportError::feeder_dropped())).ok();
    }
}

/// A wait for room: given up, it leaves no waker behind.
struct Room<'a> {
    feeder: &'a Feeder,
    slot: Slot,
}

impl Room<'_> {
    fn poll(&mut self, count: usize, cx: &mut Context<'_>) -> Poll<Result<(), FeedError>> {
        let mut inbox = lock(&self.feeder.inbox);
        inbox.check_open()?;
        let room = inbox.cap - inbox.bytes.len();
        if count <= room {
            return Poll::Ready(Ok(()));
        }
        if count > inbox.cap {
            return Poll::Ready(Err(FeedError::Full { room, payload: count }));
        }
        inbox.waiters.keep(&mut self.slot, cx.waker());
        Poll::Pending
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        lock(&self.feeder.inbox).waiters.leave(&mut self.slot);
    }
}

impl Inbox {
    fn check_open(&self) -> Result<(), FeedError> {
        match self.end {
            End::Open => Ok(()),
            End::Eof | End::Failed(_) => Err(FeedError::Ended),
            End::Unread => Err(FeedError::Unread),
        }
    }
}

impl sealed::Sealed for Detached {}

impl Source for Detached {
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Poll<Result<Arrival, TransportError>> {
        {
            let mut inbox = lock(&self.inbox);
            if inbox.bytes.is_empty() {
                return match &inbox.end {
                    End::Eof | End::Unread => Poll::Ready(Ok(Arrival::End)),
                    End::Failed(error) => Poll::Ready(Err(error.clone())),
                    End::Open => {
                        inbox.reader = Some(cx.waker().clone());
                        Poll::Pending
                    }
                };
            }
        }
        self.absorb(buffer, usize::MAX);
        Poll::Ready(Ok(Arrival::Bytes))
    }

    fn absorb(&mut self, buffer: &mut ReadBuffer, most: usize) {
        if most == 0 {
            return;
        }
        let (bytes, waiters) = {
            let mut inbox = lock(&self.inbox);
            let now = most.min(inbox.bytes.len());
            let later = inbox.bytes.split_off(now);
            (mem::replace(&mut inbox.bytes, later), inbox.waiters.wake_all())
        };
        // Nothing is fed behind an end: the buffer knows of one only when the inbox is empty.
        if !bytes.is_empty() {
            buffer.feed(&bytes);
        }
        wake(waiters);
    }

    fn arrived(&self) -> Arrived {
        let inbox = lock(&self.inbox);
        Arrived { bytes: inbox.bytes.len(), ended: matches!(inbox.end, End::Eof) }
    }

    fn failure(&self) -> Option<TransportError> {
        match &lock(&self.inbox).end {
            End::Failed(error) => Some(error.clone()),
            _ => None,
        }
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let waiters = {
            let mut inbox = lock(&self.inbox);
            inbox.end = End::Unread;
            inbox.bytes = Vec::new();
            inbox.waiters.wake_all()
        };
        wake(waiters);
    }
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedError::Full { room, payload } => {
                write!(f, "{payload} bytes do not fit: there is room for {room}")
            }
            FeedError::Ended => f.write_str("the end of the stream was fed before"),
            FeedError::Unread => f.write_str("the reader was dropped"),
        }
    }
}

impl Error for FeedError {}

/// `Full` is `QuotaExceeded`, the others are `BrokenPipe`; the error stays inside.
impl From<FeedError> for io::Error {
    fn from(error: FeedError) -> Self {
        let kind = match error {
            FeedError::Full { .. } => io::ErrorKind::QuotaExceeded,
            FeedError::Ended | FeedError::Unread => io::ErrorKind::BrokenPipe,
        };
        io::Error::new(kind, error)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("pending", &self.bytes.len()).field("cap", &self.cap).finish()
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("inbox", &*lock(&self.inbox)).finish()
    }
}
