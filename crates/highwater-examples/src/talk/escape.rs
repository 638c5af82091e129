//! Bytes of a stranger on a terminal: readable where they are text, and without power over it.

use std::fmt::Write;
use std::mem;

use crate::text::is_command;

/// Turns bytes into text for a terminal: UTF-8 as it is, anything else as `\xNN`. Of control characters only tabs
/// and the ends of lines pass; the others are written out, and so are those that change the direction of text. The
/// outcome does not depend on how the bytes are cut.
///
/// ```
/// use highwater_examples::talk::Escaper;
/// let mut escaper = Escaper::default();
/// assert_eq!(escaper.feed(b"caf\xc3"), "caf");
/// assert_eq!(escaper.feed(b"\xa9 \x1b[2J\n"), "\u{e9} \\x1b[2J\n");
/// assert_eq!(escaper.finish(), "");
/// ```
#[derive(Debug, Default)]
pub struct Escaper {
    /// Invariant: at most three bytes, with which a character or a CRLF may begin.
    held: Vec<u8>,
}

impl Escaper {
    /// As much of the text as is certain.
    ///
    /// ```
    /// # use highwater_examples::talk::Escaper;
    /// let mut escaper = Escaper::default();
    /// assert_eq!(escaper.feed(b"one\r"), "one");
    /// assert_eq!(escaper.feed(b"\ntwo\r"), "\r\ntwo");
    /// assert_eq!(escaper.feed(b"three"), "\\rthree");
    /// ```
    pub fn feed(&mut self, bytes: &[u8]) -> String {
        let mut bytes = [mem::take(&mut self.held).as_slice(), bytes].concat();
        self.held = bytes.split_off(certain(&bytes));
        shown(&bytes, |at, c| matches!(c, '\n' | '\t') || (c == '\r' && bytes.get(at + 1) == Some(&b'\n')))
    }

    /// What was held back, at the end of the stream.
    ///
    /// ```
    /// # use highwater_examples::talk::Escaper;
    /// let mut escaper = Escaper::default();
    /// escaper.feed(b"\xc3");
    /// assert_eq!(escaper.finish(), "\\xc3");
    /// ```
    pub fn finish(&mut self) -> String {
        shown(&mem::take(&mut self.held), |_, _| false)
    }
}

/// How much of the bytes means the same whatever comes behind them.
fn certain(bytes: &[u8]) -> usize {
    let length = bytes.len();
    if bytes.ends_with(b"\r") {
        return length - 1;
    }
    let begins = |&start: &usize| match std::str::from_utf8(&bytes[start..]) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    };
    (length.saturating_sub(3)..length).find(begins).unwrap_or(length)
}

/// A line by itself, with every control character written out.
pub(super) fn escape_line(line: &[u8]) -> String {
    shown(line, |_, _| false)
}

/// The text, with those control characters as they are that may pass, by their place.
fn shown(bytes: &[u8], passes: impl Fn(usize, char) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if !is_command(c) || passes(at, c) {
                text.push(c);
            } else if c.is_ascii() && !matches!(c, '\r' | '\n' | '\t') {
                let _ = write!(text, "\\x{:02x}", u32::from(c)); // A `String` takes everything.
            } else {
                text.extend(c.escape_default());
            }
            at += c.len_utf8();
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
        at += chunk.invalid().len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_passes_and_commands_do_not() {
        for (bytes, text) in [
            ("Grüße, 世界\t🙂\r\n".as_bytes(), "Grüße, 世界\t🙂\r\n"),
            (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            (b"over\rwritten\r\n", "over\\rwritten\r\n"),
            (b"\r\r\n", "\\r\r\n"),
            (b"\x08\x7f\0", "\\x08\\x7f\\x00"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
            ("\u{202e}txt.exe".as_bytes(), "\\u{202e}txt.exe"),
            (b"\xff\xfe\xe4\xb8", "\\xff\\xfe\\xe4\\xb8"),
            (b"\xc0\xae", "\\xc0\\xae"),
            (b"\xf0\x9f\x99", "\\xf0\\x9f\\x99"),
        ] {
            for cut in 0..=bytes.len() {
                let mut escaper = Escaper::default();
                let (one, two) = bytes.split_at(cut);
                let found = [escaper.feed(one), escaper.feed(two), escaper.finish()].concat();
                assert_eq!(found, text, "cut at {cut}");
            }
        }
    }
}
