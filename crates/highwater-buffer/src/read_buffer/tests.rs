//! Dense records, which are found by marks and taken from runs, beside a model that does neither.

use super::ReadBuffer;
use crate::{FrameError, Separators, Verdict};
use alloc::vec::Vec;
use bytes::Bytes;

/// Lines of every length up to 90, in an order without a pattern.
fn lines() -> Vec<u8> {
    let mut text = Vec::new();
    for index in 0_usize..2000 {
        text.resize(text.len() + index * index % 91 % (1 + index / 20), b'x');
        text.extend_from_slice(if index % 7 == 0 { b"\r\n" } else { b"\n" });
    }
    text
}

/// The frames of `text` that end in `separator`.
fn frames<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut frames = Vec::new();
    let mut from = 0;
    for end in 1..=text.len() {
        if end - from >= separator.len() && text[from..end].ends_with(separator) {
            frames.push(&text[from..end]);
            from = end;
        }
    }
    frames
}

#[test]
fn r2_dense_frames_are_found_however_they_are_cut_and_taken() {
    let text = lines();
    for separator in [&b"\n"[..], b"\r\n", b"x\r\n", b"xxxxxxxxx\n"] {
        let expected = frames(&text, separator);
        let set = Separators::one(separator).unwrap();
        for chunk in [1, 63, 64, 65, 500, 4096, text.len()] {
            let (mut buffer, mut taken) = (ReadBuffer::new(), Vec::new());
            for part in text.chunks(chunk) {
                buffer.feed(part);
                while let Ok(Verdict::Ready(n)) = buffer.find_until(&set, 5000) {
                    // Owned, in short rows, and borrowed in between.
                    taken.push(match taken.len() % 5 {
                        0 => Bytes::copy_from_slice(buffer.take_ref(n)),
                        _ => buffer.take(n),
                    });
                }
            }
            assert_eq!(taken, expected, "{separator:?} in chunks of {chunk}");
        }
    }
}

#[test]
fn r7_dense_separators_of_several_kinds_end_first_come_first() {
    let set = Separators::new(["\r\n", "\n", ";;", "aaaaaaaaaaaa;"]).unwrap();
    let text = b"a\r\nb;;c\n;d;;;;\r\n".repeat(50);
    let mut buffer = ReadBuffer::new();
    buffer.feed(&text);
    for _ in 0..50 {
        for frame in [&b"a\r\n"[..], b"b;;", b"c\n", b";d;;", b";;", b"\r\n"] {
            assert_eq!(buffer.read_until_ref(&set), Ok(Verdict::Ready(frame)));
        }
    }
}

#[test]
fn r7_no_match_begins_in_what_was_consumed() {
    for set in [&["\r\n"][..], &["\r\n", "xx;"]] {
        let set = Separators::new(set).unwrap();
        let mut buffer = ReadBuffer::new();
        buffer.feed(b"consumed\r\nand a line\r\n");
        buffer.take_ref(9);
        assert_eq!(buffer.read_until_ref(&set), Ok(Verdict::Ready(&b"\nand a line\r\n"[..])));
    }
}

#[test]
fn r2_what_is_put_back_among_dense_lines_is_searched() {
    let mut buffer = ReadBuffer::new();
    buffer.feed(&b"line\n".repeat(100));
    for _ in 0..6 {
        assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("line\n".into()))));
    }
    buffer.unread(b"q\npart of a ");
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("q\n".into()))));
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("part of a line\n".into()))));
}

#[test]
fn r3_a_copy_is_not_taken_for_what_came_to_its_place() {
    let mut buffer = ReadBuffer::new();
    buffer.feed(&[b'a'; 100]);
    assert_eq!([buffer.take(8), buffer.take(8)], ["aaaaaaaa", "aaaaaaaa"]);
    buffer.take_ref(84);
    buffer.feed(&[b'b'; 100]); // and the block begins there
    buffer.take_ref(16);
    assert_eq!(buffer.take(8), "bbbbbbbb");

    let mut buffer = ReadBuffer::new();
    buffer.feed(&[b'a'; 20]);
    assert_eq!([buffer.take(8), buffer.take(8)], ["aaaaaaaa", "aaaaaaaa"]);
    buffer.unread(&[b'b'; 17]); // which does not fit in front
    buffer.take_ref(12);
    assert_eq!(buffer.take(4), "bbbb");
}

#[test]
fn r5_a_limit_holds_where_ends_are_known() {
    let mut buffer = ReadBuffer::new();
    buffer.feed(&b"12\n123456\n".repeat(20));
    for _ in 0..20 {
        assert_eq!(buffer.find_line(1000), Ok(Verdict::Ready(Some(3))));
        assert_eq!(buffer.find_line(1).unwrap_err().consumed(), 2);
        assert_eq!(buffer.find_line(2), Ok(Verdict::Ready(Some(3))));
        buffer.take_ref(3);
        assert_eq!(buffer.find_line(1000), Ok(Verdict::Ready(Some(7))));
        let Err(FrameError::LimitOverrun(error)) = buffer.find_until(Separators::newline(), 5) else {
            panic!()
        };
        assert_eq!(error.consumed(), 6);
        assert_eq!(buffer.find_line(6), Ok(Verdict::Ready(Some(7))));
        buffer.take_ref(7);
    }
}

#[test]
fn r3_a_skip_in_force_comes_before_lines_that_are_known() {
    let end = Separators::one(b"ENDEND").unwrap();
    let mut buffer = ReadBuffer::new();
    buffer.feed(&b"a\n".repeat(1 + 3 * 32)); // one, and three windows
    for _ in 0..90 {
        assert_eq!(buffer.read_line_ref(), Ok(Verdict::Ready(Some(&b"a\n"[..]))));
    }
    assert_eq!(buffer.skip_until(&end), Ok(Verdict::NeedMore));
    assert_eq!(buffer.read_line_ref(), Ok(Verdict::NeedMore));
    assert!(buffer.buffered() > 0 && !buffer.has_ready(1));
    buffer.unread(b"put back\n");
    assert_eq!(buffer.read_line_ref(), Ok(Verdict::NeedMore));
    buffer.feed(b"ENDENDb\n");
    assert_eq!(buffer.read_line_ref(), Ok(Verdict::Ready(Some(&b"b\n"[..]))));
}

#[test]
fn r8_dense_lines_are_searched_once() {
    let text = b"a line of 16 b.\n".repeat(1000);
    let mut buffer = ReadBuffer::new();
    for part in text.chunks(4096) {
        buffer.feed(part);
        while let Ok(Verdict::Ready(Some(_))) = buffer.read_line_ref() {}
    }
    assert_eq!(buffer.bytes_searched(), text.len() as u64);
}

#[test]
fn r1_a_short_frame_keeps_256_bytes_at_most() {
    let mut buffer = ReadBuffer::new();
    buffer.feed(&[b'x'; 1000]);
    assert_eq!((buffer.take(8).len(), buffer.run.kept()), (8, 0), "the first is a copy of its own");
    assert_eq!((buffer.take(8).len(), buffer.run.kept()), (8, 248));
    buffer.take_ref(984);
    buffer.release();
    assert_eq!(buffer.run.kept(), 0, "an idle buffer holds nothing");
}
