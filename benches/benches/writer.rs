//! Writing into memory: `StreamWriter` beside tokio's `BufWriter`.
#![allow(missing_docs)] // criterion's macros make public items.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use highwater_benches::{Drain, runtime};
use highwater_stream::StreamWriter;
use tokio::io::{AsyncWriteExt, BufWriter};

const WRITES: usize = 10_000;
const RECORD: [u8; 64] = [b'x'; 64];

fn small(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("writer/64");
    group.throughput(Throughput::Elements(WRITES as u64));
    group.bench_function("highwater/write, drain each", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let writer = StreamWriter::new(Drain::default());
                for _ in 0..WRITES {
                    writer.write(RECORD).expect("memory does not fail");
                    writer.drain().await.expect("memory does not fail");
                }
                writer.flush().await.expect("memory does not fail");
            });
        });
    });
    group.bench_function("highwater/write, flush per 100", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let writer = StreamWriter::new(Drain::default());
                for _ in 0..WRITES / 100 {
                    for _ in 0..100 {
                        writer.write(RECORD).expect("memory does not fail");
                    }
                    writer.flush().await.expect("memory does not fail");
                }
            });
        });
    });
    group.bench_function("tokio/BufWriter, flush per 100", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut writer = BufWriter::with_capacity(64 * 1024, Drain::default());
                for _ in 0..WRITES / 100 {
                    for _ in 0..100 {
                        writer.write_all(&RECORD).await.expect("memory does not fail");
                    }
                    writer.flush().await.expect("memory does not fail");
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, small);
criterion_main!(benches);
