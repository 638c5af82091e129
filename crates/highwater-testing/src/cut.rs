//! Bytes that arrive in parts: whole, byte by byte, split at each position. One outcome for all.

use bytes::Bytes;
use highwater_buffer::{ReadBuffer, Verdict};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// A parser that gives so many messages in a row without taking a byte will go on for ever.
const MOST_FOR_NOTHING: usize = 1000;

/// How bytes are cut, and when the parts arrive.
///
/// ```
/// use highwater_testing::Cut;
///
/// let parts: Vec<_> = Cut::At(2).parts("hello").collect();
/// assert_eq!(parts, ["he", "llo"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// All at once, and the end of the stream with them, before the first read.
    Ahead,
    /// All at once, when a read waits.
    Whole,
    /// One byte each time a read waits.
    ByteByByte,
    /// In two parts, the second beginning at this position.
    At(usize),
    /// In parts of these sizes, over and over until there are no more bytes. A size of 0 counts as 1.
    Sizes(Vec<usize>),
}

impl Cut {
    /// Every cut of `length` bytes into one part, into two, and into single bytes.
    ///
    /// ```
    /// # use highwater_testing::Cut;
    /// let cuts: Vec<_> = Cut::every(3).collect();
    /// assert_eq!(cuts, [Cut::Ahead, Cut::Whole, Cut::ByteByByte, Cut::At(1), Cut::At(2)]);
    /// ```
    pub fn every(length: usize) -> impl Iterator<Item = Cut> {
        [Cut::Ahead, Cut::Whole, Cut::ByteByByte].into_iter().chain((1..length).map(Cut::At))
    }

    /// The parts of `bytes`, in order. None is empty.
    ///
    /// ```
    /// # use highwater_testing::Cut;
    /// let parts: Vec<_> = Cut::Sizes(vec![3, 1]).parts("abcdefgh").collect();
    /// assert_eq!(parts, ["abc", "d", "efg", "h"]);
    /// ```
    pub fn parts(&self, bytes: impl Into<Bytes>) -> Parts {
        let mut rest = bytes.into();
        let length = rest.len();
        let sizes: &[usize] = match self {
            Cut::Ahead | Cut::Whole => &[length],
            Cut::ByteByByte => &[1],
            Cut::At(position) => &[*position, length.saturating_sub(*position)],
            Cut::Sizes(sizes) if sizes.is_empty() => &[length],
            Cut::Sizes(sizes) => sizes,
        };
        let mut parts = VecDeque::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            parts.push_back(rest.split_to((*size).clamp(1, rest.len())));
        }
        Parts { parts, is_there: *self == Cut::Ahead }
    }
}

/// Bytes in parts, as a [`Cut`] has left them.
///
/// It is an iterator of the parts, for what is fed, and an `AsyncRead`, for what reads: there each part is a
/// read of its own, for which a task has to wait once, and so is the end ([`Cut::Ahead`] excepted).
///
/// ```
/// use highwater_stream::StreamReader;
/// use highwater_testing::Cut;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(Cut::ByteByByte.parts("one\ntwo\n"));
/// assert_eq!(reader.read_line().await.unwrap().unwrap(), "one\n");
/// assert_eq!(reader.buffered(), 0);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Parts {
    parts: VecDeque<Bytes>,
    /// Whether the next part, or the end, is there without a wait.
    is_there: bool,
}

impl Parts {
    /// Feeds the parts to a buffer, and after each asks `parser` for messages until it needs more; then the
    /// end of the stream, and the same again. `parser` is not asked any more when it has given an error, or
    /// when the stream has ended and all was taken.
    ///
    /// # Panics
    /// When `parser` gives a thousand messages in a row without taking a byte.
    ///
    /// ```
    /// use highwater_testing::Cut;
    ///
    /// let parsed = Cut::ByteByByte.parts("one\ntwo").parse(|buffer| buffer.read_line());
    /// assert_eq!(parsed.messages, [Some("one\n".into()), Some("two".into())]);
    /// assert_eq!((parsed.error, parsed.rest.len()), (None, 0));
    /// ```
    pub fn parse<T, E>(
        mut self,
        mut parser: impl FnMut(&mut ReadBuffer) -> Result<Verdict<T>, E>,
    ) -> Parsed<T, E> {
        let mut buffer = ReadBuffer::new();
        let (mut messages, mut error) = (Vec::new(), None);
        let mut for_nothing = 0;
        let is_ahead = self.is_there;
        loop {
            match self.next() {
                Some(part) => buffer.feed(&part),
                None => buffer.feed_eof(),
            }
            while error.is_none() && !buffer.at_eof() && (!is_ahead || buffer.has_ended()) {
                let before = buffer.buffered();
                match parser(&mut buffer) {
                    Ok(Verdict::NeedMore) => break,
                    Ok(Verdict::Ready(message)) => messages.push(message),
                    Err(refusal) => error = Some(refusal),
                }
                for_nothing = if buffer.buffered() == before { for_nothing + 1 } else { 0 };
                assert!(for_nothing < MOST_FOR_NOTHING, "the parser gives messages and takes no bytes");
            }
            if buffer.has_ended() {
                return Parsed { messages, error, rest: Bytes::copy_from_slice(buffer.unread_bytes()) };
            }
        }
    }
}

/// What a parser made of a stream.
///
/// ```
/// use highwater_testing::{Cut, Parsed};
///
/// let parsed = Cut::Whole.parts("abcd").parse(|buffer| buffer.read_exactly(3));
/// assert_eq!(parsed.messages, ["abc"]);
/// assert_eq!(parsed.error.unwrap().partial(), "d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T, E> {
    /// The messages that came, in order.
    pub messages: Vec<T>,
    /// The error after the last of them.
    pub error: Option<E>,
    /// What the parser left of the stream.
    pub rest: Bytes,
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.parts.pop_front()
    }
}

impl AsyncRead for Parts {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let parts = &mut *self;
        if !parts.is_there {
            parts.is_there = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // The end stays once it was waited for, and so do all parts that came ahead.
        if let Some(part) = parts.parts.front_mut() {
            let now = part.split_to(part.len().min(into.remaining()));
            into.put_slice(&now);
            if part.is_empty() {
                parts.parts.pop_front();
                parts.is_there = false;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Runs `scenario` with `bytes` in every [`Cut`], and returns the one outcome.
///
/// # Panics
/// At the first cut whose outcome differs from that of the bytes as a whole.
///
/// ```
/// use highwater_buffer::{ReadBuffer, Verdict};
/// use highwater_testing::at_every_cut;
///
/// // A length, and so many bytes: nothing is taken before all of it is there.
/// fn message(buffer: &mut ReadBuffer) -> Result<Verdict<Vec<u8>>, &'static str> {
///     let Some(&length) = buffer.unread_bytes().first() else { return Ok(Verdict::NeedMore) };
///     let found = buffer.find_exactly(1 + usize::from(length)).map_err(|_| "cut short")?;
///     Ok(found.map(|n| buffer.take(n)[1..].to_vec()))
/// }
///
/// let parsed = at_every_cut("\u{3}abc\u{0}\u{2}de\u{9}f", |parts| parts.parse(message));
/// assert_eq!(parsed.messages, [&b"abc"[..], b"", b"de"]);
/// assert_eq!(parsed.error, Some("cut short"));
/// ```
pub fn at_every_cut<T>(bytes: impl Into<Bytes>, mut scenario: impl FnMut(Parts) -> T) -> T
where
    T: PartialEq + fmt::Debug,
{
    let bytes = bytes.into();
    let whole = scenario(Cut::Whole.parts(bytes.clone()));
    for cut in Cut::every(bytes.len()) {
        is_the_same(&scenario(cut.parts(bytes.clone())), &whole, &cut);
    }
    whole
}

/// [`at_every_cut`] for scenarios that wait.
///
/// # Panics
/// At the first cut whose outcome differs from that of the bytes as a whole.
///
/// # Cancel safety
/// Dropped, it drops the scenario that is in course.
///
/// ```
/// use highwater_stream::StreamReader;
/// use highwater_testing::at_every_cut_async;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let lines = at_every_cut_async("one\r\ntwo\r\n", async |parts| {
///     let mut reader = StreamReader::new(parts);
///     (reader.read_until(b"\r\n").await.unwrap(), reader.read_until(b"\r\n").await.unwrap())
/// });
/// assert_eq!(lines.await, ("one\r\n".into(), "two\r\n".into()));
/// # });
/// ```
pub async fn at_every_cut_async<T>(bytes: impl Into<Bytes>, mut scenario: impl AsyncFnMut(Parts) -> T) -> T
where
    T: PartialEq + fmt::Debug,
{
    let bytes = bytes.into();
    let whole = scenario(Cut::Whole.parts(bytes.clone())).await;
    for cut in Cut::every(bytes.len()) {
        is_the_same(&scenario(cut.parts(bytes.clone())).await, &whole, &cut);
    }
    whole
}

fn is_the_same<T: PartialEq + fmt::Debug>(outcome: &T, whole: &T, cut: &Cut) {
    assert!(outcome == whole, "{cut:?} gives {outcome:?}, and the bytes as a whole {whole:?}");
}
