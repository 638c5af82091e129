//! What has to hold of everything a peer may send.

use super::{Crlf, Dialogue, Escaper, Lines, Protocol, Turn, dump};
use crate::text::is_command;

/// Shows bytes in every way there is and takes them for the answers to STARTTLS, and panics where a control character
/// would reach a terminal, a byte is lost, or it matters how the bytes are cut.
///
/// The first byte chooses where they are cut and the protocol.
///
/// ```
/// highwater_examples::talk::check_talk(b"\x03220 ready\r\n250 \x1b[2J\r\n");
/// ```
pub fn check_talk(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let pieces = || bytes.chunks(usize::from(choice) + 1);
    check_escapes(bytes, pieces());
    check_lines(bytes, pieces());
    check_crlf(bytes, pieces());
    check_dump(bytes);
    for protocol in [Protocol::Smtp, Protocol::Imap, Protocol::Ftp] {
        check_dialogue(protocol, bytes);
    }
}

fn check_escapes<'a>(bytes: &[u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let (mut whole, mut cut) = (Escaper::default(), Escaper::default());
    let text = whole.feed(bytes) + &whole.finish();
    let found = pieces.map(|piece| cut.feed(piece)).collect::<String>() + &cut.finish();
    assert_eq!(found, text);
    for (at, c) in text.char_indices() {
        let is_line_end = c == '\n' || (c == '\r' && text[at + 1..].starts_with('\n'));
        assert!(!is_command(c) || c == '\t' || is_line_end, "{c:?} in {text:?}");
    }
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(is_command));
    assert!(!is_text || text.as_bytes() == bytes, "{text:?}");
}

fn check_lines<'a>(bytes: &[u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let (mut whole, mut cut) = (Lines::new('<'), Lines::new('<'));
    let told = whole.feed(bytes) + &whole.finish();
    let found = pieces.map(|piece| cut.feed(piece)).collect::<String>() + &cut.finish();
    assert_eq!(found, told);
    for line in told.lines() {
        assert!(line.starts_with("< ") && !line.contains(is_command), "{line:?}");
    }
}

fn check_crlf<'a>(bytes: &[u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let mut cut = Crlf::default();
    let ended = Crlf::default().feed(bytes);
    assert_eq!(pieces.flat_map(|piece| cut.feed(piece)).collect::<Vec<_>>(), ended);
    assert_eq!(Crlf::default().feed(&ended), ended, "once is enough");
    let without_cr = |bytes: &[u8]| bytes.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<_>>();
    assert_eq!(without_cr(&ended), without_cr(bytes));
}

fn check_dump(bytes: &[u8]) {
    let mut found = Vec::new();
    for row in dump(0, bytes).lines() {
        assert!(row.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{row:?}");
        let hex = row[10..58].split_whitespace();
        found.extend(hex.map(|digits| u8::from_str_radix(digits, 16).expect("two digits")));
    }
    assert_eq!(found, bytes);
}

fn check_dialogue(protocol: Protocol, bytes: &[u8]) {
    let mut dialogue = Dialogue::new(protocol);
    let mut said = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match dialogue.hear(line) {
            Turn::Listen => {}
            Turn::Say(line) => {
                assert!(line.ends_with("\r\n") && line.lines().count() == 1, "{line:?}");
                said += 1;
            }
            Turn::Ready => {
                assert!(said > 0, "nobody begins TLS unasked");
                break;
            }
            Turn::Refused => break,
        }
    }
    assert!(said <= 2);
}
