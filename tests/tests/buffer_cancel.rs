//! R3 and R4: a read that needs more has taken nothing, a skip stays in force, and data comes before the
//! end of the stream.

use highwater_buffer::{FrameError, IncompleteRead, ReadBuffer, Separators, Verdict};
use highwater_tests::subject::separators;

fn fed(bytes: &str) -> ReadBuffer {
    let mut buffer = ReadBuffer::new();
    buffer.feed(bytes.as_bytes());
    buffer
}

#[test]
fn r3_a_read_that_needs_more_takes_nothing() {
    let set = separators(&["\r\n", "--end--"]);
    let mut buffer = fed("some data\r");
    for _ in 0..3 {
        assert_eq!(buffer.read_until(&set), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_until_ref(&set), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_line(), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_line_ref(), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_exactly(11), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_exactly_ref(11), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_to_end(10), Ok(Verdict::NeedMore));
        assert_eq!(buffer.peek(11), Verdict::NeedMore);
        assert_eq!(buffer.unread_bytes(), b"some data\r");
    }
    buffer.feed(b"\n");
    assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready("some data\r\n".into())));
}

#[test]
fn r3_finding_takes_nothing() {
    let mut buffer = fed("a line\n");
    assert_eq!(buffer.find_line(100), Ok(Verdict::Ready(Some(7))));
    assert_eq!(buffer.find_until(Separators::newline(), 100), Ok(Verdict::Ready(7)));
    assert_eq!(buffer.find_exactly(3), Ok(Verdict::Ready(3)));
    assert_eq!(buffer.find_some(3), Verdict::Ready(3));
    assert_eq!(buffer.find_peek(3), Verdict::Ready(3));
    assert_eq!(buffer.unread_bytes(), b"a line\n");
    buffer.feed_eof();
    assert_eq!(buffer.find_end(7), Ok(Verdict::Ready(7)));
    assert_eq!(buffer.unread_bytes(), b"a line\n");
}

/// A read, and what it gave if it gave anything.
type Read = fn(&mut ReadBuffer) -> Option<Vec<u8>>;

/// Each read first finishes the skip, and does not see what it discards.
#[test]
fn r3_a_skip_that_was_given_up_stays_in_force_for_every_read() {
    let reads: [Read; 8] = [
        |buffer| buffer.read_line().ok()?.ready()?.map(Vec::from),
        |buffer| buffer.read_line_ref().ok()?.ready()?.map(Vec::from),
        |buffer| Some(buffer.read_until(Separators::newline()).ok()?.ready()?.to_vec()),
        |buffer| Some(buffer.read_until_ref(Separators::newline()).ok()?.ready()?.to_vec()),
        |buffer| Some(buffer.read_exactly(3).ok()?.ready()?.to_vec()),
        |buffer| Some(buffer.read_exactly_ref(3).ok()?.ready()?.to_vec()),
        |buffer| Some(buffer.read(3).ready()?.to_vec()),
        |buffer| Some(buffer.peek(3).ready()?.to_vec()),
    ];
    for read in reads {
        let mut buffer = fed("junk\nmore junk\r");
        let end = separators(&["\r\n;"]);
        assert_eq!(buffer.skip_until(&end), Ok(Verdict::NeedMore));
        for part in ["\n", "still\njunk", "\r", "\n"] {
            assert_eq!(read(&mut buffer), None, "it waits for the end of the skip");
            buffer.feed(part.as_bytes());
        }
        buffer.feed(b";ok\n");
        assert!(read(&mut buffer).is_some_and(|read| b"ok\n".starts_with(&read)));
    }
}

#[test]
fn r3_a_skip_taken_up_again_counts_all_it_discarded() {
    let end = separators(&["--end--"]);
    let mut buffer = ReadBuffer::new();
    for part in ["some junk --en", "dx-", "-en", "d--rest"] {
        assert_eq!(buffer.skip_until(&end), Ok(Verdict::NeedMore));
        buffer.feed(part.as_bytes());
    }
    let skipped = "some junk --endx--end--".len() as u64;
    assert_eq!(buffer.skip_until(&end), Ok(Verdict::Ready(skipped)));
    assert_eq!(buffer.unread_bytes(), b"rest");
}

#[test]
fn r3_a_skip_that_the_end_of_the_stream_finished_is_over() {
    let mut buffer = fed("junk");
    assert_eq!(buffer.skip_until(Separators::newline()), Ok(Verdict::NeedMore));
    buffer.feed_eof();
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(None)));
    buffer.unread(b"a\n");
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("a\n".into()))));
}

#[test]
fn r4_what_is_buffered_is_read_before_the_end() {
    let mut buffer = fed("one\ntwo\r\nabcdef");
    buffer.feed_eof();
    assert!(!buffer.at_eof(), "there is something to read");
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("one\n".into()))));
    assert_eq!(buffer.read_until(&separators(&["\r\n"])), Ok(Verdict::Ready("two\r\n".into())));
    assert_eq!(buffer.read_exactly(2), Ok(Verdict::Ready("ab".into())));
    assert_eq!(buffer.peek(9), Verdict::Ready(&b"cdef"[..]));
    assert_eq!(buffer.read(1), Verdict::Ready("c".into()));
    assert_eq!(buffer.read_to_end(3), Ok(Verdict::Ready("def".into())));
    assert!(buffer.at_eof());
    assert_eq!(buffer.read(1), Verdict::Ready("".into()));
}

#[test]
fn r4_an_early_end_hands_over_all_there_is() {
    let incomplete = |error: IncompleteRead| (error.partial().to_vec(), error.expected(), error.skipped());

    let mut buffer = fed("abc");
    buffer.feed_eof();
    let error = buffer.read_exactly(4).unwrap_err();
    assert_eq!(incomplete(error), (b"abc".to_vec(), Some(4), 0));

    buffer.unread(b"abc\r");
    match buffer.read_until(&separators(&["\r\n"])) {
        Err(FrameError::Incomplete(error)) => assert_eq!(incomplete(error), (b"abc\r".to_vec(), None, 0)),
        other => panic!("{other:?}"),
    }

    buffer.unread(b"abc\r");
    let error = buffer.skip_until(&separators(&["\r\n"])).unwrap_err();
    assert_eq!(incomplete(error), (Vec::new(), None, 4));
    assert!(buffer.at_eof());
}

#[test]
fn r4_an_overrun_is_met_before_the_end() {
    let mut buffer = ReadBuffer::with_limit(2);
    buffer.feed(b"abc");
    buffer.feed_eof();
    assert_eq!(buffer.read_line().map_err(|error| error.consumed()), Err(3));
    assert_eq!(buffer.read_to_end(2).map_err(|error| error.consumed()), Err(3));
    assert_eq!(buffer.unread_bytes(), b"abc");
}
