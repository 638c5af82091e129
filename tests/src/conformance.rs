//! Runs of `asyncio.StreamReader` recorded from CPython, and their replay against any reader.
//!
//! `tests/data/README.md` says what the recording holds and how it is to be replayed.

mod format;

use crate::report;
use crate::subject::Subject;
use bytes::Bytes;
use highwater_testing::{Call, Op, Outcome};
use std::task::Poll;

static RECORDING: &str = include_str!("../data/reader.jsonl");

/// One recorded run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it was generated from: its name.
    pub seed: u64,
    /// The reader's limit, in bytes.
    pub limit: usize,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// An event from the transport, or a read.
#[derive(Clone, Debug)]
pub enum Step {
    /// Something arrives while no read waits.
    Arrives(Event),
    /// A read and all that was seen of it.
    Reads(Read),
}

/// What arrives.
#[derive(Clone, Debug)]
pub enum Event {
    /// These bytes; there may be none.
    Feed(Bytes),
    /// The end of the stream; it may come more than once.
    FeedEof,
}

/// A read as it was recorded.
#[derive(Clone, Debug)]
pub struct Read {
    /// What was called.
    pub call: Call,
    /// What came while it waited. It completed on the last of these, if it did.
    pub during: Vec<Event>,
    /// How it ended; `Pending` when it still waited and was cancelled.
    pub outcome: Poll<Outcome>,
    /// What was left in the buffer.
    pub buffered: Bytes,
    /// What `at_eof` said then.
    pub at_eof: bool,
}

/// What a `read(n)` may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortReads {
    /// All that has arrived, as recorded: for readers that are fed.
    Refused,
    /// A non-empty part of it: for readers that pull. The read is then repeated for the rest.
    Allowed,
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Runs.
    pub runs: usize,
    /// Steps of these runs: events and reads.
    pub steps: usize,
    /// Reads among the steps.
    pub reads: usize,
}

/// All recorded runs.
pub fn runs() -> Vec<Run> {
    RECORDING.lines().map(format::parse).collect()
}

/// What the recording holds, counted in its text without parsing it.
pub fn recorded() -> Compared {
    let reads = RECORDING.matches(r#"{"call":"#).count();
    let events = RECORDING.matches(r#"{"event":"#).count();
    Compared { runs: RECORDING.lines().count(), steps: events + reads, reads }
}

/// Replays every run against a subject that `subject` makes with the run's limit, reports how much was
/// compared under `name`, and panics at the first difference, or if that was less than was recorded.
pub fn replay_all<S: Subject>(
    name: &str,
    short_reads: ShortReads,
    mut subject: impl FnMut(usize) -> S,
) -> Compared {
    let mut compared = Compared::default();
    for run in runs() {
        replay(&run, &mut subject(run.limit), short_reads, &mut compared);
    }
    let Compared { runs, steps, reads } = compared;
    report(&format!("conformance: {name}: {runs} runs, {steps} steps ({reads} of them reads) compared"));
    assert_eq!(compared, recorded(), "{name}: all that was recorded is compared");
    compared
}

/// Replays one run, and panics at the first difference.
pub fn replay(run: &Run, subject: &mut impl Subject, short_reads: ShortReads, compared: &mut Compared) {
    for (index, step) in run.steps.iter().enumerate() {
        match step {
            Step::Arrives(event) => event.reaches(subject),
            Step::Reads(read) => {
                let place = format!("run {}, step {index}: {:?}", run.seed, read.call);
                let outcome = outcome_of(read, subject, short_reads, &place);
                assert_eq!(outcome, read.outcome, "{place}: the outcome");
                assert_eq!(subject.buffered(), read.buffered, "{place}: what is buffered");
                assert_eq!(subject.at_eof(), read.at_eof, "{place}: at_eof");
                compared.reads += 1;
            }
        }
        compared.steps += 1;
    }
    compared.runs += 1;
}

fn outcome_of(
    read: &Read,
    subject: &mut impl Subject,
    short_reads: ShortReads,
    place: &str,
) -> Poll<Outcome> {
    let mut outcome = subject.begin(&read.call);
    for event in &read.during {
        assert!(outcome.is_pending(), "{place}: ended in {outcome:?} before {event:?}");
        event.reaches(subject);
        outcome = subject.resume();
    }
    if outcome.is_pending() {
        subject.cancel();
    }
    match (short_reads, &read.call.op, &read.outcome) {
        (ShortReads::Allowed, Op::Read(n), Poll::Ready(Outcome::Bytes(expected))) => {
            assert!(expected.len() <= *n, "{place}: a recording of more than was asked for");
            read_the_rest(outcome, expected, |rest| subject.begin(&Op::Read(rest).into()))
        }
        _ => outcome,
    }
}

/// Repeats a `read` that returned a non-empty part of `expected` until it is complete, or differs.
pub fn read_the_rest(
    mut outcome: Poll<Outcome>,
    expected: &Bytes,
    mut read: impl FnMut(usize) -> Poll<Outcome>,
) -> Poll<Outcome> {
    let mut complete = Vec::new();
    loop {
        match outcome {
            Poll::Ready(Outcome::Bytes(part)) if !part.is_empty() || expected.is_empty() => {
                complete.extend_from_slice(&part);
            }
            other => return other,
        }
        if complete.len() >= expected.len() || !expected.starts_with(&complete) {
            return Poll::Ready(Outcome::Bytes(complete.into()));
        }
        outcome = read(expected.len() - complete.len());
    }
}

impl Event {
    /// Lets it happen to `subject`.
    pub fn reaches(&self, subject: &mut impl Subject) {
        match self {
            Event::Feed(bytes) => subject.feed(bytes),
            Event::FeedEof => subject.feed_eof(),
        }
    }
}
