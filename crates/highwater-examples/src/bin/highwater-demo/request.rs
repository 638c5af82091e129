//! What the client asks of the server: the first line of each connection.

use std::fmt;
use std::str::FromStr;

/// How the rest of the connection is to be served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Request {
    /// Send back each line, of at most `limit` bytes before its newline.
    Lines { limit: usize },
    /// Send back what comes, as it comes.
    Bytes,
    /// Answer each line with a verdict, and refuse those of more than `limit` bytes before their newline.
    Strict { limit: usize },
    /// Read nothing until another connection says [`Resume`](Self::Resume); then read all, and tell how
    /// many bytes that were.
    Later,
    /// Let the reader of [`Later`](Self::Later) go on.
    Resume,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines { limit } => write!(f, "lines {limit}"),
            Self::Bytes => f.write_str("bytes"),
            Self::Strict { limit } => write!(f, "strict {limit}"),
            Self::Later => f.write_str("later"),
            Self::Resume => f.write_str("resume"),
        }
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let limit = |digits: &str| digits.parse().map_err(|error| format!("limit {digits:?}: {error}"));
        Ok(match text.split_once(' ') {
            Some(("lines", digits)) => Self::Lines { limit: limit(digits)? },
            Some(("strict", digits)) => Self::Strict { limit: limit(digits)? },
            None if text == "bytes" => Self::Bytes,
            None if text == "later" => Self::Later,
            None if text == "resume" => Self::Resume,
            _ => return Err(format!("{text:?} is not a request")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let limits = [Request::Lines { limit: 0 }, Request::Strict { limit: usize::MAX }];
        for request in limits.into_iter().chain([Request::Bytes, Request::Later, Request::Resume]) {
            assert_eq!(request.to_string().parse(), Ok(request));
        }
        assert!("lines".parse::<Request>().is_err());
        assert!("lines many".parse::<Request>().is_err());
    }
}
