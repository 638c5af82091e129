//! `ReadBuffer` beside [`ReadModel`].

use super::choices::Choices;
use crate::call::{Call, End, Op, Outcome};
use crate::model::{Found, ReadModel};
use crate::perform::Form;
use bytes::{BufMut, Bytes};
use highwater_buffer::{ReadBuffer, Separators, Verdict};
use std::task::Poll;

/// What is done to a buffer.
///
/// ```
/// use highwater_testing::{Form, Op, ReadOperation, ReadScript, check_reads};
///
/// let operations = vec![
///     ReadOperation::Feed("one\r".into()),
///     ReadOperation::Read(Form::Owned, Op::ReadUntil(vec!["\r\n".into()]).into()),
///     ReadOperation::FeedEof,
///     ReadOperation::Read(Form::Owned, Op::ReadLine.into()),
/// ];
/// check_reads(&ReadScript { limit: 8, operations });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOperation {
    /// Bytes arrive through `feed`.
    Feed(Bytes),
    /// Bytes arrive through `spare`.
    Fill(Bytes),
    /// Bytes arrive through `fill_from`.
    FillFrom(Bytes),
    /// The stream ends.
    FeedEof,
    /// A read; if it waits, it is given up.
    Read(Form, Call),
    /// The first half of a read alone.
    Find(Call),
    /// Bytes are taken out, or all if there are fewer.
    Take(usize),
    /// The same, borrowed.
    TakeRef(usize),
    /// Bytes are put back.
    Unread(Bytes),
    /// Another limit is set.
    SetLimit(usize),
    /// Memory is given back.
    Release,
}

/// A limit, and operations in order.
///
/// ```
/// use highwater_testing::{ReadScript, check_reads};
///
/// // A fuzz target: any bytes are a script.
/// check_reads(&ReadScript::from_bytes(b"whatever the fuzzer has found"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadScript {
    /// The limit that the buffer begins with.
    pub limit: usize,
    /// What is done to it.
    pub operations: Vec<ReadOperation>,
}

impl ReadScript {
    /// The script that these bytes choose: any bytes choose one, similar bytes choose similar ones, and the
    /// empty slice chooses the one without operations.
    ///
    /// Alphabet, limits and separators are small, so that separators occur and overlap, and few, so that a
    /// search is taken up again.
    ///
    /// ```
    /// use highwater_testing::ReadScript;
    /// assert!(ReadScript::from_bytes(b"").operations.is_empty());
    /// assert_eq!(ReadScript::from_bytes(b"twice"), ReadScript::from_bytes(b"twice"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let limit = choose_limit(&mut choices).unwrap_or(8);
        let sets = choices.several(1, 3, choose_separators).unwrap_or_else(|| vec![vec!["\n".into()]]);
        Self { limit, operations: choices.rest(|choices| choose_operation(choices, &sets)) }
    }
}

fn choose_limit(choices: &mut Choices<'_>) -> Option<usize> {
    Some(match choices.below(10)? {
        0..=7 => choices.below(12)?,
        8 => 12 + choices.below(88)?,
        _ => usize::MAX,
    })
}

/// One set in ten is one that is refused.
pub(super) fn choose_separators(choices: &mut Choices<'_>) -> Option<Vec<Bytes>> {
    const COMMON: &[&[&str]] =
        &[&["\n"], &["\r\n"], &["\r\n", "\n"], &["a", "b", ";", "\r\n", "\n"], &["aab", "ab"]];
    Some(match choices.below(20)? {
        0..=9 => choices.several(1, 5, |choices| choices.text(1, 4))?,
        10..=17 => {
            choices.of(COMMON)?.iter().map(|separator| Bytes::from_static(separator.as_bytes())).collect()
        }
        18 => vec![Bytes::from_static(b"\n"), Bytes::new()],
        _ => Vec::new(),
    })
}

fn choose_operation(choices: &mut Choices<'_>, sets: &[Vec<Bytes>]) -> Option<ReadOperation> {
    Some(match choices.below(39)? {
        0..=5 => ReadOperation::Feed(choices.text(0, 12)?),
        6..=11 => ReadOperation::Fill(choices.text(0, 12)?),
        12 => ReadOperation::FillFrom(choices.text(0, 12)?),
        13..=24 => ReadOperation::Read(choices.of(&Form::ALL)?, choose_call(choices, sets)?),
        25..=28 => ReadOperation::Find(choose_call(choices, sets)?),
        29 => ReadOperation::Take(choices.below(9)?),
        30 => ReadOperation::TakeRef(choices.below(9)?),
        31..=32 => ReadOperation::Unread(choices.text(0, 6)?),
        33 => ReadOperation::SetLimit(choose_limit(choices)?),
        34 => ReadOperation::Release,
        35 => ReadOperation::FeedEof,
        // Much at once: blocks grow, slide and are handed over.
        36 => ReadOperation::Feed(vec![b'a'; choices.below(6000)?].into()),
        37 => ReadOperation::Fill(vec![b'a'; choices.below(6000)?].into()),
        _ => ReadOperation::Take(choices.below(9000)?),
    })
}

pub(super) fn choose_call(choices: &mut Choices<'_>, sets: &[Vec<Bytes>]) -> Option<Call> {
    let op = match choices.below(19)? {
        0..=1 => Op::Read(choices.below(9)?),
        2..=3 => Op::ReadToEnd(choices.below(40)?),
        4..=5 => Op::ReadExactly(choices.below(20)?),
        6..=11 => Op::ReadUntil(choices.of(sets)?),
        12..=14 => Op::ReadLine,
        15 => Op::Peek(choices.below(9)?),
        _ => Op::SkipUntil(choices.of(sets)?),
    };
    let limit = if choices.below(10)? < 3 { Some(choose_limit(choices)?) } else { None };
    Some(Call { op, limit })
}

/// Does everything to a buffer and to the model.
///
/// # Panics
/// Where they differ.
///
/// ```
/// use highwater_testing::{ReadOperation, ReadScript, check_reads};
///
/// let operations = vec![ReadOperation::Feed("abc".into()), ReadOperation::Take(2), ReadOperation::Release];
/// check_reads(&ReadScript { limit: 8, operations });
/// ```
pub fn check_reads(script: &ReadScript) {
    let mut buffer = ReadBuffer::with_limit(script.limit);
    let mut model = ReadModel::new(script.limit);
    for operation in &script.operations {
        apply(operation, &mut buffer, &mut model);
        compare(&buffer, &model, operation);
    }
}

fn apply(operation: &ReadOperation, buffer: &mut ReadBuffer, model: &mut ReadModel) {
    match operation {
        // Nothing may arrive after the end of the stream.
        ReadOperation::Feed(_) | ReadOperation::Fill(_) | ReadOperation::FillFrom(_)
            if model.end() == End::Eof => {}
        ReadOperation::Feed(bytes) => {
            buffer.feed(bytes);
            model.feed(bytes);
        }
        ReadOperation::Fill(bytes) => {
            fill(buffer, bytes);
            model.feed(bytes);
        }
        ReadOperation::FillFrom(bytes) => {
            let mut source = &bytes[..];
            // A source that has nothing left would be at its end.
            while !source.is_empty() {
                buffer.fill_from(&mut source).expect("a slice does not fail");
            }
            model.feed(bytes);
        }
        ReadOperation::FeedEof => {
            buffer.feed_eof();
            model.feed_eof();
        }
        ReadOperation::Read(form, call) => {
            assert_eq!(call.on_buffer(*form, buffer), model.call(call), "{form:?}, {call:?}");
        }
        ReadOperation::Find(call) => {
            if let Some(found) = find(buffer, call) {
                assert_eq!(found, model.find(call), "the first half of {call:?}");
            }
        }
        ReadOperation::Take(n) => {
            let n = (*n).min(model.unread_bytes().len());
            assert_eq!(buffer.take(n), model.take(n));
        }
        ReadOperation::TakeRef(n) => {
            let n = (*n).min(model.unread_bytes().len());
            assert_eq!(buffer.take_ref(n), model.take(n));
        }
        ReadOperation::Unread(bytes) => {
            buffer.unread(bytes);
            model.unread(bytes);
        }
        ReadOperation::SetLimit(limit) => {
            buffer.set_limit(*limit);
            model.set_limit(*limit);
        }
        ReadOperation::Release => {
            buffer.release();
            if model.unread_bytes().is_empty() {
                assert_eq!(buffer.allocated(), 0, "an empty buffer gives back all it holds");
            }
        }
    }
}

fn compare(buffer: &ReadBuffer, model: &ReadModel, after: &ReadOperation) {
    assert_eq!(buffer.unread_bytes(), model.unread_bytes(), "what is unread after {after:?}");
    assert_eq!(buffer.buffered(), model.unread_bytes().len(), "how much is unread after {after:?}");
    assert_eq!(buffer.has_ended(), model.end() == End::Eof, "has_ended after {after:?}");
    assert_eq!(buffer.at_eof(), model.at_eof(), "at_eof after {after:?}");
    assert_eq!(buffer.is_skipping(), model.is_skipping(), "is_skipping after {after:?}");
    assert_eq!(buffer.limit(), model.limit(), "the limit after {after:?}");
}

/// Writes `bytes` into spare room, as often as it takes.
fn fill(buffer: &mut ReadBuffer, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let mut spare = buffer.spare();
        let room = spare.remaining_mut();
        assert!(room > 0, "spare room is at least one byte");
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        spare.put_slice(now);
        bytes = later;
    }
}

/// The first half of a read, where it has one.
fn find(buffer: &mut ReadBuffer, call: &Call) -> Option<Poll<Found>> {
    let limit = call.limit.unwrap_or(buffer.limit());
    let verdict = match &call.op {
        Op::Read(n) => Ok(buffer.find_some(*n).map(Found::Length)),
        Op::Peek(n) => Ok(buffer.find_peek(*n).map(Found::Length)),
        Op::ReadToEnd(max) => found(buffer.find_end(*max)),
        Op::ReadExactly(n) => found(buffer.find_exactly(*n)),
        Op::ReadLine => match buffer.find_line(limit) {
            Ok(line) => Ok(line.map(|n| n.map_or(Found::Ended(Outcome::Nothing), Found::Length))),
            Err(error) => Err(error.into()),
        },
        Op::ReadUntil(set) => match Separators::new(set) {
            Ok(separators) => found(buffer.find_until(&separators, limit)),
            Err(error) => Err(error.into()),
        },
        Op::SkipUntil(_) => return None,
    };
    Some(match verdict {
        Ok(Verdict::Ready(found)) => Poll::Ready(found),
        Ok(Verdict::NeedMore) => Poll::Pending,
        Err(outcome) => Poll::Ready(Found::Ended(outcome)),
    })
}

fn found<E: Into<Outcome>>(found: Result<Verdict<usize>, E>) -> Result<Verdict<Found>, Outcome> {
    found.map(|verdict| verdict.map(Found::Length)).map_err(Into::into)
}
