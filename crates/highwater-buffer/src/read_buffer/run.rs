//! Short frames that are taken one after the other share a copy of what they stand in.
//!
//! An allocation costs several times what a short line does. Where one such frame follows another, the next
//! bytes are copied at once, and each frame is a slice of the copy: small enough that a frame that is kept
//! does not keep much else alive, and no larger than what is there.

use bytes::Bytes;

/// The most bytes that are copied at once, and so the most that a short frame keeps alive.
pub(super) const LONGEST: usize = 256;
/// The longest frame that is taken from a run: longer ones are worth an allocation of their own.
pub(super) const LONGEST_FRAME: usize = LONGEST / 4;

/// A copy of the bytes that come next.
pub(super) struct Run {
    /// What is left of the copy. Invariant: what the block holds, or held, from `base` on.
    bytes: Bytes,
    /// Where in the block the last short frame ended. `usize::MAX`, where nothing ends, for none.
    base: usize,
}

impl Run {
    pub(super) const NONE: Self = Self { bytes: Bytes::new(), base: usize::MAX };

    /// The frame of `n` bytes at `at` in the block, if the run holds it.
    #[inline(always)]
    pub(super) fn take(&mut self, at: usize, n: usize) -> Option<Bytes> {
        if self.base != at || n > self.bytes.len() {
            return None;
        }
        self.base += n;
        Some(self.bytes.split_to(n))
    }

    /// The same, where the run does not hold it: from a copy of as much as is there, if the frame follows
    /// another, and from a copy of its own otherwise.
    pub(super) fn copy(&mut self, unread: &[u8], at: usize, n: usize) -> Bytes {
        let follows = self.base == at;
        self.base = at + n;
        if !follows {
            self.bytes = Bytes::new();
            return Bytes::copy_from_slice(&unread[..n]);
        }
        self.bytes = match unread.first_chunk::<LONGEST>() {
            // One allocation for the bytes and the count of those who share them; `copy_from_slice` takes two.
            Some(all) => Bytes::from_owner(*all),
            None => Bytes::copy_from_slice(unread),
        };
        self.bytes.split_to(n)
    }

    /// The block begins `by` bytes further on than it did.
    pub(super) fn slide(&mut self, by: usize) {
        match self.base.checked_sub(by) {
            Some(base) if self.base != usize::MAX => self.base = base,
            _ => self.forget(),
        }
    }

    /// How many bytes are copied ahead.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn forget(&mut self) {
        *self = Self::NONE;
    }
}
