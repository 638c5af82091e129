//! What a reader has seen, beside what the other end has sent.

use super::EndScript;
use super::life::Ran;
use crate::call::{Call, Op, Outcome};
use crate::model::ReadModel;
use std::io;
use std::task::Poll;

/// Compares what `to`, which was to do `script`, has read with what `from` has sent. `is_rough`: an end did not
/// wait for the other, or the transport was reset.
pub(super) fn check(limit: usize, from: &Ran, to: &Ran, script: &EndScript, is_rough: bool) {
    let unsent = usize::try_from(from.unsent.unwrap_or(0)).expect("no more is lost than was accepted");
    let sent = from.accepted.len() - unsent;
    assert!(from.flushed <= sent, "{} bytes were flushed, and only {sent} were sent", from.flushed);
    if !is_rough {
        assert!(!from.was_refused, "a write was refused without a reason");
        assert_eq!(unsent, 0, "bytes were lost without a reason");
    }

    let failed = to.reads.iter().position(|(_, outcome)| matches!(outcome, Some(Outcome::Failed(_))));
    assert!(is_rough || failed.is_none(), "{:?} failed without a reason", failed.map(|at| &to.reads[at]));
    let come = read(to) + to.left;
    assert!(come <= sent, "{come} bytes have come, and only {sent} were sent");
    let mut replay = Replay::new(limit);
    match failed {
        Some(failed) if failed_in_a_skip(&to.reads) => {
            // How much it has discarded nobody was told. What came before the failure, or before the end that was
            // there first, does not depend on where that was.
            let shows_the_end = |(call, outcome): &(Call, Option<Outcome>)| {
                outcome.as_ref().is_some_and(|outcome| shows_the_end(call, outcome))
            };
            let over = to.reads[..failed].iter().position(shows_the_end).unwrap_or(failed);
            replay.model.feed(&from.accepted);
            replay.reads(&to.reads[..over]);
        }
        _ => {
            let (before, after) = to.reads.split_at(failed.unwrap_or(to.reads.len()));
            replay.model.feed(&from.accepted[..come]);
            replay.model.feed_eof();
            replay.reads(before);
            let may_differ = script.ending.is_rough() || (is_rough && from.unsent.is_none());
            let is_all = come == sent || may_differ || !replay.has_ended;
            assert!(is_all, "{come} bytes had come of {sent} that were sent, and that was the end");
            replay.model.feed_error();
            replay.reads(after);
        }
    }
}

/// Does the same reads with a model, to which everything is given at once.
struct Replay {
    model: ReadModel,
    /// A read has ended as it does at the end of the stream only.
    has_ended: bool,
    error: Option<io::ErrorKind>,
}

impl Replay {
    fn new(limit: usize) -> Self {
        Self { model: ReadModel::new(limit), has_ended: false, error: None }
    }

    fn reads(&mut self, reads: &[(Call, Option<Outcome>)]) {
        for (call, outcome) in reads {
            let Some(outcome) = outcome else { continue };
            self.has_ended |= shows_the_end(call, outcome);
            self.read(call, outcome);
        }
    }

    fn read(&mut self, call: &Call, outcome: &Outcome) {
        let expected = self.model.call(call);
        match (&call.op, &expected, outcome) {
            // How much there is at a time is the transport's to say; more than nothing, if there is any.
            (Op::Read(_), Poll::Ready(Outcome::Bytes(most)), Outcome::Bytes(some))
                if most.starts_with(some) && some.is_empty() == most.is_empty() =>
            {
                self.model.unread(&most[some.len()..]);
            }
            // Which error it is is the transport's to say, too, once.
            (_, Poll::Ready(Outcome::Failed(_)), Outcome::Failed(kind)) => {
                assert_eq!(*kind, *self.error.get_or_insert(*kind), "another error of {call:?}");
            }
            _ => assert_eq!(Poll::Ready(outcome.clone()), expected, "{call:?}"),
        }
    }
}

fn shows_the_end(call: &Call, outcome: &Outcome) -> bool {
    match (&call.op, outcome) {
        (_, Outcome::Nothing | Outcome::Incomplete { .. }) | (Op::ReadToEnd(_), Outcome::Bytes(_)) => true,
        (Op::Read(n), Outcome::Bytes(bytes)) => bytes.is_empty() && *n > 0,
        (Op::Peek(n), Outcome::Bytes(bytes)) => bytes.len() < *n,
        (Op::ReadLine, Outcome::Bytes(bytes)) => !bytes.ends_with(b"\n"),
        _ => false,
    }
}

fn failed_in_a_skip(reads: &[(Call, Option<Outcome>)]) -> bool {
    reads
        .iter()
        .any(|(call, outcome)| matches!((&call.op, outcome), (Op::SkipUntil(_), Some(Outcome::Failed(_)))))
}

fn read(end: &Ran) -> usize {
    end.reads.iter().map(|(call, outcome)| length(call, outcome.as_ref())).sum()
}

/// How many bytes a read has taken from the stream.
fn length(call: &Call, outcome: Option<&Outcome>) -> usize {
    match outcome {
        Some(Outcome::Bytes(_)) if matches!(call.op, Op::Peek(_)) => 0,
        Some(Outcome::Bytes(bytes)) => bytes.len(),
        Some(Outcome::Skipped(skipped)) => *skipped as usize,
        Some(Outcome::Incomplete { partial, skipped, .. }) => partial.len() + *skipped as usize,
        _ => 0,
    }
}
