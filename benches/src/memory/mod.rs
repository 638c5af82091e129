//! Every contender in memory, defined once: for `compare`, for criterion and for what counts allocations.

mod bounds;
mod codecs;
mod crlf;
mod frames;
mod heads;
mod lines;
mod load;
mod long;
mod separators;
mod waits;
mod writes;

pub use load::{Done, Load, Source};

use crate::Role;
use std::cell::OnceCell;
use std::fmt;
use tokio::runtime::Runtime;

/// Something to do, and all who can do it.
#[derive(Debug)]
pub struct Work {
    /// As in [`Measurement::work`](crate::Measurement::work).
    pub name: String,
    /// What a figure is of.
    pub per: Per,
    /// Where the work is one point of a growing one: how long or large.
    pub at: Option<f64>,
    /// What is to be done.
    pub load: Load,
    /// How often at least, so that what a first time costs is shared by several.
    pub passes: usize,
    /// Who does it.
    pub contenders: Vec<Contender>,
}

/// What the time is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A line, frame, message or write.
    Record,
    /// A byte of whatever it is.
    Byte,
}

impl Per {
    /// As in [`Measurement::metric`](crate::Measurement::metric).
    pub fn metric(self) -> &'static str {
        match self {
            Self::Record => "time per record, ns",
            Self::Byte => "time per byte, ns",
        }
    }

    /// How many there are.
    pub fn count(self, done: Done) -> usize {
        match self {
            Self::Record => done.records,
            Self::Byte => done.bytes,
        }
    }
}

/// Somebody who does the work.
pub struct Contender {
    /// As in [`Measurement::contender`](crate::Measurement::contender).
    pub name: &'static str,
    /// Who that is to us.
    pub role: Role,
    run: Box<dyn Fn(&Load) -> Done>,
}

impl Contender {
    /// Does it, and tells what was there.
    pub fn run(&self, load: &Load) -> Done {
        (self.run)(load)
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contender").field(&self.name).field(&self.role).finish()
    }
}

impl Work {
    fn new(name: impl Into<String>, load: Load) -> Self {
        Self { name: name.into(), per: Per::Record, at: None, load, passes: 1, contenders: Vec::new() }
    }

    fn with(mut self, role: Role, name: &'static str, run: impl Fn(&Load) -> Done + 'static) -> Self {
        self.contenders.push(Contender { name, role, run: Box::new(run) });
        self
    }

    fn ours(self, name: &'static str, run: impl Fn(&Load) -> Done + 'static) -> Self {
        self.with(Role::Ours, name, run)
    }

    fn peer(self, name: &'static str, run: impl Fn(&Load) -> Done + 'static) -> Self {
        self.with(Role::Peer, name, run)
    }

    fn bound(self, name: &'static str, run: impl Fn(&Load) -> Done + 'static) -> Self {
        self.with(Role::Bound, name, run)
    }
}

/// What is read.
pub fn reading() -> Vec<Work> {
    let lines = [16, 64, 512].into_iter().flat_map(|length| [lines::borrowed(length), lines::owned(length)]);
    lines
        .chain(crlf::works())
        .chain(separators::works())
        .chain([heads::work()])
        .chain(frames::works())
        .chain([waits::work()])
        .collect()
}

/// What is read at any size.
pub fn growing() -> Vec<Work> {
    long::works().into_iter().chain(long::by_record()).chain(long::by_chunk()).collect()
}

/// What is written.
pub fn writing() -> Vec<Work> {
    vec![writes::work()]
}

/// Runs a future on the runtime of this thread, which outlives it.
fn wait<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    }
    RUNTIME.with(|runtime| runtime.get_or_init(crate::runtime).block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_sees_every_record() {
        for work in reading().into_iter().chain(writing()) {
            for contender in &work.contenders {
                let load = work.load.times(2);
                assert_eq!(contender.run(&load), load.expected(), "{} by {}", work.name, contender.name);
            }
        }
    }
}
