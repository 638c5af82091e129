//! Two connected pairs over a transport that does its worst: what one end has written is what the other reads.
//!
//! Both ends write and read at once, and every read is kept with its outcome. When all is over, it is known what
//! was sent, and the model, to which all of it is given at once, must have had the same outcomes: they are a
//! function of the bytes, however these were cut and whatever was given up in between.

mod replay;

use super::choices::Choices;
use super::read::{choose_call, choose_separators};
use crate::call::{Call, Op, Outcome};
use crate::chaos::Chaos;
use crate::perform::Form;
use bytes::Bytes;
use highwater_stream::{Pair, ReadHalf, StreamReader, StreamWriter, Watermarks};
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

/// On a paused clock, what takes longer than this hangs: nothing in a script waits for more than half a minute.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// More than a script ever writes.
const EVERYTHING: usize = 1 << 24;

/// What two connected ends do, over which transport.
///
/// ```
/// use highwater_testing::{Ending, EndScript, Form, Op, PairRead, PairScript, PairWrite, check_pair};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async {
/// let writes = vec![PairWrite::Write("one\ntwo".into()), PairWrite::Flush];
/// let near = EndScript { writes, ending: Ending::WriteEof, reads: vec![] };
/// let line = PairRead { after: 5, form: Form::Owned, call: Op::ReadLine.into(), polls: None };
/// let far = EndScript { writes: vec![], ending: Ending::Drop, reads: vec![line] };
/// let chaos = PairScript { seed: 42, most: 1, room: 4, high: 2, limit: 80, reset: None, ends: [near, far] };
/// check_pair(&chaos).await;
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairScript {
    /// The seed of both ends' [`Chaos`].
    pub seed: u64,
    /// The most bytes that it takes or gives at once.
    pub most: usize,
    /// How many bytes the transport holds, at least one.
    pub room: usize,
    /// The high mark of both writers.
    pub high: usize,
    /// The limit of both readers.
    pub limit: usize,
    /// The transport of one end (0 or 1) is reset when so many bytes were written to it.
    pub reset: Option<(usize, u64)>,
    /// Both ends.
    pub ends: [EndScript; 2],
}

/// What one end does: it writes and reads at once, each in order.
///
/// ```
/// use highwater_testing::{Ending, EndScript, PairWrite};
/// let writes = vec![PairWrite::Write("all it says".into())];
/// assert!(EndScript { writes, ending: Ending::Close, reads: vec![] }.reads.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndScript {
    /// What its writer does.
    pub writes: Vec<PairWrite>,
    /// And then.
    pub ending: Ending,
    /// What its reader does, before it reads to the end.
    pub reads: Vec<PairRead>,
}

/// What a writer does.
///
/// ```
/// use highwater_testing::PairWrite;
/// assert_ne!(PairWrite::Drain, PairWrite::Flush);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairWrite {
    /// One message.
    Write(Bytes),
    /// One message of several payloads.
    WriteLines(Vec<Bytes>),
    /// `drain`
    Drain,
    /// `flush`
    Flush,
    /// A `flush` that is given up after so many polls.
    GiveUpFlush(usize),
    /// A clone takes the place of the writer.
    Clone,
    /// So many milliseconds pass.
    Sleep(u64),
}

/// How a writer ends.
///
/// ```
/// use highwater_testing::Ending;
/// assert!(Ending::Abort.is_rough() && !Ending::WriteEof.is_rough());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `write_eof`; the writer is kept.
    WriteEof,
    /// The writer is dropped.
    Drop,
    /// `close`
    Close,
    /// `abort`
    Abort,
}

impl Ending {
    /// Whether it ends reading, too.
    ///
    /// ```
    /// use highwater_testing::Ending;
    /// assert!(Ending::Close.is_rough() && !Ending::Drop.is_rough());
    /// ```
    pub fn is_rough(self) -> bool {
        matches!(self, Ending::Close | Ending::Abort)
    }
}

/// What a reader does.
///
/// ```
/// use highwater_testing::{Form, Op, PairRead};
/// let given_up = PairRead { after: 0, form: Form::Owned, call: Op::ReadLine.into(), polls: Some(3) };
/// assert_ne!(given_up, PairRead { polls: None, ..given_up.clone() });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRead {
    /// So many milliseconds pass first.
    pub after: u64,
    /// In which form.
    pub form: Form,
    /// Which read.
    pub call: Call,
    /// It is given up after so many polls. A skip, which stays in force, is then called again.
    pub polls: Option<usize>,
}

impl PairScript {
    /// The script that these bytes choose: any bytes choose one, similar bytes choose similar ones, and the
    /// empty slice chooses one in which both ends end at once.
    ///
    /// ```
    /// use highwater_testing::PairScript;
    /// assert!(PairScript::from_bytes(b"").ends[0].writes.is_empty());
    /// assert_eq!(PairScript::from_bytes(b"twice"), PairScript::from_bytes(b"twice"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let mut script = Self::choose_setting(&mut choices).unwrap_or_else(|| Self {
            seed: 0,
            most: 16,
            room: 64,
            high: 16,
            limit: 8,
            reset: None,
            ends: [Ending::WriteEof; 2].map(EndScript::ending_so),
        });
        let sets = choices.several(1, 2, choose_separators).unwrap_or_else(|| vec![vec!["\n".into()]]);
        let mut written = 0;
        for step in choices.rest(|choices| choose_step(choices, &sets, &mut written)) {
            match step {
                (end, Step::Write(write)) => script.ends[end].writes.push(write),
                (end, Step::Read(read)) => script.ends[end].reads.push(read),
            }
        }
        script
    }

    fn choose_setting(choices: &mut Choices<'_>) -> Option<Self> {
        const ENDINGS: [Ending; 8] = {
            use Ending::{Abort, Close, Drop, WriteEof};
            [WriteEof, WriteEof, WriteEof, Drop, Drop, Close, Close, Abort]
        };
        Some(Self {
            seed: choices.below(65_536)? as u64,
            most: 1 + choices.below(64)?,
            room: 1 + choices.below(200)?,
            high: choices.below(200)?,
            limit: choices.below(40)?,
            reset: match choices.below(10)? {
                0 => Some((choices.below(2)?, choices.below(200)? as u64)),
                _ => None,
            },
            ends: [EndScript::ending_so(choices.of(&ENDINGS)?), EndScript::ending_so(choices.of(&ENDINGS)?)],
        })
    }
}

impl EndScript {
    fn ending_so(ending: Ending) -> Self {
        Self { writes: Vec::new(), ending, reads: Vec::new() }
    }
}

enum Step {
    Write(PairWrite),
    Read(PairRead),
}

fn choose_step(choices: &mut Choices<'_>, sets: &[Vec<Bytes>], written: &mut usize) -> Option<(usize, Step)> {
    let end = choices.below(2)?;
    let step = match choices.below(20)? {
        0..=4 => Step::Write(PairWrite::Write(choices.text(0, 20)?)),
        5..=6 => Step::Write(PairWrite::Write(choose_block(choices, written)?)),
        7 => Step::Write(PairWrite::WriteLines(choices.several(0, 3, |choices| choices.text(0, 6))?)),
        8 => Step::Write(PairWrite::Drain),
        9 => Step::Write(PairWrite::Flush),
        10 => Step::Write(PairWrite::GiveUpFlush(choices.below(4)?)),
        11 => Step::Write(PairWrite::Clone),
        12 => Step::Write(PairWrite::Sleep(choices.below(50)? as u64)),
        _ => Step::Read(PairRead {
            after: if choices.below(4)? == 0 { choices.below(50)? as u64 } else { 0 },
            form: choices.of(&[Form::Owned, Form::Borrowed])?,
            call: choose_call(choices, sets)?,
            polls: if choices.below(3)? == 0 { Some(choices.below(6)?) } else { None },
        }),
    };
    Some((end, step))
}

/// Bytes that tell their place, of a length around 2 KiB, where sharing begins, or anything below.
fn choose_block(choices: &mut Choices<'_>, written: &mut usize) -> Option<Bytes> {
    let length = match choices.below(4)? {
        0 => choices.of(&[2047, 2048, 2049])?,
        _ => choices.below(400)?,
    };
    let from = *written;
    *written += length;
    Some((from..from + length).map(|place| (place ^ (place >> 8)) as u8).collect())
}

/// Lets both ends do what they are to do, and compares what they have seen.
///
/// Of what was accepted, the other end reads everything, in order, unless an end was rough (`close` while the
/// other writes, `abort`) or the transport was reset; then it reads so much as the writer was told of, and what
/// was flushed is never missing where the reader saw the end.
///
/// # Panics
/// Where that is not so, and when the script has not ended after an hour: run it on a paused clock.
///
/// # Cancel safety
/// Dropped, it leaves tasks behind that end by themselves.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
/// # runtime.unwrap().block_on(async {
/// use highwater_testing::{PairScript, check_pair};
/// // A fuzz target: any bytes are a script.
/// check_pair(&PairScript::from_bytes(b"whatever the fuzzer has found")).await;
/// # });
/// ```
pub async fn check_pair(script: &PairScript) {
    let ran = timeout(FOR_EVER, run(script)).await.expect("the script hangs");
    let is_rough = script.reset.is_some() || script.ends.iter().any(|end| end.ending.is_rough());
    let [near, far] = &ran;
    for (from, to, end) in [(near, far, &script.ends[1]), (far, near, &script.ends[0])] {
        replay::check(script.limit, from, to, end, is_rough);
    }
}

/// What became of an end.
struct Ran {
    accepted: Vec<u8>,
    /// How many of these were flushed, for all that the writer knows.
    flushed: usize,
    /// How many of these did not leave. A writer that was dropped has not asked.
    unsent: Option<u64>,
    was_refused: bool,
    /// In order. `None` where it was given up.
    reads: Vec<(Call, Option<Outcome>)>,
}

type Reader = StreamReader<ReadHalf<Chaos<DuplexStream>>>;
type Writer = StreamWriter<Chaos<DuplexStream>>;

async fn run(script: &PairScript) -> [Ran; 2] {
    let (near, far) = tokio::io::duplex(script.room.max(1));
    let far = tokio::spawn(live(connect(script, 1, far), script.ends[1].clone()));
    [live(connect(script, 0, near), script.ends[0].clone()).await, joined(far).await]
}

fn connect(script: &PairScript, end: usize, transport: DuplexStream) -> (Reader, Writer) {
    let mut chaos = Chaos::new(transport, script.seed.wrapping_add(end as u64)).most(script.most);
    if let Some((_, offset)) = script.reset.filter(|(which, _)| *which == end) {
        chaos = chaos.reset_at_written(offset);
    }
    Pair::new(chaos)
        .limit(script.limit)
        .watermarks(Watermarks::with_high(script.high))
        .on_unsent(|_, ()| {}) // Not on stderr.
        .split()
}

/// Writes and reads at once, to the end of either, and closes.
async fn live((mut reader, writer): (Reader, Writer), script: EndScript) -> Ran {
    let weak = writer.downgrade();
    let writing = tokio::spawn(write(script.writes, script.ending, writer));
    let reads = read(script.reads, &mut reader).await;
    let Written { accepted, flushed, was_refused, writer } = joined(writing).await;
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
    Ran { accepted, flushed, unsent, was_refused, reads }
}

#[derive(Default)]
struct Written {
    accepted: Vec<u8>,
    flushed: usize,
    was_refused: bool,
    /// Unless it was dropped.
    writer: Option<Writer>,
}

async fn write(steps: Vec<PairWrite>, ending: Ending, mut writer: Writer) -> Written {
    let mut written = Written::default();
    for step in steps {
        match step {
            PairWrite::Write(message) => {
                let queued = writer.write(&message);
                written.note(&message, queued.is_ok());
            }
            PairWrite::WriteLines(lines) => {
                let queued = writer.write_lines(&lines);
                written.note(&lines.concat(), queued.is_ok());
            }
            PairWrite::Drain => {
                if writer.drain().await.is_ok() {
                    let (queued, high) = (writer.queued(), writer.watermarks().high());
                    assert!(queued <= high, "{queued} bytes are queued after a drain, above {high}");
                }
            }
            PairWrite::Flush => written.note_flush(writer.flush().await.is_ok()),
            PairWrite::GiveUpFlush(polls) => {
                let flushed = at_most(Some(polls), writer.flush()).await;
                written.note_flush(flushed.is_some_and(|flushed| flushed.is_ok()));
            }
            PairWrite::Clone => writer = writer.clone(),
            PairWrite::Sleep(millis) => sleep(Duration::from_millis(millis)).await,
        }
    }
    match ending {
        Ending::WriteEof => {
            let ended = writer.write_eof();
            assert!(ended.is_err() || writer.write("late").is_err(), "a write after the end");
        }
        Ending::Drop => return written,
        Ending::Close => writer.close(),
        Ending::Abort => writer.abort(),
    }
    written.writer = Some(writer);
    written
}

impl Written {
    fn note(&mut self, message: &[u8], is_accepted: bool) {
        assert!(!(is_accepted && self.was_refused), "an error is kept: no write comes after it");
        self.was_refused |= !is_accepted;
        if is_accepted {
            self.accepted.extend_from_slice(message);
        }
    }

    fn note_flush(&mut self, is_flushed: bool) {
        if is_flushed {
            self.flushed = self.accepted.len();
        }
    }
}

async fn read(steps: Vec<PairRead>, reader: &mut Reader) -> Vec<(Call, Option<Outcome>)> {
    let mut reads = Vec::new();
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
    let everything = Call::from(Op::ReadToEnd(EVERYTHING));
    let outcome = everything.on_reader(Form::Owned, reader).await;
    reads.push((everything, Some(outcome)));
    reads
}

/// The output, unless the future is given up before.
async fn at_most<V>(polls: Option<usize>, future: impl Future<Output = V>) -> Option<V> {
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

async fn joined<V>(task: JoinHandle<V>) -> V {
    task.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
