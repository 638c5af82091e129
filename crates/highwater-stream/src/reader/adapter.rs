//! A reader as tokio's `AsyncRead` and `AsyncBufRead`, for those who ask for it by name.

use super::StreamReader;
use crate::source::Source;
use highwater_buffer::Verdict;
use std::io;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// A [`StreamReader`] as `AsyncRead` and `AsyncBufRead`, for `tokio::io::copy`, hyper, tokio-util.
///
/// From here on tokio's promises hold: `read_until`, `read_line` and `read_to_end` of its extension
/// traits know no limit, and not all of its reads are cancel safe.
///
/// ```
/// use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"head\nthe body"[..]);
/// reader.read_line().await.unwrap();
/// let mut body = Vec::new();
/// tokio::io::copy_buf(&mut reader.as_async_read(), &mut body).await.unwrap();
/// assert_eq!(body, b"the body");
/// # });
/// ```
#[derive(Debug)]
pub struct AsyncReader<P>(P);

impl<R: Source> StreamReader<R> {
    /// This reader as `AsyncRead` and `AsyncBufRead`, for as long as it is borrowed. What was buffered
    /// comes first, and what is left unread stays in the reader.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// use tokio::io::AsyncReadExt;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"\x01\x02rest"[..]);
    /// assert_eq!(reader.as_async_read().read_u16().await.unwrap(), 0x0102);
    /// assert_eq!(reader.read(100).await.unwrap(), "rest");
    /// # });
    /// ```
    pub fn as_async_read(&mut self) -> AsyncReader<&mut Self> {
        AsyncReader(self)
    }

    /// This reader as `AsyncRead` and `AsyncBufRead`. What was buffered comes first.
    ///
    /// ```
    /// use highwater_stream::StreamReader;
    /// use tokio::io::AsyncReadExt;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"text"[..]).into_async_read();
    /// let mut text = String::new();
    /// reader.read_to_string(&mut text).await.unwrap();
    /// assert_eq!(text, "text");
    /// assert!(reader.into_inner().at_eof());
    /// # });
    /// ```
    pub fn into_async_read(self) -> AsyncReader<Box<Self>> {
        AsyncReader(Box::new(self))
    }
}

impl<R> AsyncReader<Box<StreamReader<R>>> {
    /// The reader again, with what is unread.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// use tokio::io::AsyncBufReadExt;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut adapter = StreamReader::new(&b"a line\nrest"[..]).into_async_read();
    /// adapter.read_line(&mut String::new()).await.unwrap();
    /// assert_eq!(adapter.into_inner().unread_bytes(), b"rest");
    /// # });
    /// ```
    pub fn into_inner(self) -> StreamReader<R> {
        *self.0
    }
}

/// What the adapter needs of a reader that it owns or borrows.
#[doc(hidden)]
pub trait Readable: sealed::Sealed {
    fn poll_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn some(&self) -> &[u8];
    fn consume(&mut self, count: usize);
}

mod sealed {
    #[allow(unnameable_types)] // That is what seals the trait.
    pub trait Sealed {}
    impl<R> Sealed for super::StreamReader<R> {}
}

impl<R: Source> Readable for StreamReader<R> {
    /// Waits until something is unread, or the end.
    fn poll_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Verdict::NeedMore = self.buffer.find_some(usize::MAX) {
            ready!(self.poll_fill(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn some(&self) -> &[u8] {
        self.buffer.unread_bytes()
    }

    fn consume(&mut self, count: usize) {
        self.buffer.take_ref(count);
    }
}

impl<P> AsyncRead for AsyncReader<P>
where
    P: DerefMut<Target: Readable> + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() > 0 {
            ready!(self.0.poll_some(cx))?;
            let unread = self.0.some();
            let count = unread.len().min(into.remaining());
            into.put_slice(&unread[..count]);
            self.0.consume(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<P> AsyncBufRead for AsyncReader<P>
where
    P: DerefMut<Target: Readable> + Unpin,
{
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = &mut *self.get_mut().0;
        ready!(reader.poll_some(cx))?;
        Poll::Ready(Ok(reader.some()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.0.consume(count);
    }
}
