//! When a writer should wait, and when it may go on.

use crate::InvalidWatermarks;

/// The two marks of a write queue: above `high` a writer waits, at `low` it goes on.
///
/// asyncio: `transport.set_write_buffer_limits`, with its rule for a mark that is left out. A queue of
/// exactly `high` bytes does not wait yet; a queue of exactly `low` bytes goes on.
///
/// ```
/// use highwater_buffer::Watermarks;
///
/// assert_eq!(Watermarks::default(), Watermarks::new(64 * 1024, 16 * 1024)?);
/// assert_eq!(Watermarks::with_high(1000).low(), 250);
/// assert_eq!(Watermarks::with_low(1000).high(), 4000);
/// # Ok::<(), highwater_buffer::InvalidWatermarks>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Invariant: at least `low`.
    high: usize,
    low: usize,
}

impl Watermarks {
    /// Both marks, in bytes. They may be equal, and zero.
    ///
    /// # Errors
    /// [`InvalidWatermarks`] when `high` is below `low`.
    ///
    /// ```
    /// use highwater_buffer::Watermarks;
    /// assert!(Watermarks::new(5, 5).is_ok());
    /// assert!(Watermarks::new(4, 5).is_err());
    /// ```
    pub const fn new(high: usize, low: usize) -> Result<Self, InvalidWatermarks> {
        if high < low {
            return Err(InvalidWatermarks { high, low });
        }
        Ok(Self { high, low })
    }

    /// The high mark in bytes; the low one is a quarter of it, rounded down.
    ///
    /// ```
    /// use highwater_buffer::Watermarks;
    /// assert_eq!(Watermarks::with_high(1024), Watermarks::new(1024, 256)?);
    /// # Ok::<(), highwater_buffer::InvalidWatermarks>(())
    /// ```
    pub const fn with_high(high: usize) -> Self {
        Self { high, low: high / 4 }
    }

    /// The low mark in bytes; the high one is four times as much.
    ///
    /// ```
    /// use highwater_buffer::Watermarks;
    /// assert_eq!(Watermarks::with_low(256), Watermarks::new(1024, 256)?);
    /// # Ok::<(), highwater_buffer::InvalidWatermarks>(())
    /// ```
    pub const fn with_low(low: usize) -> Self {
        Self { high: low.saturating_mul(4), low }
    }

    /// More queued bytes than this make a writer wait.
    ///
    /// ```
    /// assert_eq!(highwater_buffer::Watermarks::default().high(), 64 * 1024);
    /// ```
    pub const fn high(&self) -> usize {
        self.high
    }

    /// At this many queued bytes or fewer, writers that wait go on.
    ///
    /// ```
    /// assert_eq!(highwater_buffer::Watermarks::default().low(), 16 * 1024);
    /// ```
    pub const fn low(&self) -> usize {
        self.low
    }
}

/// 64 KiB and 16 KiB. asyncio: the same, on plain transports.
impl Default for Watermarks {
    fn default() -> Self {
        Self::with_high(64 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w4_a_mark_left_out_follows_from_the_other() {
        assert_eq!(Watermarks::with_high(7).low(), 1);
        assert_eq!(Watermarks::with_low(7).high(), 28);
        assert_eq!(Watermarks::with_low(usize::MAX).high(), usize::MAX);
        assert_eq!(Watermarks::with_high(0), Watermarks::new(0, 0).unwrap());
    }

    #[test]
    fn w4_high_below_low_is_refused() {
        assert!(Watermarks::new(5, 5).is_ok());
        assert_eq!(Watermarks::new(4, 5), Err(InvalidWatermarks { high: 4, low: 5 }));
    }
}
