//! The rows of the writers: one end writes in one of the ways alone, and ends in one of the ways; the other reads
//! all of it and answers.

use super::account::{Account, Ending, check};
use super::fault::Fault;
use super::matrix::{Scene, Stride, row};
use super::party::{Party, Stop};
use super::wire::{End, Manner, reset};
use bytes::Bytes;
use futures::SinkExt;
use highwater_stream::{Pair, ReadHalf, StreamReader, StreamWriter, Watermarks};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_local;

/// What is written: short ones, and one that does not fit.
const MESSAGES: [&[u8]; 4] = [b"one\n", b"two and a bit\n", b"three: more than is ever under way\n", b"end"];

/// What the other end says at first, and at the end.
const GREETING: &[u8] = b"hello, you\n";
const ANSWER: &[u8] = b"bye\n";

/// How much of the greeting is read before the writing begins: what is left may be buffered.
const SEEN: usize = 5;

/// Small steps, so that there are many.
const MANNER: Manner = Manner { most: 5, capacity: 16, is_reluctant: true };

type Near = Party<End, ()>;

/// How it writes.
#[derive(Clone, Copy, Debug)]
enum Writing {
    Flush,
    Drain,
    Lines,
    Formatted,
    Sink,
    AsyncWrite,
}

/// How it ends.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    WriteEof,
    Close,
    SinkClose,
    AsyncShutdown,
    Drop,
    Abort,
    /// Its halves are reunited, and the transport goes on as another pair.
    Reunite,
}

/// Every operation of a writer meets every fault.
pub fn run_all() {
    let ways = [
        ("write, flush, write_eof", Writing::Flush, Leaving::WriteEof),
        ("write, drain, write_eof", Writing::Drain, Leaving::WriteEof),
        ("write_lines, write_eof", Writing::Lines, Leaving::WriteEof),
        ("write!, write_eof", Writing::Formatted, Leaving::WriteEof),
        ("write, drain, close, wait_closed", Writing::Drain, Leaving::Close),
        ("feed, flush, close of a Sink", Writing::Sink, Leaving::SinkClose),
        ("write, flush, shutdown of an AsyncWrite", Writing::AsyncWrite, Leaving::AsyncShutdown),
        ("write, flush, drop", Writing::Flush, Leaving::Drop),
        ("write, drain, drop", Writing::Drain, Leaving::Drop),
        ("write, flush, abort", Writing::Flush, Leaving::Abort),
        ("write, drain, reunite", Writing::Drain, Leaving::Reunite),
    ];
    for (name, writing, leaving) in ways {
        row(name, MANNER, Stride::EVERY, move |scene| play(scene, writing, leaving));
    }
}

async fn play(scene: Scene, writing: Writing, leaving: Leaving) {
    let Scene { fault, ends: [near, far], hands: [near_hand, far_hand], .. } = scene;
    let lost = Arc::new(OnceLock::new());
    let near = Party::new(pair(near, &lost), near_hand);
    let far = Party::new(pair(far, &Arc::default()), far_hand);
    let answers = matches!(leaving, Leaving::WriteEof | Leaving::AsyncShutdown | Leaving::Reunite);
    let far = spawn_local(listens(far, answers));
    let near = spawn_local(says(near, writing, leaving, lost));
    let (near, far) = (near.await.expect("it writes"), far.await.expect("it reads"));
    check([&near, &far], fault);
    if matches!(leaving, Leaving::Abort) && fault == Fault::None {
        assert_eq!(near.closing, Ending::Failed(io::ErrorKind::ConnectionAborted));
        assert_eq!(far.reading, Ending::Failed(io::ErrorKind::ConnectionReset));
    }
}

/// `lost` is set when bytes are lost that nobody is left to be told of.
fn pair(end: End, lost: &Arc<OnceLock<io::ErrorKind>>) -> (StreamReader<ReadHalf<End>>, StreamWriter<End>) {
    let lost = Arc::clone(lost);
    Pair::new(end)
        .on_abort(reset)
        .watermarks(Watermarks::with_high(8))
        .on_unsent(move |error, ()| lost.set(error.cause().kind()).expect("it is told once"))
        .split()
}

async fn listens(mut far: Party<End, ()>, answers: bool) -> Account {
    if far.write(GREETING).is_ok() {
        far.flush().await.ok();
    }
    far.read_out().await;
    if answers {
        far.write(ANSWER).ok();
    }
    far.finish().await
}

async fn says(
    mut near: Near,
    writing: Writing,
    leaving: Leaving,
    lost: Arc<OnceLock<io::ErrorKind>>,
) -> Account {
    let mut goes_on = near.read_exactly(SEEN).await;
    for message in MESSAGES {
        if goes_on.is_ok() {
            goes_on = write(&mut near, writing, message).await.map(|()| Bytes::new());
        }
    }
    leave(near, leaving, &lost).await
}

async fn write(near: &mut Near, writing: Writing, message: &'static [u8]) -> Result<(), Stop> {
    match writing {
        Writing::Flush => {
            near.write(message)?;
            near.flush().await
        }
        Writing::Drain => {
            near.write(message)?;
            near.drain().await
        }
        Writing::Lines => {
            let (first, second) = message.split_at(2);
            let written = near.writer.write_lines([first, &[], second]);
            near.note_written(message, written)?;
            near.drain().await
        }
        Writing::Formatted => {
            let text = std::str::from_utf8(message).expect("it is text");
            let written = write!(near.writer, "{text}");
            near.note_written(message, written)?;
            near.drain().await
        }
        Writing::Sink => {
            // A feed that is given up has not taken its message; a send may have.
            let fed = near.hand.perform(async || near.writer.feed(Bytes::from_static(message)).await).await;
            near.note_written(message, fed)?;
            let flushed = near.hand.perform(async || SinkExt::flush(&mut near.writer).await).await;
            near.note_flushed(flushed)
        }
        Writing::AsyncWrite => {
            let mut adapted = near.writer.clone().into_async_write();
            let mut left = message;
            while !left.is_empty() {
                let taken = near.hand.perform(async || adapted.write(left).await).await;
                let count = *taken.as_ref().unwrap_or(&0);
                near.note_written(&left[..count], taken.map(drop))?;
                left = &left[count..];
            }
            let flushed = near.hand.perform(async || adapted.flush().await).await;
            near.note_flushed(flushed)
        }
    }
}

async fn leave(mut near: Near, leaving: Leaving, lost: &Arc<OnceLock<io::ErrorKind>>) -> Account {
    match leaving {
        Leaving::WriteEof => near.finish().await,
        Leaving::Close => near.close().await,
        Leaving::SinkClose => {
            let closed = near.hand.perform(async || SinkExt::close(&mut near.writer).await).await;
            near.note_ended(closed);
            near.close().await
        }
        Leaving::AsyncShutdown => {
            let mut adapted = near.writer.clone().into_async_write();
            let shut = near.hand.perform(async || adapted.shutdown().await).await;
            near.note_flushed(shut).ok();
            near.read_out().await;
            near.close().await
        }
        Leaving::Drop => {
            let weak = near.writer.downgrade();
            let Party { reader, writer, hand, mut account } = near;
            drop((reader, writer));
            hand.perform(async || weak.wait_gone().await).await;
            account.closing.note(lost.get().map_or(Ending::Clean, |kind| Ending::Failed(*kind)));
            account
        }
        Leaving::Abort => {
            near.write(b"what nobody waits for").ok();
            near.writer.abort();
            near.account.gave_up = true;
            near.read_out().await;
            near.close().await
        }
        Leaving::Reunite => reunite(near).await,
    }
}

async fn reunite(near: Near) -> Account {
    let Party { reader, writer, hand, mut account } = near;
    match hand.attempt(reader.reunite(writer)).await {
        Some(Ok(reunited)) => {
            account.acknowledged = account.accepted.len();
            let mut again = Party::new(pair(reunited.transport, &Arc::default()), hand);
            again.account = account;
            again.reader.unread(reunited.buffer.unread_bytes());
            again.write(b", and more").ok();
            again.finish().await
        }
        Some(Err(refusal)) => {
            let mut again = Party::new((refusal.reader, refusal.writer), hand);
            again.account = account;
            again.finish().await
        }
        // Both halves went with the future, and are closed as ever.
        None => {
            account.gave_up = true;
            account
        }
    }
}
