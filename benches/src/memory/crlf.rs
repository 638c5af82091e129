//! Lines that end in `\r\n`: with nothing like it in them, and with a lone `\r` and a lone `\n`.

use super::codecs::{Crlf, decode};
use super::{Done, Load, Work, bounds, wait};
use crate::CHUNK;
use crate::messages::{LONE, crlf_lines};
use highwater_stream::{Separators, StreamReader};
use memchr::memmem::Finder;
use std::hint::black_box;
use tokio::io::{AsyncBufReadExt, BufReader};

pub(super) fn works() -> [Work; 2] {
    [("crlf/64/clean", &b""[..]), ("crlf/64/lone", LONE)].map(|(name, within)| {
        let finder = Finder::new(b"\r\n");
        Work::new(name, Load::new(&crlf_lines(within), 1))
            .ours("highwater read_until_ref", ours)
            .peer("tokio read_until + check", read_until)
            .peer("own codec, memmem", |load| decode(load, Crlf::new(), |line| line.len()))
            .bound("memmem, one slice", move |load| {
                bounds::search(load, |bytes| finder.find(bytes).map(|at| at + 2))
            })
            .bound("copy", bounds::copy)
    })
}

fn ours(load: &Load) -> Done {
    let crlf = Separators::one(b"\r\n").expect("it is not empty");
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(line) = reader.read_until_ref(&crlf).await {
            done.add(black_box(line).len());
        }
        done
    })
}

fn read_until(load: &Load) -> Done {
    wait(async {
        let mut reader = BufReader::with_capacity(CHUNK, load.source());
        let (mut line, mut done) = (Vec::new(), Done::default());
        while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
            if line.ends_with(b"\r\n") {
                done.add(black_box(&line).len());
                line.clear();
            }
        }
        done
    })
}
