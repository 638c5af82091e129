//! Where the bytes lie: how much room the next fill gets, when the block slides, grows and goes.

use super::ReadBuffer;
use alloc::vec::Vec;
use bytes::Bytes;

/// The first fill of a buffer, in bytes.
#[doc(hidden)]
pub const SMALLEST_FILL: usize = 4 * 1024;
/// The most bytes that a single fill brings beyond what a read needs: 64 KiB.
///
/// ```
/// use bytes::BufMut;
/// use highwater_buffer::{LARGEST_FILL, ReadBuffer};
/// assert!(ReadBuffer::new().spare().remaining_mut() <= LARGEST_FILL);
/// ```
pub const LARGEST_FILL: usize = 64 * 1024;
/// The most that is reserved ahead of what has arrived, unless as much is there already.
const RESERVED_AHEAD: usize = 1024 * 1024;
/// Frames shorter than this are copied even when they fill their block: a block costs more to keep.
const SHORT: usize = 512;

/// What the last step was short of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    /// Fewer unread bytes than this decide nothing.
    at_least: usize,
    /// With this many unread bytes the step is decided, whatever they are.
    at_most: usize,
}

impl Want {
    pub(super) const ANY: Self = Self { at_least: 1, at_most: 1 };

    pub(super) fn exactly(n: usize) -> Self {
        Self { at_least: n, at_most: n }
    }

    pub(super) fn at_most(most: usize) -> Self {
        Self { at_least: 1, at_most: most }
    }
}

impl ReadBuffer {
    /// How much memory the buffer holds, in bytes.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// assert_eq!(ReadBuffer::new().allocated(), 0);
    /// ```
    pub fn allocated(&self) -> usize {
        self.block.capacity()
    }

    /// Gives back the memory that is not needed: all of it if nothing is unread, so that an idle connection holds no
    /// block, and otherwise a block that is much too large for what is unread and the read in course. For whoever
    /// is about to wait.
    ///
    /// ```
    /// # use highwater_buffer::ReadBuffer;
    /// let mut buffer = ReadBuffer::new();
    /// buffer.feed(b"ab");
    /// buffer.release();
    /// assert_eq!(buffer.unread_bytes(), b"ab");
    /// buffer.take_ref(2);
    /// buffer.release();
    /// assert_eq!(buffer.allocated(), 0);
    /// ```
    pub fn release(&mut self) {
        if self.buffered() == 0 || self.is_too_large_for(self.next_fill()) {
            self.run.forget();
            self.block = Vec::from(self.unread_bytes());
            self.begin_at(self.start);
            self.full_at = usize::MAX;
        }
    }

    /// Whether nothing is unread, and the next fill is as small as the first.
    #[doc(hidden)]
    pub fn is_fill_small(&mut self) -> bool {
        self.grow_if_full();
        self.buffered() == 0 && self.fill == SMALLEST_FILL && self.want.at_least <= SMALLEST_FILL
    }

    /// Appends what one read brought into room elsewhere for a fill of the smallest size.
    #[doc(hidden)]
    pub fn feed_small_fill(&mut self, bytes: &[u8]) {
        self.feed(bytes);
        if bytes.len() == SMALLEST_FILL {
            self.full_at = self.block.len();
        }
    }

    /// Makes room for the next fill and tells how much it may bring.
    pub(super) fn make_room_to_fill(&mut self) -> usize {
        self.grow_if_full();
        let missing = self.missing();
        let room = self.next_fill();
        if !self.is_too_large_for(room) {
            self.too_large = false;
        } else if self.buffered() == 0 {
            // It may stay once: a short length in front of each of many long frames does not cost a block each.
            if self.too_large {
                self.release();
            }
            self.too_large = !self.too_large;
        }
        self.slide_if_cheap();
        let free = self.block.capacity() - self.block.len();
        let room = if (1..=free).contains(&missing) && free < room && self.buffered() > room {
            // The block was made for this read, which has begun in it: to move that would cost more than a fill.
            free
        } else if room == missing && free < missing && self.start <= SMALLEST_FILL {
            // The rest of a frame behind a short head: to move what has come of it would cost more than the head.
            self.block.reserve_exact(missing);
            missing
        } else {
            self.make_room_up_to(room)
        };
        self.full_at = self.block.len() + room;
        room
    }

    /// How many bytes the read in course lacks to be decided.
    fn missing(&self) -> usize {
        self.want.at_least.saturating_sub(self.buffered())
    }

    /// How much the next fill should bring.
    fn next_fill(&self) -> usize {
        let missing = self.missing();
        if missing > self.fill {
            // Straight into the result: not a byte more than it lacks, so that the block is the result.
            missing.min(RESERVED_AHEAD.max(self.buffered()))
        } else {
            self.fill
        }
    }

    /// Whether the block is much too large for what is unread and a fill.
    fn is_too_large_for(&self, room: usize) -> bool {
        self.block.capacity() > 4 * (self.buffered() + room).max(LARGEST_FILL)
    }

    /// The next fill is larger when the last one has used all of its room.
    fn grow_if_full(&mut self) {
        if self.block.len() >= self.full_at {
            self.fill = (self.fill * 4).min(LARGEST_FILL);
        }
        self.full_at = usize::MAX;
    }

    /// Makes room for `count` more bytes.
    pub(super) fn make_room(&mut self, count: usize) {
        self.slide_if_cheap();
        if self.block.capacity() - self.block.len() < count {
            self.slide();
            self.block.reserve(count);
        }
        self.full_at = usize::MAX;
    }

    /// Makes room for `count` bytes in front of what is unread, and as much again as is moved for it, so
    /// that many small ones cost linear time.
    pub(super) fn make_headroom(&mut self, count: usize) {
        let ahead = count + self.buffered().min(LARGEST_FILL);
        let mut block = Vec::with_capacity(ahead + self.buffered());
        block.resize(ahead, 0);
        block.extend_from_slice(self.unread_bytes());
        self.block = block;
        self.start = ahead;
    }

    /// Makes room for `wish` more bytes, or somewhat less where more memory would be needed for it.
    fn make_room_up_to(&mut self, wish: usize) -> usize {
        let free = self.block.capacity() - self.block.len();
        if free >= wish {
            return wish;
        }
        if free >= wish / 4 && free >= SMALLEST_FILL {
            return free;
        }
        self.slide();
        let needed = self.block.len() + wish;
        if self.block.capacity() < needed {
            // Twice as much each time, so that growing costs linear time, but never past what the read
            // in course can need (`at_most` and one fill), nor further ahead of what is there than allowed.
            let most = self.want.at_most.saturating_add(self.fill);
            let ahead = self.block.len() + self.block.len().max(RESERVED_AHEAD);
            let capacity = (self.block.capacity() * 2).min(most).min(ahead).max(needed);
            self.block.reserve_exact(capacity - self.block.len());
        }
        wish
    }

    /// Moves what is unread to the front when it is no longer than what was consumed: each byte consumed
    /// pays for one moved, and the window stays in the cache.
    fn slide_if_cheap(&mut self) {
        if self.buffered() <= self.start {
            self.slide();
        }
    }

    fn slide(&mut self) {
        if self.start > 0 {
            let unread = self.buffered();
            self.block.copy_within(self.start.., 0);
            self.block.truncate(unread);
            self.begin_at(self.start);
        }
    }

    /// The block was changed for one without its first `start` bytes, which were consumed.
    fn begin_at(&mut self, start: usize) {
        self.marks.slide(start);
        self.run.slide(start);
        self.searched_to = self.searched_to.saturating_sub(start);
        self.start = 0;
    }

    /// Whether `n` bytes fill at least half of the block. Then what stays behind is the smaller part to
    /// copy, and the frame keeps no more than twice its length alive.
    pub(super) fn is_worth_handing_over(&self, n: usize) -> bool {
        n >= SHORT && n >= self.block.capacity().div_ceil(2)
    }

    /// Takes `n` bytes out together with their block.
    pub(super) fn hand_over(&mut self, n: usize) -> Bytes {
        self.grow_if_full();
        let from = self.start;
        let behind = Vec::from(&self.block[from + n..]);
        self.take_ref(n);
        let block = core::mem::replace(&mut self.block, behind);
        self.begin_at(self.start);
        Bytes::from(block).slice(from..from + n)
    }
}
