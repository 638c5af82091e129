//! Reading from memory, with criterion: the contenders of `compare`, one after the other.
#![allow(missing_docs)] // criterion's macros make public items.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use highwater_benches::memory;

fn reading(criterion: &mut Criterion) {
    for work in memory::reading() {
        let mut group = criterion.benchmark_group(&work.name);
        group.throughput(Throughput::Elements(work.load.expected().records as u64));
        for contender in &work.contenders {
            group.bench_function(contender.name, |bencher| bencher.iter(|| contender.run(&work.load)));
        }
        group.finish();
    }
}

criterion_group!(benches, reading);
criterion_main!(benches);
