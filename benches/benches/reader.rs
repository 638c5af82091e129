//! Reading from memory: `StreamReader` beside tokio's `BufReader` and tokio-util's codecs.
//!
//! Every row reads the same bytes and counts them; a reader that lost one would panic.
#![allow(missing_docs)] // criterion's macros make public items.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use highwater_benches::{CHUNK, Source, records, runtime};
use highwater_stream::{Separators, StreamReader};
use std::hint::black_box;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

const TOTAL: usize = 1024 * 1024;

fn lines(criterion: &mut Criterion) {
    let runtime = runtime();
    for length in [16, 64, 512] {
        let bytes = records(TOTAL / length, length, b"\n");
        let mut group = criterion.benchmark_group(format!("reader/line/{length}"));
        group.throughput(Throughput::Elements((TOTAL / length) as u64));
        group.bench_function("highwater/borrowed", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut reader = StreamReader::new(Source::new(&bytes));
                    let mut read = 0;
                    while let Some(line) = reader.read_line_ref().await.expect("lines are short") {
                        read += black_box(line).len();
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.bench_function("highwater/owned", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut reader = StreamReader::new(Source::new(&bytes));
                    let mut read = 0;
                    while let Some(line) = reader.read_line().await.expect("lines are short") {
                        read += black_box(line).len();
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.bench_function("tokio/read_until", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut reader = BufReader::with_capacity(CHUNK, Source::new(&bytes));
                    let (mut line, mut read) = (Vec::new(), 0);
                    while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
                        read += black_box(&line).len();
                        line.clear();
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.bench_function("tokio/lines", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut lines = BufReader::with_capacity(CHUNK, Source::new(&bytes)).lines();
                    let mut read = 0;
                    while let Some(line) = lines.next_line().await.expect("memory does not fail") {
                        read += black_box(line).len() + 1;
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.finish();
    }
}

fn crlf(criterion: &mut Criterion) {
    let runtime = runtime();
    let bytes = records(TOTAL / 64, 64, b"\r\n");
    let separators = Separators::one(b"\r\n").expect("it is not empty");
    let mut group = criterion.benchmark_group("reader/until/crlf/64");
    group.throughput(Throughput::Elements((TOTAL / 64) as u64));
    group.bench_function("highwater/borrowed", |bencher| {
        bencher.iter(|| {
            let read = runtime.block_on(async {
                let mut reader = StreamReader::new(Source::new(&bytes));
                let mut read = 0;
                while let Ok(line) = reader.read_until_ref(&separators).await {
                    read += black_box(line).len();
                }
                read
            });
            assert_eq!(read, bytes.len());
        });
    });
    group.bench_function("tokio/read_until and check", |bencher| {
        bencher.iter(|| {
            let read = runtime.block_on(async {
                let mut reader = BufReader::with_capacity(CHUNK, Source::new(&bytes));
                let (mut line, mut read) = (Vec::new(), 0);
                while reader.read_until(b'\n', &mut line).await.expect("memory does not fail") > 0 {
                    if line.ends_with(b"\r\n") {
                        read += black_box(&line).len();
                        line.clear();
                    }
                }
                read
            });
            assert_eq!(read, bytes.len());
        });
    });
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let runtime = runtime();
    for length in [100usize, 4096] {
        let count = TOTAL / length;
        let frame = [&(length as u32).to_be_bytes()[..], &vec![b'x'; length]].concat();
        let bytes = frame.repeat(count);
        let mut group = criterion.benchmark_group(format!("reader/exactly/{length}"));
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function("highwater/borrowed", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut reader = StreamReader::new(Source::new(&bytes));
                    let mut read = 0;
                    while let Ok(head) = reader.read_exactly_ref(4).await {
                        let length = u32::from_be_bytes(head.try_into().expect("four bytes")) as usize;
                        let body = reader.read_exactly_ref(length).await.expect("the body is there");
                        read += black_box(body).len() + 4;
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.bench_function("tokio/read_exact", |bencher| {
            bencher.iter(|| {
                let read = runtime.block_on(async {
                    let mut reader = BufReader::with_capacity(CHUNK, Source::new(&bytes));
                    let (mut body, mut read) = (Vec::new(), 0);
                    while let Ok(length) = reader.read_u32().await {
                        body.resize(length as usize, 0);
                        reader.read_exact(&mut body).await.expect("the body is there");
                        read += black_box(&body).len() + 4;
                    }
                    read
                });
                assert_eq!(read, bytes.len());
            });
        });
        group.finish();
    }
}

criterion_group!(benches, lines, crlf, frames);
criterion_main!(benches);
