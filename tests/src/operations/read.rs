//! `ReadBuffer` beside [`ModelBuffer`].

use crate::model::{Found, ModelBuffer};
use crate::read_buffer::{Arrival, BufferSubject, FORMS, Form, fill};
use crate::subject::{Call, End, Op, Outcome, Subject, byte_strings, separators};
use bytes::Bytes;
use highwater_buffer::{ReadBuffer, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::task::Poll;

/// What is done to a buffer.
#[derive(Clone, Debug)]
pub enum ReadOperation {
    /// Bytes arrive through `feed`.
    Feed(Bytes),
    /// Bytes arrive through `spare`.
    Fill(Bytes),
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
#[derive(Clone, Debug)]
pub struct ReadScript {
    /// The limit that the buffer begins with.
    pub limit: usize,
    /// What is done to it.
    pub operations: Vec<ReadOperation>,
}

/// Does everything to a buffer and to the model, and panics where they differ.
pub fn check_reads(script: &ReadScript) {
    let mut subject = BufferSubject::new(Form::Owned, Arrival::Fed, script.limit);
    let mut model = ModelBuffer::new(script.limit);
    for operation in &script.operations {
        apply(operation, &mut subject, &mut model);
        let buffer = subject.buffer();
        assert_eq!(buffer.unread_bytes(), model.bytes, "what is unread after {operation:?}");
        assert_eq!(buffer.buffered(), model.bytes.len(), "how much is unread after {operation:?}");
        assert_eq!(buffer.has_ended(), model.end == End::Eof, "has_ended after {operation:?}");
        assert_eq!(buffer.at_eof(), model.is_at_eof(), "at_eof after {operation:?}");
        assert_eq!(buffer.is_skipping(), model.is_skipping(), "is_skipping after {operation:?}");
        assert_eq!(buffer.limit(), model.limit, "the limit after {operation:?}");
    }
}

fn apply(operation: &ReadOperation, subject: &mut BufferSubject, model: &mut ModelBuffer) {
    match operation {
        // Nothing may arrive after the end of the stream.
        ReadOperation::Feed(_) | ReadOperation::Fill(_) if model.end == End::Eof => {}
        ReadOperation::Feed(bytes) => {
            subject.feed(bytes);
            model.feed(bytes);
        }
        ReadOperation::Fill(bytes) => {
            fill(subject.buffer(), bytes);
            model.feed(bytes);
        }
        ReadOperation::FeedEof => {
            subject.feed_eof();
            model.feed_eof();
        }
        ReadOperation::Read(form, call) => {
            assert_eq!(subject.step(*form, call), model.call(call), "{call:?}");
        }
        ReadOperation::Find(call) => {
            if let Some(found) = find(subject.buffer(), call) {
                assert_eq!(found, model.find(call), "the first half of {call:?}");
            }
        }
        ReadOperation::Take(n) => {
            let n = (*n).min(model.bytes.len());
            assert_eq!(subject.buffer().take(n), model.take(n));
        }
        ReadOperation::TakeRef(n) => {
            let n = (*n).min(model.bytes.len());
            assert_eq!(subject.buffer().take_ref(n), model.take(n));
        }
        ReadOperation::Unread(bytes) => {
            subject.unread(bytes);
            model.unread(bytes);
        }
        ReadOperation::SetLimit(limit) => {
            subject.set_limit(*limit);
            model.set_limit(*limit);
        }
        ReadOperation::Release => {
            subject.buffer().release();
            if model.bytes.is_empty() {
                assert_eq!(subject.buffer().allocated(), 0, "an empty buffer gives back all it holds");
            }
        }
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
        Op::ReadUntil(set) if is_valid(set) => found(buffer.find_until(&separators(set), limit)),
        Op::ReadUntil(_) | Op::SkipUntil(_) => return None,
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

fn is_valid(set: &[Bytes]) -> bool {
    !set.is_empty() && set.iter().all(|separator| !separator.is_empty())
}

/// Scripts of up to 60 operations. Alphabet, limits and separators are small, so that separators occur
/// and overlap, and few, so that a search is taken up again.
pub fn read_scripts() -> impl Strategy<Value = ReadScript> {
    vec(separator_sets(), 1..=3).prop_flat_map(|sets| {
        let operations = vec(operations(sets), 1..60);
        (limits(), operations).prop_map(|(limit, operations)| ReadScript { limit, operations })
    })
}

/// Bytes in which small separators occur often.
fn text(most: usize) -> impl Strategy<Value = Bytes> {
    vec(select(&b"aab\r\n;"[..]), 0..=most).prop_map(Bytes::from)
}

fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..12_usize, 1 => 12..100_usize, 1 => Just(usize::MAX)]
}

/// One set in twenty is one that is refused.
fn separator_sets() -> impl Strategy<Value = Vec<Bytes>> {
    let separator = vec(select(&b"aab\r\n;"[..]), 1..=4).prop_map(Bytes::from);
    let common: &[&[&str]] =
        &[&["\n"], &["\r\n"], &["\r\n", "\n"], &["a", "b", ";", "\r\n", "\n"], &["aab", "ab"]];
    prop_oneof![
        10 => vec(separator, 1..=5),
        8 => select(common).prop_map(byte_strings),
        1 => Just(vec![Bytes::from_static(b"\n"), Bytes::new()]),
        1 => Just(Vec::new()),
    ]
}

fn operations(sets: Vec<Vec<Bytes>>) -> impl Strategy<Value = ReadOperation> {
    let calls = calls(sets).boxed();
    prop_oneof![
        6 => text(12).prop_map(ReadOperation::Feed),
        6 => text(12).prop_map(ReadOperation::Fill),
        12 => (select(&FORMS[..]), calls.clone()).prop_map(|(form, call)| ReadOperation::Read(form, call)),
        4 => calls.prop_map(ReadOperation::Find),
        1 => (0..9_usize).prop_map(ReadOperation::Take),
        1 => (0..9_usize).prop_map(ReadOperation::TakeRef),
        2 => text(6).prop_map(ReadOperation::Unread),
        1 => limits().prop_map(ReadOperation::SetLimit),
        1 => Just(ReadOperation::Release),
        1 => Just(ReadOperation::FeedEof),
        // Much at once: blocks grow, slide and are handed over.
        1 => (0..6000_usize).prop_map(|n| ReadOperation::Feed(vec![b'a'; n].into())),
        1 => (0..9000_usize).prop_map(ReadOperation::Take),
    ]
}

fn calls(sets: Vec<Vec<Bytes>>) -> impl Strategy<Value = Call> {
    let op = prop_oneof![
        2 => (0..9_usize).prop_map(Op::Read),
        2 => (0..40_usize).prop_map(Op::ReadToEnd),
        2 => (0..20_usize).prop_map(Op::ReadExactly),
        6 => select(sets.clone()).prop_map(Op::ReadUntil),
        3 => Just(Op::ReadLine),
        1 => (0..9_usize).prop_map(Op::Peek),
        3 => select(sets).prop_map(Op::SkipUntil),
    ];
    (op, proptest::option::weighted(0.3, limits())).prop_map(|(op, limit)| Call { op, limit })
}
