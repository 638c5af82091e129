//! How cost grows: with the length of a line, and with how finely it arrives.

use super::codecs::decode;
use super::lines::{futures_read_until, read_line_ref_within, read_line_within, read_until, std_read_until};
use super::{Done, Load, Per, Work, bounds};
use crate::CHUNK;
use tokio_util::codec::LinesCodec;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// One line of 16 MiB.
pub(super) fn works() -> [Work; 2] {
    [("long/16MiB/64KiB-chunks", 64 * KIB), ("long/16MiB/1KiB-chunks", KIB)].map(|(name, chunk)| {
        Work::new(name, Load::long_line(16 * MIB).in_chunks_of(chunk))
            .ours("highwater read_line_ref", read_line_ref)
            .ours("highwater read_line", read_line)
            .peer("tokio read_until, 64 KiB", |load| read_until(load, CHUNK))
            .peer("tokio read_until, 8 KiB", |load| read_until(load, 8 * KIB))
            .peer("futures read_until", futures_read_until)
            .peer("LinesCodec", |load| decode(load, LinesCodec::new(), |line| line.len() + 1))
            .bound("std read_until", std_read_until)
            .bound("copy into one Vec", bounds::gather)
            .bound("copy", bounds::copy)
    })
}

/// The whole load passes the limit, however long its lines are.
fn read_line_ref(load: &Load) -> Done {
    read_line_ref_within(load, load.expected().bytes)
}

fn read_line(load: &Load) -> Done {
    read_line_within(load, load.expected().bytes)
}

/// A line of 16 B to 64 MiB, in chunks of 64 KiB.
pub(super) fn by_record() -> impl Iterator<Item = Work> {
    (4..=26).step_by(2).map(|power| 1 << power).map(|length: usize| {
        let work = growing("growth/bytes-per-line", Load::long_line(length), length);
        Work { passes: if length > MIB { 8 } else { 1 }, ..work }
    })
}

/// A line of 16 KiB in chunks of 1 B to 64 KiB.
pub(super) fn by_chunk() -> impl Iterator<Item = Work> {
    (0..=16).step_by(2).map(|power| 1 << power).map(|chunk: usize| {
        growing("growth/bytes-per-read", Load::long_line(16 * KIB).in_chunks_of(chunk), chunk)
    })
}

fn growing(name: &str, load: Load, at: usize) -> Work {
    let work = Work::new(name, load)
        .ours("highwater read_line_ref", read_line_ref)
        .peer("tokio read_until, 64 KiB", |load| read_until(load, CHUNK))
        .bound("copy into one Vec", bounds::gather)
        .bound("copy", bounds::copy);
    Work { at: Some(at as f64), per: Per::Byte, ..work }
}
