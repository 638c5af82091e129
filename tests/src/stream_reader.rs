//! [`StreamReader`] as a [`Subject`]: fed by hand, over a transport that merges what has arrived, and as
//! the reading half of a pair over that transport.
//!
//! A read is a future that is polled where the door says so. It shares the reader through an
//! asynchronous lock, so that dropping the future leaves the reader. A `Pending` without a waker kept
//! would show here: a read that goes on must have been woken first.

mod wire;

use crate::subject::Subject;
use bytes::Bytes;
use highwater_stream::{Detached, Feeder, Pair, ReadHalf, Source, StreamReader, StreamWriter};
use highwater_testing::{Call, Form, Outcome};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Mutex;
use tokio_test::task::{Spawn, spawn};
pub use wire::{Wire, WireEnd};

/// A reader, and the far end from which its bytes come.
pub struct StreamSubject<R, S> {
    reader: Arc<Mutex<StreamReader<R>>>,
    far: S,
    form: Form,
    waiting: Option<Spawn<Pin<Box<dyn Future<Output = Outcome> + Send>>>>,
}

/// Where the bytes of a reader come from, as a test holds it.
pub trait FarEnd {
    /// These bytes arrive.
    fn feed(&mut self, bytes: &[u8]);
    /// The end of the stream.
    fn feed_eof(&mut self);
    /// The transport fails.
    fn feed_error(&mut self);
    /// What has arrived and no read has taken from here.
    fn waiting(&self) -> Vec<u8>;
    /// Whether the end of the stream has arrived.
    fn has_ended(&self) -> bool;
}

/// A feeder, and all that went through it.
#[derive(Debug)]
pub struct Fed {
    feeder: Feeder,
    all: Vec<u8>,
    ended: bool,
}

/// A wire into a pair, and the writer that keeps the pair whole.
#[derive(Debug)]
pub struct Paired {
    wire: WireEnd,
    _writer: StreamWriter<Wire>,
}

/// A reader that is fed by hand.
pub fn detached(form: Form, limit: usize) -> StreamSubject<Detached, Fed> {
    let (mut reader, feeder) = StreamReader::detached();
    reader.set_limit(limit);
    StreamSubject::new(reader, Fed { feeder, all: Vec::new(), ended: false }, form)
}

/// A reader over a transport that merges what has arrived, as a socket does.
pub fn pulled(form: Form, limit: usize) -> StreamSubject<Wire, WireEnd> {
    let (wire, end) = wire::wire();
    StreamSubject::new(StreamReader::with_limit(wire, limit), end, form)
}

/// The reading half of a pair over that transport.
pub fn paired(form: Form, limit: usize) -> StreamSubject<ReadHalf<Wire>, Paired> {
    let (wire, end) = wire::wire();
    let (reader, writer) = Pair::new(wire).limit(limit).split();
    StreamSubject::new(reader, Paired { wire: end, _writer: writer }, form)
}

impl<R: Source + Send + 'static, S: FarEnd> StreamSubject<R, S> {
    fn new(reader: StreamReader<R>, far: S, form: Form) -> Self {
        Self { reader: Arc::new(Mutex::new(reader)), far, form, waiting: None }
    }

    fn with_reader<T>(&self, with: impl FnOnce(&mut StreamReader<R>) -> T) -> T {
        with(&mut *self.reader.try_lock().expect("no read is in course"))
    }
}

impl<R: Source + Send + 'static, S: FarEnd> Subject for StreamSubject<R, S> {
    fn feed(&mut self, bytes: &[u8]) {
        self.far.feed(bytes);
    }

    fn feed_eof(&mut self) {
        self.far.feed_eof();
    }

    fn feed_error(&mut self) {
        self.far.feed_error();
    }

    fn begin(&mut self, call: &Call) -> Poll<Outcome> {
        let (reader, call, form) = (Arc::clone(&self.reader), call.clone(), self.form);
        let read = async move { call.on_reader(form, &mut *reader.lock_owned().await).await };
        let read: Pin<Box<dyn Future<Output = Outcome> + Send>> = Box::pin(read);
        let mut read = spawn(read);
        let outcome = read.poll();
        self.waiting = outcome.is_pending().then_some(read);
        outcome
    }

    fn resume(&mut self) -> Poll<Outcome> {
        let mut read = self.waiting.take().expect("only a read that waits is resumed");
        let was_woken = read.is_woken();
        let outcome = read.poll();
        assert!(was_woken || outcome.is_pending(), "{outcome:?} was there, and nobody was woken");
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
        let mut all = self.with_reader(|reader| reader.unread_bytes().to_vec());
        all.extend_from_slice(&self.far.waiting());
        all.into()
    }

    fn at_eof(&mut self) -> bool {
        let is_known = self.with_reader(|reader| reader.at_eof());
        let is_true = self.far.has_ended() && self.buffered().is_empty();
        assert!(is_true || !is_known, "at_eof is said before it is so");
        is_true
    }
}

impl FarEnd for Fed {
    fn feed(&mut self, bytes: &[u8]) {
        self.feeder.feed(bytes).expect("the cases are short, and nothing comes after an end");
        self.all.extend_from_slice(bytes);
    }

    fn feed_eof(&mut self) {
        self.feeder.feed_eof();
        self.ended = true;
    }

    fn feed_error(&mut self) {
        self.feeder.feed_error(broken()).expect("nothing comes after an end");
    }

    fn waiting(&self) -> Vec<u8> {
        self.all[self.all.len() - self.feeder.pending()..].to_vec()
    }

    fn has_ended(&self) -> bool {
        self.ended
    }
}

impl FarEnd for Paired {
    fn feed(&mut self, bytes: &[u8]) {
        self.wire.feed(bytes);
    }

    fn feed_eof(&mut self) {
        self.wire.feed_eof();
    }

    fn feed_error(&mut self) {
        self.wire.feed_error();
    }

    fn waiting(&self) -> Vec<u8> {
        self.wire.waiting()
    }

    fn has_ended(&self) -> bool {
        self.wire.has_ended()
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the test broke it")
}

impl<R, S: std::fmt::Debug> std::fmt::Debug for StreamSubject<R, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamSubject")
            .field("far", &self.far)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
