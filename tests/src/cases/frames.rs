//! `read_until`: one separator or several, of one byte or more, and which of them counts.

use crate::case::{Case, case};
use highwater_testing::End;

const BOUNDARY: &str = "--a-longer-boundary--";

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("a separator of one byte")
            .bytes("key\0value\0")
            .read_until(&["\0"]).gives("key\0")
            .read_until(&["\0"]).gives("value\0")
            .leaves(""),
        case("separator split across two reads") // asyncio: test_readuntil_multi_chunks_1
            .bytes("ab\r\ncd").limit(8)
            .read_until(&["\r\n"]).gives("ab\r\n")
            .leaves("cd"),
        case("a separator that begins and breaks off") // asyncio: test_readuntil_multi_chunks
            .bytes("QWERTYaa\r\raaXYaaxxx")
            .read_until(&["XYaax"]).gives("QWERTYaa\r\raaXYaax")
            .leaves("xx"),
        case("a separator that begins anew within itself")
            .bytes("aaab")
            .read_until(&["aab"]).gives("aaab")
            .leaves(""),
        case("a separator of equal bytes matches as early as it can")
            .bytes("xaaaay")
            .read_until(&["aaa"]).gives("xaaa")
            .leaves("ay"),
        case("a separator that overlaps itself")
            .bytes("ababac")
            .read_until(&["abac"]).gives("ababac")
            .leaves(""),
        case("a separator and nothing before it")
            .bytes("\r\n\r\nx")
            .read_until(&["\r\n"]).gives("\r\n")
            .read_until(&["\r\n"]).gives("\r\n")
            .read_until(&["\r\n"]).waits()
            .leaves("x"),
        case("a blank line ends the head")
            .bytes("GET / HTTP/1.1\r\nhost: a\r\n\r\nbody")
            .read_until(&["\r\n\r\n"]).gives("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .leaves("body"),
        case("a long separator")
            .bytes(format!("part one{BOUNDARY}part two"))
            .read_until(&[BOUNDARY]).gives(format!("part one{BOUNDARY}"))
            .leaves("part two"),
        case("a long separator that almost came before")
            .bytes(format!("--a-longer-{BOUNDARY}x"))
            .read_until(&[BOUNDARY]).gives(format!("--a-longer-{BOUNDARY}"))
            .leaves("x"),
        case("separators of any byte value")
            .bytes(b"\x00\xff\xfe\x00\xff\x00")
            .read_until(&[b"\xff\x00"]).gives(b"\x00\xff\xfe\x00\xff\x00")
            .leaves(""),
        case("several separators, the one that comes") // asyncio: test_readuntil_multi_separator
            .bytes("a;b\r\nc\n")
            .read_until(&["\r\n", "\n", ";"]).gives("a;")
            .read_until(&["\r\n", "\n", ";"]).gives("b\r\n")
            .read_until(&["\r\n", "\n", ";"]).gives("c\n")
            .leaves(""),
        case("the match that ends first wins, though it starts later") // asyncio: test_readuntil_multi_separator
            .bytes("ABCDEFG")
            .read_until(&["CD", "BCDE"]).gives("ABCD")
            .leaves("EFG"),
        case("the match that ends first wins, though it is longer")
            .bytes("ABCDEFG")
            .read_until(&["EF", "BCDE"]).gives("ABCDE")
            .leaves("FG"),
        case("a separator that begins another ends before it")
            .bytes("abc\r\n")
            .read_until(&["\r\n", "\r"]).gives("abc\r")
            .read_until(&["\r\n", "\r"]).waits()
            .leaves("\n"),
        case("separators that end together take the same frame")
            .bytes("abc\r\nd")
            .read_until(&["\r\n", "\n"]).gives("abc\r\n")
            .leaves("d"),
        case("the order of the separators means nothing")
            .bytes("abc\r\nd\r\n")
            .read_until(&["\n", "\r\n"]).gives("abc\r\n")
            .read_until(&["\r\n", "\n"]).gives("d\r\n")
            .leaves(""),
        case("less has arrived than the longest separator holds") // asyncio: test_readuntil_multi_separator_negative_offset
            .bytes("data;x")
            .read_until(&["A very long separator", ";"]).gives("data;")
            .leaves("x"),
        case("many separators with many last bytes")
            .bytes("1234 d4 e5 a1")
            .read_until(&["a1", "b2", "c3", "d4", "e5"]).gives("1234 d4")
            .read_until(&["a1", "b2", "c3", "d4", "e5"]).gives(" e5")
            .read_until(&["a1", "b2", "c3", "d4", "e5"]).gives(" a1")
            .leaves(""),
        case("other separators look at all of it again")
            .bytes("a;b,c\n")
            .read_until(&["x"]).waits()
            .read_until(&[","]).gives("a;b,")
            .unread("a;b,")
            .read_until(&[";"]).gives("a;")
            .leaves("b,c\n"),
        case("a search in vain for a long separator, then for a short one")
            .bytes("ab\ncd")
            .read_until(&["cdef"]).waits()
            .read_line().gives("ab\n")
            .leaves("cd"),
        case("the end of the stream within a separator") // asyncio: test_readuntil_eof
            .bytes("some data\r").end(End::Eof)
            .read_until(&["\r\n"]).is_incomplete("some data\r")
            .read_until(&["\r\n"]).is_incomplete("")
            .leaves(""),
        case("a separator that is empty is refused") // asyncio: test_readuntil_separator
            .bytes("ab\r\n")
            .read_until(&[""]).is_invalid()
            .read_until(&["\r\n", ""]).is_invalid()
            .leaves("ab\r\n"),
        case("no separator at all is refused")
            .bytes("ab\r\n").end(End::Eof)
            .read_until::<&str>(&[]).is_invalid()
            .leaves("ab\r\n"),
    ]
}
