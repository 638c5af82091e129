//! What a seed decides: which client does what, and the bytes that are sent.

use std::ops::RangeInclusive;

/// Numbers that a seed decides (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Others for each number, from the same seed.
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        Self(Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    /// Mostly short, sometimes long.
    pub(crate) fn length(&mut self) -> usize {
        let length = match self.within(0..=99) {
            0..=79 => self.within(0..=1024),
            80..=94 => self.within(1..=16 * 1024),
            _ => self.within(1..=64 * 1024),
        };
        usize::try_from(length).unwrap_or(usize::MAX)
    }
}

/// The bytes that `seed` stands for.
pub(crate) fn payload(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
