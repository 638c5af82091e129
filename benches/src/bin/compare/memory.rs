//! Works in memory: all contenders on one core, in one thread.

use crate::Choice;
use crate::external::Programs;
use crate::rounds::{self, Turn};
use highwater_benches::Measurement;
use highwater_benches::memory::{self, Work};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::thread;

/// Every work in memory that is wanted.
///
/// # Errors
/// A sentence about a contender that lost something.
pub(crate) fn measure(choice: &Choice) -> Result<Vec<Measurement>, String> {
    let programs = match &choice.external {
        true => Programs::prepare(crate::built("external-memory"))?,
        false => Programs::default(),
    };
    on_one_core(|| {
        let mut measurements = Vec::new();
        for work in works(choice) {
            eprintln!("{}", work.name);
            measurements.extend(rounds::run(&work, turns(&work, &programs)?, choice)?);
        }
        Ok(measurements)
    })
}

/// Lets every contender do its work once, and compares what it saw with what was there.
///
/// # Errors
/// A sentence about a contender that lost something.
pub(crate) fn check(choice: &Choice) -> Result<(), String> {
    let mut count = 0;
    for work in works(choice) {
        for mut turn in turns(&work, &Programs::default())? {
            turn.take(&work)?;
            count += 1;
        }
    }
    println!("compare: {count} contenders saw every record and every byte");
    Ok(())
}

fn works(choice: &Choice) -> Vec<Work> {
    let works = memory::reading().into_iter().chain(memory::writing()).chain(memory::growing());
    works.filter(|work| choice.includes(&work.name)).collect()
}

fn turns<'a>(work: &'a Work, programs: &Programs) -> Result<Vec<Turn<'a>>, String> {
    let mut turns: Vec<_> = work.contenders.iter().map(|contender| Turn::here(work, contender)).collect();
    let programs = programs.of(&work.name, &work.load)?;
    turns.extend(programs.into_iter().map(|program| Turn::elsewhere(work, program)));
    Ok(turns)
}

/// Runs `work` in a thread of its own that stays on one core. Threads and processes that others start go where
/// they want.
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
