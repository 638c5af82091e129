//! The recording's format: one JSON object a line. A field that is not known here is an error, so that
//! none goes by unseen.

use super::{Event, Read, Run, Step};
use bytes::Bytes;
use highwater_testing::{Call, Op, Outcome};
use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde_json::from_str;
use std::task::Poll;

pub(super) fn parse(line: &str) -> Run {
    let run: RunLine = from_str(line).unwrap_or_else(|error| panic!("{error} in the recorded run {line}"));
    let steps = run.steps.into_iter().map(|step| step.with_limit(run.limit)).collect();
    Run { seed: run.seed, limit: run.limit, steps }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RunLine {
    seed: u64,
    limit: usize,
    steps: Vec<StepObject>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum StepObject {
    Arrives(EventStep),
    Reads(ReadStep),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EventStep {
    event: EventObject,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadStep {
    call: CallObject,
    #[serde(default)]
    during: Vec<EventObject>,
    outcome: OutcomeObject,
    buffered: Hex,
    at_eof: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventObject {
    Feed(Hex),
    FeedEof(Yes),
}

#[derive(serde::Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum CallObject {
    Read { n: usize },
    ReadToEnd {},
    ReadExactly { n: usize },
    ReadLine {},
    ReadUntil { separators: Vec<Hex> },
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OutcomeObject {
    Ok(Hex),
    Incomplete { partial: Hex, expected: Option<usize> },
    LimitOverrun { consumed: usize },
    Invalid(Yes),
    Pending(Yes),
}

impl StepObject {
    fn with_limit(self, limit: usize) -> Step {
        match self {
            StepObject::Arrives(step) => Step::Arrives(step.event.into()),
            StepObject::Reads(step) => {
                let call = step.call.into();
                Step::Reads(Read {
                    outcome: step.outcome.of(&call, limit),
                    call,
                    during: step.during.into_iter().map(Event::from).collect(),
                    buffered: step.buffered.0,
                    at_eof: step.at_eof,
                })
            }
        }
    }
}

impl From<EventObject> for Event {
    fn from(event: EventObject) -> Self {
        match event {
            EventObject::Feed(Hex(bytes)) => Event::Feed(bytes),
            EventObject::FeedEof(Yes) => Event::FeedEof,
        }
    }
}

impl From<CallObject> for Call {
    fn from(call: CallObject) -> Self {
        match call {
            CallObject::Read { n } => Op::Read(n),
            CallObject::ReadToEnd {} => Op::ReadToEnd(usize::MAX),
            CallObject::ReadExactly { n } => Op::ReadExactly(n),
            CallObject::ReadLine {} => Op::ReadLine,
            CallObject::ReadUntil { separators } => {
                Op::ReadUntil(separators.into_iter().map(|Hex(bytes)| bytes).collect())
            }
        }
        .into()
    }
}

impl OutcomeObject {
    fn of(self, call: &Call, limit: usize) -> Poll<Outcome> {
        Poll::Ready(match self {
            OutcomeObject::Pending(Yes) => return Poll::Pending,
            OutcomeObject::Ok(Hex(line)) if call.op == Op::ReadLine && line.is_empty() => Outcome::Nothing,
            OutcomeObject::Ok(Hex(bytes)) => Outcome::Bytes(bytes),
            OutcomeObject::Incomplete { partial: Hex(partial), expected } => {
                Outcome::Incomplete { partial, expected, skipped: 0 }
            }
            OutcomeObject::LimitOverrun { consumed } => Outcome::LimitOverrun { consumed, limit },
            OutcomeObject::Invalid(Yes) => Outcome::Invalid,
        })
    }
}

/// Bytes, written as two hexadecimal digits each.
struct Hex(Bytes);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text)
            .map(Hex)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"hexadecimal digits in pairs"))
    }
}

fn decode(text: &str) -> Option<Bytes> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

/// `true`, which is the only thing that some keys say.
struct Yes;

impl<'de> Deserialize<'de> for Yes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer)? {
            true => Ok(Yes),
            false => Err(D::Error::invalid_value(Unexpected::Bool(false), &"true")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(decode("000dfF").as_deref(), Some(&b"\x00\x0d\xff"[..]));
        assert_eq!(decode(""), Some(Bytes::new()));
        assert_eq!(decode("0"), None);
        assert_eq!(decode("0g"), None);
        assert_eq!(decode("+1"), None);
    }

    #[test]
    #[should_panic(expected = "in the recorded run")]
    fn a_field_that_is_not_known_is_an_error() {
        parse(
            r#"{"seed":1,"limit":1,"steps":[{"call":{"op":"read_line"},"outcome":{"ok":""},"buffered":"","at_eof":true,"new":1}]}"#,
        );
    }

    #[test]
    fn an_empty_line_is_the_end_of_the_stream() {
        let run = parse(
            r#"{"seed":1,"limit":4,"steps":[{"call":{"op":"read_line"},"outcome":{"ok":""},"buffered":"","at_eof":true}]}"#,
        );
        let [Step::Reads(read)] = &run.steps[..] else { panic!("{:?}", run.steps) };
        assert_eq!(read.outcome, Poll::Ready(Outcome::Nothing));
    }
}
