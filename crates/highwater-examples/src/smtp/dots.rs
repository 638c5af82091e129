//! How a message travels: as lines that end with CRLF, those that begin with a dot with one more, and a line
//! of a dot alone behind the last (RFC 5321 §4.5.2).
//!
//! Where one server sees that last line in `\n.\n` and the next does not, what follows is a message to the one
//! and text to the other, and so anybody can send in anybody's name ("SMTP smuggling"). Here it cannot: what is
//! sent has no lone CR or LF, and what is received ends with `\r\n.\r\n` alone, and is refused for a lone one.

/// Makes a message ready to travel, piece by piece, however it is cut. Each line end, be it CRLF, LF or CR,
/// becomes CRLF, as in Python's smtplib.
///
/// ```
/// use highwater_examples::smtp::Stuffer;
/// let mut wire = Vec::new();
/// let mut stuffer = Stuffer::new();
/// stuffer.feed(b"Subject: dots\n\n", &mut wire);
/// stuffer.feed(b".\n.hidden", &mut wire);
/// stuffer.finish(&mut wire);
/// assert_eq!(wire, b"Subject: dots\r\n\r\n..\r\n..hidden\r\n.\r\n");
/// ```
#[derive(Debug)]
pub struct Stuffer(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    InLine,
    /// At the start of a line, behind a CR: an LF that follows belongs to it, and has been sent already.
    BehindCr,
}

impl Stuffer {
    /// At the beginning of a message.
    ///
    /// ```
    /// use highwater_examples::smtp::Stuffer;
    /// let mut wire = Vec::new();
    /// Stuffer::new().finish(&mut wire);
    /// assert_eq!(wire, b".\r\n");
    /// ```
    pub fn new() -> Self {
        Self(Place::LineStart)
    }

    /// Appends the next piece to `wire`.
    ///
    /// ```
    /// use highwater_examples::smtp::Stuffer;
    /// let mut wire = Vec::new();
    /// Stuffer::new().feed(b"one\n.two", &mut wire);
    /// assert_eq!(wire, b"one\r\n..two");
    /// ```
    pub fn feed(&mut self, mut piece: &[u8], wire: &mut Vec<u8>) {
        wire.reserve(piece.len());
        while let [first, rest @ ..] = piece {
            match (self.0, first) {
                (Place::BehindCr, b'\n') => {
                    self.0 = Place::LineStart;
                    piece = rest;
                    continue;
                }
                (Place::BehindCr | Place::LineStart, b'.') => wire.push(b'.'),
                _ => {}
            }
            let length = piece.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(piece.len());
            let (text, end) = piece.split_at(length);
            wire.extend_from_slice(text);
            piece = end.get(1..).unwrap_or_default();
            self.0 = match end.first() {
                None => Place::InLine,
                Some(b'\r') => Place::BehindCr,
                Some(_) => Place::LineStart,
            };
            if self.0 != Place::InLine {
                wire.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Appends the end of the message to `wire`. A last line without an end gets one.
    ///
    /// ```
    /// use highwater_examples::smtp::Stuffer;
    /// let mut wire = Vec::new();
    /// let mut stuffer = Stuffer::new();
    /// stuffer.feed(b"one", &mut wire);
    /// stuffer.finish(&mut wire);
    /// assert_eq!(wire, b"one\r\n.\r\n");
    /// ```
    pub fn finish(self, wire: &mut Vec<u8>) {
        if self.0 == Place::InLine {
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b".\r\n");
    }
}

impl Default for Stuffer {
    fn default() -> Self {
        Self::new()
    }
}

/// A line of a message as it arrives, up to and with its CRLF.
///
/// ```
/// use highwater_examples::smtp::DataLine;
/// assert_eq!(DataLine::of(b"..hidden\r\n"), DataLine::Text(b".hidden\r\n"));
/// assert_eq!(DataLine::of(b".\r\n"), DataLine::End);
/// assert_eq!(DataLine::of(b"smuggled\n.\nMAIL FROM:<eve@example.org>\r\n"), DataLine::Bare);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataLine<'a> {
    /// The message has ended before it.
    End,
    /// Of the message, as it was before it travelled.
    Text(&'a [u8]),
    /// It has a CR or an LF that are not together: others might see several lines here.
    Bare,
}

impl<'a> DataLine<'a> {
    /// What `line` is. Its end is the CRLF by which it was found.
    ///
    /// ```
    /// use highwater_examples::smtp::DataLine;
    /// assert_eq!(DataLine::of(b"Subject: x\r\n"), DataLine::Text(b"Subject: x\r\n"));
    /// ```
    pub fn of(line: &'a [u8]) -> Self {
        if line == b".\r\n" {
            return DataLine::End;
        }
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return DataLine::Bare;
        }
        DataLine::Text(line.strip_prefix(b".").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut stuffer, mut wire) = (Stuffer::new(), Vec::new());
        pieces.into_iter().for_each(|piece| stuffer.feed(piece, &mut wire));
        stuffer.finish(&mut wire);
        wire
    }

    #[test]
    fn every_line_end_becomes_one_wherever_it_is_cut() {
        for (message, wire) in [
            ("", ".\r\n"),
            ("\n", "\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
            ("\r\r\n\n", "\r\n\r\n\r\n.\r\n"),
            ("a\n\r.b.", "a\r\n\r\n..b.\r\n.\r\n"),
            ("a..\n...", "a..\r\n....\r\n.\r\n"),
        ] {
            let bytes = message.as_bytes();
            assert_eq!(stuffed([bytes]), wire.as_bytes(), "{message:?}");
            assert_eq!(stuffed(bytes.chunks(1)), wire.as_bytes(), "{message:?}, byte by byte");
            for cut in 0..bytes.len() {
                assert_eq!(stuffed([&bytes[..cut], &bytes[cut..]]), wire.as_bytes(), "{message:?} at {cut}");
            }
        }
    }

    #[test]
    fn only_a_dot_between_two_line_ends_ends_a_message() {
        assert_eq!(DataLine::of(b".\r\n"), DataLine::End);
        assert_eq!(DataLine::of(b"\r\n"), DataLine::Text(b"\r\n"));
        assert_eq!(DataLine::of(b"..\r\n"), DataLine::Text(b".\r\n"));
        assert_eq!(DataLine::of(b".x\r\n"), DataLine::Text(b"x\r\n"));
        for line in ["a\n.\r\n", "\n.\n\r\n", ".\r.\r\n", ".\r\r\n", "a\rb\r\n", ".\n\r\n"] {
            assert_eq!(DataLine::of(line.as_bytes()), DataLine::Bare, "{line:?}");
        }
    }
}
