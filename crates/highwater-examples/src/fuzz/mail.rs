//! Commands, replies, listings and messages: lines of SMTP and FTP.

use crate::ftp::{self, Entry};
use crate::reply::{Dialect, Gathering, Reply};
use crate::smtp::{Command, Credentials, DataLine, Extensions, Mailbox, Stuffer};

/// Takes bytes for commands, for replies and for a message.
///
/// # Panics
/// When something is not true: a command that is not what it reads as, a message that changes on its way.
///
/// ```
/// highwater_examples::fuzz::smtp(b"MAIL FROM:<anna@example.org>\r\n.\r\n");
/// ```
pub fn smtp(bytes: &[u8]) {
    for line in lines(bytes) {
        if let Ok(Command::Mail { from: Some(mailbox), .. } | Command::Rcpt(mailbox)) = Command::parse(line) {
            let text = mailbox.to_string();
            assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text:?}");
            assert_eq!(text.parse(), Ok(mailbox.clone()));
            assert_eq!(Command::parse(format!("rcpt to:<{text}>").as_bytes()), Ok(Command::Rcpt(mailbox)));
        }
        let Ok(text) = std::str::from_utf8(line) else { continue };
        if let Ok(mailbox) = text.parse::<Mailbox>() {
            assert_eq!(mailbox.to_string(), text);
        }
        if let Some(credentials) = Credentials::from_plain(text) {
            assert!(
                Credentials::from_plain(&credentials.plain()).is_some_and(|same| same.same_as(&credentials))
            );
        }
    }
    for reply in replies(bytes, Dialect::Smtp) {
        let offered = Extensions::of(&reply);
        assert!(offered.size || offered.largest.is_none());
    }
    message(bytes);
}

/// Takes bytes for replies and for a listing.
///
/// # Panics
/// When something is not true: a port that is none, an entry that would be more than a line.
///
/// ```
/// highwater_examples::fuzz::ftp(b"227 Entering Passive Mode (127,0,0,1,4,1).\r\n");
/// ```
pub fn ftp(bytes: &[u8]) {
    for line in lines(bytes) {
        if let Some(entry) = Entry::parse(line) {
            assert!(line.ends_with(&entry.name) && !entry.name.is_empty());
            assert!(!entry.to_string().chars().any(char::is_control), "{entry}");
        }
        if let Some(argument) = std::str::from_utf8(line).ok().and_then(ftp::argument) {
            assert!(!argument.contains(['\r', '\n', '\0']));
        }
    }
    for reply in replies(bytes, Dialect::Ftp) {
        assert_ne!(ftp::passive_port(&reply), Some(0));
        assert_ne!(ftp::extended_passive_port(&reply), Some(0));
        ftp::size(&reply);
        ftp::has_feature(&reply, "MLST");
    }
}

/// A message arrives as it was sent, but for its line ends, however it is cut: the first byte tells how.
fn message(bytes: &[u8]) {
    let Some((&cut, message)) = bytes.split_first() else { return };
    let stuffed = |size: usize| {
        let (mut stuffer, mut wire) = (Stuffer::new(), Vec::new());
        message.chunks(size).for_each(|piece| stuffer.feed(piece, &mut wire));
        stuffer.finish(&mut wire);
        wire
    };
    let wire = stuffed(usize::from(cut).max(1));
    assert_eq!(wire, stuffed(message.len().max(1)), "in pieces of {cut}");

    let mut arrived = Vec::new();
    let mut rest = wire.as_slice();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("every line has an end") + 2;
        let (line, behind) = rest.split_at(end);
        rest = behind;
        match DataLine::of(line) {
            DataLine::End => break,
            DataLine::Text(text) => arrived.extend_from_slice(text),
            DataLine::Bare => panic!("half a line end in {line:?}"),
        }
    }
    assert!(rest.is_empty(), "the message ended before {rest:?}");
    assert_eq!(arrived, with_line_ends(message));
}

/// The simplest way to say what becomes of line ends.
fn with_line_ends(message: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut before = b'\n';
    for &byte in message {
        match (before, byte) {
            (b'\r', b'\n') => {}
            (_, b'\r' | b'\n') => lines.extend_from_slice(b"\r\n"),
            (_, byte) => lines.push(byte),
        }
        before = byte;
    }
    if !matches!(before, b'\r' | b'\n') {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The replies in the lines, up to one that is none.
fn replies(bytes: &[u8], dialect: Dialect) -> Vec<Reply> {
    let mut found = Vec::new();
    let mut gathering = Gathering::new(dialect);
    for line in lines(bytes) {
        match gathering.line(line) {
            Ok(None) => {}
            Ok(Some(reply)) => {
                assert!((100..600).contains(&reply.code()) && !reply.lines().is_empty());
                assert!(!reply.to_string().chars().any(char::is_control), "{reply}");
                found.push(reply);
                gathering = Gathering::new(dialect);
            }
            Err(error) => {
                assert!(!error.to_string().chars().any(char::is_control), "{error}");
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_said_in_smtp_is_understood_or_refused(words in prop::collection::vec(prop_oneof![
            Just("\r"), Just("\n"), Just("\r\n"), Just("."), Just("MAIL FROM:<"), Just(">"), Just("a@b"), Just("\""),
            Just("250-"), Just("250 "), Just("SIZE=1"), Just("\u{9b}"), Just("x"), Just(" "),
        ], 0..40)) {
            super::smtp(words.concat().as_bytes());
        }

        #[test]
        fn whatever_is_said_in_ftp_is_understood_or_refused(words in prop::collection::vec(prop_oneof![
            Just("\r\n"), Just("227 "), Just("229-"), Just("229 "), Just("(|||"), Just("|)"), Just("1,2,3,4"), Just(",5"),
            Just("type=file;"), Just("size=7;"), Just("modify=20260102030405"), Just(" name"), Just("\u{9b}"),
        ], 0..40)) {
            super::ftp(words.concat().as_bytes());
        }
    }
}
