//! Random schedules: each follows from its seed alone, and one that fails says how to run it again.
//!
//! | variable | |
//! | --- | --- |
//! | `HIGHWATER_SEED` | the first seed; alone, only that schedule is run |
//! | `HIGHWATER_OPERATIONS` | how many operations a suite is to perform at least, all schedules together |

use crate::bounded::bounded_by;
use std::env;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

/// So many in a plain test run.
const OPERATIONS: u64 = 50_000;

/// Real time that a million operations do not come near.
const PATIENCE: Duration = Duration::from_secs(900);

/// The seed and the number of operations that were asked for.
pub fn asked_for() -> (u64, u64) {
    match (number("HIGHWATER_SEED"), number("HIGHWATER_OPERATIONS")) {
        (seed, Some(operations)) => (seed.unwrap_or(0), operations),
        (Some(seed), None) => (seed, 1),
        (None, None) => (0, OPERATIONS),
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value} is not a number")))
}

/// Runs `schedule` with one seed after the other until so many operations are performed, and adds up what they
/// return. `test` is the file of the test.
///
/// # Panics
/// When one of them does, with its seed said before.
pub fn run_all<C: AddAssign + Default + Send + 'static>(
    test: &'static str,
    first: u64,
    most: u64,
    operations: fn(&C) -> u64,
    schedule: impl Fn(u64) -> C + Send + 'static,
) -> (C, u64) {
    bounded_by(PATIENCE, move || {
        let (mut sum, mut schedules) = (C::default(), 0);
        while operations(&sum) < most {
            let seed = first.wrapping_add(schedules);
            sum += catch_unwind(AssertUnwindSafe(|| schedule(seed))).unwrap_or_else(|panic| {
                eprintln!(
                    "after {} operations the schedule of seed {seed} has failed; again:",
                    operations(&sum)
                );
                eprintln!("HIGHWATER_SEED={seed} cargo test -p highwater-tests --test {test}");
                resume_unwind(panic)
            });
            schedules += 1;
        }
        (sum, schedules)
    })
}

/// splitmix64
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Below `count`, which is not zero.
    pub fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % count
    }
}
