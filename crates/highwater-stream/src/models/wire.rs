//! A transport in the hands of a model: it takes as much as there is room for, and tells what it has taken.

use crate::sync::{Mutex, lock};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both the transport and, as its clone, the peer.
#[derive(Clone, Debug)]
pub(super) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    taken: Vec<u8>,
    /// How many of those are flushed.
    flushed: usize,
    /// How many more it takes.
    room: usize,
    has_failed: bool,
    is_shut: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
    peer: Option<Waker>,
}

impl Wire {
    pub(super) fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new(State { room, ..State::default() })))
    }

    /// The peer takes so many bytes from it.
    pub(super) fn make_room(&self, room: usize) {
        let waker = {
            let mut state = lock(&self.0);
            state.room += room;
            state.writer.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// From now on it takes nothing and fails.
    pub(super) fn fail(&self) {
        let waker = {
            let mut state = lock(&self.0);
            state.has_failed = true;
            state.writer.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// The peer waits for so many bytes.
    pub(super) async fn arrived(&self, count: usize) {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            if state.flushed >= count {
                return Poll::Ready(());
            }
            state.peer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(super) fn taken(&self) -> Vec<u8> {
        lock(&self.0).taken.clone()
    }

    pub(super) fn flushed(&self) -> usize {
        lock(&self.0).flushed
    }

    pub(super) fn is_shut(&self) -> bool {
        lock(&self.0).is_shut
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = lock(&self.0);
        if state.has_failed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = bytes.len().min(state.room);
        state.room -= count;
        state.taken.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let peer = {
            let mut state = lock(&self.0);
            state.flushed = state.taken.len();
            state.peer.take()
        };
        peer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).is_shut = true;
        Poll::Ready(Ok(()))
    }
}

/// The peer never says anything.
impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).reader = Some(cx.waker().clone());
        Poll::Pending
    }
}
