//! A transport that does what a test says: so much room, such an error, bytes held back until a flush.
//!
//! Like a socket it keeps one waker per direction, the last one that it was given. It belongs to the
//! connection under test; the test holds its [`Script`].

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the connection under test owns.
#[derive(Debug)]
pub struct Scripted {
    script: Script,
}

/// What the test holds: it scripts the transport and sees what became of it.
#[derive(Clone, Debug, Default)]
pub struct Script {
    state: Arc<Mutex<State>>,
}

/// How often the transport was called, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls to `poll_write` that took bytes.
    pub writes: usize,
    /// Calls to `poll_write_vectored` that took bytes.
    pub vectored: usize,
    /// Calls to `poll_flush` that were ready.
    pub flushes: usize,
    /// Calls to `poll_shutdown` that were ready.
    pub shutdowns: usize,
    /// Calls of any kind, ready or not.
    pub all: usize,
}

#[derive(Default)]
struct State {
    /// Bytes that will be taken; `None` takes everything.
    room: Option<usize>,
    /// Whether a flush waits; what was taken is then held back.
    flush_waits: bool,
    shutdown_waits: bool,
    write_error: Option<io::Error>,
    interrupts: usize,
    flush_error: Option<io::Error>,
    shutdown_error: Option<io::Error>,
    /// Taken, and not flushed yet.
    held: Vec<u8>,
    /// Flushed: what the peer has.
    delivered: Vec<u8>,
    /// Where each slice that was offered began.
    offered: Vec<usize>,
    calls: Calls,
    writing: Option<Waker>,
    /// What a read finds, in the order of arrival.
    arrivals: VecDeque<Arrival>,
    reading: Option<Waker>,
    bytes_read: usize,
    on_write: Option<Call>,
    on_read: Option<Call>,
    was_reset: bool,
    is_gone: bool,
}

/// What is called back.
type Call = Box<dyn FnMut() + Send>;

enum Arrival {
    Bytes(Vec<u8>),
    End,
    Error(io::Error),
}

/// A transport that takes everything, and its script.
pub fn scripted() -> (Scripted, Script) {
    let script = Script::default();
    (Scripted { script: script.clone() }, script)
}

/// A transport that takes `room` bytes for now.
pub fn stalled_after(room: usize) -> (Scripted, Script) {
    let (transport, script) = scripted();
    script.lock().room = Some(room);
    (transport, script)
}

/// The hook for `Pair::on_abort` that lets [`Script::was_reset`] know.
pub fn reset(transport: &mut Scripted) {
    transport.script.lock().was_reset = true;
}

impl Script {
    // ---- what the transport does ---------------------------------------------------------------

    /// Lets it take `count` more bytes.
    pub fn allow(&self, count: usize) {
        self.change(|state| {
            state.room = state.room.map(|room| room + count);
            state.writing.take()
        });
    }

    /// Lets it take everything.
    pub fn open(&self) {
        self.change(|state| {
            state.room = None;
            state.writing.take()
        });
    }

    /// Lets it take nothing any more.
    pub fn stall(&self) {
        self.lock().room = Some(0);
    }

    /// Lets it hold back what it takes until [`release_flush`](Self::release_flush).
    pub fn hold_flush(&self) {
        self.lock().flush_waits = true;
    }

    /// Lets a flush go through, the one that waits and all that come.
    pub fn release_flush(&self) {
        self.change(|state| {
            state.flush_waits = false;
            state.writing.take()
        });
    }

    /// Lets `poll_shutdown` wait.
    pub fn hold_shutdown(&self) {
        self.lock().shutdown_waits = true;
    }

    /// Lets every write from now on fail.
    pub fn fail_writes(&self, error: io::Error) {
        self.change(|state| {
            state.write_error = Some(error);
            state.writing.take()
        });
    }

    /// Lets the next `count` writes be interrupted.
    pub fn interrupt_writes(&self, count: usize) {
        self.lock().interrupts = count;
    }

    /// Lets every flush from now on fail.
    pub fn fail_flushes(&self, error: io::Error) {
        self.lock().flush_error = Some(error);
    }

    /// Lets `poll_shutdown` fail.
    pub fn fail_shutdown(&self, error: io::Error) {
        self.lock().shutdown_error = Some(error);
    }

    /// Bytes from the peer.
    pub fn arrive(&self, bytes: impl Into<Vec<u8>>) {
        self.arrival(Arrival::Bytes(bytes.into()));
    }

    /// The peer's end.
    pub fn arrive_end(&self) {
        self.arrival(Arrival::End);
    }

    /// An error for every read from now on.
    pub fn arrive_error(&self, error: io::Error) {
        self.arrival(Arrival::Error(error));
    }

    /// Is called back in every write, before it takes anything.
    pub fn on_write(&self, call: impl FnMut() + Send + 'static) {
        self.lock().on_write = Some(Box::new(call));
    }

    /// Is called back in every read.
    pub fn on_read(&self, call: impl FnMut() + Send + 'static) {
        self.lock().on_read = Some(Box::new(call));
    }

    // ---- what became of it ---------------------------------------------------------------------

    /// What the peer has: taken and flushed.
    pub fn delivered(&self) -> Vec<u8> {
        self.lock().delivered.clone()
    }

    /// What was taken, flushed or not.
    pub fn taken(&self) -> Vec<u8> {
        let state = self.lock();
        [&state.delivered[..], &state.held].concat()
    }

    /// How often it was called.
    pub fn calls(&self) -> Calls {
        self.lock().calls
    }

    /// Whether one of the slices offered began at `address`, see [`address`].
    pub fn was_offered(&self, address: usize) -> bool {
        self.lock().offered.contains(&address)
    }

    /// How many bytes from the peer were read.
    pub fn bytes_read(&self) -> usize {
        self.lock().bytes_read
    }

    /// Whether the transport was dropped.
    pub fn is_gone(&self) -> bool {
        self.lock().is_gone
    }

    /// Whether it was reset first, see [`reset`].
    pub fn was_reset(&self) -> bool {
        self.lock().was_reset
    }

    // ---- within --------------------------------------------------------------------------------

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes only once the lock is released, as the woken may call in at once.
    fn change(&self, change: impl FnOnce(&mut State) -> Option<Waker>) {
        let waker = change(&mut self.lock());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn arrival(&self, arrival: Arrival) {
        self.change(|state| {
            state.arrivals.push_back(arrival);
            state.reading.take()
        });
    }

    /// Calls back without holding the lock.
    fn call_back(&self, which: fn(&mut State) -> &mut Option<Call>) {
        let call = which(&mut self.lock()).take();
        if let Some(mut call) = call {
            call();
            which(&mut self.lock()).get_or_insert(call);
        }
    }
}

/// Where bytes are in memory: the same for bytes that were not copied.
pub fn address(bytes: &[u8]) -> usize {
    bytes.as_ptr() as usize
}

/// The same error again: an `io::Error` cannot be cloned.
fn again(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

impl State {
    fn write(&mut self, cx: &Context<'_>, slices: &[&[u8]]) -> Poll<io::Result<usize>> {
        self.calls.all += 1;
        if let Some(error) = &self.write_error {
            return Poll::Ready(Err(again(error)));
        }
        if self.interrupts > 0 {
            self.interrupts -= 1;
            return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
        }
        let room = self.room.unwrap_or(usize::MAX);
        if room == 0 {
            self.writing = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = self.held.len();
        for slice in slices {
            self.offered.push(address(slice));
            let left = room - (self.held.len() - before);
            self.held.extend_from_slice(&slice[..slice.len().min(left)]);
        }
        let count = self.held.len() - before;
        self.room = self.room.map(|room| room - count);
        Poll::Ready(Ok(count))
    }

    fn flush(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = &self.flush_error {
            return Poll::Ready(Err(again(error)));
        }
        if self.flush_waits && !self.held.is_empty() {
            self.writing = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let held = std::mem::take(&mut self.held);
        self.delivered.extend(held);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.script.call_back(|state| &mut state.on_write);
        let mut state = self.script.lock();
        let count = ready!(state.write(cx, &[bytes]))?;
        state.calls.writes += 1;
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.script.call_back(|state| &mut state.on_write);
        let slices: Vec<&[u8]> = slices.iter().map(|slice| &slice[..]).collect();
        let mut state = self.script.lock();
        let count = ready!(state.write(cx, &slices))?;
        state.calls.vectored += 1;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.script.lock();
        state.calls.all += 1;
        ready!(state.flush(cx))?;
        state.calls.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.script.lock();
        state.calls.all += 1;
        if let Some(error) = &state.shutdown_error {
            return Poll::Ready(Err(again(error)));
        }
        ready!(state.flush(cx))?;
        if state.shutdown_waits {
            state.writing = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.calls.shutdowns += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Scripted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.script.call_back(|state| &mut state.on_read);
        let mut state = self.script.lock();
        state.calls.all += 1;
        match state.arrivals.front_mut() {
            Some(Arrival::Bytes(bytes)) => {
                let count = bytes.len().min(into.remaining());
                into.put_slice(&bytes[..count]);
                bytes.drain(..count);
                if bytes.is_empty() {
                    state.arrivals.pop_front();
                }
                state.bytes_read += count;
                Poll::Ready(Ok(()))
            }
            Some(Arrival::End) => Poll::Ready(Ok(())),
            Some(Arrival::Error(error)) => Poll::Ready(Err(again(error))),
            None => {
                state.reading = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let mut state = self.script.lock();
        state.is_gone = true;
        // What the transport kept goes with it, as a socket's registration does.
        let wakers = (state.writing.take(), state.reading.take());
        drop(state);
        drop(wakers);
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("calls", &self.calls)
            .field("held", &self.held.len())
            .field("delivered", &self.delivered.len())
            .finish_non_exhaustive()
    }
}
