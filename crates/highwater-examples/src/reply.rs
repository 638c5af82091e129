//! Replies as SMTP and FTP have them: a code of three digits, and text of one line or several.
//!
//! ```text
//! 250-mail.example.org      code 250, more to come
//! 250 PIPELINING            code 250, the last line
//! ```
//!
//! Whether a code is good news is for each protocol to say.

use std::error::Error;
use std::fmt;

#[cfg(feature = "programs")]
mod read;

#[cfg(feature = "programs")]
pub use read::read_reply;

use crate::text::printable;

/// The bytes of a line before its end. RFC 5321 §4.5.3.1.5 has 512; servers with much to say exist.
const LONGEST_LINE: usize = 4096;

/// A greeting or a help may be long. A reply without end is none.
const MOST_LINES: usize = 1000;

/// Whose replies these are: they differ in what stands between the first line and the last.
///
/// ```
/// use highwater_examples::reply::{Dialect, Gathering};
/// // RFC 959 §4.2: any text may stand there, also one that begins with digits.
/// let mut reply = Gathering::new(Dialect::Ftp);
/// assert_eq!(reply.line(b"211-Features:"), Ok(None));
/// assert_eq!(reply.line(b" MLST size*"), Ok(None));
/// assert_eq!(reply.line(b"211 End").unwrap().unwrap().lines()[1], " MLST size*");
/// // RFC 5321 §4.2.1: every line has the code.
/// let mut reply = Gathering::new(Dialect::Smtp);
/// assert_eq!(reply.line(b"250-mail.example.org"), Ok(None));
/// assert!(reply.line(b" SIZE").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 5321 §4.2: every line has the code.
    Smtp,
    /// RFC 959 §4.2: the first line has the code, and so has the last.
    Ftp,
}

/// A whole reply.
///
/// ```
/// use highwater_examples::reply::{Dialect, Gathering};
/// let reply = Gathering::new(Dialect::Smtp).line(b"550 5.1.1 nobody of that name").unwrap().unwrap();
/// assert_eq!(reply.code(), 550);
/// assert_eq!(reply.to_string(), "550 5.1.1 nobody of that name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Invariant: three digits, the first of them from 1 to 5.
    code: u16,
    /// Invariant: at least one.
    lines: Vec<String>,
}

impl Reply {
    /// From 100 to 599.
    ///
    /// ```
    /// # use highwater_examples::reply::{Dialect, Gathering};
    /// assert_eq!(Gathering::new(Dialect::Ftp).line(b"226 Done").unwrap().unwrap().code(), 226);
    /// ```
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The lines, at least one. Those with a code are without it; what is not UTF-8 has become �.
    ///
    /// ```
    /// # use highwater_examples::reply::{Dialect, Gathering};
    /// assert_eq!(Gathering::new(Dialect::Ftp).line(b"226 Done").unwrap().unwrap().lines(), ["Done"]);
    /// ```
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// In one line, and fit for a terminal.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for (number, line) in self.lines.iter().enumerate() {
            let before = if number == 0 { " " } else { " / " };
            write!(f, "{before}{}", printable(line.trim().as_bytes()))?;
        }
        Ok(())
    }
}

/// Why there is no reply.
///
/// ```
/// use highwater_examples::reply::{Dialect, Gathering, ReplyError};
/// let error = Gathering::new(Dialect::Smtp).line(b"SSH-2.0-OpenSSH").unwrap_err();
/// assert_eq!(error, ReplyError::NotAReply("SSH-2.0-OpenSSH".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A line that cannot stand there, its beginning as it was.
    NotAReply(String),
    /// A line, or a reply, that is longer than any in earnest.
    TooLong,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplyError::NotAReply(line) => {
                write!(f, "the server said \"{}\", which is no reply", printable(line.as_bytes()))
            }
            ReplyError::TooLong => write!(
                f,
                "the server's reply is too long: more than {LONGEST_LINE} bytes a line, or {MOST_LINES} lines"
            ),
        }
    }
}

impl Error for ReplyError {}

/// A reply as its lines arrive.
///
/// ```
/// use highwater_examples::reply::{Dialect, Gathering};
/// let mut reply = Gathering::new(Dialect::Smtp);
/// assert_eq!(reply.line(b"250-mail.example.org"), Ok(None));
/// assert_eq!(reply.line(b"250 SIZE 1000").unwrap().unwrap().lines(), ["mail.example.org", "SIZE 1000"]);
/// ```
#[derive(Debug)]
pub struct Gathering {
    dialect: Dialect,
    /// Of the first line. `None` before it.
    code: Option<u16>,
    lines: Vec<String>,
}

impl Gathering {
    /// Nothing yet.
    ///
    /// ```
    /// use highwater_examples::reply::{Dialect, Gathering};
    /// assert!(Gathering::new(Dialect::Ftp).line(b"").is_err());
    /// ```
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, code: None, lines: Vec::new() }
    }

    /// Takes a line without its end, and gives the reply when it is the last.
    ///
    /// # Errors
    /// The line cannot stand there, or there have been too many. The connection is of no use any more.
    ///
    /// ```
    /// # use highwater_examples::reply::{Dialect, Gathering};
    /// let mut reply = Gathering::new(Dialect::Smtp);
    /// assert_eq!(reply.line(b"250-one"), Ok(None));
    /// assert!(reply.line(b"251 another code").is_err());
    /// ```
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        if self.lines.len() == MOST_LINES {
            return Err(ReplyError::TooLong);
        }
        let (last, text) = match (coded(line), self.code, self.dialect) {
            (Some((code, last, text)), None, _) => {
                self.code = Some(code);
                (last, text)
            }
            (Some((code, last, text)), Some(first), _) if code == first => (last, text),
            (_, Some(_), Dialect::Ftp) => (false, line),
            _ => {
                let beginning = &line[..line.len().min(80)];
                return Err(ReplyError::NotAReply(String::from_utf8_lossy(beginning).into_owned()));
            }
        };
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        match self.code {
            Some(code) if last => Ok(Some(Reply { code, lines: std::mem::take(&mut self.lines) })),
            _ => Ok(None),
        }
    }
}

/// The code of a line, whether it is the last of its reply, and its text. A code alone is a last line.
fn coded(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !(b'1'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(dialect: Dialect, lines: &[&str]) -> Result<Option<Reply>, ReplyError> {
        let mut gathering = Gathering::new(dialect);
        lines.iter().map(|line| gathering.line(line.as_bytes())).collect::<Result<Vec<_>, _>>().map(
            |mut found| {
                let last = found.pop().flatten();
                assert!(found.iter().all(Option::is_none), "only the last line ends it");
                last
            },
        )
    }

    #[test]
    fn a_reply_ends_with_its_own_code_and_a_space() {
        let lines = ["230-Welcome", "230x is no code", "  231 nor this", "99", "230-again", "230 Done"];
        let reply = gather(Dialect::Ftp, &lines).unwrap().unwrap();
        assert_eq!((reply.code(), reply.lines().len()), (230, 6));
        assert_eq!(reply.to_string(), "230 Welcome / 230x is no code / 231 nor this / 99 / again / Done");
        assert_eq!(gather(Dialect::Ftp, &["230-Welcome", "231 another"]), Ok(None));
        assert_eq!(gather(Dialect::Smtp, &["250"]).unwrap().unwrap().lines(), [""]);
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for line in ["", "25", "abc hello", "250_", "600 x", "050 x", "2５0 x", " 250 x", "HTTP/1.1 400"] {
            for dialect in [Dialect::Smtp, Dialect::Ftp] {
                assert!(matches!(gather(dialect, &[line]), Err(ReplyError::NotAReply(_))), "{line}");
            }
        }
        assert!(gather(Dialect::Smtp, &["250-a", "550 b"]).is_err());
    }

    #[test]
    fn a_reply_without_end_is_given_up() {
        let mut gathering = Gathering::new(Dialect::Ftp);
        for _ in 0..MOST_LINES {
            assert_eq!(gathering.line(b"220-and on"), Ok(None));
        }
        assert_eq!(gathering.line(b"220 done"), Err(ReplyError::TooLong));
    }
}
