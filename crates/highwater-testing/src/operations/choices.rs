//! Choices that bytes make: each takes one or two of them, and there are none when the bytes are used up.

use bytes::Bytes;

/// Separators of the small tests, and what is almost one, occur often in text of these.
const ALPHABET: &[u8] = b"aab\r\n;";

/// What is left of the bytes that choose.
#[derive(Debug)]
pub(super) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A number below `count`, which is at most 65536.
    pub(super) fn below(&mut self, count: usize) -> Option<usize> {
        let mut byte = || {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            Some(usize::from(*first))
        };
        let number = if count <= 256 { byte()? } else { byte()? << 8 | byte()? };
        Some(number % count)
    }

    /// One of these.
    pub(super) fn of<T: Clone>(&mut self, several: &[T]) -> Option<T> {
        self.below(several.len()).map(|index| several[index].clone())
    }

    /// Between `least` and `most` things.
    pub(super) fn several<T>(
        &mut self,
        least: usize,
        most: usize,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = least + self.below(most - least + 1)?;
        (0..count).map(|_| one(self)).collect()
    }

    /// Text in which small separators occur often.
    pub(super) fn text(&mut self, least: usize, most: usize) -> Option<Bytes> {
        self.several(least, most, |choices| choices.of(ALPHABET)).map(Bytes::from)
    }

    /// The things that follow, for as long as there are bytes to choose them.
    pub(super) fn rest<T>(mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        std::iter::from_fn(|| one(&mut self)).collect()
    }
}
