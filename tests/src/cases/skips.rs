//! `skip_until`, whole and given up on the way.

use crate::case::{Case, case};
use highwater_testing::End;

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        case("skip_until discards through the separator and counts it")
            .bytes("junk\r\nok\r\n")
            .skip_until(&["\r\n"]).skips(6)
            .read_until(&["\r\n"]).gives("ok\r\n")
            .leaves(""),
        case("skip_until of nothing but the separator")
            .bytes("\nx")
            .skip_until(&["\n"]).skips(1)
            .leaves("x"),
        case("skip_until knows no limit")
            .bytes("0123456789abcdef\nok").limit(2)
            .skip_until(&["\n"]).skips(17)
            .leaves("ok"),
        case("skip_until takes the separator that ends first")
            .bytes("abcdef;\nx")
            .skip_until(&["cdef;", "ef", "\n"]).skips(6)
            .leaves(";\nx"),
        case("skip_until through a long separator that almost came before")
            .bytes("--bound--boundary--x")
            .skip_until(&["--boundary--"]).skips(19)
            .leaves("x"),
        case("a skip that waits keeps only what may become a separator")
            .bytes("0123abcdef--b")
            .skip_until(&["--boundary"]).waits()
            .leaves("abcdef--b"),
        case("a skip that was given up stays in force")
            .bytes("junk\nmore\n")
            .skip_until(&[";"]).waits()
            .read_line().waits()
            .read(9).waits()
            .leaves(""),
        case("a skip asked for again counts from its beginning")
            .bytes("0123456789")
            .skip_until(&["\n"]).waits()
            .skip_until(&["\n"]).waits()
            .unread("ab\ncd")
            .skip_until(&["\n"]).skips(13)
            .leaves("cd"),
        case("a skip that was given up is finished by read_line")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .unread("1;ok\nx")
            .read_line().gives("ok\n")
            .leaves("x"),
        case("a skip that was given up is finished by read_exactly")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .unread(";abcd")
            .read_exactly(3).gives("abc")
            .leaves("d"),
        case("a skip that was given up is finished by read")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .unread("1;abcd")
            .read(9).gives("abcd")
            .leaves(""),
        case("a skip that was given up is finished by peek")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .unread("1;abcd")
            .peek(2).gives("ab")
            .leaves("abcd"),
        case("a skip that was given up is finished by read_to_end")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .read_to_end(2).waits()
            .unread("1;abcd")
            .read_to_end(2).overruns(3)
            .leaves("abcd"),
        case("a skip that was given up is finished by one for another separator")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .skip_until(&["\n"]).waits()
            .unread("1;ab\ncd")
            .skip_until(&["\n"]).skips(3)
            .leaves("cd"),
        case("reads of nothing wait for no skip")
            .bytes("junk")
            .skip_until(&[";"]).waits()
            .read(0).gives("")
            .read_exactly(0).gives("")
            .peek(0).gives("")
            .leaves(""),
        case("skip_until meets the end of the stream")
            .bytes("junk\r").end(End::Eof)
            .skip_until(&["\r\n"]).is_incomplete_after(5)
            .skip_until(&["\r\n"]).is_incomplete_after(0)
            .leaves(""),
        case("skip_until refuses an empty separator")
            .bytes("junk")
            .skip_until(&[""]).is_invalid()
            .skip_until::<&str>(&[]).is_invalid()
            .leaves("junk"),
    ]
}
