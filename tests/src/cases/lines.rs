//! `read_line`.

use crate::case::{Case, case};
use highwater_testing::End;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("lines, one after the other") // asyncio: test_readline
            .bytes("one\ntwo\nthr")
            .read_line().gives("one\n")
            .read_line().gives("two\n")
            .read_line().waits()
            .leaves("thr"),
        case("an empty line is a line")
            .bytes("\n\n")
            .read_line().gives("\n")
            .read_line().gives("\n")
            .read_line().waits()
            .leaves(""),
        case("a carriage return belongs to the line")
            .bytes("ab\r\n\rcd\n")
            .read_line().gives("ab\r\n")
            .read_line().gives("\rcd\n")
            .leaves(""),
        case("the last line may lack its newline") // asyncio: test_readline_eof
            .bytes("one\nlast").end(End::Eof)
            .read_line().gives("one\n")
            .read_line().gives("last")
            .read_line().gives_nothing()
            .read_line().gives_nothing()
            .leaves(""),
        case("no line at all") // asyncio: test_readline_empty_eof
            .end(End::Eof)
            .read_line().gives_nothing()
            .leaves(""),
        case("a newline is the last byte")
            .bytes("one\n").end(End::Eof)
            .read_line().gives("one\n")
            .read_line().gives_nothing()
            .leaves(""),
        case("lines and counted bytes in turn") // asyncio: test_readline_read_byte_count
            .bytes("one\ntwo\nthree\n")
            .read_line().gives("one\n")
            .read(2).gives("tw")
            .read_line().gives("o\n")
            .read_exactly(3).gives("thr")
            .read_line().gives("ee\n")
            .leaves(""),
        case("every byte value may stand in a line")
            .bytes(b"\x00\xff\x0b\x8a\x0d\n\x80")
            .read_line().gives(b"\x00\xff\x0b\x8a\x0d\n")
            .leaves(b"\x80"),
    ]
}
