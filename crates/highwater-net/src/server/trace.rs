//! A server in `tracing`: a span for each connection, and an event for each thing that nobody is there to be told of,
//! with its facts in fields. Without the feature `untraced.rs` stands in its place.

use super::ServerEvent;
use crate::Facts;
use tracing::{Span, info_span, warn};

/// The target of the events.
const SERVER: &str = "highwater::server";

/// What a connection is served in, from its first poll to its last.
#[derive(Clone)]
pub(super) struct ConnectionSpan(Span);

impl ConnectionSpan {
    /// A root: a connection is nobody's part, whoever accepts it. `id` counts the connections of a server.
    pub(super) fn new(id: u64, facts: &Facts) -> Self {
        let (peer, local) = (facts.peer_addr(), facts.local_addr());
        Self(info_span!(target: "highwater::connection", parent: None, "connection", id, %peer, %local))
    }

    pub(super) fn in_scope<V>(&self, serve: impl FnOnce() -> V) -> V {
        self.0.in_scope(serve)
    }
}

pub(super) fn tell(event: &ServerEvent) {
    match event {
        ServerEvent::HandlerFailed { peer, error } => {
            warn!(target: SERVER, %peer, %error, "a handler failed");
        }
        ServerEvent::HandlerPanicked { peer, message } => {
            warn!(target: SERVER, %peer, panic = message, "a handler panicked");
        }
        ServerEvent::Unsent { peer, error } => {
            let (unsent, cause) = (error.unsent(), error.cause());
            warn!(target: SERVER, %peer, unsent, error = %cause, "bytes were lost");
        }
        // Whoever can reach a server can make it happen.
        #[cfg(feature = "tls")]
        ServerEvent::HandshakeFailed { peer, error } => {
            tracing::debug!(target: SERVER, %peer, %error, "a handshake failed");
        }
        ServerEvent::AdmitPanicked { peer, message } => {
            warn!(target: SERVER, %peer, panic = message, "whether to admit a connection was not decided");
        }
        ServerEvent::AcceptFailed { local_addr, error } => {
            let os_error = error.raw_os_error();
            warn!(target: SERVER, local = %local_addr, %error, os_error, "a connection could not be accepted");
        }
        ServerEvent::AddressSkipped(attempt) => {
            warn!(target: SERVER, %attempt, "an address was skipped");
        }
    }
}
