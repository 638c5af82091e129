//! Where the last bytes of separators stand in the bytes that come next, found all at once.
//!
//! Calling a search for every short line costs more than the line, and waits for the line before, since only
//! its end says where to begin. So a search marks all the ends in 64 bytes, one bit for each byte, and once these
//! are used up, in 512; the reads that come next only count zeros.
//!
//! Marks are facts about the block, not a position in it: nothing is struck off when a read takes one. So
//! they stay true while bytes are consumed and appended, move along when the block slides, and go when
//! bytes are put back or a skip is in force.

use crate::separators::{TailBytes, first_of};
use wide::{CmpEq, i8x16};

/// How many bytes one word marks.
const WINDOW: usize = u64::BITS as usize;
/// How many windows are marked at once.
const WINDOWS: usize = 8;
/// How many bytes are compared at once.
const LANES: usize = 16;
/// An end that is no further than this is near: marking pays. Further ones are memchr's, which starts slowly
/// and has the wider vectors.
const NEAR: usize = 3 * WINDOW;

/// The marks of the bytes that come next.
pub(super) struct Marks {
    /// One bit for each byte of the window that the last end was found in, the lowest for the first: whether
    /// it is one of `tails`. Where the window begins in the block, which may have slid out in front of it.
    /// Invariant: one of `windows`, or no byte is marked.
    bits: u64,
    base: usize,
    tails: TailBytes,
    /// Whether the last search met an end far off.
    far: bool,
    /// Invariant: the one behind those that are known is `STOP`.
    windows: [u64; WINDOWS + 1],
    /// Where the first window begins in the block.
    first: usize,
    /// How many bytes from there are marked, whole windows of them. Invariant: all had arrived when they were
    /// marked, and what is unread of them is the same.
    known: usize,
}

/// The window where knowledge ends: its first byte stops the search for an end, and is none.
const STOP: u64 = 1;

/// What a search for one of several bytes came to.
pub(super) struct Searched {
    /// Where the first of them stands.
    pub(super) found: Option<usize>,
    /// How many bytes were looked at.
    pub(super) looked_at: usize,
}

impl Marks {
    pub(super) const NONE: Self = Self {
        bits: 0,
        base: 0,
        tails: [0; 4],
        far: false,
        windows: [STOP; WINDOWS + 1],
        first: 0,
        known: 0,
    };

    /// How far from `at` in the block the first of `tails` is, if it is in the same window as the last one.
    #[inline(always)]
    pub(super) fn in_window(&self, tails: TailBytes, at: usize) -> Option<usize> {
        let within = at.wrapping_sub(self.base);
        if within >= WINDOW || self.tails != tails {
            return None;
        }
        let ahead = self.bits >> within;
        (ahead != 0).then(|| ahead.trailing_zeros() as usize)
    }

    /// Where in the block the first of `tails` at or after `at` stands, or from where on that is not known.
    #[inline(always)]
    pub(super) fn next(&mut self, tails: TailBytes, at: usize) -> Result<usize, usize> {
        let within = at.wrapping_sub(self.first);
        if within >= self.known || self.tails != tails {
            return Err(at);
        }
        let mut window = within / WINDOW;
        let mut ahead = self.windows[window] & (u64::MAX << (within % WINDOW));
        while ahead == 0 {
            window += 1;
            ahead = self.windows[window];
        }
        let next = self.first.wrapping_add(window * WINDOW + ahead.trailing_zeros() as usize);
        if window * WINDOW == self.known {
            return Err(next);
        }
        self.bits = self.windows[window];
        self.base = self.first.wrapping_add(window * WINDOW);
        Ok(next)
    }

    /// The first of `tails` in `bytes`, which begin at `base` in the block. The window that it is in is marked,
    /// and those that follow.
    #[inline(always)]
    pub(super) fn search(&mut self, tails: TailBytes, bytes: &[u8], base: usize) -> Searched {
        if self.far || bytes.len() < WINDOW {
            return self.search_far(tails, bytes, 0);
        }
        let [a, b, c] = [tails[0], tails[1], tails[2]].map(|tail| i8x16::splat(tail as i8));
        match tails[3] {
            1 => self.search_by(|part| part.cmp_eq(a), tails, bytes, base),
            2 => self.search_by(|part| part.cmp_eq(a) | part.cmp_eq(b), tails, bytes, base),
            _ => self.search_by(|part| part.cmp_eq(a) | part.cmp_eq(b) | part.cmp_eq(c), tails, bytes, base),
        }
    }

    /// The first of `tails` in `bytes`, so many of which were looked at.
    #[inline(never)]
    fn search_far(&mut self, tails: TailBytes, bytes: &[u8], looked_at: usize) -> Searched {
        let found = first_of(tails, &bytes[looked_at..]).map(|at| looked_at + at);
        match found {
            Some(at) => {
                self.far = at >= NEAR;
                Searched { found, looked_at: at + 1 }
            }
            None => Searched { found, looked_at: bytes.len() },
        }
    }

    #[inline(always)]
    fn search_by(
        &mut self,
        is_end: impl Fn(i8x16) -> i8x16,
        tails: TailBytes,
        bytes: &[u8],
        base: usize,
    ) -> Searched {
        // Marks for others, or for none, are no sign that as many will be used.
        let are_used_up = self.tails == tails && self.first.wrapping_add(self.known) == base;
        let at_once = if are_used_up { WINDOWS } else { 1 };
        let mut looked_at = 0;
        let mut windows = bytes.chunks_exact(WINDOW);
        for window in windows.by_ref().take(NEAR / WINDOW) {
            let ends = compared(window, &is_end);
            if have_any(ends) {
                self.bits = bits_of(ends);
                self.windows[0] = self.bits;
                let mut known = WINDOW;
                for (bits, window) in self.windows[1..at_once].iter_mut().zip(windows) {
                    *bits = bits_of(compared(window, &is_end));
                    known += WINDOW;
                }
                self.windows[known / WINDOW] = STOP;
                (self.known, self.tails) = (known, tails);
                (self.base, self.first) = (base + looked_at, base + looked_at);
                let found = Some(looked_at + self.bits.trailing_zeros() as usize);
                return Searched { found, looked_at: looked_at + known };
            }
            looked_at += WINDOW;
        }
        self.search_far(tails, bytes, looked_at)
    }

    /// The block begins `by` bytes further on than it did.
    pub(super) fn slide(&mut self, by: usize) {
        if self.first.wrapping_add(self.known) < by {
            // All of it lies in front. To count on would come round, in time, to bytes that are others.
            *self = Self { far: self.far, ..Self::NONE };
        } else {
            self.base = self.base.wrapping_sub(by);
            self.first = self.first.wrapping_sub(by);
        }
    }

    pub(super) fn forget(&mut self) {
        *self = Self::NONE;
    }
}

/// The window in parts, with all bits set in each byte that is an end.
#[inline(always)]
fn compared(window: &[u8], is_end: impl Fn(i8x16) -> i8x16) -> [i8x16; WINDOW / LANES] {
    core::array::from_fn(|part| {
        let bytes = &window[part * LANES..][..LANES];
        is_end(i8x16::new(core::array::from_fn(|lane| bytes[lane] as i8)))
    })
}

#[inline(always)]
fn have_any([a, b, c, d]: [i8x16; WINDOW / LANES]) -> bool {
    ((a | b) | (c | d)).move_mask() != 0
}

/// One bit for each byte, the lowest for the first.
#[inline(always)]
fn bits_of(ends: [i8x16; WINDOW / LANES]) -> u64 {
    let [a, b, c, d] = ends.map(|part| u64::from(part.move_mask() as u16));
    a | b << 16 | c << 32 | d << 48
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const NEWLINE: TailBytes = *b"\n\n\n\x01";
    const THREE: TailBytes = *b"abc\x03";

    fn block(length: usize, ends: &[(usize, u8)]) -> Vec<u8> {
        let mut block = vec![b'x'; length];
        for &(at, end) in ends {
            block[at] = end;
        }
        block
    }

    fn all_ends(marks: &mut Marks, tails: TailBytes, mut at: usize) -> (Vec<usize>, usize) {
        let mut ends = Vec::new();
        loop {
            match marks.next(tails, at) {
                Ok(end) => {
                    ends.push(end);
                    at = end + 1;
                }
                Err(unknown) => return (ends, unknown),
            }
        }
    }

    #[test]
    fn every_end_is_marked_at_its_place_whatever_its_byte() {
        let bytes: Vec<u8> = (0..WINDOWS * WINDOW).map(|index| (index % 256) as u8).collect();
        for end in 0..=255 {
            let tails = [end, end, end, 1];
            let mut marks = Marks::NONE;
            let from = usize::from(end).saturating_sub(NEAR - 1);
            let found = marks.search(tails, &bytes[from..], from).found.map(|ahead| from + ahead);
            assert_eq!(found, Some(end.into()));
            assert_eq!(marks.next(tails, end.into()), Ok(end.into()));
        }
    }

    #[test]
    fn as_many_windows_are_marked_as_have_arrived_whole() {
        let places = [3, 60, 64, 127, 200, 510, 511, 512, 600];
        let all = block(1000, &places.map(|at| (at, b'b')));
        for length in 64..1000 {
            let mut marks = Marks { first: 936, known: 64, tails: THREE, ..Marks::NONE };
            let searched = marks.search(THREE, &all[..length], 1000);
            let known = (length / WINDOW).min(WINDOWS) * WINDOW;
            assert_eq!((searched.found, searched.looked_at), (Some(3), known));
            let expected: Vec<usize> = places.iter().filter(|&&at| at < known).map(|at| 1000 + at).collect();
            assert_eq!(all_ends(&mut marks, THREE, 1000), (expected, 1000 + known));
        }
    }

    #[test]
    fn marks_are_found_from_any_place_and_move_with_the_block() {
        let mut marks = Marks { first: 1000, tails: THREE, ..Marks::NONE };
        marks.search(THREE, &block(128, &[(3, b'a'), (60, b'c'), (100, b'b')]), 1000);
        assert_eq!((marks.in_window(THREE, 1000), marks.in_window(THREE, 1004)), (Some(3), Some(56)));
        assert_eq!((marks.in_window(THREE, 1061), marks.in_window(NEWLINE, 1000)), (None, None));
        assert_eq!(marks.next(THREE, 1061), Ok(1100));
        assert_eq!(marks.in_window(THREE, 1064), Some(36), "the window that the last end was found in");
        assert_eq!(marks.next(THREE, 1101), Err(1128));
        assert_eq!(marks.next(NEWLINE, 1000), Err(1000));
        for outside in [0, 999, 1128, usize::MAX / 2] {
            assert_eq!((marks.in_window(THREE, outside), marks.next(THREE, outside)), (None, Err(outside)));
        }
        marks.slide(1004);
        assert_eq!(all_ends(&mut marks, THREE, 0), (vec![56, 96], 124));
        marks.slide(100);
        assert_eq!(all_ends(&mut marks, THREE, 0), (vec![], 24));
        marks.slide(24);
        assert_eq!(marks.next(THREE, 0), Err(0));
    }

    #[test]
    fn one_window_is_marked_until_it_is_used_up_by_reads_alike() {
        let all = block(2000, &[(3, b'\n'), (70, b'\n'), (600, b'a')]);
        let mut marks = Marks::NONE;
        assert_eq!(marks.search(NEWLINE, &all, 0).looked_at, 64);
        assert_eq!(marks.search(THREE, &all[590..], 590).looked_at, 64, "others");
        assert_eq!(marks.search(NEWLINE, &all[64..], 64).looked_at, 64);
        assert_eq!(marks.search(NEWLINE, &all[1..], 1).looked_at, 64, "elsewhere");
        assert_eq!(marks.search(NEWLINE, &all[65..], 65).looked_at, 512);
    }

    #[test]
    fn marks_that_lie_in_front_of_the_block_never_come_round() {
        let mut marks = Marks::NONE;
        marks.search(NEWLINE, &block(64, &[(3, b'\n')]), 0);
        marks.slide(64);
        marks.slide(1);
        marks.slide(0_usize.wrapping_sub(65));
        assert_eq!((marks.in_window(NEWLINE, 0), marks.next(NEWLINE, 0)), (None, Err(0)));
    }

    #[test]
    fn ends_far_off_are_left_to_memchr_until_one_is_near() {
        let mut marks = Marks::NONE;
        let far = block(2 * NEAR, &[(NEAR + 1, b'\n')]);
        assert_eq!(marks.search(NEWLINE, &far, 0).found, Some(NEAR + 1));
        assert!(marks.far);
        assert_eq!(marks.search(NEWLINE, &block(2 * NEAR, &[]), 0).found, None);
        assert!(marks.far, "a search in vain says nothing of where ends are");
        assert_eq!(marks.search(NEWLINE, &block(2 * NEAR, &[(5, b'\n')]), 0).found, Some(5));
        assert!(!marks.far);
    }
}
