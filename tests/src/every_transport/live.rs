//! The near reader of a live connection as a [`Subject`].
//!
//! What the peer has sent counts as arrived when the reader has it: with no read in course, when a `peek`
//! shows it; with one in course, when that was woken. So every poll that the door asks for has one outcome.

use super::maker::Maker;
use crate::net::Halves;
use crate::subject::Subject;
use bytes::Bytes;
use futures::FutureExt;
use highwater_net::{StreamOptions, StreamReader, StreamWriter, Transport};
use highwater_testing::{Call, End, Form, Outcome};
use socket2::SockRef;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, Notify};
use tokio::task::yield_now;

/// A read that was woken for nothing is looked at again in so many turns of the runtime, and for as long as
/// its socket holds anything.
const TURNS: usize = 16;

/// A reader, the peer from which its bytes come, and the runtime that moves them.
pub(super) struct Live<'a> {
    runtime: &'a Runtime,
    reader: Arc<Mutex<StreamReader>>,
    /// Keeps the near pair whole.
    writer: StreamWriter,
    peer: Halves,
    waiting: Option<Read>,
    end: End,
}

/// A read in course.
struct Read {
    future: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    woken: Arc<Woken>,
}

/// Keeps that a read was woken, and wakes who waits for that.
#[derive(Default)]
struct Woken(Notify);

impl<'a> Live<'a> {
    /// Connects. The near side sends a few bytes that nobody reads: some transports make a reset of an
    /// abort only then.
    pub(super) fn new(runtime: &'a Runtime, maker: Maker, limit: usize) -> Self {
        let (near, peer) = runtime.block_on(async {
            let (near, peer) = maker.pairs_with(StreamOptions::new().limit(limit)).await;
            near.1.write("nobody reads this").expect("the connection is open");
            near.1.flush().await.expect("the transport takes this much");
            (near, peer)
        });
        let (reader, writer) = near;
        let reader = Arc::new(Mutex::new(reader));
        Self { runtime, reader, writer, peer, waiting: None, end: End::Open }
    }

    fn with_reader<T>(&self, with: impl FnOnce(&mut StreamReader) -> T) -> T {
        with(&mut self.reader.try_lock().expect("no read is in course"))
    }

    /// Waits until `more` bytes, or the end, have reached the reader. A read in course sees to that itself.
    fn arrives(&mut self, more: usize) {
        if self.waiting.is_none() {
            let reader = &mut *self.reader.try_lock().expect("no read is in course");
            let all = reader.buffered() + more;
            // It fails where the connection has, which then has arrived.
            self.runtime.block_on(reader.peek(all)).ok();
        }
    }
}

impl Subject for Live<'_> {
    fn feed(&mut self, bytes: &[u8]) {
        let writer = &self.peer.1;
        writer.write(bytes).expect("the connection is open");
        self.runtime.block_on(writer.flush()).expect("the transport takes this much");
        self.arrives(bytes.len());
    }

    fn feed_eof(&mut self) {
        self.peer.1.write_eof().expect("the connection is open");
        self.end = End::Eof;
        self.arrives(1);
    }

    fn feed_error(&mut self) {
        self.peer.1.abort();
        self.end = End::Error;
        self.arrives(1);
    }

    fn begin(&mut self, call: &Call) -> Poll<Outcome> {
        let (reader, call) = (Arc::clone(&self.reader), call.clone());
        let future = Box::pin(async move {
            let mut reader = reader.lock_owned().await;
            call.on_reader(Form::Owned, &mut reader).await
        });
        let mut read = Read { future, woken: Arc::default() };
        let outcome = self.runtime.block_on(async { read.poll() });
        self.waiting = outcome.is_pending().then_some(read);
        outcome
    }

    fn resume(&mut self) -> Poll<Outcome> {
        let mut read = self.waiting.take().expect("only a read that waits is resumed");
        let outcome = self.runtime.block_on(async {
            read.woken.0.notified().await;
            let mut turns = 0;
            loop {
                let outcome = read.poll();
                if outcome.is_ready() {
                    return outcome;
                }
                // No read waits any more when the end has come.
                while read.woken.0.notified().now_or_never().is_none() {
                    if turns == TURNS && self.end == End::Open && has_all(&self.writer) {
                        return Poll::Pending;
                    }
                    turns = (turns + 1).min(TURNS);
                    yield_now().await;
                }
            }
        });
        self.waiting = outcome.is_pending().then_some(read);
        outcome
    }

    fn cancel(&mut self) {
        self.waiting = None;
    }

    fn unread(&mut self, bytes: &[u8]) {
        self.with_reader(|reader| reader.unread(bytes));
    }

    fn set_limit(&mut self, limit: usize) {
        self.with_reader(|reader| reader.set_limit(limit));
    }

    fn buffered(&mut self) -> Bytes {
        self.with_reader(|reader| Bytes::copy_from_slice(reader.unread_bytes()))
    }

    fn at_eof(&mut self) -> bool {
        self.with_reader(|reader| reader.at_eof())
    }
}

/// Whether everything that has come was read from the socket. What is in memory wakes when it comes.
fn has_all(writer: &StreamWriter) -> bool {
    writer.with_transport(is_empty).unwrap_or(true)
}

fn is_empty(transport: &Transport) -> bool {
    let socket = match transport {
        Transport::Tcp(socket) => SockRef::from(socket),
        #[cfg(unix)]
        Transport::Unix(socket) => SockRef::from(socket),
        Transport::Tls(tls) => return is_empty(tls.get_ref()),
        _ => return true,
    };
    let mut byte = [MaybeUninit::uninit()];
    socket.peek(&mut byte).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl Read {
    fn poll(&mut self) -> Poll<Outcome> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
