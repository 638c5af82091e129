//! The rows of the readers: one end says all it has to say, the other reads it with one of the reads alone.

use super::account::{Account, Ending, check};
use super::fault::Side;
use super::matrix::{Scene, Stride, row};
use super::party::{Party, Stop};
use super::wire::{End, Manner, Wire, reset};
use bytes::Bytes;
use futures::StreamExt;
use highwater_stream::{Pair, ReadHalf, StreamReader, StreamWriter};
use highwater_testing::{Call, Form, Op, Outcome};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio::task::spawn_local;

/// What is read: lines, some with an end of their own kind, one empty, and the last without any.
const TEXT: &[u8] = b"one;two\r\nthree\n\nfour;five\nand;six\r\nthe last";

/// Small steps, so that there are many.
const MANNER: Manner = Manner { most: 3, capacity: 16, is_reluctant: true };

/// Which read, in which form.
#[derive(Clone, Debug)]
enum Reading {
    Call(Call, Form),
    /// `peek`, and then what it showed is taken.
    Peek(usize),
    Lines,
    Split,
    /// `as_async_read`, by `read_buf`.
    AsyncRead,
    /// `as_async_read`, by `fill_buf` and `consume`.
    AsyncBufRead,
}

impl Reading {
    fn all() -> Vec<(String, Self)> {
        let separators = || vec![Bytes::from(";"), Bytes::from("\r\n"), Bytes::from("\n")];
        let calls = [
            ("read", Op::Read(4)),
            ("read_to_end", Op::ReadToEnd(1000)),
            ("read_exactly", Op::ReadExactly(5)),
            ("read_until", Op::ReadUntil(separators())),
            ("read_line", Op::ReadLine),
            ("skip_until", Op::SkipUntil(separators())),
        ];
        let mut all = Vec::new();
        for (name, op) in calls {
            let is_borrowed = matches!(op, Op::ReadExactly(_) | Op::ReadUntil(_) | Op::ReadLine);
            let is_limited = matches!(op, Op::ReadUntil(_) | Op::ReadLine);
            let call = Call::from(op);
            let limited = Call { limit: Some(20), ..call.clone() };
            all.push((name.to_owned(), Self::Call(call.clone(), Form::Owned)));
            if is_borrowed {
                all.push((format!("{name}_ref"), Self::Call(call, Form::Borrowed)));
            }
            if is_limited {
                all.push((format!("limited, {name}"), Self::Call(limited.clone(), Form::Owned)));
                all.push((format!("limited, {name}_ref"), Self::Call(limited, Form::Borrowed)));
            }
        }
        let others = [
            ("peek", Self::Peek(5)),
            ("lines", Self::Lines),
            ("split", Self::Split),
            ("as_async_read, read_buf", Self::AsyncRead),
            ("as_async_read, fill_buf", Self::AsyncBufRead),
        ];
        all.extend(others.map(|(name, reading)| (name.to_owned(), reading)));
        all
    }

    /// Reads once.
    async fn once(&self, reader: &mut StreamReader<ReadHalf<End>>) -> Outcome {
        let yielded = match self {
            Self::Call(call, form) => return call.on_reader(*form, reader).await,
            Self::Peek(n) => {
                let seen = match reader.peek(*n).await {
                    Ok(seen) => seen.len(),
                    Err(error) => return error.into(),
                };
                // Without a wait, and so without a poll at which it could be given up.
                return Call::from(Op::Read(seen)).on_reader(Form::Owned, reader).await;
            }
            Self::Lines => reader.lines().next().await,
            Self::Split => StreamExt::next(&mut reader.split(b";").expect("it is a separator")).await,
            Self::AsyncRead => {
                let mut bytes = Vec::with_capacity(7);
                let read = reader.as_async_read().read_buf(&mut bytes).await;
                return read
                    .map_or_else(|error| Outcome::Failed(error.kind()), |_| Outcome::Bytes(bytes.into()));
            }
            Self::AsyncBufRead => {
                let mut reader = reader.as_async_read();
                let bytes = match reader.fill_buf().await {
                    Ok(filled) => Bytes::copy_from_slice(filled),
                    Err(error) => return Outcome::Failed(error.kind()),
                };
                reader.consume(bytes.len());
                return Outcome::Bytes(bytes);
            }
        };
        match yielded {
            None => Outcome::Nothing,
            Some(Ok(bytes)) => Outcome::Bytes(bytes),
            Some(Err(error)) => error.into(),
        }
    }
}

/// Every read meets every fault.
pub fn run_all() {
    for (name, reading) in Reading::all() {
        row(&name, MANNER, Stride::EVERY, move |scene| play(scene, reading.clone()));
    }
}

async fn play(scene: Scene, reading: Reading) {
    let Scene { fault, wire, ends, hands } = scene;
    let parties = ends.into_iter().zip(hands).map(|(end, hand)| Party::new(pair(end), hand));
    let Ok([near, far]) = <[_; 2]>::try_from(parties.collect::<Vec<_>>()) else { unreachable!("two ends") };
    let far = spawn_local(says(far));
    let near = spawn_local(reads(near, reading, wire));
    let (near, far) = (near.await.expect("it reads"), far.await.expect("it writes"));
    check([&near, &far], fault);
}

fn pair(end: End) -> (StreamReader<ReadHalf<End>>, StreamWriter<End>) {
    Pair::new(end).on_abort(reset).on_unsent(|_, ()| {}).split()
}

async fn says(mut far: Party<End, ()>) -> Account {
    for part in TEXT.chunks(10) {
        if far.write(part).is_err() || far.flush().await.is_err() {
            break;
        }
    }
    far.finish().await
}

/// Reads to the end, and closes.
async fn reads(mut near: Party<End, ()>, reading: Reading, wire: Wire) -> Account {
    let is_skip = matches!(&reading, Reading::Call(Call { op: Op::SkipUntil(_), .. }, _));
    while read(&mut near, &reading).await.is_ok() {}
    let arrived = wire.received(Side::Far) as usize;
    let failed = matches!(near.account.reading, Ending::Failed(_));
    assert_eq!(near.reader.error().is_some(), failed, "the error is kept");
    assert_eq!(near.reader.at_eof(), !failed, "and so is the end");
    if is_skip && failed {
        // What it has discarded is not told, and it stays in force: it may keep what begins a separator.
        assert!(near.reader.buffered() <= 1);
        near.account.delivered = TEXT[..arrived].to_vec();
    } else {
        let seen = [&near.account.delivered, near.reader.unread_bytes()].concat();
        assert_eq!(seen, &TEXT[..arrived], "all that has arrived, and each byte once");
    }
    near.finish().await
}

async fn read(near: &mut Party<End, ()>, reading: &Reading) -> Result<(), Stop> {
    let outcome = near.hand.perform(async || reading.once(&mut near.reader).await).await;
    let account = &mut near.account;
    match outcome {
        Outcome::Bytes(bytes) if bytes.is_empty() => account.reading.note(Ending::Clean),
        Outcome::Nothing => account.reading.note(Ending::Clean),
        Outcome::Failed(kind) => account.reading.note(Ending::Failed(kind)),
        Outcome::Bytes(bytes) => {
            account.delivered.extend_from_slice(&bytes);
            return Ok(());
        }
        Outcome::Skipped(count) => {
            skip(account, count);
            return Ok(());
        }
        Outcome::Incomplete { partial, skipped, .. } => {
            account.delivered.extend_from_slice(&partial);
            skip(account, skipped);
            account.reading.note(Ending::Clean);
        }
        other => panic!("{other:?}"),
    }
    Err(Stop)
}

/// Of what was skipped only the number is known.
fn skip(account: &mut Account, count: u64) {
    let from = account.delivered.len();
    account.delivered.extend_from_slice(&TEXT[from..from + count as usize]);
}
