//! The transcript: titles, and beneath each what was observed, label and value in two columns.

use std::fmt;
use std::io::{self, Write};

/// Writes to standard output. A reader that goes away is an error and no panic.
pub(crate) struct Transcript {
    out: io::Stdout,
    started: bool,
}

impl Transcript {
    pub(crate) fn new() -> Self {
        Self { out: io::stdout(), started: false }
    }

    pub(crate) fn title(&mut self, title: impl fmt::Display) -> io::Result<()> {
        if std::mem::replace(&mut self.started, true) {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{title}")
    }

    pub(crate) fn line(&mut self, label: impl fmt::Display, value: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "  {label:<10} {value}")
    }
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}

/// A count of things: `1 line`, `2 lines`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Bytes as a Rust literal would show them.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

/// Bytes in hexadecimal: `0d 0a`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn one_thing_is_singular() {
        assert_eq!((count(0, "line"), count(1, "line")), ("0 lines".into(), "1 line".into()));
    }

    #[test]
    fn bytes_are_shown_in_full() {
        assert_eq!(quoted(b"a\r\n\xff"), r#""a\r\n\xff""#);
        assert_eq!(hex(b"a\r\n\xff"), "61 0d 0a ff");
    }
}
