//! The end of the stream and the transport's error: what is buffered comes first.

use crate::case::{Case, case};
use highwater_testing::End;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("an error comes after the lines before it, and then every time")
            .bytes("one\ntwo\nthr").end(End::Error)
            .read_line().gives("one\n")
            .read_line().gives("two\n")
            .read_line().fails()
            .read_line().fails()
            .leaves("thr"),
        case("an error leaves what does not satisfy a read") // diverges: asyncio raises before it looks at the buffer
            .bytes("abc").end(End::Error)
            .read_exactly(4).fails()
            .read_until(&["\r\n"]).fails()
            .read_to_end(9).fails()
            .peek(4).fails()
            .peek(3).gives("abc")
            .read_exactly(3).gives("abc")
            .read(1).fails()
            .leaves(""),
        case("an error with nothing before it")
            .end(End::Error)
            .read(1).fails()
            .read_line().fails()
            .read_exactly(1).fails()
            .read_to_end(1).fails()
            .skip_until(&["\n"]).fails()
            .leaves(""),
        case("reads of nothing need no transport")
            .end(End::Error)
            .read(0).gives("")
            .read_exactly(0).gives("")
            .peek(0).gives("")
            .leaves(""),
        case("an overrun is met before an error")
            .bytes("123456").limit(4).end(End::Error)
            .read_line().overruns(5)
            .read_to_end(5).overruns(6)
            .leaves("123456"),
        case("a skip meets an error and stays in force")
            .bytes("junk").end(End::Error)
            .skip_until(&[";"]).fails()
            .unread("1;ok")
            .read(9).gives("ok")
            .read(9).fails()
            .leaves(""),
        case("refused separators are refused whatever has become of the transport")
            .end(End::Error)
            .read_until(&[""]).is_invalid()
            .leaves(""),
        case("every read at the end of the stream")
            .end(End::Eof)
            .read(1).gives("")
            .read_to_end(1).gives("")
            .read_line().gives_nothing()
            .read_until(&["\n"]).is_incomplete("")
            .read_exactly(1).is_incomplete("")
            .peek(1).gives("")
            .skip_until(&["\n"]).is_incomplete_after(0)
            .leaves(""),
        case("frames before the end, and what is left is the end's")
            .bytes("a\r\nb\r\nc").end(End::Eof)
            .read_until(&["\r\n"]).gives("a\r\n")
            .read_until(&["\r\n"]).gives("b\r\n")
            .read_until(&["\r\n"]).is_incomplete("c")
            .leaves(""),
    ]
}
