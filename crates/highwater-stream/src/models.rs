//! What must hold in whichever order threads take the locks: loom tries them all, up to some preemptions.
//!
//! `cargo xtask loom` runs these. Each is the real writer, reader and connection over a [`Wire`], with threads in
//! the place of tasks. Two things are played: the transport, and the clock, which here has always just run out.
//! A lost wake-up shows as a deadlock.
//!
//! | module | about |
//! | --- | --- |
//! | `delivery` | what was accepted is sent, whoever is last |
//! | `waiting` | `drain` and `flush`: when they end, and that they end |
//! | `ending` | `close`, `abort`, and whoever is in the transport at the time |

mod delivery;
mod ending;
mod waiting;
mod wire;

use crate::connection::{Connection, Standing};
use crate::outbox::Next;
use crate::{Linger, Pair, ReadHalf, StreamReader, StreamWriter, Watermarks};
use loom::sync::Notify;
use loom::thread::JoinHandle;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use wire::Wire;

type Writer = StreamWriter<Wire>;
type Reader = StreamReader<ReadHalf<Wire>>;

/// Tries every order with at most so many preemptions, unless `LOOM_MAX_PREEMPTIONS` says otherwise. Most faults
/// take two.
const PREEMPTIONS: usize = 2;

fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    builder.max_branches = 20_000;
    builder.check(run);
}

/// Both halves over `wire`. The high mark is two bytes, the low one nothing; nobody lingers.
fn pair(wire: &Wire) -> (Reader, Writer) {
    let marks = Watermarks::new(2, 0).expect("high is above low");
    Pair::new(wire.clone()).watermarks(marks).linger(Linger::NONE).split()
}

/// A thread that does what the flusher's task does, from now until the connection is gone.
fn start_flusher(writer: &Writer) -> JoinHandle<()> {
    let connection = Arc::clone(writer.connection());
    assert!(matches!(connection.outbox.rouse_flusher(), Next::StartFlusher));
    loom::thread::spawn(move || block_on(poll_fn(|cx| drive(&connection, cx))))
}

/// The same for a task that sends besides what else it does, as a server's does on a runtime of one thread.
fn start_attendant(writer: &Writer) -> JoinHandle<()> {
    let connection = Arc::clone(writer.connection());
    connection.outbox.expect_flusher();
    let poll = move |cx: &mut Context<'_>| {
        connection.outbox.flusher_is_awake();
        drive(&connection, cx)
    };
    loom::thread::spawn(move || block_on(poll_fn(poll)))
}

/// A poll of the flusher's, with a clock that has run out whenever it may.
fn drive(connection: &Connection<Wire, ()>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        match connection.drive(cx) {
            Standing::Gone => return Poll::Ready(()),
            Standing::ReadingOut => connection.outbox.read_out(),
            Standing::Lingering { .. } => connection.give_up_linger(),
            Standing::Idle | Standing::Stalled { .. } => return Poll::Pending,
        }
    }
}

/// A task: it sleeps until it is woken.
#[derive(Default)]
struct Task(Notify);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn block_on<V>(future: impl Future<Output = V>) -> V {
    let mut future = pin!(future);
    let task = Arc::new(Task::default());
    let waker = Waker::from(Arc::clone(&task));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        task.0.wait();
    }
}

/// Polls once, and gives up.
fn give_up<V>(future: impl Future<Output = V>) -> Option<V> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
