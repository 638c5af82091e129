//! Heap allocations per record: every contender in memory, counted.
//!
//! A program of its own, because what counts is an allocator, and slows down whoever is timed with it. Prints
//! `WORK`, `CONTENDER`, `ROLE` and the count, a line each, with tabs between them; an argument is a part of the
//! names of the works that are wanted. What an allocation is for falls out of the difference of two runs if it
//! happens once.

use highwater_benches::memory::{self, Contender, Work};

/// Of the longer of two runs; the shorter one is half of it.
const PASSES: usize = 4;

fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    let works = memory::reading().into_iter().chain(memory::writing());
    for work in works.filter(|work| work.name.contains(&part)) {
        for contender in &work.contenders {
            // Whatever a first time needs, such as a runtime.
            contender.run(&work.load);
            let (few, allocated_by_few) = count(&work, contender, PASSES / 2);
            let (many, allocated_by_many) = count(&work, contender, PASSES);
            let per_record = allocated_by_many.saturating_sub(allocated_by_few) as f64 / (many - few) as f64;
            println!("{}\t{}\t{:?}\t{per_record:.4}", work.name, contender.name, contender.role);
        }
    }
}

/// How many records there were, and how often memory was allocated for them.
fn count(work: &Work, contender: &Contender, passes: usize) -> (usize, u64) {
    let load = work.load.times(passes);
    let mut records = 0;
    let counted = allocation_counter::measure(|| records = contender.run(&load).records);
    (records, counted.count_total)
}
