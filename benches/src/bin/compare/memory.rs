//! Works in memory: all contenders on one core, in one thread.

use crate::Choice;
use crate::rounds;
use highwater_benches::Measurement;
use highwater_benches::memory::{self, Work};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::thread;

/// Every work in memory that is wanted.
///
/// # Errors
/// A sentence about a contender that lost something.
pub(crate) fn measure(choice: &Choice) -> Result<Vec<Measurement>, String> {
    on_one_core(|| {
        let mut measurements = Vec::new();
        for work in works(choice) {
            eprintln!("{}", work.name);
            measurements.extend(rounds::run(&work, choice)?);
        }
        Ok(measurements)
    })
}

/// Lets every contender do its work once, and compares what it saw with what was there.
///
/// # Errors
/// A sentence about a contender that lost something.
pub(crate) fn check(choice: &Choice) -> Result<(), String> {
    for work in works(choice) {
        for contender in &work.contenders {
            rounds::once(&work, contender, &work.load)?;
        }
        println!("{}: {} contenders saw every byte", work.name, work.contenders.len());
    }
    Ok(())
}

fn works(choice: &Choice) -> Vec<Work> {
    let works = memory::reading().into_iter().chain(memory::writing()).chain(memory::growing());
    works.filter(|work| choice.includes(&work.name)).collect()
}

/// Runs `work` in a thread of its own that stays on the core where it began. Threads and processes that are
/// started later go where they want.
fn on_one_core<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pinned = || {
        // A system that does not let us choose measures with more noise, and no less.
        if let Ok(allowed) = sched_getaffinity(None) {
            if let Some(core) = (0..CpuSet::MAX_CPU).rfind(|core| allowed.is_set(*core)) {
                let mut one = CpuSet::new();
                one.set(core);
                let _ = sched_setaffinity(None, &one);
            }
        }
        work()
    };
    thread::scope(|scope| scope.spawn(pinned).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}
