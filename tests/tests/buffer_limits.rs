//! R5 and R6: a limit that is always there, counts what stands before the separator, and loses nothing.

use highwater_buffer::{DEFAULT_LIMIT, FrameError, LimitOverrun, ReadBuffer, Separators, Verdict};
use highwater_tests::subject::separators;

fn fed(limit: usize, bytes: &[u8]) -> ReadBuffer {
    let mut buffer = ReadBuffer::with_limit(limit);
    buffer.feed(bytes);
    buffer
}

fn line(payload: usize, end: &str) -> Vec<u8> {
    [&vec![b'x'; payload][..], end.as_bytes()].concat()
}

fn overrun<T: std::fmt::Debug>(outcome: Result<T, FrameError>) -> LimitOverrun {
    match outcome {
        Err(FrameError::LimitOverrun(error)) => error,
        other => panic!("not an overrun: {other:?}"),
    }
}

#[test]
fn r5_the_limit_is_64_kib_unless_said_otherwise() {
    assert_eq!(DEFAULT_LIMIT, 65_536);
    assert_eq!(ReadBuffer::new().limit(), DEFAULT_LIMIT);
    assert_eq!(ReadBuffer::default().limit(), DEFAULT_LIMIT);
}

#[test]
fn r5_a_payload_of_exactly_the_limit_passes() {
    for limit in [0, 1, 2, 1000, DEFAULT_LIMIT] {
        for end in ["\n", "\r\n", "--end--"] {
            let set = separators(&[end]);
            for payload in [limit.saturating_sub(1), limit] {
                let whole = line(payload, end);
                let mut buffer = fed(limit, &whole);
                assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready(whole.into())));
            }
            let whole = line(limit + 1, end);
            let mut buffer = fed(limit, &whole);
            let error = overrun(buffer.read_until(&set));
            assert_eq!((error.consumed(), error.limit()), (limit + 1, limit));
            assert_eq!(buffer.unread_bytes(), whole);
        }
    }
}

/// Split anywhere around the limit and around the separator: the same answers.
#[test]
fn r5_the_limit_is_the_same_however_the_bytes_are_cut() {
    let set = separators(&["\r\n"]);
    for payload in [DEFAULT_LIMIT - 1, DEFAULT_LIMIT, DEFAULT_LIMIT + 1] {
        let whole = line(payload, "\r\n");
        for cut in DEFAULT_LIMIT - 3..whole.len() {
            let mut buffer = fed(DEFAULT_LIMIT, &whole[..cut]);
            let mut outcome = buffer.read_until(&set);
            if outcome == Ok(Verdict::NeedMore) {
                buffer.feed(&whole[cut..]);
                outcome = buffer.read_until(&set);
            }
            if payload <= DEFAULT_LIMIT {
                assert_eq!(outcome, Ok(Verdict::Ready(whole.clone().into())), "cut at {cut}");
            } else {
                assert_eq!(overrun(outcome).consumed(), DEFAULT_LIMIT + 1, "cut at {cut}");
            }
        }
    }
}

#[test]
fn r5_a_limit_for_one_call_leaves_the_buffers_own() {
    let mut buffer = fed(4, b"0123456789\n0123456789\n");
    assert!(buffer.find_line(9).is_err());
    assert_eq!(buffer.find_line(10), Ok(Verdict::Ready(Some(11))));
    assert_eq!(buffer.limit(), 4);
    assert!(buffer.read_line().is_err());
    buffer.set_limit(10);
    assert!(buffer.read_line().is_ok());
    buffer.set_limit(9);
    assert!(buffer.read_line().is_err());
}

#[test]
fn r5_a_limit_of_all_there_can_be_overflows_nowhere() {
    let mut buffer = fed(usize::MAX, b"abc");
    assert_eq!(buffer.read_line(), Ok(Verdict::NeedMore));
    assert_eq!(buffer.read_until(&separators(&["\r\n"])), Ok(Verdict::NeedMore));
    assert_eq!(buffer.read_to_end(usize::MAX), Ok(Verdict::NeedMore));
    assert_eq!(buffer.read_exactly(usize::MAX), Ok(Verdict::NeedMore));
    drop(buffer.spare());
    buffer.feed(b"\r\n");
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("abc\r\n".into()))));
}

#[test]
fn r5_reads_that_count_bytes_know_no_limit() {
    let mut buffer = fed(1, b"0123456789");
    assert_eq!(buffer.peek(4), Verdict::Ready(&b"0123"[..]));
    assert_eq!(buffer.read(4), Verdict::Ready("0123".into()));
    assert_eq!(buffer.read_exactly(4), Ok(Verdict::Ready("4567".into())));
    buffer.feed_eof();
    assert_eq!(buffer.read_to_end(2), Ok(Verdict::Ready("89".into())));
}

#[test]
fn r6_an_overrun_leaves_every_byte() {
    let mut buffer = fed(4, b"0123456789\r\nnext\r\n");
    for _ in 0..3 {
        let set = separators(&["\r\n"]);
        assert_eq!(overrun(buffer.read_until(&set)).consumed(), 5);
        assert_eq!(overrun(buffer.read_until_ref(&set)).consumed(), 5);
        assert_eq!(overrun(buffer.find_until(&set, 4)).consumed(), 5);
        assert_eq!(buffer.read_line().unwrap_err().consumed(), 5);
        assert_eq!(buffer.read_line_ref().unwrap_err().consumed(), 5);
        assert_eq!(buffer.find_line(4).unwrap_err().consumed(), 5);
        assert_eq!(buffer.read_to_end(4).unwrap_err().consumed(), 5);
        assert_eq!(buffer.unread_bytes(), b"0123456789\r\nnext\r\n");
    }
}

#[test]
fn r6_on_by_a_larger_limit() {
    let set = separators(&["\r\n"]);
    let mut buffer = fed(4, b"0123456789\r\nnext\r\n");
    overrun(buffer.read_until(&set));
    overrun(buffer.find_until(&set, 9));
    assert_eq!(buffer.find_until(&set, 10), Ok(Verdict::Ready(12)));
    buffer.set_limit(10);
    assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready("0123456789\r\n".into())));
    assert_eq!(buffer.unread_bytes(), b"next\r\n");
}

/// Taking `consumed` bytes each time passes all of an endless line on, and never splits a separator.
#[test]
fn r6_on_by_taking_what_was_consumed() {
    let set = separators(&["\r\n", "--end--", "\n\n"]);
    for payload in 0..40 {
        for end in ["\r\n", "--end--", "\n\n"] {
            let whole = line(payload, end);
            for limit in 0..10 {
                let mut buffer = fed(limit, &whole);
                let mut passed = Vec::new();
                let last = loop {
                    match buffer.read_until(&set) {
                        Ok(Verdict::Ready(frame)) => break frame,
                        Ok(Verdict::NeedMore) => panic!("{whole:?} ends in a separator"),
                        Err(error) => {
                            let consumed = overrun::<()>(Err(error)).consumed();
                            assert!(consumed > limit, "what is taken is past the limit");
                            passed.extend_from_slice(buffer.take_ref(consumed));
                        }
                    }
                };
                assert!(last.ends_with(end.as_bytes()), "{last:?} of {payload} bytes, limit {limit}");
                passed.extend_from_slice(&last);
                assert_eq!(passed, whole);
            }
        }
    }
}

#[test]
fn r6_on_by_skipping() {
    let set = separators(&["\r\n"]);
    let mut buffer = fed(4, b"0123456789\r");
    overrun(buffer.read_until(&set));
    assert_eq!(buffer.skip_until(&set), Ok(Verdict::NeedMore));
    assert_eq!(buffer.buffered(), 1, "only the `\\r` may still become a separator");
    buffer.feed(b"\nnext\r\n");
    assert_eq!(buffer.skip_until(&set), Ok(Verdict::Ready(12)));
    assert_eq!(buffer.read_until(&set), Ok(Verdict::Ready("next\r\n".into())));
}

#[test]
fn r6_an_overrun_says_what_it_met() {
    let mut buffer = fed(4, b"0123456789");
    let until = overrun(buffer.read_until(Separators::newline()));
    let to_end = buffer.read_to_end(6).unwrap_err();
    assert_eq!((until.consumed(), until.limit()), (5, 4));
    assert_eq!((to_end.consumed(), to_end.limit()), (7, 6));
    assert_eq!(until.to_string(), "no separator within the limit of 4 bytes");
    assert_eq!(to_end.to_string(), "the stream goes on past the limit of 6 bytes");
}
