//! A transport in memory that merges what has arrived, as a socket does, and lets a test see what is left.

use super::{FarEnd, broken};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The near end: what a reader reads. What is written to it is taken and forgotten.
#[derive(Debug)]
pub struct Wire(Arc<Mutex<State>>);

/// The far end: what a test holds.
#[derive(Debug)]
pub struct WireEnd(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    ended: bool,
    failed: bool,
    reader: Option<Waker>,
}

/// Both ends.
pub(super) fn wire() -> (Wire, WireEnd) {
    let state = Arc::default();
    (Wire(Arc::clone(&state)), WireEnd(state))
}

impl WireEnd {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let reader = {
            let mut state = self.0.lock().expect("no test panics in here");
            change(&mut state);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl FarEnd for WireEnd {
    fn feed(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.change(|state| state.waiting.extend_from_slice(bytes));
        }
    }

    fn feed_eof(&mut self) {
        self.change(|state| state.ended = true);
    }

    fn feed_error(&mut self) {
        self.change(|state| state.failed = true);
    }

    fn waiting(&self) -> Vec<u8> {
        self.0.lock().expect("no test panics in here").waiting.clone()
    }

    fn has_ended(&self) -> bool {
        self.0.lock().expect("no test panics in here").ended
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no test panics in here");
        if !state.waiting.is_empty() {
            let count = state.waiting.len().min(into.remaining());
            into.put_slice(&state.waiting[..count]);
            state.waiting.drain(..count);
            return Poll::Ready(Ok(()));
        }
        if state.failed {
            return Poll::Ready(Err(broken()));
        }
        if state.ended {
            return Poll::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
