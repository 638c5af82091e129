//! One direction of a conversation, told line by line.

use super::escape::escape_line;
use std::mem;

/// The most bytes of a line that are waited for. The rest of a longer one is told as if it were the next.
const LONGEST: usize = 1024;

/// Cuts what is sent or received into lines behind a mark, with what ends them written out.
///
/// ```
/// use highwater_examples::talk::Lines;
/// let mut lines = Lines::new('<');
/// assert_eq!(lines.feed(b"220 rea"), "");
/// assert_eq!(lines.feed(b"dy\r\nnot"), "< 220 ready\\r\\n\n");
/// assert_eq!(lines.finish(), "< not\n");
/// ```
#[derive(Debug)]
pub struct Lines {
    mark: char,
    /// The line that has begun. Invariant: shorter than [`LONGEST`].
    held: Vec<u8>,
}

impl Lines {
    /// In the direction that the mark shows.
    ///
    /// ```
    /// # use highwater_examples::talk::Lines;
    /// assert_eq!(Lines::new('>').feed(b"QUIT\n"), "> QUIT\\n\n");
    /// ```
    pub fn new(mark: char) -> Self {
        Self { mark, held: Vec::new() }
    }

    /// The lines that are complete.
    ///
    /// ```
    /// # use highwater_examples::talk::Lines;
    /// assert_eq!(Lines::new('>').feed(b"a\nb\nc"), "> a\\n\n> b\\n\n");
    /// ```
    pub fn feed(&mut self, bytes: &[u8]) -> String {
        let mut told = String::new();
        for &byte in bytes {
            self.held.push(byte);
            if byte == b'\n' || self.held.len() == LONGEST {
                told.push_str(&self.finish());
            }
        }
        told
    }

    /// The line that has begun, at the end of the stream.
    ///
    /// ```
    /// # use highwater_examples::talk::Lines;
    /// assert_eq!(Lines::new('>').finish(), "");
    /// ```
    pub fn finish(&mut self) -> String {
        match mem::take(&mut self.held) {
            held if held.is_empty() => String::new(),
            held => format!("{} {}\n", self.mark, escape_line(&held)),
        }
    }
}
