//! What was seen, and the table that says so.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use highwater_tests::usage::Usage;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::kind::Kind;

/// More sentences than these help nobody.
const MOST_SENTENCES: usize = 20;

const MIB: u64 = 1024 * 1024;

/// What one end has seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Connections over TCP, Unix sockets and TLS.
    pub(crate) over: [u64; 3],
    /// Connections by what the client does, in the order of [`Kind::ALL`].
    pub(crate) kinds: [u64; 6],
    /// Bytes of payload that came and were compared.
    pub(crate) bytes: u64,
    /// Payloads that were not as sent.
    pub(crate) wrong: u64,
    /// Errors of connections that were to fail.
    pub(crate) expected: u64,
    /// Errors of all others.
    pub(crate) unexpected: u64,
    /// Payloads after which `drain` had to wait.
    pub(crate) held_back: u64,
    /// What was wrong or unexpected, the first of it.
    pub(crate) sentences: Vec<String>,
}

pub(crate) fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    pub(crate) fn unexpected(&mut self, what: impl fmt::Display) {
        self.unexpected += 1;
        self.say(what);
    }

    pub(crate) fn wrong(&mut self, what: impl fmt::Display) {
        self.wrong += 1;
        self.say(what);
    }

    fn say(&mut self, what: impl fmt::Display) {
        if self.sentences.len() < MOST_SENTENCES {
            self.sentences.push(what.to_string());
        }
    }

    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.over.iter_mut().zip(other.over).for_each(|(sum, more)| *sum += more);
        self.kinds.iter_mut().zip(other.kinds).for_each(|(sum, more)| *sum += more);
        self.bytes += other.bytes;
        self.wrong += other.wrong;
        self.expected += other.expected;
        self.unexpected += other.unexpected;
        self.held_back += other.held_back;
        self.sentences.extend_from_slice(&other.sentences);
        self
    }

    fn connections(&self) -> u64 {
        self.over.iter().sum()
    }

    fn to_fail(&self) -> u64 {
        let of = |(kind, count): (Kind, u64)| if kind.is_to_fail() { count } else { 0 };
        Kind::ALL.into_iter().zip(self.kinds).map(of).sum()
    }

    fn is_good(&self) -> bool {
        self.wrong == 0 && self.unexpected == 0
    }
}

/// What a process holds that is to be given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) tasks: usize,
}

impl Held {
    pub(crate) fn now() -> io::Result<Self> {
        let tasks = Handle::current().metrics().num_alive_tasks();
        Ok(Self { descriptors: Usage::own()?.descriptors, tasks })
    }
}

/// A process from its beginning to its end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ends {
    pub(crate) tally: Tally,
    pub(crate) before: Held,
    pub(crate) after: Held,
    pub(crate) usage: Usage,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) most_open: usize,
    pub(crate) server: Ends,
    pub(crate) clients: Vec<Ends>,
}

impl Outcome {
    pub(crate) fn is_good(&self) -> bool {
        let all = || self.clients.iter().chain([&self.server]);
        all().all(|ends| ends.tally.is_good() && ends.after == ends.before) && self.server.tally.bytes > 0
    }
}

pub(crate) fn progress(elapsed: Duration, open: usize, both: &Tally, resident: u64) -> String {
    format!(
        "{:>5} s  {open:>6} open  {:>9} connections  {:>7} MiB checked  {} wrong  {} errors expected, {} not  \
         {} MiB resident",
        elapsed.as_secs(),
        both.connections(),
        both.bytes / MIB,
        both.wrong,
        both.expected,
        both.unexpected,
        resident / MIB
    )
}

/// A table in Markdown, and after it the sentences.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = self.clients.iter().fold(Tally::default(), |sum, ends| sum.and(&ends.tally));
        let server = &self.server.tally;
        let [tcp, unix, tls] = clients.over;
        let kinds: Vec<_> =
            Kind::ALL.iter().zip(clients.kinds).map(|(kind, count)| format!("{count} {kind}")).collect();
        let held = |ends: &Ends| {
            let (before, after) = (ends.before, ends.after);
            format!("{}, {} | {}, {}", before.descriptors, after.descriptors, before.tasks, after.tasks)
        };

        writeln!(f, "| soak | seed {}, {} s |", self.seed, self.took.as_secs())?;
        writeln!(f, "| --- | --- |")?;
        writeln!(f, "| connections open at once, at most | {} |", self.most_open)?;
        let all = clients.connections();
        writeln!(f, "| connections | {all}: {tcp} TCP, {unix} Unix, {tls} TLS |")?;
        writeln!(f, "| by what the client does | {} |", kinds.join(", "))?;
        let (there, back) = (server.bytes / MIB, clients.bytes / MIB);
        writeln!(f, "| bytes checked | {there} MiB at the server, {back} MiB at the clients |")?;
        writeln!(f, "| payloads that were not as sent | {} |", server.wrong + clients.wrong)?;
        writeln!(f, "| connections that were to fail | {} |", clients.to_fail())?;
        let (there, back) = (server.expected, clients.expected);
        writeln!(f, "| their errors | {there} at the server, {back} at the clients |")?;
        writeln!(f, "| errors of others | {} |", server.unexpected + clients.unexpected)?;
        writeln!(f, "| payloads after which the server waited in `drain` | {} |", server.held_back)?;
        let highest = self.server.usage.highest / MIB;
        writeln!(f, "| highest memory of the server's process | {highest} MiB |")?;
        for (number, ends) in self.clients.iter().enumerate() {
            let highest = ends.usage.highest / MIB;
            writeln!(f, "| highest memory of process {} of clients | {highest} MiB |", number + 1)?;
        }

        writeln!(f, "\n| process | descriptors before, at the end | tasks before, at the end |")?;
        writeln!(f, "| --- | --- | --- |")?;
        writeln!(f, "| server | {} |", held(&self.server))?;
        for (number, ends) in self.clients.iter().enumerate() {
            writeln!(f, "| clients {} | {} |", number + 1, held(ends))?;
        }
        for sentence in server.sentences.iter().chain(&clients.sentences) {
            writeln!(f, "\n{sentence}")?;
        }
        write!(f, "\nsoak: {}", if self.is_good() { "ok" } else { "FAILED" })
    }
}
