//! What a synchronous step says of the bytes that have arrived.

/// The answer of a step on a [`ReadBuffer`](crate::ReadBuffer): here it is, or not yet.
///
/// The other two answers, an early end and an overrun, are the step's errors, so that `?` passes
/// them on.
///
/// ```
/// use highwater_buffer::{ReadBuffer, Verdict};
///
/// let mut buffer = ReadBuffer::new();
/// buffer.feed(b"ab");
/// assert_eq!(buffer.read_exactly(3)?, Verdict::NeedMore);
/// buffer.feed(b"c");
/// assert_eq!(buffer.read_exactly(3)?.ready().as_deref(), Some(&b"abc"[..]));
/// # Ok::<(), highwater_buffer::IncompleteRead>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "`NeedMore` means that nothing was read: feed bytes or the end of stream and ask again"]
pub enum Verdict<T> {
    /// The step is complete.
    Ready(T),
    /// What has arrived decides nothing yet. Nothing was consumed, and the search will go on where it
    /// stopped.
    NeedMore,
}

impl<T> Verdict<T> {
    /// The result, if there is one.
    ///
    /// ```
    /// use highwater_buffer::Verdict;
    /// assert_eq!(Verdict::Ready(1).ready(), Some(1));
    /// assert_eq!(Verdict::<u8>::NeedMore.ready(), None);
    /// ```
    pub fn ready(self) -> Option<T> {
        match self {
            Verdict::Ready(value) => Some(value),
            Verdict::NeedMore => None,
        }
    }

    /// Changes the result by `change`.
    ///
    /// ```
    /// use highwater_buffer::Verdict;
    /// assert_eq!(Verdict::Ready(2).map(|n| n * 2), Verdict::Ready(4));
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Verdict::Ready(value) => Verdict::Ready(change(value)),
            Verdict::NeedMore => Verdict::NeedMore,
        }
    }
}
