//! In the place of `trace.rs` without the feature `tracing`: no spans, and a line on stderr for what nobody is there
//! to be told of.

use super::ServerEvent;
use crate::Facts;

#[derive(Clone)]
pub(super) struct ConnectionSpan;

impl ConnectionSpan {
    pub(super) fn new(_id: u64, _facts: &Facts) -> Self {
        Self
    }

    pub(super) fn in_scope<V>(&self, serve: impl FnOnce() -> V) -> V {
        serve()
    }
}

pub(super) fn tell(event: &ServerEvent) {
    // Whoever can reach a server can make a handshake fail, as often as it likes.
    #[cfg(feature = "tls")]
    if matches!(event, ServerEvent::HandshakeFailed { .. }) {
        return;
    }
    highwater_stream::report(format_args!("{event}"));
}
