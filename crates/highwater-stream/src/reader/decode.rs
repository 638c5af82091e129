//! Any `Decoder` of tokio-util on a reader, in mid-stream.
//!
//! ```text
//!   transport ──fill──▶ buffer ──copy, a little at first──▶ window ──▶ decoder ──▶ item
//!                          ◀────── what it has not used ──────┘ at the end
//! ```
//!
//! A decoder wants a `BytesMut` of its own, so bytes are copied once on their way to it. The first copy is small and
//! each is twice the one before: what is put back for a read that comes after an item is never much more than what
//! the decoder has used, so that switching for every record costs linear time. What lives elsewhere: the window
//! between two decoders ([`shown`](super::shown)).

mod error;

pub use error::DecodeError;

use super::shown::Shown;
use super::{Limited, StreamReader};
use crate::source::Source;
use bytes::BytesMut;
use futures_core::Stream;
use highwater_buffer::{LARGEST_FILL, Verdict};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio_util::codec::Decoder;

/// The most that a decoder is shown at first, in bytes.
const FIRST_LOOK: usize = 512;

type Decoding<D> = Result<Option<<D as Decoder>::Item>, DecodeError<<D as Decoder>::Error>>;

impl<R: Source> StreamReader<R> {
    /// The next item of a decoder; `None` at the end of the stream. What the decoder does not use stays in the
    /// reader, for any other read.
    ///
    /// For several items in a row [`decoded`](Self::decoded) costs less.
    ///
    /// # The limit
    /// A decoder is never shown more than the limit at once. One that wants more, for an item that is longer, gets
    /// [`LimitOverrun`](DecodeError::LimitOverrun); [`limited(n).decoded`](Limited::decoded) allows another number.
    /// What a decoder keeps for itself, or reserves, is its own affair.
    ///
    /// # A decoder's memory
    /// In the middle of an item a decoder may have used bytes (a length), or remember how far it has looked. Go on
    /// with the same one, on the same reader, or give it up: the bytes that it has not used are still there. After an
    /// item it may go and come as it likes.
    ///
    /// # Errors
    /// - [`Decoder`](DecodeError::Decoder): the decoder's own. What it has left is still buffered.
    /// - [`LimitOverrun`](DecodeError::LimitOverrun): what it has not used is still buffered.
    /// - [`Transport`](DecodeError::Transport): the kept error; what came before stays buffered.
    ///
    /// At the end of the stream it is `Decoder::decode_eof` that judges what is left.
    ///
    /// # Cancel safety
    /// Cancel safe: bytes leave the reader only as the decoder uses them, and what it was shown is not copied again.
    ///
    /// ```
    /// use highwater_stream::StreamReader;
    /// use tokio_util::codec::LengthDelimitedCodec;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"DATA\n\0\0\0\x05helloDONE\n"[..]);
    /// let mut frames = LengthDelimitedCodec::new();
    ///
    /// assert_eq!(reader.read_line().await?.unwrap(), "DATA\n");
    /// assert_eq!(reader.decode(&mut frames).await?.unwrap(), "hello");
    /// assert_eq!(reader.read_line().await?.unwrap(), "DONE\n");
    /// assert_eq!(reader.decode(&mut frames).await?, None);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn decode<D: Decoder>(
        &mut self,
        decoder: &mut D,
    ) -> Result<Option<D::Item>, DecodeError<D::Error>> {
        self.decoded(decoder).next().await.transpose()
    }

    /// The items of a decoder as a stream, for as long as the reader is borrowed: see [`decode`](Self::decode).
    ///
    /// ```
    /// use futures::StreamExt;
    /// use highwater_stream::StreamReader;
    /// use tokio_util::codec::LinesCodec;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"a\nb\nc\nand bytes"[..]);
    /// let mut codec = LinesCodec::new();
    /// let lines: Vec<_> = reader.decoded(&mut codec).take(3).map(Result::unwrap).collect().await;
    /// assert_eq!(lines, ["a", "b", "c"]);
    /// assert_eq!(reader.read_exactly(9).await.unwrap(), "and bytes");
    /// # });
    /// ```
    pub fn decoded<'a, D: Decoder>(&'a mut self, decoder: &'a mut D) -> Decoded<'a, R, D> {
        Decoded::new(self, decoder, self.limit())
    }
}

impl<'a, R: Source> Limited<'a, R> {
    /// [`StreamReader::decoded`] under this limit.
    ///
    /// ```
    /// use highwater_stream::StreamReader;
    /// use tokio_util::codec::LengthDelimitedCodec;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"\0\0\0\x09too long?"[..], 4);
    /// let mut frames = LengthDelimitedCodec::new();
    /// assert!(reader.decode(&mut frames).await.is_err());
    /// let frame = reader.limited(100).decoded(&mut frames).next().await.unwrap();
    /// assert_eq!(frame.unwrap(), "too long?");
    /// # });
    /// ```
    pub fn decoded<D: Decoder>(self, decoder: &'a mut D) -> Decoded<'a, R, D> {
        let (reader, limit) = self.into_parts();
        Decoded::new(reader, decoder, limit)
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// The decoder may have an item.
    Ask,
    /// It has none, or was not asked yet: show it more.
    Show,
    /// An error was yielded, or the end: nothing comes any more.
    Over,
}

/// The items of a decoder: see [`StreamReader::decoded`].
///
/// It yields an error once, and then ends. As it is dropped, all that the decoder has not used goes back to the
/// reader. An item that is a part of its block (a `BytesMut`) keeps all of that alive, as with tokio-util's `Framed`.
///
/// # Cancel safety
/// Drop it, or a [`next`](Self::next), at any point: the bytes are in the reader.
///
/// ```
/// use highwater_stream::StreamReader;
/// use tokio_util::codec::LengthDelimitedCodec;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"\0\0\0\x03one\0\0\0\x03two"[..]);
/// let mut codec = LengthDelimitedCodec::new();
/// let mut frames = reader.decoded(&mut codec);
/// assert_eq!(frames.next().await.unwrap().unwrap(), "one");
/// assert_eq!(frames.next().await.unwrap().unwrap(), "two");
/// assert!(frames.next().await.is_none());
/// # });
/// ```
#[must_use = "nothing is decoded until it is polled"]
pub struct Decoded<'a, R, D> {
    reader: &'a mut StreamReader<R>,
    decoder: &'a mut D,
    /// What the decoder was shown and has not used: it stands before all that the reader's buffer holds.
    /// Invariant: at most `limit` bytes.
    window: BytesMut,
    /// How many bytes the decoder has seen without an item. See [`Shown`].
    in_vain: usize,
    limit: usize,
    /// How many bytes the decoder is shown more, at most.
    look: usize,
    course: Course,
}

impl<'a, R: Source, D: Decoder> Decoded<'a, R, D> {
    fn new(reader: &'a mut StreamReader<R>, decoder: &'a mut D, limit: usize) -> Self {
        let shown = reader.shown.as_deref_mut().map(mem::take).unwrap_or_default();
        let Shown { mut window, in_vain } = shown;
        // Where fewer are there, another read has taken them: that decoder was given up.
        let is_all_there = in_vain <= window.len() + reader.buffer.buffered();
        let in_vain = if is_all_there { in_vain } else { 0 };
        let limit = limit.max(in_vain);
        if window.len() > limit {
            // It was shown under a larger one.
            reader.buffer.unread(&mem::take(&mut window));
        }
        // A decoder that has looked at bytes is not asked before it sees them again. Without any it is asked, too:
        // it may have an item left.
        let is_to_see_more = window.len() < in_vain && reader.buffer.buffered() > 0;
        let course = if is_to_see_more { Course::Show } else { Course::Ask };
        Self { reader, decoder, window, in_vain, limit, look: in_vain.max(FIRST_LOOK), course }
    }

    /// The next item; `None` at the end of the stream and after an error.
    ///
    /// # Errors
    /// Those of [`StreamReader::decode`], once.
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::{DecodeError, StreamReader};
    /// # use tokio_util::codec::LinesCodec;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"ok\nmuch too long\n"[..], 4);
    /// let mut codec = LinesCodec::new();
    /// let mut lines = reader.decoded(&mut codec);
    /// assert_eq!(lines.next().await.unwrap().unwrap(), "ok");
    /// let error = lines.next().await.unwrap().unwrap_err();
    /// assert!(matches!(error, DecodeError::LimitOverrun { limit: 4 }));
    /// assert!(lines.next().await.is_none());
    /// drop(lines);
    /// assert_eq!(reader.limited(100).read_line().await.unwrap().unwrap(), "much too long\n");
    /// # });
    /// ```
    pub async fn next(&mut self) -> Option<Result<D::Item, DecodeError<D::Error>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Decoding<D>> {
        loop {
            if self.course == Course::Ask {
                let before = self.window.len();
                let decoded = self.decoder.decode(&mut self.window);
                // After an item, or an error that has used bytes, it begins anew.
                self.in_vain = match &decoded {
                    Ok(None) => self.window.len(),
                    Err(_) if self.window.len() == before => self.in_vain,
                    _ => 0,
                };
                if let Some(item) = decoded.map_err(DecodeError::Decoder)? {
                    return Poll::Ready(Ok(Some(item)));
                }
                self.course = Course::Show;
            }
            match self.reader.buffer.find_some(usize::MAX) {
                Verdict::Ready(0) => {
                    let last = self.decoder.decode_eof(&mut self.window);
                    return Poll::Ready(last.map_err(DecodeError::Decoder));
                }
                Verdict::Ready(_) if self.window.len() >= self.limit => {
                    return Poll::Ready(Err(DecodeError::LimitOverrun { limit: self.limit }));
                }
                Verdict::Ready(count) => self.show(count),
                Verdict::NeedMore => {
                    if self.window.is_empty() {
                        // Who waits for an item to begin holds no memory for it.
                        self.window = BytesMut::new();
                    }
                    ready!(self.reader.poll_fill(cx)).map_err(DecodeError::Transport)?;
                }
            }
        }
    }

    /// Shows the decoder more of the `count` bytes that are there.
    fn show(&mut self, count: usize) {
        let count = count.min(self.look).min(self.limit - self.window.len());
        self.window.extend_from_slice(self.reader.buffer.take_ref(count));
        self.look = (self.look * 2).min(LARGEST_FILL);
        self.course = Course::Ask;
    }
}

impl<R: Source, D: Decoder> Stream for Decoded<'_, R, D> {
    type Item = Result<D::Item, DecodeError<D::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.course == Course::Over {
            return Poll::Ready(None);
        }
        let item = ready!(self.poll_item(cx));
        if !matches!(item, Ok(Some(_))) {
            self.course = Course::Over;
        }
        Poll::Ready(item.transpose())
    }
}

/// Nothing is pinned: the decoder is called, never polled.
impl<R, D> Unpin for Decoded<'_, R, D> {}

impl<R, D> Drop for Decoded<'_, R, D> {
    fn drop(&mut self) {
        let in_vain = self.in_vain;
        let mut window = mem::take(&mut self.window);
        let buffer = &mut self.reader.buffer;
        if buffer.buffered() > 0 || buffer.has_ended() {
            buffer.unread(&mem::take(&mut window));
        }
        if in_vain > 0 || !window.is_empty() {
            **self.reader.shown.get_or_insert_default() = Shown { window, in_vain };
        }
    }
}

impl<R: fmt::Debug, D: fmt::Debug> fmt::Debug for Decoded<'_, R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded")
            .field("reader", &self.reader)
            .field("decoder", &self.decoder)
            .field("shown", &self.window.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
