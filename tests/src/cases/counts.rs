//! Reads that count bytes: `read`, `read_exactly`, `read_to_end`, `peek`, and `unread` before them.

use crate::case::{Case, case};
use highwater_testing::End;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("read gives what is there") // asyncio: test_read
            .bytes("a line\nand more")
            .read(30).gives("a line\nand more")
            .read(30).waits()
            .leaves(""),
        case("read gives no more than it was asked for") // asyncio: test_read_line_breaks
            .bytes("abcdef")
            .read(4).gives("abcd")
            .leaves("ef"),
        case("read of nothing gives nothing at once") // asyncio: test_read_zero
            .bytes("abc")
            .read(0).gives("")
            .leaves("abc"),
        case("read of nothing waits for nothing")
            .read(0).gives("")
            .read(1).waits()
            .leaves(""),
        case("read gives nothing at the end of the stream, again and again") // asyncio: test_read_eof
            .bytes("ab").end(End::Eof)
            .read(9).gives("ab")
            .read(9).gives("")
            .read(9).gives("")
            .leaves(""),
        case("read knows no limit") // asyncio: test_read_limit
            .bytes("0123456789").limit(3)
            .read(10).gives("0123456789")
            .leaves(""),
        case("read_exactly gives exactly so much") // asyncio: test_readexactly
            .bytes("abcdef")
            .read_exactly(4).gives("abcd")
            .leaves("ef"),
        case("read_exactly of all that comes")
            .bytes("abcdef")
            .read_exactly(6).gives("abcdef")
            .leaves(""),
        case("read_exactly of nothing gives nothing at once") // asyncio: test_readexactly_zero_or_less
            .bytes("abc")
            .read_exactly(0).gives("")
            .leaves("abc"),
        case("read_exactly knows no limit") // asyncio: test_readexactly_limit
            .bytes("0123456789abcdef").limit(3)
            .read_exactly(14).gives("0123456789abcd")
            .leaves("ef"),
        case("read_exactly waits and takes nothing meanwhile")
            .bytes("abc")
            .read_exactly(4).waits()
            .read_exactly(3).gives("abc")
            .leaves(""),
        case("read_exactly meets the end of the stream") // asyncio: test_readexactly_eof
            .bytes("abc").end(End::Eof)
            .read_exactly(4).is_incomplete("abc")
            .read_exactly(4).is_incomplete("")
            .leaves(""),
        case("read_exactly of nothing at the end of the stream")
            .end(End::Eof)
            .read_exactly(0).gives("")
            .leaves(""),
        case("read_to_end joins all that comes") // asyncio: test_read_until_eof
            .bytes("a line\nand more").end(End::Eof)
            .read_to_end(100).gives("a line\nand more")
            .read_to_end(100).gives("")
            .leaves(""),
        case("read_to_end waits for the end")
            .bytes("abc")
            .read_to_end(3).waits()
            .leaves("abc"),
        case("read_to_end of one byte less than its bound")
            .bytes("abc").end(End::Eof)
            .read_to_end(4).gives("abc")
            .leaves(""),
        case("read_to_end of exactly its bound")
            .bytes("abcd").end(End::Eof)
            .read_to_end(4).gives("abcd")
            .leaves(""),
        case("read_to_end of one byte more than its bound keeps it all")
            .bytes("abcde").end(End::Eof)
            .read_to_end(4).overruns(5)
            .read_to_end(5).gives("abcde")
            .leaves(""),
        case("read_to_end overruns before the end has come")
            .bytes("abcdef")
            .read_to_end(4).overruns(5)
            .read_exactly(5).gives("abcde")
            .leaves("f"),
        case("read_to_end of nothing, and there is nothing")
            .end(End::Eof)
            .read_to_end(0).gives("")
            .leaves(""),
        case("read_to_end of nothing, and there is a byte")
            .bytes("a").end(End::Eof)
            .read_to_end(0).overruns(1)
            .leaves("a"),
        case("read_to_end knows no limit but its own")
            .bytes("0123456789").limit(3).end(End::Eof)
            .read_to_end(10).gives("0123456789")
            .leaves(""),
        case("peek shows and does not take")
            .bytes("\x16\x03\x01rest")
            .peek(3).gives("\x16\x03\x01")
            .peek(1).gives("\x16")
            .read_exactly(4).gives("\x16\x03\x01r")
            .leaves("est"),
        case("peek waits for as much as it was asked for")
            .bytes("abc")
            .peek(4).waits()
            .peek(3).gives("abc")
            .leaves("abc"),
        case("peek shows less at the end of the stream")
            .bytes("abc").end(End::Eof)
            .peek(9).gives("abc")
            .read_to_end(3).gives("abc")
            .peek(9).gives("")
            .leaves(""),
        case("peek of nothing waits for nothing")
            .peek(0).gives("")
            .leaves(""),
        case("unread bytes come first")
            .bytes("world\n")
            .unread("hello ")
            .read_line().gives("hello world\n")
            .leaves(""),
        case("what was read can be put back")
            .bytes("ab\ncd")
            .read_exactly(4).gives("ab\nc")
            .unread("ab\nc")
            .read_line().gives("ab\n")
            .leaves("cd"),
        case("unread after a search in vain is searched too")
            .bytes("abc")
            .read_line().waits()
            .unread("x\ny")
            .read_line().gives("x\n")
            .leaves("yabc"),
        case("unread makes a separator together with what was there")
            .bytes("\ncd")
            .unread("ab\r")
            .read_until(&["\r\n"]).gives("ab\r\n")
            .leaves("cd"),
        case("unread after the end of the stream")
            .bytes("a").end(End::Eof)
            .read_to_end(9).gives("a")
            .unread("bc")
            .read_exactly(3).is_incomplete("bc")
            .leaves(""),
    ]
}
