//! FTP's words, for a client: RFC 959, RFC 2428 (EPSV), RFC 3659 (SIZE, MLSD).
//!
//! Functions of replies and lines alone; who waits for what is in `src/bin/ftp`.

mod entry;

pub use entry::{Entry, Kind};

use crate::reply::Reply;

/// The port of `229 Entering Extended Passive Mode (|||port|)`. Any character may stand for the bar.
///
/// ```
/// use highwater_examples::ftp::extended_passive_port;
/// use highwater_examples::reply::{Dialect, Gathering};
/// let reply = Gathering::new(Dialect::Ftp).line(b"229 Extended passive (|||40001|)").unwrap().unwrap();
/// assert_eq!(extended_passive_port(&reply), Some(40001));
/// ```
pub fn extended_passive_port(reply: &Reply) -> Option<u16> {
    let (_, inside) = reply.lines().last()?.split_once('(')?;
    let bar = inside.chars().next().filter(char::is_ascii_graphic)?;
    let mut fields = inside.split(bar);
    // Before the first bar, the family, the address: nothing, for the client knows both.
    if !fields.by_ref().take(3).all(str::is_empty) {
        return None;
    }
    let port = number(fields.next()?).filter(|&port: &u16| port > 0)?;
    fields.next()?.starts_with(')').then_some(port)
}

/// The port of `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`, with or without the parentheses.
///
/// The address before it is not told: a server could send its clients anywhere with it. The data connection
/// goes to the host of the control connection, also when the server, behind an address translator, believes
/// that it has another address.
///
/// ```
/// use highwater_examples::ftp::passive_port;
/// use highwater_examples::reply::{Dialect, Gathering};
/// let reply = Gathering::new(Dialect::Ftp).line(b"227 Passive (10,0,0,1,156,65).").unwrap().unwrap();
/// assert_eq!(passive_port(&reply), Some(156 * 256 + 65));
/// ```
pub fn passive_port(reply: &Reply) -> Option<u16> {
    let text = reply.lines().last()?;
    // RFC 1123 §4.1.2.6: there is no telling what is around the numbers.
    let numbers = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(numbers.len());
    let mut bytes = numbers[..end].split(',').map(number::<u8>);
    let mut parts = [0; 6];
    for part in &mut parts {
        *part = bytes.next()??;
    }
    let port = u16::from_be_bytes([parts[4], parts[5]]);
    (bytes.next().is_none() && port > 0).then_some(port)
}

/// The number in `213 size`, the reply to SIZE.
///
/// ```
/// use highwater_examples::ftp::size;
/// use highwater_examples::reply::{Dialect, Gathering};
/// let reply = Gathering::new(Dialect::Ftp).line(b"213 5000000000").unwrap().unwrap();
/// assert_eq!(size(&reply), Some(5_000_000_000));
/// ```
pub fn size(reply: &Reply) -> Option<u64> {
    number(reply.lines().last()?.trim())
}

/// Whether the reply to FEAT has a feature.
///
/// ```
/// use highwater_examples::ftp::has_feature;
/// use highwater_examples::reply::{Dialect, Gathering};
/// let mut reply = Gathering::new(Dialect::Ftp);
/// reply.line(b"211-Features:").unwrap();
/// reply.line(b" MLST type*;size*;").unwrap();
/// let reply = reply.line(b"211 End").unwrap().unwrap();
/// assert!(has_feature(&reply, "MLST") && !has_feature(&reply, "ML"));
/// ```
pub fn has_feature(reply: &Reply, feature: &str) -> bool {
    let named = |line: &String| line.split_ascii_whitespace().next().map(str::to_ascii_uppercase);
    reply.lines().iter().skip(1).any(|line| named(line).as_deref() == Some(feature))
}

/// The argument as it may stand in a command, or `None`: one that ends the line would be another command.
///
/// ```
/// use highwater_examples::ftp::argument;
/// assert_eq!(argument("a file"), Some("a file"));
/// assert_eq!(argument("a file\r\nDELE it"), None);
/// ```
pub fn argument(text: &str) -> Option<&str> {
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

/// A number in digits alone: no sign, and nothing is no number.
fn number<N: std::str::FromStr>(digits: &str) -> Option<N> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Dialect, Gathering};

    fn reply(line: &str) -> Reply {
        Gathering::new(Dialect::Ftp).line(line.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_port_is_found_in_what_servers_say() {
        for (text, port) in [
            ("229 Entering Extended Passive Mode (|||6446|)", Some(6446)),
            ("229 ok (!!!1!)", Some(1)),
            ("229 ok (|||0|)", None),
            ("229 ok (|||65536|)", None),
            ("229 ok (|||+21|)", None),
            ("229 ok (|1|192.0.2.1|6446|)", None),
            ("229 ok (|||6446)", None),
            ("229 ok |||6446|", None),
            ("229 ok (", None),
            ("229 ok (ééé1é)", None),
        ] {
            assert_eq!(extended_passive_port(&reply(text)), port, "{text}");
        }
        for (text, port) in [
            ("227 Entering Passive Mode (127,0,0,1,0,21).", Some(21)),
            ("227 Entering Passive Mode. 127,0,0,1,255,255", Some(65535)),
            ("227 =127,0,0,1,4,0", Some(1024)),
            ("227 (127,0,0,1,0,0)", None),
            ("227 (127,0,0,1,256,0)", None),
            ("227 (127,0,0,1,1)", None),
            ("227 (127,0,0,1,1,1,1)", None),
            ("227 (127,0,0,1,,1)", None),
            ("227 passive", None),
        ] {
            assert_eq!(passive_port(&reply(text)), port, "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_nothing_else() {
        for (text, expected) in [("213 0", Some(0)), ("213 -1", None), ("213", None), ("213 1 2", None)] {
            assert_eq!(size(&reply(text)), expected, "{text}");
        }
    }
}
