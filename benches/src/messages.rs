//! What is read: lines, frames and messages of the kinds that protocols are made of.

use memchr::memmem::Finder;

/// A lone `\r` and a lone `\n`, which end no line of SMTP.
pub const LONE: &[u8] = b"a\rb\nc";
/// Separators with nothing in common.
pub const THREE: [&str; 3] = ["\r\n", "\0", ";;"];
/// What ends the head of a message.
pub const HEAD_END: &[u8] = b"\r\n\r\n";

const NAME: &[u8] = b"Content-Length: ";

const HEAD: &[u8] = b"POST /upload HTTP/1.1\r\n\
    Host: files.example.org\r\n\
    User-Agent: probe/1.0\r\n\
    Accept: */*\r\n\
    Accept-Encoding: identity\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 964\r\n\
    Cache-Control: no-cache\r\n\
    X-Request-Id: 0f3a77c2\r\n\
    Connection: keep-alive\r\n\
    \r\n";

/// A line of 64 bytes that ends in `\r\n` and holds `within`.
pub fn crlf_lines(within: &[u8]) -> Vec<u8> {
    let mut line = [&[b'x'; 20], within].concat();
    line.resize(62, b'x');
    line.extend_from_slice(b"\r\n");
    line
}

/// Records of 64 bytes, each ending in one of `separators` in turn.
pub fn three(separators: &[&str]) -> Vec<u8> {
    separators.iter().flat_map(|separator| crate::records(1, 64, separator.as_bytes())).collect()
}

/// A length in four bytes, and so many bytes.
pub fn frames(length: u32) -> Vec<u8> {
    [&length.to_be_bytes()[..], &vec![b'x'; length as usize]].concat()
}

/// A head of ten lines and a blank one, and a body of the length that it says.
pub fn message() -> Vec<u8> {
    [HEAD, &vec![b'x'; ContentLength::new().of_head(HEAD)]].concat()
}

/// Finds the length that a head says.
#[derive(Debug)]
pub struct ContentLength(Finder<'static>);

impl ContentLength {
    /// One for all heads.
    #[allow(clippy::new_without_default)] // There is no other.
    pub fn new() -> Self {
        Self(Finder::new(NAME))
    }

    /// The length that a head says, or zero.
    pub fn of_head(&self, head: &[u8]) -> usize {
        self.0.find(head).and_then(|at| content_length(&head[at..])).unwrap_or(0)
    }
}

/// The length that a line of a head says, if it says one.
pub fn content_length(line: &[u8]) -> Option<usize> {
    let digits = line.strip_prefix(NAME)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_long_as_its_head_says() {
        let message = message();
        assert_eq!(message.len(), HEAD.len() + 964);
        assert!(HEAD.ends_with(HEAD_END));
    }

    #[test]
    fn lines_and_records_are_of_64_bytes() {
        assert_eq!((crlf_lines(b"").len(), crlf_lines(LONE).len()), (64, 64));
        assert_eq!(three(&THREE).len(), 192);
    }
}
