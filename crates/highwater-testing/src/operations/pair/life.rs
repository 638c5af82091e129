//! An end from its first read and write to its last.

use super::writing::{Hand, Logged};
use super::{EndScript, PairCounts, PairRead, PairScript, StartOver};
use crate::call::{Call, Op, Outcome};
use crate::chaos::Chaos;
use crate::perform::Form;
use bytes::Bytes;
use highwater_stream::{Pair, ReadHalf, Reunited, StreamReader, StreamWriter, UpgradeError, Watermarks};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

/// More than a script ever writes.
const EVERYTHING: usize = 1 << 24;

type Transport = Chaos<DuplexStream>;
pub(super) type Reader = StreamReader<ReadHalf<Transport>>;
pub(super) type Writer = StreamWriter<Transport>;

/// What became of an end.
pub(super) struct Ran {
    pub(super) accepted: Vec<u8>,
    /// How many of these were flushed, for all that the writer knows.
    pub(super) flushed: usize,
    /// How many of these did not leave. A writer that was dropped has not asked.
    pub(super) unsent: Option<u64>,
    /// A write was refused before the writer had ended.
    pub(super) was_refused: bool,
    /// In order. `None` where it was given up.
    pub(super) reads: Vec<(Call, Option<Outcome>)>,
    /// How many bytes had come that no read took.
    pub(super) left: usize,
    pub(super) counts: PairCounts,
}

pub(super) async fn run(script: &PairScript) -> [Ran; 2] {
    let (near, far) = tokio::io::duplex(script.room.max(1));
    let setting = Setting { limit: script.limit, high: script.high };
    let [near_script, far_script] = script.ends.clone();
    let far = tokio::spawn(live(setting, difficult(script, 1, far), far_script));
    [live(setting, difficult(script, 0, near), near_script).await, joined(far).await]
}

fn difficult(script: &PairScript, end: usize, transport: DuplexStream) -> Transport {
    let chaos = Chaos::new(transport, script.seed.wrapping_add(end as u64)).most(script.most);
    match script.reset {
        Some((which, offset)) if which == end => chaos.reset_at_written(offset),
        _ => chaos,
    }
}

#[derive(Clone, Copy)]
struct Setting {
    limit: usize,
    high: usize,
}

impl Setting {
    fn connect(self, transport: Transport) -> (Reader, Writer) {
        Pair::new(transport)
            .limit(self.limit)
            .watermarks(Watermarks::with_high(self.high))
            .on_unsent(|_, ()| {}) // Not on stderr.
            .split()
    }

    /// The halves with what was unread in front, and whether they did start over.
    async fn start_over(self, then: StartOver, reader: Reader, writer: Writer) -> (Reader, Writer, bool) {
        match then {
            StartOver::Reunite => match reader.reunite(writer).await {
                Ok(Reunited { transport, buffer }) => {
                    let (mut reader, writer) = self.connect(transport);
                    reader.unread(buffer.unread_bytes());
                    (reader, writer, true)
                }
                Err(refused) => (refused.reader, refused.writer, false),
            },
            StartOver::Upgrade => {
                let mut ahead = Bytes::new();
                let same = |transport, unread| {
                    ahead = unread;
                    async {
                        yield_now().await;
                        Ok::<_, Infallible>(transport)
                    }
                };
                match reader.upgrade(writer, same).await {
                    Ok((mut reader, writer)) => {
                        reader.unread(&ahead);
                        (reader, writer, true)
                    }
                    Err(UpgradeError::Refused(refused)) => (refused.reader, refused.writer, false),
                    Err(gone) => panic!("nobody else closes or loses it meanwhile: {gone}"),
                }
            }
        }
    }
}

/// Writes and reads at once, act by act and then to the end of either, and closes.
async fn live(setting: Setting, transport: Transport, script: EndScript) -> Ran {
    let (mut reader, writer) = setting.connect(transport);
    let mut hand = Hand { writer, log: Logged::default(), tasks: Vec::new() };
    let mut reads = Vec::new();
    for act in script.acts {
        let writing = tokio::spawn(async move {
            hand.perform(act.writes).await;
            hand
        });
        read(act.reads, &mut reader, &mut reads).await;
        let Hand { writer, log, tasks } = joined(writing).await;
        let before = log.lock().accepted.len();
        let (new_reader, writer, is_new) = setting.start_over(act.then, reader, writer).await;
        reader = new_reader;
        log.lock().note_start_over(before, is_new);
        hand = Hand { writer, log, tasks };
    }

    let (weak, log) = (hand.writer.downgrade(), hand.log.clone());
    let writing = tokio::spawn(async move {
        hand.perform(script.writes).await;
        hand.end(script.ending).await
    });
    read(script.reads, &mut reader, &mut reads).await;
    let everything = Call::from(Op::ReadToEnd(EVERYTHING));
    let outcome = everything.on_reader(Form::Owned, &mut reader).await;
    reads.push((everything, Some(outcome)));
    let (writer, left) = (joined(writing).await, reader.buffered());
    let unsent = match &writer {
        Some(writer) => {
            writer.close();
            Some(writer.wait_closed().await.map_or_else(|error| error.unsent(), |()| 0))
        }
        None => {
            drop(reader);
            weak.wait_gone().await;
            None
        }
    };
    let log = log.lock();
    let mut counts = log.counts;
    for (_, outcome) in &reads {
        counts.reads += 1;
        counts.given_up += u64::from(outcome.is_none());
        counts.failed += u64::from(matches!(outcome, Some(Outcome::Failed(_))));
    }
    let (accepted, flushed, was_refused) = (log.accepted.clone(), log.flushed, log.was_refused);
    Ran { accepted, flushed, unsent, was_refused, reads, left, counts }
}

async fn read(steps: Vec<PairRead>, reader: &mut Reader, reads: &mut Vec<(Call, Option<Outcome>)>) {
    for PairRead { after, form, call, polls } in steps {
        if after > 0 {
            sleep(Duration::from_millis(after)).await;
        }
        let mut outcome = at_most(polls, call.on_reader(form, reader)).await;
        if outcome.is_none() && matches!(call.op, Op::SkipUntil(_)) {
            outcome = Some(call.on_reader(form, reader).await);
        }
        reads.push((call, outcome));
    }
}

/// The output, unless the future is given up before.
pub(super) async fn at_most<V>(polls: Option<usize>, future: impl Future<Output = V>) -> Option<V> {
    let mut future = pin!(future);
    let Some(polls) = polls else { return Some(future.await) };
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

pub(super) async fn joined<V>(task: JoinHandle<V>) -> V {
    task.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
