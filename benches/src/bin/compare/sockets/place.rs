//! Which core runs what: a wake-up from one core to another costs more than what is measured.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;

/// Where the client and the server run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Both on one core: for conversations, in which one waits while the other works.
    Together,
    /// A core for each: for transfers, in which both work.
    Apart,
    /// Wherever the system puts them: for servers of several threads.
    Anywhere,
}

/// The cores that this program was given.
pub(crate) struct Cores {
    all: CpuSet,
    client: CpuSet,
    server: CpuSet,
}

impl Cores {
    pub(crate) fn new() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut given = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let only = |core: Option<usize>| {
            let mut set = CpuSet::new();
            core.into_iter().for_each(|core| set.set(core));
            set
        };
        let first = given.next();
        // The first core is where interrupts tend to go. Whoever was given one core runs all on it.
        Ok(Self { all, client: only(first), server: only(given.next_back().or(first)) })
    }

    /// Puts this thread where a server belongs that is started next: it inherits the place.
    pub(crate) fn place_server(&self, place: Place) -> io::Result<()> {
        let cores = if place == Place::Anywhere { &self.all } else { &self.server };
        Ok(sched_setaffinity(None, cores)?)
    }

    /// Puts this thread where the client belongs.
    pub(crate) fn place_client(&self, place: Place) -> io::Result<()> {
        let cores = match place {
            Place::Together => &self.server,
            Place::Apart => &self.client,
            Place::Anywhere => &self.all,
        };
        Ok(sched_setaffinity(None, cores)?)
    }

    /// Gives this thread all cores back.
    pub(crate) fn release(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.all)?)
    }
}
