//! Taking turns: within a round every contender runs once, and each round begins with another one.

use crate::Choice;
use crate::external::Program;
use highwater_benches::memory::{Contender, Done, Load, Work};
use highwater_benches::{Measurement, Role};
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// How long a contender runs each time, at least.
const LONG: Duration = Duration::from_millis(20);
/// The same when an answer is wanted soon.
const SHORT: Duration = Duration::from_millis(4);
/// By so many bytes what is read moves within a page from one time to the next.
const STEP: usize = 1040;

/// What every contender of a work costs.
///
/// # Errors
/// A sentence about one that lost something.
pub(crate) fn run(
    work: &Work,
    mut turns: Vec<Turn<'_>>,
    choice: &Choice,
) -> Result<Vec<Measurement>, String> {
    let wanted = if choice.quick { SHORT } else { LONG };
    for turn in &mut turns {
        turn.warm_up(work, wanted)?;
    }
    let count = turns.len();
    for round in 0..choice.rounds {
        for place in 0..count {
            turns[(round + place) % count].take(work)?;
        }
    }
    Ok(turns.into_iter().map(|turn| turn.measurement(work)).collect())
}

/// Does what there is to do, and tells what it saw and how long that took.
type Run<'a> = Box<dyn Fn(&Load) -> Result<(Done, Duration), String> + 'a>;

/// A contender with as much to do as takes long enough, and what it took so far.
pub(crate) struct Turn<'a> {
    name: &'static str,
    role: Role,
    run: Run<'a>,
    load: Load,
    samples: Vec<f64>,
}

impl<'a> Turn<'a> {
    /// One that is part of this program.
    pub(crate) fn here(work: &Work, contender: &'a Contender) -> Self {
        let timed = move |load: &Load| {
            let before = now();
            let done = contender.run(load);
            Ok((done, now().saturating_sub(before)))
        };
        Self::new(work, contender.name, contender.role, Box::new(timed))
    }

    /// One that is a program of its own, and has its own clock.
    pub(crate) fn elsewhere(work: &Work, program: Program) -> Self {
        Self::new(work, program.name, Role::Peer, Box::new(move |load: &Load| program.run(load)))
    }

    fn new(work: &Work, name: &'static str, role: Role, run: Run<'a>) -> Self {
        Self { name, role, run, load: work.load.clone(), samples: Vec::new() }
    }

    /// Finds out how many passes take long enough.
    fn warm_up(&mut self, work: &Work, wanted: Duration) -> Result<(), String> {
        let mut passes = work.passes;
        loop {
            self.load = work.load.times(passes);
            let took = self.once(work)?;
            if took >= wanted {
                return Ok(());
            }
            let missing = wanted.as_secs_f64() / took.as_secs_f64().max(1e-6);
            // A little more than is missing, but no leap from a first run that may be slower than the next.
            passes = (passes as f64 * (missing * 1.1).clamp(1.5, 10.0)).ceil() as usize;
        }
    }

    /// Does it once more.
    ///
    /// # Errors
    /// A sentence when not all that was there was seen.
    pub(crate) fn take(&mut self, work: &Work) -> Result<(), String> {
        self.load = self.load.moved_by((self.samples.len() + 1) * STEP);
        let took = self.once(work)?;
        let count = work.per.count(self.load.expected());
        self.samples.push(took.as_nanos() as f64 / count as f64);
        Ok(())
    }

    fn once(&self, work: &Work) -> Result<Duration, String> {
        let (done, took) = (self.run)(&self.load)?;
        let expected = self.load.expected();
        if done == expected {
            return Ok(took);
        }
        Err(format!("{} by {}: saw {done:?}, and there was {expected:?}", work.name, self.name))
    }

    fn measurement(self, work: &Work) -> Measurement {
        Measurement {
            work: work.name.clone(),
            metric: work.per.metric(),
            contender: self.name.to_owned(),
            role: self.role,
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
