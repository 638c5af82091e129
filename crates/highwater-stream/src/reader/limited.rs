//! The reads that know a limit, with a limit for the call.

use super::{Lines, Split, StreamReader};
use crate::source::Source;
use crate::{LimitedReadError, ReadUntilError};
use bytes::Bytes;
use highwater_buffer::{IntoSeparators, InvalidSeparators};
use std::borrow::Borrow;

/// A reader under another limit: see [`StreamReader::limited`].
///
/// Its reads are those of [`StreamReader`], errors and cancel safety included.
///
/// ```
/// # use highwater_stream::StreamReader;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut reader = StreamReader::with_limit(&b"a long line\n"[..], 4);
/// let mut generous = reader.limited(1000);
/// assert_eq!(generous.read_line().await.unwrap().unwrap(), "a long line\n");
/// # });
/// ```
#[derive(Debug)]
#[must_use = "nothing is read until one of its reads is awaited"]
pub struct Limited<'a, R> {
    reader: &'a mut StreamReader<R>,
    limit: usize,
}

impl<'a, R: Source> Limited<'a, R> {
    pub(super) fn new(reader: &'a mut StreamReader<R>, limit: usize) -> Self {
        Self { reader, limit }
    }

    #[cfg(feature = "codec")]
    pub(super) fn into_parts(self) -> (&'a mut StreamReader<R>, usize) {
        (self.reader, self.limit)
    }

    /// [`StreamReader::read_until`] under this limit.
    ///
    /// # Errors
    /// Those of [`StreamReader::read_until`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long;"[..], 4);
    /// assert_eq!(reader.limited(100).read_until(b";").await.unwrap(), "far too long;");
    /// # });
    /// ```
    pub async fn read_until(&mut self, separators: impl IntoSeparators) -> Result<Bytes, ReadUntilError> {
        let compiled = separators.into_separators()?;
        let separators = compiled.borrow();
        let n = self
            .reader
            .complete::<_, ReadUntilError>(|buffer| Ok(buffer.find_until(separators, self.limit)?))
            .await?;
        Ok(self.reader.buffer.take(n))
    }

    /// [`StreamReader::read_until_ref`] under this limit. The frame borrows from the reader.
    ///
    /// # Errors
    /// Those of [`StreamReader::read_until`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long;"[..], 4);
    /// assert_eq!(reader.limited(100).read_until_ref(b";").await.unwrap(), b"far too long;");
    /// # });
    /// ```
    pub async fn read_until_ref(self, separators: impl IntoSeparators) -> Result<&'a [u8], ReadUntilError> {
        let compiled = separators.into_separators()?;
        let separators = compiled.borrow();
        let n = self
            .reader
            .complete::<_, ReadUntilError>(|buffer| Ok(buffer.find_until(separators, self.limit)?))
            .await?;
        Ok(self.reader.buffer.take_ref(n))
    }

    /// [`StreamReader::read_line`] under this limit.
    ///
    /// # Errors
    /// Those of [`StreamReader::read_line`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long\n"[..], 4);
    /// assert_eq!(reader.limited(100).read_line().await.unwrap().unwrap(), "far too long\n");
    /// # });
    /// ```
    pub async fn read_line(&mut self) -> Result<Option<Bytes>, LimitedReadError> {
        let n =
            self.reader.complete::<_, LimitedReadError>(|buffer| Ok(buffer.find_line(self.limit)?)).await?;
        Ok(n.map(|n| self.reader.buffer.take(n)))
    }

    /// [`StreamReader::read_line_ref`] under this limit. The line borrows from the reader.
    ///
    /// # Errors
    /// Those of [`StreamReader::read_line`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long\n"[..], 4);
    /// let line = reader.limited(100).read_line_ref().await.unwrap();
    /// assert_eq!(line, Some(&b"far too long\n"[..]));
    /// # });
    /// ```
    pub async fn read_line_ref(self) -> Result<Option<&'a [u8]>, LimitedReadError> {
        let n =
            self.reader.complete::<_, LimitedReadError>(|buffer| Ok(buffer.find_line(self.limit)?)).await?;
        Ok(n.map(|n| self.reader.buffer.take_ref(n)))
    }

    /// [`StreamReader::lines`] under this limit.
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long\n"[..], 4);
    /// let mut lines = reader.limited(100).lines();
    /// assert_eq!(lines.next().await.unwrap().unwrap(), "far too long\n");
    /// # });
    /// ```
    pub fn lines(self) -> Lines<'a, R> {
        Lines::new(self.reader, self.limit)
    }

    /// [`StreamReader::split`] under this limit.
    ///
    /// # Errors
    /// Those of [`StreamReader::split`].
    ///
    /// ```
    /// # use highwater_stream::StreamReader;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let mut reader = StreamReader::with_limit(&b"far too long;"[..], 4);
    /// let mut fields = reader.limited(100).split(b";").unwrap();
    /// assert_eq!(fields.next().await.unwrap().unwrap(), "far too long;");
    /// # });
    /// ```
    pub fn split(self, separators: impl IntoSeparators) -> Result<Split<'a, R>, InvalidSeparators> {
        let separators = separators.into_separators()?.borrow().clone();
        Ok(Split::new(self.reader, separators, self.limit))
    }
}
