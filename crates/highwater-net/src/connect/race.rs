//! Who starts when: happy eyeballs as a state machine, without I/O and without a clock.
//!
//! The driver tells it the time and which attempt failed, and does what it says. Times are counted from
//! the start of the race.
//!
//! ```text
//! next(now) ─▶ GiveUp(i)    an attempt has had its time
//!           ─▶ Start(i)     it is the next one's turn: at once, when the one before has failed, or after the delay
//!           ─▶ Lost         nobody runs, and nobody is left
//!           ─▶ Wait(until)  until an attempt ends, or that time
//! ```

use std::time::Duration;

/// What paces the attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long after one starts the next does, if it has not ended. `None`: one after the other.
    pub(super) delay: Option<Duration>,
    /// How long an attempt may take.
    pub(super) attempt_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Start(usize),
    GiveUp(usize),
    Wait(Option<Duration>),
    Lost,
}

/// When the next attempt starts, if there is one.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Now,
    At(Duration),
    /// Only when one fails.
    Open,
}

#[derive(Debug)]
pub(super) struct Race {
    pace: Pace,
    count: usize,
    /// Attempts start in order: those before this one have been started.
    next: usize,
    /// Invariant: with nobody running it is `Now`, so that the race goes on.
    turn: Turn,
    /// Each with the time at which it is given up. Invariant: all are before `next`.
    running: Vec<(usize, Option<Duration>)>,
}

impl Race {
    pub(super) fn new(count: usize, pace: Pace) -> Self {
        Self { pace, count, next: 0, turn: Turn::Now, running: Vec::new() }
    }

    /// What to do now. To be asked again after each order was obeyed.
    pub(super) fn next(&mut self, now: Duration) -> Order {
        if let Some(&(index, _)) = self.running.iter().find(|(_, end)| end.is_some_and(|end| end <= now)) {
            self.failed(index);
            return Order::GiveUp(index);
        }
        if self.next < self.count && self.is_due(now) {
            return Order::Start(self.start(now));
        }
        if self.running.is_empty() {
            return Order::Lost;
        }
        let turn = match self.turn {
            Turn::At(time) if self.next < self.count => Some(time),
            _ => None,
        };
        let ends = self.running.iter().filter_map(|(_, end)| *end);
        Order::Wait(ends.chain(turn).min())
    }

    /// An attempt has failed: the next one's turn is now.
    ///
    /// RFC 8305 §5: the delay is for attempts that are still going on. diverges: in asyncio only the failure
    /// of the latest attempt does so; that of an earlier one leaves the network just as idle.
    pub(super) fn failed(&mut self, index: usize) {
        self.running.retain(|(running, _)| *running != index);
        self.turn = Turn::Now;
    }

    fn is_due(&self, now: Duration) -> bool {
        match self.turn {
            Turn::Now => true,
            Turn::At(time) => time <= now,
            Turn::Open => false,
        }
    }

    fn start(&mut self, now: Duration) -> usize {
        let index = self.next;
        let after = |time: Option<Duration>| time.and_then(|time| now.checked_add(time));
        self.next += 1;
        self.running.push((index, after(self.pace.attempt_timeout)));
        // RFC 8305 §5: each attempt starts the delay anew.
        self.turn = after(self.pace.delay).map_or(Turn::Open, Turn::At);
        index
    }
}

#[cfg(test)]
mod tests;
