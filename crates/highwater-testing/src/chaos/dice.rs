//! Numbers that follow from a seed.

/// A xorshift generator: nobody has to be surprised by it but the code under test.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Different for each `seed` and `purpose`.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        // splitmix64's finish, so that seeds that follow each other have nothing in common.
        let mut state = seed.wrapping_add(purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // A state of zero would stay.
        Self((state ^ (state >> 31)).max(1))
    }

    /// Below `count`, which is not zero.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % count
    }

    /// Once in so many times; never for zero.
    pub(super) fn once_in(&mut self, times: u32) -> bool {
        times > 0 && self.below(times.into()) == 0
    }
}
