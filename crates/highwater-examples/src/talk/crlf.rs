//! Lines as the internet's protocols end them.

/// Puts a CR in front of each LF that lacks one, also where the two come apart.
///
/// ```
/// use highwater_examples::talk::Crlf;
/// let mut crlf = Crlf::default();
/// assert_eq!(crlf.feed(b"one\ntwo\r"), b"one\r\ntwo\r");
/// assert_eq!(crlf.feed(b"\n"), b"\n");
/// ```
#[derive(Debug, Default)]
pub struct Crlf {
    is_after_cr: bool,
}

impl Crlf {
    /// The bytes as they are to be sent.
    ///
    /// ```
    /// # use highwater_examples::talk::Crlf;
    /// assert_eq!(Crlf::default().feed(b"\n\n"), b"\r\n\r\n");
    /// ```
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut ended = Vec::with_capacity(bytes.len() + bytes.len() / 16);
        for &byte in bytes {
            if byte == b'\n' && !self.is_after_cr {
                ended.push(b'\r');
            }
            self.is_after_cr = byte == b'\r';
            ended.push(byte);
        }
        ended
    }
}
