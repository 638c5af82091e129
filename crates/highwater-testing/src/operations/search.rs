//! Sets of separators beside the naive search of [`ReadModel`].

use super::choices::Choices;
use crate::call::{Call, Op, Outcome};
use crate::model::ReadModel;
use crate::perform::Form;
use bytes::Bytes;
use highwater_buffer::{ReadBuffer, Separators};
use std::collections::BTreeSet;
use std::task::Poll;

/// A set of separators, and what it is sought in.
///
/// ```
/// use highwater_testing::{SearchScript, check_searches};
///
/// let separators = vec!["\r\n".into(), "\n".into()];
/// let parts = vec!["one\r".into(), "\ntwo".into(), "\nthree".into()];
/// check_searches(&SearchScript { limit: 4, separators, parts });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchScript {
    /// The most bytes before a separator.
    pub limit: usize,
    /// The set; one that is refused has to be refused.
    pub separators: Vec<Bytes>,
    /// What arrives. After each part, frames are read until there are no more.
    pub parts: Vec<Bytes>,
}

impl SearchScript {
    /// The script that these bytes choose: any bytes choose one, similar bytes choose similar ones.
    ///
    /// Sets are larger and separators longer than those of [`ReadScript`](crate::ReadScript), of all byte values,
    /// and the parts are made of them, whole and cut short.
    ///
    /// ```
    /// use highwater_testing::SearchScript;
    /// assert!(SearchScript::from_bytes(b"").parts.is_empty());
    /// assert_eq!(SearchScript::from_bytes(b"twice"), SearchScript::from_bytes(b"twice"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let limit = choose_limit(&mut choices).unwrap_or(usize::MAX);
        let separators = choose_set(&mut choices).unwrap_or_else(|| vec!["\n".into()]);
        let parts = choices.rest(|choices| {
            choices
                .several(1, 4, |choices| choose_piece(choices, &separators))
                .map(|part| part.concat().into())
        });
        Self { limit, separators, parts }
    }
}

fn choose_limit(choices: &mut Choices<'_>) -> Option<usize> {
    Some(match choices.below(4)? {
        0 => usize::MAX,
        1 => choices.below(8)?,
        _ => choices.below(200)?,
    })
}

fn choose_set(choices: &mut Choices<'_>) -> Option<Vec<Bytes>> {
    let (most, longest) = choices.of(&[(1, 40), (3, 4), (4, 20), (24, 3), (40, 12)])?;
    choices.several(1, most, |choices| choices.several(1, longest, choose_letter).map(Bytes::from))
}

/// Mostly one of few, so that separators overlap.
fn choose_letter(choices: &mut Choices<'_>) -> Option<u8> {
    Some(match choices.below(256)? {
        number @ 0..=199 => b"aab\r\n"[number % 5],
        number => number as u8,
    })
}

fn choose_piece(choices: &mut Choices<'_>, separators: &[Bytes]) -> Option<Bytes> {
    Some(match choices.below(8)? {
        0..=1 => choices.several(0, 12, choose_letter)?.into(),
        2..=4 => choices.of(separators)?,
        5..=6 => {
            let separator = choices.of(separators)?;
            separator.slice(..choices.below(separator.len() + 1)?)
        }
        _ => vec![choose_letter(choices)?; choices.below(100)?].into(),
    })
}

/// Reads every frame from a buffer and from the model. After an overrun, what may be taken is taken.
///
/// # Panics
/// Where they differ.
///
/// ```
/// use highwater_testing::{SearchScript, check_searches};
///
/// // A fuzz target: any bytes are a script.
/// check_searches(&SearchScript::from_bytes(b"whatever the fuzzer has found"));
/// ```
pub fn check_searches(script: &SearchScript) {
    if let Ok(set) = Separators::new(&script.separators) {
        let given: BTreeSet<&[u8]> = script.separators.iter().map(|separator| &**separator).collect();
        assert_eq!(set.iter().count(), given.len(), "each is there once");
        assert_eq!(set.iter().collect::<BTreeSet<_>>(), given, "all are there");
        assert_eq!(Some(set.longest()), given.iter().map(|separator| separator.len()).max());
    }

    let call = Call::from(Op::ReadUntil(script.separators.clone()));
    let mut buffer = ReadBuffer::with_limit(script.limit);
    let mut model = ReadModel::new(script.limit);
    for part in &script.parts {
        buffer.feed(part);
        model.feed(part);
        read_frames(&call, &mut buffer, &mut model);
    }
    buffer.feed_eof();
    model.feed_eof();
    read_frames(&call, &mut buffer, &mut model);
}

fn read_frames(call: &Call, buffer: &mut ReadBuffer, model: &mut ReadModel) {
    loop {
        let outcome = call.on_buffer(Form::Borrowed, buffer);
        assert_eq!(outcome, model.call(call), "with {} bytes left", model.unread_bytes().len());
        match outcome {
            Poll::Ready(Outcome::Bytes(_)) => {}
            Poll::Ready(Outcome::LimitOverrun { consumed, .. }) => {
                assert_eq!(buffer.take(consumed), model.take(consumed));
            }
            _ => break,
        }
    }
}
