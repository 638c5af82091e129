//! Taking turns: within a round every contender runs once, and each round begins with another one.

use crate::Choice;
use highwater_benches::Measurement;
use highwater_benches::memory::{Contender, Load, Work};
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// How long a contender runs each time, at least.
const LONG: Duration = Duration::from_millis(20);
/// The same when an answer is wanted soon.
const SHORT: Duration = Duration::from_millis(4);

/// What every contender of a work costs.
///
/// # Errors
/// A sentence about one that lost something.
pub(crate) fn run(work: &Work, choice: &Choice) -> Result<Vec<Measurement>, String> {
    let wanted = if choice.quick { SHORT } else { LONG };
    let turns: Vec<_> = work.contenders.iter().map(|contender| Turn::of(work, contender, wanted)).collect();
    let mut turns = turns.into_iter().collect::<Result<Vec<_>, _>>()?;
    for round in 0..choice.rounds {
        let count = turns.len();
        for place in 0..count {
            turns[(round + place) % count].take(work)?;
        }
    }
    Ok(turns.into_iter().map(|turn| turn.measurement(work)).collect())
}

/// Lets a contender do it once, and tells how long it took.
///
/// # Errors
/// A sentence when it did not see all that was there.
pub(crate) fn once(work: &Work, contender: &Contender, load: &Load) -> Result<Duration, String> {
    let before = now();
    let done = contender.run(load);
    let took = now().saturating_sub(before);
    if done == load.expected() {
        return Ok(took);
    }
    Err(format!("{} by {}: saw {done:?}, and there was {:?}", work.name, contender.name, load.expected()))
}

/// A contender with as much to do as takes long enough, and what it took so far.
struct Turn<'a> {
    contender: &'a Contender,
    load: Load,
    samples: Vec<f64>,
}

impl<'a> Turn<'a> {
    /// Finds out how much that is, which warms up as well.
    fn of(work: &Work, contender: &'a Contender, wanted: Duration) -> Result<Self, String> {
        let mut passes = 1;
        loop {
            let load = work.load.times(passes);
            let took = once(work, contender, &load)?;
            if took >= wanted {
                return Ok(Self { contender, load, samples: Vec::new() });
            }
            let missing = wanted.as_secs_f64() / took.as_secs_f64().max(1e-6);
            // A little more than is missing, but no leap from a first run that may be slower than the next.
            passes = (passes as f64 * (missing * 1.1).clamp(1.5, 10.0)).ceil() as usize;
        }
    }

    fn take(&mut self, work: &Work) -> Result<(), String> {
        let took = once(work, self.contender, &self.load)?;
        let count = work.per.count(self.load.expected());
        self.samples.push(took.as_nanos() as f64 / count as f64);
        Ok(())
    }

    fn measurement(self, work: &Work) -> Measurement {
        Measurement {
            work: work.name.clone(),
            metric: work.per.metric(),
            contender: self.contender.name.to_owned(),
            role: self.contender.role,
            at: work.at,
            samples: self.samples,
        }
    }
}

/// The time that this thread had the processor: what others take of it in between does not count.
fn now() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(tv_sec.unsigned_abs(), u32::try_from(tv_nsec).unwrap_or_default())
}
