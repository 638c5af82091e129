//! [`ReadModel`] as a [`Subject`].

use crate::subject::Subject;
use bytes::Bytes;
use highwater_testing::{Call, Outcome, ReadModel};
use std::task::Poll;

/// The model, and the read that waits.
#[derive(Clone, Debug)]
pub struct ModelSubject {
    model: ReadModel,
    waiting: Option<Call>,
}

impl ModelSubject {
    /// An empty one with this limit.
    pub fn new(limit: usize) -> Self {
        Self { model: ReadModel::new(limit), waiting: None }
    }
}

impl Subject for ModelSubject {
    fn feed(&mut self, bytes: &[u8]) {
        self.model.feed(bytes);
    }

    fn feed_eof(&mut self) {
        self.model.feed_eof();
    }

    fn feed_error(&mut self) {
        self.model.feed_error();
    }

    fn begin(&mut self, call: &Call) -> Poll<Outcome> {
        self.waiting = Some(call.clone());
        self.model.call(call)
    }

    fn resume(&mut self) -> Poll<Outcome> {
        let call = self.waiting.clone().expect("only a read that waits is resumed");
        self.model.call(&call)
    }

    fn cancel(&mut self) {}

    fn unread(&mut self, bytes: &[u8]) {
        self.model.unread(bytes);
    }

    fn set_limit(&mut self, limit: usize) {
        self.model.set_limit(limit);
    }

    fn buffered(&mut self) -> Bytes {
        Bytes::copy_from_slice(self.model.unread_bytes())
    }

    fn at_eof(&mut self) -> bool {
        self.model.at_eof()
    }
}
