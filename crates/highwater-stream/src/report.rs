//! What nobody is left to be told: one line on stderr, as asyncio logs it, or a `tracing` event.

use crate::CloseError;
use std::fmt;
#[cfg(not(feature = "tracing"))]
use std::io::{self, Write};

/// Tells it. The layers above call it for what is theirs.
#[cfg(not(feature = "tracing"))]
pub fn report(what: fmt::Arguments<'_>) {
    // A stderr that takes nothing is no reason to panic, least of all in a drop.
    let _ = writeln!(io::stderr(), "highwater: {what}");
}

/// Tells it. The layers above call it for what is theirs.
#[cfg(feature = "tracing")]
pub fn report(what: fmt::Arguments<'_>) {
    tracing::warn!(target: "highwater", "{what}");
}

/// Tells of bytes that were accepted and not sent.
#[cfg(not(feature = "tracing"))]
pub(crate) fn unsent(error: &CloseError) {
    report(format_args!("a connection was {error}"));
}

/// Tells of bytes that were accepted and not sent.
#[cfg(feature = "tracing")]
pub(crate) fn unsent(error: &CloseError) {
    tracing::warn!(target: "highwater::stream", unsent = error.unsent(), error = %error.cause(), "bytes were lost");
}
