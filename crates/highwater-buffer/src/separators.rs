//! Which bytes end a frame, and the one pass that finds them.
//!
//! A match is sought by the *last* bytes of the separators and verified backwards, so the first
//! verified hit is by construction the match that ends first, which is asyncio's rule. Every byte is
//! searched once, however it arrives.

use crate::InvalidSeparators;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use core::borrow::Borrow;
use core::fmt;
use memchr::{memchr, memchr2, memchr3};

/// One or several byte strings, each of which ends a frame.
///
/// The match that *ends* first wins; of matches that end together, the shortest separator counts for
/// the limit. asyncio: `StreamReader.readuntil` with a tuple.
///
/// Making one is cheap: up to four separators of up to sixteen bytes in all need no allocation. Make it
/// once and pass a reference where a read is repeated with several or long separators.
///
/// ```
/// use highwater_buffer::{ReadBuffer, Separators, Verdict};
///
/// let ends = Separators::new(["\r\n", "\n", ";"])?;
/// let mut buffer = ReadBuffer::new();
/// buffer.feed(b"a;b\r\nc\n");
/// assert_eq!(buffer.read_until_ref(&ends)?, Verdict::Ready(&b"a;"[..]));
/// assert_eq!(buffer.read_until_ref(&ends)?, Verdict::Ready(&b"b\r\n"[..]));
/// assert_eq!(buffer.read_until_ref(&ends)?, Verdict::Ready(&b"c\n"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Separators {
    /// Invariant: sorted by length, none empty, none twice, at least one.
    strings: Strings,
    /// Invariant: the distinct last bytes of `strings`.
    tails: Tails,
    /// Invariant: those of `strings`, if they are short and few.
    words: Words,
    /// Invariant: the length of the longest of `strings`.
    longest: usize,
}

/// Bytes of separators that fit without an allocation.
const INLINE_BYTES: usize = 16;
/// Separators that fit without an allocation.
const INLINE_COUNT: usize = 4;

#[derive(Clone, PartialEq, Eq)]
enum Strings {
    /// One after the other in `bytes`; `ends[i]` is where the `i`th ends.
    Inline {
        bytes: [u8; INLINE_BYTES],
        ends: [u8; INLINE_COUNT],
        count: u8,
    },
    Shared(Arc<[Box<[u8]>]>),
}

#[derive(Clone)]
enum Tails {
    Few(TailBytes),
    /// One flag for each byte value.
    Many(Arc<[bool; 256]>),
}

/// Separators of up to eight bytes as numbers, so that each is compared in one step.
#[derive(Clone, Copy, Default)]
struct Words {
    words: [Word; INLINE_COUNT],
    /// Zero when not all of them fit.
    count: u8,
}

/// A separator of up to eight bytes as a number.
#[derive(Clone, Copy, Default)]
pub(crate) struct Word {
    /// The last byte highest, as eight bytes that end in it are read.
    word: u64,
    /// The bits that are the separator's.
    mask: u64,
}

impl Word {
    const NONE: Self = Self { word: 0, mask: 0 };

    const fn of(separator: &[u8]) -> Self {
        let mut word = 0;
        let mut index = 0;
        while index < separator.len() {
            word = word >> 8 | (separator[index] as u64) << 56;
            index += 1;
        }
        Self { word, mask: u64::MAX << (64 - 8 * separator.len()) }
    }

    /// Whether it is the end of eight bytes.
    #[inline(always)]
    pub(crate) fn ends(self, last: [u8; size_of::<u64>()]) -> bool {
        (u64::from_le_bytes(last) ^ self.word) & self.mask == 0
    }

    #[inline(always)]
    fn length(self) -> usize {
        size_of::<u64>() - self.mask.trailing_zeros() as usize / 8
    }

    /// Its length, if `bytes` end in it. Only so many of them count, from the end.
    #[inline(always)]
    pub(crate) fn match_at_end_of(self, bytes: &[u8], most: usize) -> Option<usize> {
        let last = bytes.last_chunk().copied().unwrap_or_else(|| padded(bytes));
        (self.ends(last) && self.length() <= most).then(|| self.length())
    }
}

/// The last of fewer than eight bytes, behind zeros.
#[cold]
#[inline(never)]
fn padded(bytes: &[u8]) -> [u8; size_of::<u64>()] {
    let mut padded = [0; size_of::<u64>()];
    padded[size_of::<u64>() - bytes.len()..].copy_from_slice(bytes);
    padded
}

/// One to three last bytes and then how many; where they are fewer, the last of them stands again.
pub(crate) type TailBytes = [u8; 4];

pub(crate) const NEWLINE_TAILS: TailBytes = [b'\n', b'\n', b'\n', 1];

static NEWLINE: Separators = Separators {
    strings: Strings::Inline {
        bytes: [b'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ends: [1, 0, 0, 0],
        count: 1,
    },
    tails: Tails::Few(NEWLINE_TAILS),
    words: Words { words: [Word::of(b"\n"), Word::NONE, Word::NONE, Word::NONE], count: 1 },
    longest: 1,
};

impl Separators {
    /// A set of separators, in any order; one that stands twice counts once.
    ///
    /// # Errors
    /// [`InvalidSeparators`] when there is none, or one is empty.
    ///
    /// ```
    /// use highwater_buffer::Separators;
    ///
    /// assert!(Separators::new(["\r\n", "\n"]).is_ok());
    /// assert!(Separators::new(vec![String::from("--boundary")]).is_ok());
    /// assert!(Separators::new([b""]).is_err());
    /// ```
    pub fn new<I>(separators: I) -> Result<Self, InvalidSeparators>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut small = Small::default();
        let mut given = separators.into_iter();
        let mut index = 0;
        while let Some(separator) = given.next() {
            let bytes = separator.as_ref();
            if bytes.is_empty() {
                return Err(InvalidSeparators::Empty { index });
            }
            if !small.insert(bytes) {
                let mut all: Vec<Box<[u8]>> = small.iter().map(Box::from).collect();
                all.push(bytes.into());
                for separator in given {
                    index += 1;
                    if separator.as_ref().is_empty() {
                        return Err(InvalidSeparators::Empty { index });
                    }
                    all.push(separator.as_ref().into());
                }
                all.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
                all.dedup();
                return Ok(Self::of(Strings::Shared(all.into())));
            }
            index += 1;
        }
        if small.count == 0 {
            return Err(InvalidSeparators::None);
        }
        Ok(Self::of(small.into_strings()))
    }

    /// A single separator.
    ///
    /// # Errors
    /// [`InvalidSeparators`] when it is empty.
    ///
    /// ```
    /// use highwater_buffer::Separators;
    /// assert_eq!(Separators::one(b"\r\n")?.longest(), 2);
    /// # Ok::<(), highwater_buffer::InvalidSeparators>(())
    /// ```
    pub fn one(separator: impl AsRef<[u8]>) -> Result<Self, InvalidSeparators> {
        Self::new([separator])
    }

    /// The newline, which is what lines end in.
    ///
    /// ```
    /// use highwater_buffer::Separators;
    /// assert_eq!(*Separators::newline(), Separators::one(b"\n")?);
    /// # Ok::<(), highwater_buffer::InvalidSeparators>(())
    /// ```
    #[inline(always)]
    pub fn newline() -> &'static Self {
        &NEWLINE
    }

    /// The length of the longest separator, in bytes. A read with a limit of `limit` buffers at most
    /// `limit + longest` bytes before it decides.
    ///
    /// ```
    /// use highwater_buffer::Separators;
    /// assert_eq!(Separators::new(["\r\n", "\n"])?.longest(), 2);
    /// # Ok::<(), highwater_buffer::InvalidSeparators>(())
    /// ```
    #[inline]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The separators, the shortest first.
    ///
    /// ```
    /// use highwater_buffer::Separators;
    /// let set = Separators::new(["\r\n", "\n"])?;
    /// assert_eq!(set.iter().collect::<Vec<_>>(), [&b"\n"[..], b"\r\n"]);
    /// # Ok::<(), highwater_buffer::InvalidSeparators>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let count = match &self.strings {
            Strings::Inline { count, .. } => usize::from(*count),
            Strings::Shared(all) => all.len(),
        };
        (0..count).map(|index| self.strings.get(index))
    }

    /// The distinct last bytes, if they are few.
    #[inline(always)]
    pub(crate) fn tails(&self) -> Option<TailBytes> {
        match self.tails {
            Tails::Few(bytes) => Some(bytes),
            Tails::Many(_) => None,
        }
    }

    /// Where the first byte stands that may be the last of a match.
    #[inline(always)]
    pub(crate) fn find_tail(&self, bytes: &[u8]) -> Option<usize> {
        self.tails.find(bytes)
    }

    /// The one separator that there is, if it has at most eight bytes.
    #[inline(always)]
    pub(crate) fn sole_word(&self) -> Option<Word> {
        (self.words.count == 1).then_some(self.words.words[0])
    }

    /// The length of the shortest separator that `bytes` end in, given that they end in one of the last bytes.
    /// Only so many of them count, from the end.
    #[inline(always)]
    pub(crate) fn match_at_end_of(&self, bytes: &[u8], most: usize) -> Option<usize> {
        if self.longest == 1 {
            return Some(1);
        }
        match bytes.last_chunk() {
            Some(last) if self.words.count > 0 => self.words.match_at_end_of(*last, most),
            _ => self.iter().find(|one| one.len() <= most && bytes.ends_with(one)).map(<[u8]>::len),
        }
    }

    fn of(strings: Strings) -> Self {
        let mut set = Self { strings, tails: Tails::Few([0; 4]), words: Words::default(), longest: 0 };
        let mut tails = Vec::new();
        let mut longest = 0;
        for separator in set.iter() {
            let tail = separator[separator.len() - 1];
            if !tails.contains(&tail) {
                tails.push(tail);
            }
            longest = longest.max(separator.len());
        }
        set.words = Words::of(&set).unwrap_or_default();
        set.tails = Tails::of(&tails);
        set.longest = longest;
        set
    }
}

impl Words {
    /// The words of a set, unless there are too many or one is too long.
    fn of(set: &Separators) -> Option<Self> {
        let mut words = Self::default();
        for separator in set.iter() {
            if separator.len() > size_of::<u64>() {
                return None;
            }
            *words.words.get_mut(usize::from(words.count))? = Word::of(separator);
            words.count += 1;
        }
        Some(words)
    }

    /// Never inlined: what does not change from one candidate to the next would be computed ahead of the
    /// first, which mostly is the only one.
    #[inline(never)]
    fn match_at_end_of(&self, last: [u8; size_of::<u64>()], most: usize) -> Option<usize> {
        let all = self.words.iter().take(usize::from(self.count));
        all.filter(|word| word.ends(last)).map(|word| word.length()).find(|&length| length <= most)
    }
}

/// Where the first of `tails` stands.
#[inline(always)]
pub(crate) fn first_of(tails: TailBytes, bytes: &[u8]) -> Option<usize> {
    match tails {
        [a, _, _, 1] => memchr(a, bytes),
        [a, b, _, 2] => memchr2(a, b, bytes),
        [a, b, c, _] => memchr3(a, b, c, bytes),
    }
}

impl Strings {
    #[inline]
    fn get(&self, index: usize) -> &[u8] {
        match self {
            Strings::Inline { bytes, ends, .. } => {
                let start = if index == 0 { 0 } else { ends[index - 1] };
                &bytes[usize::from(start)..usize::from(ends[index])]
            }
            Strings::Shared(all) => &all[index],
        }
    }
}

impl Tails {
    fn of(distinct: &[u8]) -> Self {
        match *distinct {
            [a] => Tails::Few([a, a, a, 1]),
            [a, b] => Tails::Few([a, b, b, 2]),
            [a, b, c] => Tails::Few([a, b, c, 3]),
            _ => {
                let mut flags = [false; 256];
                for &tail in distinct {
                    flags[usize::from(tail)] = true;
                }
                Tails::Many(Arc::new(flags))
            }
        }
    }

    #[inline(always)]
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Tails::Few(few) => first_of(*few, bytes),
            Tails::Many(flags) => bytes.iter().position(|&byte| flags[usize::from(byte)]),
        }
    }
}

/// A set while it is small enough to stay inline, kept sorted by length.
#[derive(Default)]
struct Small {
    bytes: [u8; INLINE_BYTES],
    ends: [u8; INLINE_COUNT],
    count: u8,
}

impl Small {
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..usize::from(self.count))
            .map(|index| &self.bytes[self.start(index)..usize::from(self.ends[index])])
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { usize::from(self.ends[index - 1]) }
    }

    /// Whether `separator` is in the set now; `false` when it did not fit.
    fn insert(&mut self, separator: &[u8]) -> bool {
        if self.iter().any(|known| known == separator) {
            return true;
        }
        let count = usize::from(self.count);
        let used = self.start(count);
        if count == INLINE_COUNT || used + separator.len() > INLINE_BYTES {
            return false;
        }
        // Sorted by length and then by content, so that equal sets are equal however they were given.
        let place = self
            .iter()
            .position(|known| (known.len(), known) > (separator.len(), separator))
            .unwrap_or(count);
        let at = self.start(place);
        let length = separator.len();
        self.bytes.copy_within(at..used, at + length);
        self.bytes[at..at + length].copy_from_slice(separator);
        // `used` is at most INLINE_BYTES, so every end fits a byte.
        for index in (place..count).rev() {
            self.ends[index + 1] = self.ends[index] + length as u8;
        }
        self.ends[place] = (at + length) as u8;
        self.count += 1;
        true
    }

    fn into_strings(self) -> Strings {
        Strings::Inline { bytes: self.bytes, ends: self.ends, count: self.count }
    }
}

/// By the strings alone: everything else follows from them.
impl PartialEq for Separators {
    fn eq(&self, other: &Self) -> bool {
        self.strings == other.strings
    }
}

impl Eq for Separators {}

impl fmt::Debug for Separators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Separators ")?;
        f.debug_set().entries(self.iter().map(|separator| Bytes::from(separator.to_owned()))).finish()
    }
}

/// One separator, as it may stand in a tuple, an array or a slice of them.
///
/// Implemented for byte strings, byte slices, text, and what owns them. An empty literal does not
/// compile:
///
/// ```compile_fail
/// use highwater_buffer::Separator;
/// let nothing = b"".separator_bytes();
/// ```
pub trait Separator {
    /// The bytes of the separator.
    ///
    /// ```
    /// use highwater_buffer::Separator;
    /// assert_eq!("\r\n".separator_bytes(), b"\r\n");
    /// ```
    fn separator_bytes(&self) -> &[u8];
}

impl<const N: usize> Separator for [u8; N] {
    fn separator_bytes(&self) -> &[u8] {
        const { assert!(N > 0, "a separator holds at least one byte") }
        self
    }
}

macro_rules! separator_by_as_ref {
    ($($type:ty),* $(,)?) => {$(
        impl Separator for $type {
            fn separator_bytes(&self) -> &[u8] {
                self.as_ref()
            }
        }
    )*};
}

separator_by_as_ref!([u8], str, Vec<u8>, String, Bytes);

impl<T: Separator + ?Sized> Separator for &T {
    fn separator_bytes(&self) -> &[u8] {
        (**self).separator_bytes()
    }
}

/// What a read accepts as its separators.
///
/// | form | means |
/// | --- | --- |
/// | `b"\r\n"`, `"\r\n"`, a `&[u8]`, `b'\n'` | one separator |
/// | `(b"\r\n", b"\n")` | several, each of a type of its own (up to eight) |
/// | `[b"\n", b"\r"]`, `&[…]`, `&Vec<…>` as a slice | several of one type |
/// | `&Separators`, `Separators` | compiled before: costs nothing per call |
///
/// Emptiness that is literal does not compile; otherwise it is [`InvalidSeparators`], before anything is
/// read. asyncio: the `separator` of `StreamReader.readuntil`. diverges: there all emptiness is a
/// `ValueError` of the call; what can be found early should be.
///
/// ```compile_fail
/// use highwater_buffer::IntoSeparators;
/// let nothing = b"".into_separators();
/// ```
///
/// ```
/// use highwater_buffer::{IntoSeparators, Separators};
/// use std::borrow::Borrow;
///
/// fn longest(separators: impl IntoSeparators) -> usize {
///     let compiled = separators.into_separators().expect("none is empty");
///     let separators: &Separators = compiled.borrow();
///     separators.longest()
/// }
/// assert_eq!(longest(b"\r\n"), 2);
/// assert_eq!(longest((b"\r\n\r\n", "\n\n")), 4);
/// assert_eq!(longest(["\n", "\r"]), 1);
/// assert_eq!(longest(Separators::newline()), 1);
/// ```
pub trait IntoSeparators {
    /// The compiled set, owned or borrowed.
    type Compiled: Borrow<Separators>;

    /// Compiles the set, or hands over the one that was compiled before.
    ///
    /// # Errors
    /// [`InvalidSeparators`] when there is none, or one is empty.
    ///
    /// ```
    /// use highwater_buffer::{IntoSeparators, InvalidSeparators};
    /// assert_eq!("\r\n".into_separators()?.longest(), 2);
    /// assert_eq!("".into_separators().unwrap_err(), InvalidSeparators::Empty { index: 0 });
    /// # Ok::<(), InvalidSeparators>(())
    /// ```
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators>;
}

impl<'a> IntoSeparators for &'a Separators {
    type Compiled = &'a Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        Ok(self)
    }
}

impl IntoSeparators for Separators {
    type Compiled = Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        Ok(self)
    }
}

impl IntoSeparators for u8 {
    type Compiled = Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        Separators::one([self])
    }
}

macro_rules! one_separator {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> IntoSeparators for $type {
            type Compiled = Separators;
            fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
                Separators::one(self.separator_bytes())
            }
        }
    )*};
}

one_separator!([const N: usize] &[u8; N], [] &[u8], [] &str, [] &String, [] &Vec<u8>, [] &Bytes);

impl<T: Separator, const N: usize> IntoSeparators for [T; N] {
    type Compiled = Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        const { assert!(N > 0, "a set of separators holds at least one") }
        (&self[..]).into_separators()
    }
}

impl<T: Separator, const N: usize> IntoSeparators for &[T; N] {
    type Compiled = Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        const { assert!(N > 0, "a set of separators holds at least one") }
        self[..].into_separators()
    }
}

impl<T: Separator> IntoSeparators for &[T] {
    type Compiled = Separators;
    fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
        Separators::new(self.iter().map(Separator::separator_bytes))
    }
}

macro_rules! tuple_of_separators {
    ($($name:ident),+) => {
        #[allow(non_snake_case)] // The type parameters name the fields.
        impl<$($name: Separator),+> IntoSeparators for ($($name,)+) {
            type Compiled = Separators;
            fn into_separators(self) -> Result<Self::Compiled, InvalidSeparators> {
                let ($($name,)+) = &self;
                Separators::new([$($name.separator_bytes()),+])
            }
        }
    };
}

tuple_of_separators!(A);
tuple_of_separators!(A, B);
tuple_of_separators!(A, B, C);
tuple_of_separators!(A, B, C, D);
tuple_of_separators!(A, B, C, D, E);
tuple_of_separators!(A, B, C, D, E, F);
tuple_of_separators!(A, B, C, D, E, F, G);
tuple_of_separators!(A, B, C, D, E, F, G, H);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn first(separators: &[&str], bytes: &str) -> Option<(usize, usize)> {
        let set = Separators::new(separators).unwrap();
        let bytes = bytes.as_bytes();
        let mut from = 0;
        loop {
            let end = from + set.find_tail(&bytes[from..])? + 1;
            if let Some(length) = set.match_at_end_of(&bytes[..end], end) {
                return Some((end - length, end));
            }
            from = end;
        }
    }

    #[test]
    fn r7_the_match_that_ends_first_wins() {
        assert_eq!(first(&["DEF", "BCDE"], "ABCDEFG"), Some((1, 5)));
        assert_eq!(first(&["\r\n", "\r"], "abc\r\n"), Some((3, 4)));
    }

    #[test]
    fn r7_of_matches_that_end_together_the_shortest_counts() {
        assert_eq!(first(&["\r\n", "\n"], "1234\r\n"), Some((5, 6)));
    }

    #[test]
    fn a_set_is_the_same_in_any_order_inline_or_shared() {
        let one = Separators::new(["\r\n", "\n", "\r\n"]).unwrap();
        assert_eq!(one, Separators::new(["\n", "\r\n"]).unwrap());
        assert!(matches!(one.strings, Strings::Inline { count: 2, .. }));
        let long = vec!["e", "dd", "ccc", "bbbb", "aaaaa", "e"];
        let shared = Separators::new(&long).unwrap();
        assert!(matches!(shared.strings, Strings::Shared(_)));
        assert_eq!(shared, Separators::new(long.iter().rev()).unwrap());
        assert_eq!(shared.iter().count(), 5);
        assert_eq!(first(&long, "xxbbbbx"), Some((2, 6)));
    }

    #[test]
    fn many_distinct_last_bytes_are_found() {
        assert_eq!(first(&["a1", "b2", "c3", "d4", "e5"], "1234 d4"), Some((5, 7)));
        assert_eq!(first(&["a1", "b2", "c3", "d4", "e5"], "1234 d"), None);
    }

    #[test]
    fn emptiness_is_refused_inline_and_past_it() {
        assert_eq!(Separators::new([""; 1]), Err(InvalidSeparators::Empty { index: 0 }));
        let late = ["0123456789abcdef", "x", "y", ""];
        assert_eq!(Separators::new(late), Err(InvalidSeparators::Empty { index: 3 }));
    }
}
