//! Our reads.

use crate::CHUNK;
use highwater_benches::messages::{ContentLength, HEAD_END, LONE, THREE, crlf_lines, frames, message, three};
use highwater_benches::{Cycle, records, runtime};
use highwater_buffer::{ReadBuffer, Separators, Verdict};
use highwater_stream::StreamReader;
use std::hint::black_box;

fn reader(records: &[u8]) -> StreamReader<Cycle> {
    StreamReader::new(Cycle::new(records, CHUNK))
}

pub(crate) fn line_ref<const LENGTH: usize>(count: usize) {
    let mut reader = reader(&records(1, LENGTH, b"\n"));
    runtime().block_on(async {
        for _ in 0..count {
            let line = reader.read_line_ref().await.expect("lines are short");
            black_box(line.expect("the source never ends").len());
        }
    });
}

pub(crate) fn line<const LENGTH: usize>(count: usize) {
    let mut reader = reader(&records(1, LENGTH, b"\n"));
    runtime().block_on(async {
        for _ in 0..count {
            let line = reader.read_line().await.expect("lines are short");
            black_box(line.expect("the source never ends").len());
        }
    });
}

pub(crate) fn buffer_line_ref<const LENGTH: usize>(count: usize) {
    let mut source = Cycle::new(&records(1, LENGTH, b"\n"), CHUNK);
    let mut buffer = ReadBuffer::new();
    for _ in 0..count {
        let length = loop {
            match buffer.read_line_ref().expect("lines are short") {
                Verdict::Ready(line) => break line.expect("the source never ends").len(),
                Verdict::NeedMore => buffer.feed(source.next(CHUNK)),
            };
        };
        black_box(length);
    }
}

fn until_ref(records: &[u8], separators: &Separators, count: usize) {
    let mut reader = reader(records);
    runtime().block_on(async {
        for _ in 0..count {
            let line = reader.read_until_ref(separators).await.expect("lines are short");
            black_box(line.len());
        }
    });
}

pub(crate) fn crlf_ref(count: usize) {
    until_ref(&crlf_lines(b""), &Separators::one(b"\r\n").expect("it is not empty"), count);
}

pub(crate) fn crlf_lone_ref(count: usize) {
    until_ref(&crlf_lines(LONE), &Separators::one(b"\r\n").expect("it is not empty"), count);
}

pub(crate) fn three_ref(count: usize) {
    until_ref(&three(&THREE), &Separators::new(THREE).expect("none is empty"), count);
}

pub(crate) fn three_one_occurs_ref(count: usize) {
    until_ref(&three(&THREE[..1]), &Separators::new(THREE).expect("none is empty"), count);
}

pub(crate) fn frame_ref<const LENGTH: u32>(count: usize) {
    let mut reader = reader(&frames(LENGTH));
    runtime().block_on(async {
        for _ in 0..count {
            let head = reader.read_exactly_ref(4).await.expect("the source never ends");
            let length = u32::from_be_bytes(head.try_into().expect("four bytes"));
            let body = reader.read_exactly_ref(length as usize).await.expect("the source never ends");
            black_box(body.len());
        }
    });
}

pub(crate) fn frame<const LENGTH: u32>(count: usize) {
    let mut reader = reader(&frames(LENGTH));
    runtime().block_on(async {
        for _ in 0..count {
            let head = reader.read_exactly_ref(4).await.expect("the source never ends");
            let length = u32::from_be_bytes(head.try_into().expect("four bytes"));
            let body = reader.read_exactly(length as usize).await.expect("the source never ends");
            black_box(body.len());
        }
    });
}

fn buffered<'a>(buffer: &'a mut ReadBuffer, source: &mut Cycle, n: usize) -> &'a [u8] {
    while let Verdict::NeedMore = buffer.find_exactly(n).expect("the source never ends") {
        buffer.feed(source.next(CHUNK));
    }
    buffer.take_ref(n)
}

pub(crate) fn buffer_frame_ref(count: usize) {
    let mut source = Cycle::new(&frames(100), CHUNK);
    let mut buffer = ReadBuffer::new();
    for _ in 0..count {
        let head = buffered(&mut buffer, &mut source, 4);
        let length = u32::from_be_bytes(head.try_into().expect("four bytes"));
        black_box(buffered(&mut buffer, &mut source, length as usize).len());
    }
}

pub(crate) fn head_and_body_ref(count: usize) {
    let mut reader = reader(&message());
    let blank_line = Separators::one(HEAD_END).expect("it is not empty");
    let content_length = ContentLength::new();
    runtime().block_on(async {
        for _ in 0..count {
            let head = reader.read_until_ref(&blank_line).await.expect("heads are short");
            let length = content_length.of_head(head);
            let body = reader.read_exactly_ref(length).await.expect("the source never ends");
            black_box(body.len());
        }
    });
}

pub(crate) fn head_and_body(count: usize) {
    let mut reader = reader(&message());
    let blank_line = Separators::one(HEAD_END).expect("it is not empty");
    let content_length = ContentLength::new();
    runtime().block_on(async {
        for _ in 0..count {
            let head = reader.read_until(&blank_line).await.expect("heads are short");
            let length = content_length.of_head(&head);
            let body = reader.read_exactly(length).await.expect("the source never ends");
            black_box((head.len(), body.len()));
        }
    });
}
