//! Runs each case with its bytes whole, byte by byte and split at each position: one outcome for all.
//!
//! Bytes arrive either ahead of all reads, or on demand, each part when a read waits for it.

use crate::case::{Case, Step};
use crate::conformance::read_the_rest;
use crate::model::ModelSubject;
use crate::report;
use crate::subject::Subject;
use highwater_testing::{Call, Cut, End, Op, Outcome, Parts};
use std::task::Poll;

/// How much was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Cases.
    pub cases: usize,
    /// Cases times cuts.
    pub runs: usize,
}

/// Runs every case through every cut on a subject that `subject` makes with the case's limit, and
/// reports the counts under `name`.
pub fn run<S: Subject>(name: &str, cases: &[Case], mut subject: impl FnMut(usize) -> S) -> Counted {
    let mut counted = Counted::default();
    for case in cases {
        for cut in Cut::every(case.bytes.len()) {
            run_case(case, &cut, &mut subject(case.limit));
            counted.runs += 1;
        }
        counted.cases += 1;
    }
    report(&format!("every cut: {name}: {} cases, {} runs", counted.cases, counted.runs));
    counted
}

/// Runs one case through one cut, and panics at the first difference.
pub fn run_case(case: &Case, cut: &Cut, subject: &mut impl Subject) {
    let mut arrivals = Arrivals { parts: cut.parts(case.bytes.clone()), end: Some(case.end) };
    if *cut == Cut::Ahead {
        while arrivals.next(subject) {}
    }
    for (index, step) in case.steps.iter().enumerate() {
        match step {
            Step::Unreads(bytes) => subject.unread(bytes),
            Step::SetsLimit(limit) => subject.set_limit(*limit),
            Step::Reads(call, expected) => {
                let mut outcome = read(call, subject, &mut arrivals);
                if let (Op::Read(n), Poll::Ready(Outcome::Bytes(bytes))) = (&call.op, expected) {
                    assert!(bytes.len() <= *n, "{case:?} expects more than it asks for");
                    outcome =
                        read_the_rest(outcome, bytes, |n| read(&Op::Read(n).into(), subject, &mut arrivals));
                }
                assert_eq!(outcome, *expected, "{}, {cut:?}, step {index}: {call:?}\n{case:#?}", case.name);
            }
        }
    }
    while arrivals.next(subject) {}
    let at_eof = case.end == End::Eof && case.leaves.is_empty();
    assert_eq!(subject.at_eof(), at_eof, "{}, {cut:?}: at_eof\n{case:#?}", case.name);
    assert_eq!(subject.rest(), case.leaves, "{}, {cut:?}: what is left\n{case:#?}", case.name);
}

fn read(call: &Call, subject: &mut impl Subject, arrivals: &mut Arrivals) -> Poll<Outcome> {
    let mut outcome = subject.begin(call);
    while outcome.is_pending() && arrivals.next(subject) {
        outcome = subject.resume();
    }
    if outcome.is_pending() {
        subject.cancel();
    }
    outcome
}

/// What has not arrived yet.
struct Arrivals {
    parts: Parts,
    end: Option<End>,
}

impl Arrivals {
    /// Lets the next part or the end arrive; `false` when there is no more.
    fn next(&mut self, subject: &mut impl Subject) -> bool {
        if let Some(part) = self.parts.next() {
            subject.feed(&part);
            return true;
        }
        match self.end.take() {
            None | Some(End::Open) => false,
            Some(end) => {
                subject.feed_end(end);
                true
            }
        }
    }
}

/// Each case again with its bytes ending at every position, in an end of stream and in an error. What
/// the reads give then, the model says.
pub fn with_every_end(cases: &[Case]) -> Vec<Case> {
    cases
        .iter()
        .flat_map(|case| (0..=case.bytes.len()).map(move |position| (case, position)))
        .flat_map(|(case, position)| [End::Eof, End::Error].map(|end| ends_at(case, position, end)))
        .collect()
}

fn ends_at(case: &Case, position: usize, end: End) -> Case {
    let mut model = ModelSubject::new(case.limit);
    let bytes = case.bytes.slice(..position);
    model.feed(&bytes);
    model.feed_end(end);
    let mut steps = Vec::new();
    for step in &case.steps {
        steps.push(match step {
            Step::Reads(call, _) => Step::Reads(call.clone(), model.begin(call)),
            Step::Unreads(bytes) => {
                model.unread(bytes);
                step.clone()
            }
            Step::SetsLimit(limit) => {
                model.set_limit(*limit);
                step.clone()
            }
        });
    }
    let name = format!("{}, {end:?} at {position}", case.name);
    Case { name, bytes, end, limit: case.limit, steps, leaves: model.buffered() }
}
