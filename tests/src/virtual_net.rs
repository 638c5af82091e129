//! A network in memory on tokio's clock: links that delay, lose what goes in either direction until they are
//! mended, and reset. For servers and clients under a paused clock, where each wait has an exact length.
//!
//! A link is what TCP makes of an unreliable network: bytes come in order or not at all, a window bounds those that
//! were not acknowledged, what was lost is sent again, and an end that goes without a word of farewell is a reset.

use crate::memory::{Connector, memory};
use bytes::{Bytes, BytesMut};
use highwater_net::Listener;
use std::collections::VecDeque;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// The most bytes under way in a direction, with those that came and were not read.
pub const WINDOW: usize = 4000;

/// What comes of `future`, and after how many milliseconds.
pub async fn timed<V>(future: impl IntoFuture<Output = V>) -> (V, u128) {
    let begin = Instant::now();
    let value = future.await;
    (value, begin.elapsed().as_millis())
}

/// The way to a server.
#[derive(Clone, Debug)]
pub struct Network {
    server: Connector,
    delay: Duration,
}

/// A listener, and a network in which everything takes `delay` to come to it, and back.
pub fn network(delay: Duration) -> (Box<dyn Listener>, Network) {
    let (listener, server) = memory();
    (listener, Network { server, delay })
}

impl Network {
    /// A connection: the server has it after one delay, the client after two.
    pub async fn connect(&self) -> (Wire, Link) {
        let (near, far, link) = link(self.delay);
        sleep(self.delay).await;
        self.server.bring(far);
        sleep(self.delay).await;
        (near, link)
    }
}

/// Both ends of a connection, and what may befall it.
pub fn link(delay: Duration) -> (Wire, Wire, Link) {
    let state = State { ways: [Direction::default(), Direction::default()], delay };
    let link = Link(Arc::new(Mutex::new(state)));
    (Wire::new(&link, 0), Wire::new(&link, 1), link)
}

/// Which way nothing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing comes to the server.
    ToServer,
    /// Nothing comes to the client.
    ToClient,
    /// Neither.
    Both,
}

/// The line between two ends.
#[derive(Clone, Debug)]
pub struct Link(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// To the server (the second end), and to the client.
    ways: [Direction; 2],
    delay: Duration,
}

#[derive(Debug, Default)]
struct Direction {
    /// In order, with when it arrives. `None`: it was lost, and is sent again once the way is mended.
    /// Invariant: none is `None` unless `is_cut`.
    under_way: VecDeque<(Option<Instant>, Segment)>,
    /// Bytes that the sender may not forget yet. Invariant: at most the window.
    unacknowledged: usize,
    /// Bytes that were read while acknowledgements were lost on their way back.
    unheard_of: usize,
    is_cut: bool,
    /// Nobody is there to receive any more.
    is_deserted: bool,
    /// A reset has come.
    was_reset: bool,
    /// Whoever waits to read what comes this way.
    reader: Option<Waker>,
    /// Whoever waits for room to send this way.
    writer: Option<Waker>,
}

#[derive(Debug)]
enum Segment {
    Bytes(Bytes),
    End,
    Reset,
}

impl Link {
    /// From now on nothing goes this way; what was under way is lost with it.
    pub fn cut(&self, way: Way) {
        let mut state = self.state();
        for direction in state.of(way) {
            direction.is_cut = true;
            for (arrives, _) in &mut direction.under_way {
                if arrives.is_some_and(|at| at > Instant::now()) {
                    *arrives = None;
                }
            }
        }
    }

    /// Everything goes again, and what was lost is sent again.
    pub fn mend(&self) {
        let mut state = self.state();
        let arrives = Instant::now() + state.delay;
        for direction in &mut state.ways {
            direction.is_cut = false;
            for (at, _) in &mut direction.under_way {
                at.get_or_insert(arrives);
            }
            direction.unacknowledged -= std::mem::take(&mut direction.unheard_of);
        }
        state.wake();
    }

    /// Something between the ends resets the connection, here and now: both hear of it. Who has not read what
    /// had come may do so first.
    pub fn reset(&self) {
        let mut state = self.state();
        let now = Instant::now();
        for direction in &mut state.ways {
            direction.under_way.retain(|(arrives, _)| arrives.is_some_and(|at| at <= now));
            direction.under_way.push_back((Some(now), Segment::Reset));
        }
        state.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&mut self, way: Way) -> impl Iterator<Item = &mut Direction> {
        let which = match way {
            Way::ToServer => 0..1,
            Way::ToClient => 1..2,
            Way::Both => 0..2,
        };
        self.ways[which].iter_mut()
    }

    fn send(&mut self, way: usize, segment: Segment) {
        let arrives = Instant::now() + self.delay;
        let direction = &mut self.ways[way];
        direction.under_way.push_back(((!direction.is_cut).then_some(arrives), segment));
        self.wake();
    }

    /// Everybody looks again: who comes too early waits on.
    fn wake(&mut self) {
        for direction in &mut self.ways {
            [direction.reader.take(), direction.writer.take()].into_iter().flatten().for_each(Waker::wake);
        }
    }
}

impl Direction {
    /// When a reset comes this way, if one is under way.
    fn next_reset(&self) -> Option<Instant> {
        let reset = self.under_way.iter().find(|(_, segment)| matches!(segment, Segment::Reset));
        reset.and_then(|(arrives, _)| *arrives)
    }
}

/// One end of a [`link`].
#[derive(Debug)]
pub struct Wire {
    link: Link,
    /// The way that it sends; the other one is the way that it receives.
    way: usize,
    has_ended: bool,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn new(link: &Link, way: usize) -> Self {
        Self { link: link.clone(), way, has_ended: false, reading: None, writing: None }
    }
}

/// Wakes the task at that moment. `Ready` if it has come.
fn at(timer: &mut Option<Pin<Box<Sleep>>>, moment: Instant, cx: &mut Context<'_>) -> Poll<()> {
    let timer = match timer {
        Some(timer) if timer.deadline() == moment => timer,
        other => other.insert(Box::pin(sleep_until(moment))),
    };
    timer.as_mut().poll(cx)
}

fn was_reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { link, way, reading, .. } = self.get_mut();
        let mut state = link.state();
        let acknowledgements_are_lost = state.ways[*way].is_cut;
        let direction = &mut state.ways[1 - *way];
        if direction.was_reset {
            return Poll::Ready(Err(was_reset()));
        }
        let arrives = direction.under_way.front().and_then(|(arrives, _)| *arrives);
        let has_come = arrives.is_some_and(|moment| at(reading, moment, cx).is_ready());
        if !has_come {
            direction.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        match direction.under_way.front_mut().map(|(_, segment)| segment) {
            Some(Segment::Bytes(bytes)) => {
                let now = bytes.split_to(bytes.len().min(into.remaining()));
                let is_all = bytes.is_empty();
                into.put_slice(&now);
                if is_all {
                    direction.under_way.pop_front();
                }
                if acknowledgements_are_lost {
                    direction.unheard_of += now.len();
                } else {
                    direction.unacknowledged -= now.len();
                }
                direction.writer.take().into_iter().for_each(Waker::wake);
                Poll::Ready(Ok(()))
            }
            Some(Segment::Reset) => {
                direction.was_reset = true;
                Poll::Ready(Err(was_reset()))
            }
            Some(Segment::End) | None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { link, way, writing, .. } = self.get_mut();
        let mut state = link.state();
        let back = &state.ways[1 - *way];
        let reset = back.next_reset().map(|moment| at(writing, moment, cx));
        if back.was_reset || reset.is_some_and(|has_come| has_come.is_ready()) {
            return Poll::Ready(Err(was_reset()));
        }
        let direction = &mut state.ways[*way];
        let count = bytes.len().min(WINDOW - direction.unacknowledged);
        if count == 0 && !bytes.is_empty() {
            direction.writer = Some(cx.waker().clone());
            // It has to hear of a reset that is not under way yet, too.
            return Poll::Pending;
        }
        direction.unacknowledged += count;
        if direction.is_deserted && !direction.is_cut {
            // It comes to nobody, who says so.
            let returns = Instant::now() + state.delay * 2;
            state.ways[1 - *way].under_way.push_back((Some(returns), Segment::Reset));
            state.wake();
        } else {
            state.send(*way, Segment::Bytes(BytesMut::from(&bytes[..count]).freeze()));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.has_ended {
            self.has_ended = true;
            let way = self.way;
            self.link.state().send(way, Segment::End);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.ways[1 - self.way].is_deserted = true;
        if !self.has_ended {
            state.send(self.way, Segment::Reset);
        }
    }
}
