//! Records that end in one of several separators.

use super::codecs::{AnyString, decode};
use super::{Done, Load, Work, bounds, wait};
use crate::messages::three;
use aho_corasick::AhoCorasick;
use highwater_stream::{Separators, StreamReader};
use std::hint::black_box;
use tokio_util::codec::AnyDelimiterCodec;

/// What ends a line in one protocol or another; the last bytes are two.
const ENDS: [&str; 3] = ["\r\n", "\n", "\0"];
/// More than memchr looks for at once.
const BYTES: [&str; 5] = ["\n", "\0", ";", "|", "\t"];
/// Five last bytes, and no byte that is a separator of its own.
const STRINGS: [&str; 5] = ["\r\n", "--", ";;", "</a>", "\0\x01"];

pub(super) fn works() -> [Work; 4] {
    [
        // The codec knows bytes only: a `\r` it leaves at the end of the record.
        work("three/64/all", &ENDS, &ENDS).peer("AnyDelimiterCodec", |load| any_delimiter(load, b"\n\0")),
        work("three/64/one", &ENDS, &ENDS[..1])
            .peer("AnyDelimiterCodec", |load| any_delimiter(load, b"\n\0")),
        work("any/64/bytes", &BYTES, &BYTES)
            .peer("AnyDelimiterCodec", |load| any_delimiter(load, &BYTES.concat().into_bytes())),
        work("any/64/strings", &STRINGS, &STRINGS),
    ]
}

/// Records that end in what `occurs`, for those who look for all `separators`.
fn work(name: &str, separators: &'static [&'static str], occurs: &[&str]) -> Work {
    let automaton = AhoCorasick::new(separators).expect("separators are few");
    Work::new(name, Load::new(&three(occurs), occurs.len()))
        .ours("highwater read_until_ref", |load| ours(load, separators))
        .peer("own codec, aho-corasick", |load| {
            decode(load, AnyString::new(separators), |record| record.len())
        })
        .bound("aho-corasick, one slice", move |load| {
            bounds::search(load, |bytes| automaton.find(bytes).map(|found| found.end()))
        })
        .bound("copy", bounds::copy)
}

fn ours(load: &Load, separators: &[&str]) -> Done {
    let separators = Separators::new(separators).expect("none is empty");
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(record) = reader.read_until_ref(&separators).await {
            done.add(black_box(record).len());
        }
        done
    })
}

fn any_delimiter(load: &Load, delimiters: &[u8]) -> Done {
    let codec = AnyDelimiterCodec::new(delimiters.to_vec(), b"\n".to_vec());
    decode(load, codec, |record| record.len() + 1)
}
