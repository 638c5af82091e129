//! The part of a file that a client asks for.

use std::ops::Range;

/// `Range: bytes=…` with one range in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// `first-` or `first-last`, and the last counts.
    From { first: u64, last: u64 },
    /// `-length`.
    Suffix { length: u64 },
}

/// What a range is of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These bytes, at least one.
    Of(Range<u64>),
    /// There is none of them.
    None,
}

impl ByteRange {
    /// RFC 9110 §14.2: a field that is not understood is as good as none, and so is one that asks for several
    /// ranges, which a server may decline.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (unit, range) = std::str::from_utf8(value).ok()?.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match range.trim().split_once('-')? {
            ("", length) => Some(ByteRange::Suffix { length: number(length)? }),
            (first, "") => Some(ByteRange::From { first: number(first)?, last: u64::MAX }),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(ByteRange::From { first, last })
            }
        }
    }

    pub(super) fn of(self, length: u64) -> Part {
        let range = match self {
            ByteRange::From { first, last } => first..last.saturating_add(1).min(length),
            ByteRange::Suffix { length: suffix } => length.saturating_sub(suffix)..length,
        };
        if range.is_empty() { Part::None } else { Part::Of(range) }
    }
}

/// A number without a sign. One that is larger than any file is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part_of_the_file() {
        const HUGE: &str = "bytes=0-99999999999999999999999999";
        for (value, length, part) in [
            ("bytes=0-0", 10, Part::Of(0..1)),
            ("bytes=2-5", 10, Part::Of(2..6)),
            ("bytes=2-", 10, Part::Of(2..10)),
            ("bytes=9-", 10, Part::Of(9..10)),
            ("bytes=5-100", 10, Part::Of(5..10)),
            (HUGE, 10, Part::Of(0..10)),
            ("bytes=-3", 10, Part::Of(7..10)),
            ("bytes=-30", 10, Part::Of(0..10)),
            ("Bytes = 1-1", 10, Part::Of(1..2)),
            ("bytes=10-", 10, Part::None),
            ("bytes=10-11", 10, Part::None),
            ("bytes=99999999999999999999999999-", 10, Part::None),
            ("bytes=-0", 10, Part::None),
            ("bytes=0-", 0, Part::None),
            ("bytes=-5", 0, Part::None),
        ] {
            assert_eq!(ByteRange::parse(value.as_bytes()).unwrap().of(length), part, "{value}");
        }
    }

    #[test]
    fn what_is_not_one_range_is_as_good_as_none() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=0-1",
            "bytes=1--2",
        ] {
            assert_eq!(ByteRange::parse(value.as_bytes()), None, "{value}");
        }
    }
}
