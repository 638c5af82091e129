//! Lines and frames as a `Stream` that borrows the reader.

use super::StreamReader;
use crate::source::Source;
use crate::{LimitedReadError, TransportError};
use bytes::Bytes;
use futures_core::Stream;
use highwater_buffer::{FrameError, LimitOverrun, ReadBuffer, Separators, Verdict};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Why a frame may be the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Going,
    /// An error was yielded, or the end was met: nothing comes any more.
    Over,
}

/// The lines of a reader: see [`StreamReader::lines`].
///
/// # Cancel safety
/// Drop it, or a [`next`](Self::next), at any point: the bytes are in the reader.
///
/// ```
/// use futures::TryStreamExt;
/// use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"a\nb"[..]);
/// let lines: Vec<_> = reader.lines().try_collect().await.unwrap();
/// assert_eq!(lines, ["a\n", "b"]);
/// # });
/// ```
#[derive(Debug)]
#[must_use = "nothing is read until it is polled"]
pub struct Lines<'a, R> {
    reader: &'a mut StreamReader<R>,
    limit: usize,
    course: Course,
}

/// The frames of a reader: see [`StreamReader::split`].
///
/// # Cancel safety
/// Drop it, or a [`next`](Self::next), at any point: the bytes are in the reader.
///
/// ```
/// use futures::TryStreamExt;
/// use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut reader = StreamReader::new(&b"a;b;c"[..]);
/// let fields: Vec<_> = reader.split(b";").unwrap().try_collect().await.unwrap();
/// assert_eq!(fields, ["a;", "b;", "c"]);
/// # });
/// ```
#[derive(Debug)]
#[must_use = "nothing is read until it is polled"]
pub struct Split<'a, R> {
    reader: &'a mut StreamReader<R>,
    separators: Separators,
    limit: usize,
    course: Course,
}

impl<'a, R: Source> Lines<'a, R> {
    pub(super) fn new(reader: &'a mut StreamReader<R>, limit: usize) -> Self {
        Self { reader, limit, course: Course::Going }
    }

    /// The next line; `None` at the end of the stream and after an error.
    ///
    /// # Errors
    /// Those of [`StreamReader::read_line`], once: the bytes stay in the reader.
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"ok\ntoo long\n"[..], 4);
    /// let mut lines = reader.lines();
    /// assert_eq!(lines.next().await.unwrap().unwrap(), "ok\n");
    /// assert!(lines.next().await.unwrap().is_err());
    /// assert!(lines.next().await.is_none());
    /// # });
    /// ```
    pub async fn next(&mut self) -> Option<Result<Bytes, LimitedReadError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<'a, R: Source> Split<'a, R> {
    pub(super) fn new(reader: &'a mut StreamReader<R>, separators: Separators, limit: usize) -> Self {
        Self { reader, separators, limit, course: Course::Going }
    }

    /// The next frame; `None` at the end of the stream and after an error.
    ///
    /// # Errors
    /// The overrun or the kept error, as for [`StreamReader::read_until`], once: the bytes stay in the
    /// reader.
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::new(&b"a\0b"[..]);
    /// let mut fields = reader.split(b"\0").unwrap();
    /// assert_eq!(fields.next().await.unwrap().unwrap(), "a\0");
    /// assert_eq!(fields.next().await.unwrap().unwrap(), "b");
    /// assert!(fields.next().await.is_none());
    /// # });
    /// ```
    pub async fn next(&mut self) -> Option<Result<Bytes, LimitedReadError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<R: Source> Stream for Lines<'_, R> {
    type Item = Result<Bytes, LimitedReadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { reader, limit, course } = &mut *self;
        poll_frame(reader, course, cx, |buffer| {
            let found = buffer.find_line(*limit)?;
            Ok(found.map(|n| n.map(|n| buffer.take(n))))
        })
    }
}

impl<R: Source> Stream for Split<'_, R> {
    type Item = Result<Bytes, LimitedReadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { reader, separators, limit, course } = &mut *self;
        poll_frame(reader, course, cx, |buffer| match buffer.find_until(separators, *limit) {
            Ok(found) => Ok(found.map(|n| Some(buffer.take(n)))),
            Err(FrameError::LimitOverrun(error)) => Err(error),
            // The end: what stands behind the last separator is a frame of its own.
            Err(FrameError::Incomplete(rest)) => {
                Ok(Verdict::Ready(Some(rest.into_partial()).filter(|rest| !rest.is_empty())))
            }
        })
    }
}

fn poll_frame<R: Source>(
    reader: &mut StreamReader<R>,
    course: &mut Course,
    cx: &mut Context<'_>,
    mut step: impl FnMut(&mut ReadBuffer) -> Result<Verdict<Option<Bytes>>, LimitOverrun>,
) -> Poll<Option<Result<Bytes, LimitedReadError>>> {
    if *course == Course::Over {
        return Poll::Ready(None);
    }
    let frame = loop {
        match step(&mut reader.buffer) {
            Ok(Verdict::Ready(frame)) => break Ok(frame),
            Ok(Verdict::NeedMore) => {
                let filled: Result<(), TransportError> = ready!(reader.poll_fill(cx));
                if let Err(error) = filled {
                    break Err(error.into());
                }
            }
            Err(error) => break Err(LimitedReadError::from(error)),
        }
    };
    if !matches!(frame, Ok(Some(_))) {
        *course = Course::Over;
    }
    Poll::Ready(frame.transpose())
}
