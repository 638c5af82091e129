//! Messages behind a `Content-Length` header, as language servers and their editors exchange them.
//!
//! ```text
//! Content-Length: 2\r\n
//! \r\n
//! {}
//! ```
//!
//! Not here: what is in a message.

use std::io::{self, ErrorKind};

use highwater_net::stream::{Source, StreamReader};
use highwater_net::{Bytes, ReadUntilError};

/// The most bytes of headers, without the empty line that ends them.
const LONGEST_HEAD: usize = 4096;

/// A message behind its header.
///
/// ```
/// assert_eq!(highwater_examples::content_length::frame("{}"), b"Content-Length: 2\r\n\r\n{}");
/// ```
pub fn frame(message: impl AsRef<[u8]>) -> Vec<u8> {
    let message = message.as_ref();
    let mut framed = format!("Content-Length: {}\r\n\r\n", message.len()).into_bytes();
    framed.extend_from_slice(message);
    framed
}

/// Reads one message of at most `limit` bytes; `None` if the stream ended before it. Other headers are read
/// over.
///
/// # Errors
/// `UnexpectedEof` if the stream ended within the message, `InvalidData` if the header is not right or
/// announces more than `limit`, and what the transport says. None of them can be read on from.
///
/// # Cancel safety
/// Not cancel safe: a header that was read is lost. Drop it only if the connection is given up.
///
/// ```
/// use highwater_examples::content_length::{frame, read_message};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ((mut reader, _writer), (_, editor)) = highwater_net::duplex(64);
/// editor.write(frame("{}"))?;
/// editor.close();
/// assert_eq!(read_message(&mut reader, 1000).await?.unwrap(), "{}");
/// assert_eq!(read_message(&mut reader, 1000).await?, None);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub async fn read_message<S: Source>(
    reader: &mut StreamReader<S>,
    limit: usize,
) -> io::Result<Option<Bytes>> {
    if reader.peek(1).await?.is_empty() {
        return Ok(None);
    }
    let head = match reader.limited(LONGEST_HEAD).read_until(b"\r\n\r\n").await {
        Err(ReadUntilError::LimitOverrun(_)) => {
            return Err(malformed(format!("no end of the headers within {LONGEST_HEAD} bytes")));
        }
        head => head?,
    };
    let length = length(&head)?;
    if length > limit {
        return Err(malformed(format!("a message of {length} bytes, and {limit} are the most")));
    }
    Ok(Some(reader.read_exactly(length).await?))
}

/// What the one `Content-Length` says.
fn length(head: &[u8]) -> io::Result<usize> {
    let mut found = None;
    let head = std::str::from_utf8(head).map_err(|_| malformed("a header that is no text"))?;
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a header without a colon"))?;
        if name.eq_ignore_ascii_case("Content-Length") {
            // Digits only: what is parsed may have a sign.
            let digits = Some(value.trim()).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|digits| digits.parse().ok());
            let length = length.ok_or_else(|| malformed("a Content-Length that is no number"))?;
            if found.replace(length).is_some() {
                return Err(malformed("a message with two lengths"));
            }
        }
    }
    found.ok_or_else(|| malformed("a message without its Content-Length"))
}

fn malformed(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Option<Bytes>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_message(&mut StreamReader::new(bytes), 100))
    }

    #[test]
    fn a_message_is_as_long_as_it_says() {
        for (bytes, message) in [
            (&frame("{}")[..], "{}"),
            (&frame(""), ""),
            (b"content-length:2\r\n\r\n{}...", "{}"),
            (b"Content-Type: x; charset=utf-8\r\nContent-Length:  4 \r\n\r\n\r\n\r\n", "\r\n\r\n"),
        ] {
            assert_eq!(read(bytes).unwrap().unwrap(), message);
        }
        assert_eq!(read(&frame("x".repeat(100))).unwrap().unwrap().len(), 100);
    }

    #[test]
    fn headers_that_are_not_right_are_refused_with_a_reason() {
        let long = format!("X: {}\r\n\r\n", "x".repeat(5000));
        for (bytes, reason) in [
            ("\r\n\r\n", "without its Content-Length"),
            ("{\"jsonrpc\": 2}\r\nX\r\n\r\n", "without a colon"),
            ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "two lengths"),
            ("Content-Length: +2\r\n\r\n{}", "no number"),
            ("Content-Length: \r\n\r\n", "no number"),
            ("Content-Length: 18446744073709551616\r\n\r\n", "no number"),
            ("Content-Length: 101\r\n\r\n", "a message of 101 bytes, and 100 are the most"),
            (&long, "no end of the headers"),
        ] {
            let error = read(bytes.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{bytes:?}: {error}");
            assert!(error.to_string().contains(reason), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn an_end_before_a_message_is_none_and_within_one_an_error() {
        assert_eq!(read(b"").unwrap(), None);
        for bytes in ["C", "Content-Length: 2\r\n", "Content-Length: 2\r\n\r\n{"] {
            assert_eq!(read(bytes.as_bytes()).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{bytes:?}");
        }
    }
}
