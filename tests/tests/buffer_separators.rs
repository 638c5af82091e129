//! R7: which match counts when there are several, and which sets there can be.

use bytes::Bytes;
use highwater_buffer::{FrameError, IntoSeparators, InvalidSeparators, ReadBuffer, Separators, Verdict};
use highwater_testing::{Call, Form, Op, Outcome, ReadModel};
use highwater_tests::read_buffer::{Arrival, BufferSubject};
use highwater_tests::report;
use highwater_tests::subject::{Subject, byte_strings, separators};
use std::borrow::Borrow;
use std::task::Poll;

fn frame(set: &[&str], bytes: &str) -> String {
    let mut buffer = ReadBuffer::new();
    buffer.feed(bytes.as_bytes());
    match buffer.read_until(&separators(set)) {
        Ok(Verdict::Ready(frame)) => String::from_utf8_lossy(&frame).into_owned(),
        other => panic!("no frame: {other:?}"),
    }
}

#[test]
fn r7_the_match_that_ends_first_wins() {
    assert_eq!(frame(&["CD", "BCDE"], "ABCDEFG"), "ABCD");
    assert_eq!(frame(&["DEF", "BCDE"], "ABCDEFG"), "ABCDE");
    assert_eq!(frame(&["\r\n", "\r"], "abc\r\n"), "abc\r");
    assert_eq!(frame(&["x", "abcabd"], "abcabcabdx"), "abcabcabd");
}

#[test]
fn r7_of_matches_that_end_together_the_shortest_counts_for_the_limit() {
    let set = separators(&["\r\n", "\n", "4\r\n"]);
    let mut buffer = ReadBuffer::with_limit(4);
    buffer.feed(b"1234\r\n");
    match buffer.read_until(&set) {
        Err(FrameError::LimitOverrun(error)) => assert_eq!(error.consumed(), 5),
        other => panic!("the payload is 1234\\r, of five bytes: {other:?}"),
    }
    buffer.set_limit(5);
    assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready("1234\r\n".into())));
}

/// All sets of one or two separators of up to three letters, on all texts of six and seven, with limits
/// from nothing up: whole and byte by byte, as the model says. Each set once as it is, and once among
/// others that do not occur, which makes it too large to stay inline.
#[test]
fn r7_every_small_set_on_every_short_text() {
    let strings =
        |most: u32| (1..=most).flat_map(|length| (0..1_u32 << length).map(move |n| word(length, n)));
    let others = byte_strings(&["x", "yx", "zyx"]);
    let sets: Vec<Vec<Bytes>> = strings(3)
        .flat_map(|one| strings(3).map(move |other| vec![one.clone(), other]))
        .filter(|set| set[0] <= set[1])
        .flat_map(|set| [set.clone(), [set, others.clone()].concat()])
        .collect();
    let mut compared = 0;
    for set in &sets {
        let call = Call::from(Op::ReadUntil(set.clone()));
        for text in strings(7).filter(|text| text.len() > 5) {
            for limit in [0, 2, 4] {
                let mut model = ReadModel::new(limit);
                model.feed(&text);
                let expected = model.call(&call);

                let mut whole = BufferSubject::new(Form::Owned, Arrival::Fed, limit);
                whole.feed(&text);
                assert_eq!(whole.begin(&call), expected, "{set:?} in {text:?}, limit {limit}");
                assert_eq!(one_by_one(&text, limit, &call), expected, "{set:?} in {text:?}, limit {limit}");
                compared += 1;
            }
        }
    }
    report(&format!("separators: {compared} searches compared, whole and byte by byte"));
}

/// The `n`th word of `length` letters, of which there are two.
fn word(length: u32, n: u32) -> Bytes {
    (0..length).map(|bit| if n & (1 << bit) == 0 { b'a' } else { b'b' }).collect()
}

fn one_by_one(text: &[u8], limit: usize, call: &Call) -> Poll<Outcome> {
    let mut subject = BufferSubject::new(Form::Borrowed, Arrival::Fed, limit);
    let mut outcome = subject.begin(call);
    for byte in text {
        if outcome.is_ready() {
            break;
        }
        subject.feed(&[*byte]);
        outcome = subject.resume();
    }
    outcome
}

#[test]
fn r7_long_and_many_separators_are_found() {
    let long: Vec<String> = (1..=300).map(|length| format!("{}{length:03}", "-".repeat(length))).collect();
    let set = separators(&long);
    let mut buffer = ReadBuffer::new();
    for separator in &long {
        let text = format!("payload{separator}");
        for byte in text.as_bytes() {
            assert_eq!(buffer.read_until(&set), Ok(Verdict::NeedMore));
            buffer.feed(&[*byte]);
        }
        assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready(text.into())));
    }
}

#[test]
fn r7_every_byte_value_separates() {
    for value in 0..=255_u8 {
        let mut buffer = ReadBuffer::new();
        let other = value.wrapping_add(1);
        buffer.feed(&[other, other, value, other]);
        let set = separators(&[[value]]);
        assert_eq!(buffer.read_until_ref(&set), Ok(Verdict::Ready(&[other, other, value][..])));
    }
}

#[test]
fn r7_a_set_is_what_it_holds_however_it_is_written() {
    fn compiled(given: impl IntoSeparators) -> Separators {
        let given = given.into_separators().expect("none is empty");
        Borrow::<Separators>::borrow(&given).clone()
    }
    let set = separators(&["\n", "\r\n"]);
    let borrowed: &[&str; 2] = &["\n", "\r\n"];
    for same in [
        compiled((b"\r\n", b"\n")),
        compiled(("\n", &b"\r\n"[..], String::from("\n"))),
        compiled(["\r\n", "\n"]),
        compiled(borrowed),
        compiled(&vec![Bytes::from("\r\n"), Bytes::from("\n")][..]),
        compiled(&set),
    ] {
        assert_eq!(same, set);
    }
    for same in [compiled(b'\n'), compiled(b"\n"), compiled("\n"), compiled(Separators::newline())] {
        assert_eq!(same, *Separators::newline());
    }
}

#[test]
fn r7_a_set_without_a_byte_to_find_is_refused() {
    let none: [&str; 0] = [];
    assert_eq!(Separators::new(none), Err(InvalidSeparators::None));
    assert_eq!((&none[..]).into_separators(), Err(InvalidSeparators::None));
    assert_eq!("".into_separators(), Err(InvalidSeparators::Empty { index: 0 }));
    assert_eq!(("a", "").into_separators(), Err(InvalidSeparators::Empty { index: 1 }));
    let late = ["a separator of more than sixteen bytes", "b", ""];
    assert_eq!(Separators::new(late), Err(InvalidSeparators::Empty { index: 2 }));
}
