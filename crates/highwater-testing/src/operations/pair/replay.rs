//! What a reader has seen, beside what the other end has sent.

use super::{EndScript, Ran};
use crate::call::{Call, Op, Outcome};
use crate::model::ReadModel;
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
    match failed {
        // What came before the failure does not depend on where it was.
        Some(failed) => replay(limit, &from.accepted, false, &to.reads[..failed]),
        None => {
            let read = to.reads.iter().map(|(call, outcome)| length(call, outcome.as_ref())).sum();
            assert!(read <= sent, "{read} bytes were read, and only {sent} were sent");
            let may_differ = script.ending.is_rough() || (is_rough && from.unsent.is_none());
            assert!(read == sent || may_differ, "{read} bytes were read of {sent} that were sent");
            replay(limit, &from.accepted[..read], true, &to.reads);
        }
    }
}

/// Does the same reads with a model, to which everything is given at once.
fn replay(limit: usize, stream: &[u8], has_ended: bool, reads: &[(Call, Option<Outcome>)]) {
    let mut model = ReadModel::new(limit);
    model.feed(stream);
    if has_ended {
        model.feed_eof();
    }
    for (index, (call, outcome)) in reads.iter().enumerate() {
        let Some(outcome) = outcome else { continue };
        let expected = model.call(call);
        match (&call.op, &expected, outcome) {
            // How much there is at a time is the transport's to say; more than nothing, if there is any.
            (Op::Read(_), Poll::Ready(Outcome::Bytes(most)), Outcome::Bytes(some))
                if most.starts_with(some) && some.is_empty() == most.is_empty() =>
            {
                model.unread(&most[some.len()..]);
            }
            _ => assert_eq!(Poll::Ready(outcome.clone()), expected, "read {index}, {call:?}"),
        }
    }
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
