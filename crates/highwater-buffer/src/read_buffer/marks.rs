//! Where the last bytes of separators stand in the next 64 bytes, found all at once.
//!
//! Calling a vector search for every line of 16 B costs more than the line. Where ends follow each other
//! closely, one pass over 64 bytes finds several, and the reads that come next only count zeros.
//!
//! Marks are facts about the block, not a position in it: nothing is struck off when a read takes one. So
//! they stay true while bytes are consumed and appended, move along when the block slides, and go when
//! bytes are put back.

use crate::separators::TailBytes;

/// How many bytes are marked at once.
pub(super) const WINDOW: usize = u64::BITS as usize;
/// An end that is nearer than this is worth marking its successors: two of them to a window.
const NEAR: usize = WINDOW / 2;

/// The marks of one window.
pub(super) struct Marks {
    /// One bit for each byte of the window, the lowest for the first: whether it is one of `tails`.
    bits: u64,
    /// Where in the block the window begins, which may have slid out in front of it.
    /// Invariant: all of the window had arrived when it was marked, and what is unread of it is the same.
    base: usize,
    tails: TailBytes,
    /// Whether the last search met ends near each other.
    dense: bool,
}

impl Marks {
    /// No window: the only one whose base lies past every block.
    pub(super) const NONE: Self = Self { bits: 0, base: usize::MAX / 2, tails: [0; 4], dense: false };

    /// The first of `tails` at or after `at` in the block, if the window knows one.
    #[inline(always)]
    pub(super) fn next(&self, tails: TailBytes, at: usize) -> Option<usize> {
        let within = at.wrapping_sub(self.base);
        if within >= WINDOW || self.tails != tails {
            return None;
        }
        let ahead = self.bits >> within;
        (ahead != 0).then(|| at + ahead.trailing_zeros() as usize)
    }

    /// The first place at or after `at` that the window says nothing about.
    pub(super) fn end_of_known(&self, tails: TailBytes, at: usize) -> usize {
        let within = at.wrapping_sub(self.base);
        if within < WINDOW && self.tails == tails { at + (WINDOW - within) } else { at }
    }

    /// Whether the next window is worth marking.
    pub(super) fn are_worth_it(&self) -> bool {
        self.dense
    }

    /// Marks the window that begins at `base`.
    pub(super) fn mark(&mut self, window: &[u8; WINDOW], base: usize, tails: TailBytes) {
        let bits = match tails {
            [a, _, _, 1] => bits_of(window, |byte| byte == a),
            [a, b, c, _] => bits_of(window, |byte| (byte == a) | (byte == b) | (byte == c)),
        };
        *self = Self { bits, base, tails, dense: bits & bits.wrapping_sub(1) != 0 };
    }

    /// An end was found otherwise, so many bytes from where the search began.
    pub(super) fn note_distance(&mut self, distance: usize) {
        self.dense = distance < NEAR;
    }

    /// The block begins `by` bytes further on than it did.
    pub(super) fn slide(&mut self, by: usize) {
        self.base = self.base.wrapping_sub(by);
    }

    pub(super) fn forget(&mut self) {
        *self = Self::NONE;
    }
}

/// One bit for each byte, the lowest for the first.
///
/// Written so that the compiler compares and selects 16 bytes at once; a product then gathers the bits of
/// eight bytes. Tried: shifting each comparison to its place (no vectors in part), and words with a carry
/// out of each byte that is zero (114 instructions against 64).
#[inline(always)]
fn bits_of(window: &[u8; WINDOW], is_end: impl Fn(u8) -> bool) -> u64 {
    const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
    let mut selected = [0_u8; WINDOW];
    for (index, (selected, &byte)) in selected.iter_mut().zip(window).enumerate() {
        *selected = if is_end(byte) { 1 << (index % 8) } else { 0 };
    }
    let mut bits = [0; 8];
    for (bits, eight) in bits.iter_mut().zip(selected.chunks_exact(8)) {
        let eight = u64::from_le_bytes(eight.try_into().expect("the chunks are of eight bytes"));
        *bits = (eight.wrapping_mul(EACH_BYTE) >> 56) as u8;
    }
    u64::from_le_bytes(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(ends: &[(usize, u8)]) -> [u8; WINDOW] {
        let mut window = [b'x'; WINDOW];
        for &(at, end) in ends {
            window[at] = end;
        }
        window
    }

    #[test]
    fn every_end_is_marked_at_its_place() {
        for at in 0..WINDOW {
            assert_eq!(bits_of(&window(&[(at, b'\n')]), |byte| byte == b'\n'), 1 << at);
        }
        let every_byte: [u8; WINDOW] = core::array::from_fn(|index| index as u8 * 4);
        for end in 0..=255 {
            let expected = if end % 4 == 0 { 1 << (end / 4) } else { 0 };
            assert_eq!(bits_of(&every_byte, |byte| byte == end), expected, "{end}");
        }
    }

    #[test]
    fn marks_are_found_from_any_place_and_move_with_the_block() {
        let mut marks = Marks::NONE;
        marks.mark(&window(&[(3, b'a'), (60, b'c')]), 100, *b"abc\x03");
        assert_eq!(marks.next(*b"abc\x03", 100), Some(103));
        assert_eq!(marks.next(*b"abc\x03", 104), Some(160));
        assert_eq!((marks.next(*b"abc\x03", 161), marks.end_of_known(*b"abc\x03", 161)), (None, 164));
        assert_eq!((marks.next(*b"abd\x03", 100), marks.end_of_known(*b"abd\x03", 100)), (None, 100));
        for outside in [0, 99, 164, usize::MAX / 2] {
            assert_eq!(
                (marks.next(*b"abc\x03", outside), marks.end_of_known(*b"abc\x03", outside)),
                (None, outside)
            );
        }
        marks.slide(104);
        assert_eq!(marks.next(*b"abc\x03", 0), Some(56));
        marks.slide(60);
        assert_eq!((marks.next(*b"abc\x03", 0), marks.end_of_known(*b"abc\x03", 0)), (None, 0));
    }

    #[test]
    fn only_ends_near_each_other_are_worth_it() {
        let mut marks = Marks::NONE;
        assert!(!marks.are_worth_it());
        marks.note_distance(NEAR - 1);
        assert!(marks.are_worth_it());
        marks.mark(&window(&[(5, b'\n')]), 0, *b"\n\n\n\x01");
        assert!(!marks.are_worth_it());
        marks.mark(&window(&[(5, b'\n'), (6, b'\n')]), 0, *b"\n\n\n\x01");
        assert!(marks.are_worth_it());
    }
}
