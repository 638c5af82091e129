//! A connection in memory that fails where a [`Fault`] says, and counts what goes over it.

use super::fault::{Fault, Side};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What an injected error is: nothing else fails so.
pub const INJECTED: io::ErrorKind = io::ErrorKind::Deadlock;

/// How a wire carries what it carries.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The most bytes of a call.
    pub most: usize,
    /// The most bytes under way in each direction.
    pub capacity: usize,
    /// Every other call that could do something has to wait all the same.
    pub is_reluctant: bool,
}

/// A connection, seen from outside.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Mutex<State>>);

/// One end of it.
#[derive(Debug)]
pub struct End {
    side: Side,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    /// The fault has happened.
    is_met: bool,
    manner: Manner,
    was_reset: bool,
    /// By who sends.
    ways: [Way; 2],
    /// How often each end was called.
    calls: [usize; 2],
    is_gone: [bool; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    under_way: VecDeque<u8>,
    /// Bytes that were sent.
    sent: u64,
    /// No more comes: the sender has ended, has gone, or was cut off.
    has_ended: bool,
    /// Whether the last call had to wait without a reason: of the sender, of the receiver.
    has_waited: [bool; 2],
    sender: Option<Waker>,
    receiver: Option<Waker>,
}

impl Wire {
    /// A connection with this fault, and its ends: near, far.
    pub fn new(fault: Fault, manner: Manner) -> (Self, End, End) {
        let state = State {
            fault,
            is_met: false,
            manner,
            was_reset: false,
            ways: Default::default(),
            calls: [0; 2],
            is_gone: [false; 2],
        };
        let state = Arc::new(Mutex::new(state));
        let end = |side| End { side, state: Arc::clone(&state) };
        (Self(Arc::clone(&state)), end(Side::Near), end(Side::Far))
    }

    /// Whether the fault has happened.
    pub fn is_met(&self) -> bool {
        lock(&self.0).is_met
    }

    /// Whether both ends were dropped.
    pub fn is_gone(&self) -> bool {
        lock(&self.0).is_gone == [true; 2]
    }

    /// How many bytes each end has sent.
    pub fn sent(&self) -> [u64; 2] {
        lock(&self.0).ways.each_ref().map(|way| way.sent)
    }

    /// How many bytes sent by `from` the other end has taken.
    pub fn received(&self, from: Side) -> u64 {
        let way = &lock(&self.0).ways[from as usize];
        way.sent - way.under_way.len() as u64
    }

    /// How often the transport of each end was called.
    pub fn calls(&self) -> [usize; 2] {
        lock(&self.0).calls
    }
}

/// The hook of a pair: what an abort does to its end.
pub fn reset(end: &mut End) {
    lock(&end.state).reset();
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("nothing in here panics")
}

impl State {
    fn reset(&mut self) {
        self.was_reset = true;
        for way in &mut self.ways {
            way.wake();
        }
    }

    /// Does what is due at the bytes that were sent.
    fn meet(&mut self) {
        if self.is_met {
            return;
        }
        match self.fault {
            Fault::Reset { from, after } if self.ways[from as usize].sent >= after => {
                self.is_met = true;
                self.reset();
            }
            Fault::End { from, after } if self.ways[from as usize].sent >= after => {
                self.is_met = true;
                self.ways[from as usize].end();
            }
            _ => {}
        }
    }

    /// Counts a call of this end's, and fails if it is the one that has to.
    fn called(&mut self, side: Side, moves_bytes: bool) -> io::Result<()> {
        self.meet();
        let count = self.calls[side as usize];
        self.calls[side as usize] += 1;
        let kind = match self.fault {
            Fault::Error { at, call } if at == side && call == count => INJECTED,
            Fault::Interrupted { at, call } if at == side && call <= count && moves_bytes && !self.is_met => {
                io::ErrorKind::Interrupted
            }
            _ => return Ok(()),
        };
        self.is_met = true;
        Err(io::Error::new(kind, "injected"))
    }

    fn check_sending(&self, side: Side) -> io::Result<()> {
        if self.was_reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let way = &self.ways[side as usize];
        if way.has_ended || self.is_gone[!side as usize] {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    /// How many bytes may be sent before the fault.
    fn until_fault(&self, side: Side) -> usize {
        match self.fault {
            Fault::Reset { from, after } | Fault::End { from, after } if from == side && !self.is_met => {
                usize::try_from(after - self.ways[side as usize].sent).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }
}

impl Way {
    /// Whether this call has to wait although it need not; then it is woken. Asked only where there is something
    /// to do: who polls both directions at each wake would otherwise be woken for ever.
    fn waits(&mut self, whose: usize, manner: Manner, cx: &Context<'_>) -> bool {
        self.has_waited[whose] = manner.is_reluctant && !self.has_waited[whose];
        if self.has_waited[whose] {
            cx.waker().wake_by_ref();
        }
        self.has_waited[whose]
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.wake();
    }

    fn wake(&mut self) {
        [self.sender.take(), self.receiver.take()].into_iter().flatten().for_each(Waker::wake);
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = lock(&self.state);
        state.called(self.side, true)?;
        let State { ways, manner, was_reset, .. } = &mut *state;
        let way = &mut ways[!self.side as usize];
        let is_over = *was_reset || way.has_ended;
        if way.under_way.is_empty() && !is_over {
            way.receiver = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if way.waits(1, *manner, cx) {
            return Poll::Pending;
        }
        // As Linux does it: what came before a reset can still be read.
        if way.under_way.is_empty() && *was_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let count = way.under_way.len().min(into.remaining()).min(manner.most);
        let bytes: Vec<u8> = way.under_way.drain(..count).collect();
        into.put_slice(&bytes);
        if let Some(sender) = way.sender.take() {
            sender.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.state);
        state.called(self.side, true)?;
        state.check_sending(self.side)?;
        let until_fault = state.until_fault(self.side);
        let State { ways, manner, .. } = &mut *state;
        let way = &mut ways[self.side as usize];
        let room = manner.capacity - way.under_way.len();
        let count = bytes.len().min(room).min(manner.most).min(until_fault);
        if count == 0 && !bytes.is_empty() {
            way.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if way.waits(0, *manner, cx) {
            return Poll::Pending;
        }
        way.under_way.extend(&bytes[..count]);
        way.sent += count as u64;
        if let Some(receiver) = way.receiver.take() {
            receiver.wake();
        }
        state.meet();
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything was passed on: there is nothing to lose.
        Poll::Ready(lock(&self.state).called(self.side, false))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = lock(&self.state);
        state.called(self.side, false)?;
        state.check_sending(self.side)?;
        let manner = state.manner;
        let way = &mut state.ways[self.side as usize];
        if way.waits(0, manner, cx) {
            return Poll::Pending;
        }
        way.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.is_gone[self.side as usize] = true;
        state.ways[self.side as usize].end();
        // Who sends to it has to learn that it went.
        state.ways[!self.side as usize].wake();
    }
}
