//! Limits: payloads of one byte less, just as much and one byte more, and the three ways on from an overrun.

use crate::case::{Case, case};
use highwater_testing::End;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("a line of one byte less than the limit")
            .bytes("123\n").limit(4)
            .read_line().gives("123\n")
            .leaves(""),
        case("a line of exactly the limit") // asyncio: test_readline_limit
            .bytes("1234\nx").limit(4)
            .read_line().gives("1234\n")
            .leaves("x"),
        case("a line of one byte more than the limit") // asyncio: test_readline_limit
            .bytes("12345\nx").limit(4)
            .read_line().overruns(5)
            .read_line().overruns(5)
            .leaves("12345\nx"),
        case("a line far beyond the limit says how much was looked at")
            .bytes("0123456789\n").limit(4)
            .read_line().overruns(5)
            .leaves("0123456789\n"),
        case("a last line of exactly the limit")
            .bytes("1234").limit(4).end(End::Eof)
            .read_line().gives("1234")
            .leaves(""),
        case("a last line of one byte more than the limit")
            .bytes("12345").limit(4).end(End::Eof)
            .read_line().overruns(5)
            .leaves("12345"),
        case("a limit of nothing lets empty lines pass")
            .bytes("\n\na\n").limit(0)
            .read_line().gives("\n")
            .read_line().gives("\n")
            .read_line().overruns(1)
            .leaves("a\n"),
        case("a payload of one byte less than the limit, two-byte separator")
            .bytes("123\r\n").limit(4)
            .read_until(&["\r\n"]).gives("123\r\n")
            .leaves(""),
        case("a payload of exactly the limit, two-byte separator")
            .bytes("1234\r\nx").limit(4)
            .read_until(&["\r\n"]).gives("1234\r\n")
            .leaves("x"),
        case("a payload of one byte more than the limit, two-byte separator")
            .bytes("12345\r\nx").limit(4)
            .read_until(&["\r\n"]).overruns(5)
            .leaves("12345\r\nx"),
        case("a separator that begins at the limit and breaks off")
            .bytes("1234\rx\r\n").limit(4)
            .read_until(&["\r\n"]).overruns(5)
            .leaves("1234\rx\r\n"),
        case("a payload of exactly the limit, long separator")
            .bytes("1234--end--x").limit(4)
            .read_until(&["--end--"]).gives("1234--end--")
            .leaves("x"),
        case("a payload of one byte more than the limit, long separator")
            .bytes("12345--end--x").limit(4)
            .read_until(&["--end--"]).overruns(5)
            .leaves("12345--end--x"),
        case("a short separator beyond the limit is found where a long one could still end")
            .bytes("123456;").limit(4)
            .read_until(&["---->", ";"]).overruns(6)
            .leaves("123456;"),
        case("a short separator beyond where a long one could end is not looked for")
            .bytes("123456789;").limit(4)
            .read_until(&["---->", ";"]).overruns(5)
            .leaves("123456789;"),
        case("of separators that end together the shortest counts for the limit") // asyncio: test_readuntil_multi_separator_limit
            .bytes("1234\r\n").limit(4)
            .read_until(&["\r\n", "\n"]).overruns(5)
            .read_until(&["\r\n"]).gives("1234\r\n")
            .leaves(""),
        case("the first match beyond the limit, though a longer one begins within it")
            .bytes("12ab34cd").limit(3)
            .read_until(&["ab34cd", "34"]).overruns(4)
            .leaves("12ab34cd"),
        case("the end of the stream before the limit decides")
            .bytes("12345").limit(4).end(End::Eof)
            .read_until(&["\r\n"]).is_incomplete("12345")
            .leaves(""),
        case("an overrun, with the end of the stream behind it")
            .bytes("123456").limit(4).end(End::Eof)
            .read_until(&["\r\n"]).overruns(5)
            .leaves("123456"),
        case("too little for an overrun waits")
            .bytes("12345").limit(4)
            .read_until(&["\r\n"]).waits()
            .leaves("12345"),
        case("on from an overrun by a larger limit") // asyncio: test_readuntil_limit_found_sep
            .bytes("0123456789\r\nx").limit(4)
            .read_until(&["\r\n"]).overruns(5)
            .set_limit(9)
            .read_until(&["\r\n"]).overruns(10)
            .set_limit(10)
            .read_until(&["\r\n"]).gives("0123456789\r\n")
            .leaves("x"),
        case("on from an overrun by a larger limit for one call")
            .bytes("0123456789\nabcdef\n").limit(4)
            .read_line().overruns(5)
            .limited(10).read_line().gives("0123456789\n")
            .read_line().overruns(5)
            .leaves("abcdef\n"),
        case("on from an overrun by taking what was consumed")
            .bytes("0123456789\r\nx").limit(4)
            .read_until(&["\r\n"]).overruns(5)
            .read_exactly(5).gives("01234")
            .read_until(&["\r\n"]).overruns(5)
            .read_exactly(5).gives("56789")
            .read_until(&["\r\n"]).gives("\r\n")
            .leaves("x"),
        case("on from an overrun by skipping")
            .bytes("0123456789\r\nok\r\n").limit(4)
            .read_until(&["\r\n"]).overruns(5)
            .skip_until(&["\r\n"]).skips(12)
            .read_until(&["\r\n"]).gives("ok\r\n")
            .leaves(""),
        case("a smaller limit for one call")
            .bytes("abc\ndef\n").limit(4)
            .limited(2).read_line().overruns(3)
            .limited(2).read_until(&["\n"]).overruns(3)
            .read_line().gives("abc\n")
            .limited(3).read_until(&["\n"]).gives("def\n")
            .leaves(""),
        case("a smaller limit looks at less of what is there")
            .bytes("abcdefgh").limit(9)
            .read_line().waits()
            .set_limit(2)
            .read_line().overruns(3)
            .leaves("abcdefgh"),
    ]
}
