//! Two connected pairs over a transport that does its worst: what one end has written is what the other reads.
//!
//! Both ends write and read at once, and every read is kept with its outcome. When all is over, it is known what
//! was sent, and the model, to which all of it is given at once, must have had the same outcomes: they are a
//! function of the bytes, however these were cut, whatever was given up in between, whoever of several clones wrote
//! them, and however often the halves started over.

mod choose;
mod life;
mod replay;
mod writing;

use crate::call::Call;
use crate::perform::Form;
use bytes::Bytes;
use std::ops::AddAssign;
use std::time::Duration;
use tokio::time::timeout;

/// On a paused clock, what takes longer than this hangs: nothing in a script waits for more than half a minute.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// What two connected ends do, over which transport.
///
/// ```
/// use highwater_testing::{Ending, EndScript, Form, Op, PairRead, PairScript, PairWrite, check_pair};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async {
/// let writes = vec![PairWrite::Write("one\ntwo".into()), PairWrite::Flush];
/// let near = EndScript { acts: vec![], writes, ending: Ending::WriteEof, reads: vec![] };
/// let line = PairRead { after: 5, form: Form::Owned, call: Op::ReadLine.into(), polls: None };
/// let far = EndScript { acts: vec![], writes: vec![], ending: Ending::Drop, reads: vec![line] };
/// let chaos = PairScript { seed: 42, most: 1, room: 4, high: 2, limit: 80, reset: None, ends: [near, far] };
/// let counts = check_pair(&chaos).await;
/// assert_eq!((counts.writes, counts.reads), (1, 3)); // Each end reads to the end.
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairScript {
    /// The seed of both ends' [`Chaos`](crate::Chaos).
    pub seed: u64,
    /// The most bytes that it takes or gives at once.
    pub most: usize,
    /// How many bytes the transport holds, at least one.
    pub room: usize,
    /// The high mark of both writers.
    pub high: usize,
    /// The limit of both readers.
    pub limit: usize,
    /// The transport of one end (0 or 1) is reset when so many bytes were written to it.
    pub reset: Option<(usize, u64)>,
    /// Both ends.
    pub ends: [EndScript; 2],
}

/// What one end does: it writes and reads at once, each in order.
///
/// ```
/// use highwater_testing::{Ending, EndScript, PairWrite};
/// let writes = vec![PairWrite::Write("all it says".into())];
/// assert!(EndScript { acts: vec![], writes, ending: Ending::Close, reads: vec![] }.reads.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndScript {
    /// What it does before, with the halves starting over after each. One end only may have acts: two that wait
    /// until all is sent, while neither reads, wait for ever.
    pub acts: Vec<Act>,
    /// What its writer does.
    pub writes: Vec<PairWrite>,
    /// And then.
    pub ending: Ending,
    /// What its reader does, before it reads to the end.
    pub reads: Vec<PairRead>,
}

/// What an end does between one start over and the next.
///
/// ```
/// use highwater_testing::{Act, PairWrite, StartOver};
/// let act = Act { writes: vec![PairWrite::Drain], reads: vec![], then: StartOver::Reunite };
/// assert_ne!(act, Act { then: StartOver::Upgrade, ..act.clone() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What its writer does.
    pub writes: Vec<PairWrite>,
    /// What its reader does.
    pub reads: Vec<PairRead>,
    /// And then.
    pub then: StartOver,
}

/// How the halves start over, with what was read and not returned put back. While a clone writes in another task,
/// or after a loss, they are refused, and go on as they were.
///
/// ```
/// use highwater_testing::StartOver;
/// assert_ne!(StartOver::Reunite, StartOver::Upgrade);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOver {
    /// `reunite`, and a new pair over the transport.
    Reunite,
    /// `upgrade` to the same transport.
    Upgrade,
}

/// What a writer does.
///
/// ```
/// use highwater_testing::PairWrite;
/// assert_ne!(PairWrite::Drain, PairWrite::Flush);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairWrite {
    /// One message.
    Write(Bytes),
    /// One message of several payloads.
    WriteLines(Vec<Bytes>),
    /// `drain`
    Drain,
    /// `flush`
    Flush,
    /// A `flush` that is given up after so many polls.
    GiveUpFlush(usize),
    /// A clone takes the place of the writer.
    Clone,
    /// A clone does this in a task of its own.
    Spawn(Vec<PairWrite>),
    /// Waits until these tasks have ended.
    Join,
    /// So many milliseconds pass.
    Sleep(u64),
}

/// How a writer ends.
///
/// ```
/// use highwater_testing::Ending;
/// assert!(Ending::Abort.is_rough() && !Ending::WriteEof.is_rough());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `write_eof`; the writer is kept.
    WriteEof,
    /// The writer is dropped.
    Drop,
    /// `close`
    Close,
    /// `abort`
    Abort,
}

impl Ending {
    /// Whether it ends reading, too.
    ///
    /// ```
    /// use highwater_testing::Ending;
    /// assert!(Ending::Close.is_rough() && !Ending::Drop.is_rough());
    /// ```
    pub fn is_rough(self) -> bool {
        matches!(self, Ending::Close | Ending::Abort)
    }
}

/// What a reader does.
///
/// ```
/// use highwater_testing::{Form, Op, PairRead};
/// let given_up = PairRead { after: 0, form: Form::Owned, call: Op::ReadLine.into(), polls: Some(3) };
/// assert_ne!(given_up, PairRead { polls: None, ..given_up.clone() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRead {
    /// So many milliseconds pass first.
    pub after: u64,
    /// In which form.
    pub form: Form,
    /// Which read.
    pub call: Call,
    /// It is given up after so many polls. A skip, which stays in force, is then called again.
    pub polls: Option<usize>,
}

/// Lets both ends do what they are to do, and compares what they have seen.
///
/// Of what was accepted, the other end reads everything, in order, unless an end was rough (`close` while the
/// other writes, `abort`) or the transport was reset; then it reads so much as the writer was told of, and what
/// was flushed is never missing where the reader saw the end. What one writer accepts after what another did is
/// read after it, whole. After the transport's error, reads give what had come before it, and then the same error
/// each time.
///
/// # Panics
/// Where that is not so, when both ends are to start over, and when the script has not ended after an hour: run it on a paused clock.
///
/// # Cancel safety
/// Dropped, it leaves tasks behind that end by themselves.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async {
/// use highwater_testing::{PairScript, check_pair};
/// // A fuzz target: any bytes are a script.
/// check_pair(&PairScript::from_bytes(b"whatever the fuzzer has found")).await;
/// # });
/// ```
pub async fn check_pair(script: &PairScript) -> PairCounts {
    assert!(script.ends.iter().any(|end| end.acts.is_empty()), "one end only starts over");
    let ran = timeout(FOR_EVER, life::run(script)).await.expect("the script hangs");
    let is_rough = script.reset.is_some() || script.ends.iter().any(|end| end.ending.is_rough());
    let [near, far] = &ran;
    for (from, to, end) in [(near, far, &script.ends[1]), (far, near, &script.ends[0])] {
        replay::check(script.limit, from, to, end, is_rough);
    }
    let mut counts = near.counts;
    counts += far.counts;
    counts
}

/// What a script came to: operations that were performed, whatever their outcome.
///
/// ```
/// use highwater_testing::PairCounts;
/// let counts = PairCounts { reads: 2, writes: 1, given_up: 1, ..PairCounts::default() };
/// assert_eq!(counts.operations(), 3); // What was given up is one of them.
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    /// Reads of all kinds.
    pub reads: u64,
    /// Messages.
    pub writes: u64,
    /// `drain`
    pub drains: u64,
    /// `flush`
    pub flushes: u64,
    /// Clones that took a writer's place, or wrote in tasks of their own.
    pub clones: u64,
    /// Halves that started over, or were refused to.
    pub restarts: u64,
    /// `write_eof`, drop, `close`, `abort`
    pub endings: u64,
    /// Of these reads and flushes: given up.
    pub given_up: u64,
    /// Of these reads: ended in the transport's error.
    pub failed: u64,
    /// Of these writes and restarts: refused.
    pub refused: u64,
}

impl PairCounts {
    /// All of them, each once.
    ///
    /// ```
    /// use highwater_testing::PairCounts;
    /// assert_eq!(PairCounts { drains: 2, endings: 1, ..PairCounts::default() }.operations(), 3);
    /// ```
    pub fn operations(&self) -> u64 {
        let Self { reads, writes, drains, flushes, clones, restarts, endings, .. } = self;
        reads + writes + drains + flushes + clones + restarts + endings
    }
}

impl AddAssign for PairCounts {
    fn add_assign(&mut self, other: Self) {
        let Self { reads, writes, drains, flushes, clones, restarts, endings, given_up, failed, refused } =
            other;
        self.reads += reads;
        self.writes += writes;
        self.drains += drains;
        self.flushes += flushes;
        self.clones += clones;
        self.restarts += restarts;
        self.endings += endings;
        self.given_up += given_up;
        self.failed += failed;
        self.refused += refused;
    }
}
