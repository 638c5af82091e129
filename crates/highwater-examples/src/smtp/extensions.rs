//! What a server offers in its answer to EHLO.

use crate::reply::Reply;

/// The extensions that a client of ours makes use of.
///
/// ```
/// use highwater_examples::reply::{Dialect, Gathering};
/// use highwater_examples::smtp::Extensions;
/// let mut reply = Gathering::new(Dialect::Smtp);
/// reply.line(b"250-mail.example.org greets you").unwrap();
/// reply.line(b"250-SIZE 1000").unwrap();
/// let reply = reply.line(b"250 AUTH LOGIN PLAIN").unwrap().unwrap();
/// let offered = Extensions::of(&reply);
/// assert_eq!((offered.largest, offered.auth_plain, offered.pipelining), (Some(1000), true, false));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 2920: commands need not wait for one another's replies.
    pub pipelining: bool,
    /// RFC 6152: bytes above 127.
    pub eight_bit: bool,
    /// RFC 1870: the size of a message may be announced.
    pub size: bool,
    /// The size of the largest message, if there is one. None other than zero is.
    pub largest: Option<u64>,
    /// RFC 4954, RFC 4616.
    pub auth_plain: bool,
}

impl Extensions {
    /// Those in a reply. Its first line is a greeting.
    ///
    /// ```
    /// use highwater_examples::reply::{Dialect, Gathering};
    /// use highwater_examples::smtp::Extensions;
    /// let reply = Gathering::new(Dialect::Smtp).line(b"250 STARTTLS").unwrap().unwrap();
    /// assert_eq!(Extensions::of(&reply), Extensions::default());
    /// ```
    pub fn of(reply: &Reply) -> Self {
        let mut offered = Self::default();
        for line in &reply.lines()[1..] {
            let mut words = line.split_ascii_whitespace();
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("STARTTLS") => offered.starttls = true,
                Some("PIPELINING") => offered.pipelining = true,
                Some("8BITMIME") => offered.eight_bit = true,
                Some("SIZE") => {
                    offered.size = true;
                    offered.largest =
                        words.next().and_then(|size| size.parse().ok()).filter(|&size| size > 0);
                }
                Some("AUTH") => offered.auth_plain |= words.any(|word| word.eq_ignore_ascii_case("PLAIN")),
                _ => {}
            }
        }
        offered
    }
}
