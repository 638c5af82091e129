//! What nobody is left to be told: one line on stderr, as asyncio logs it, or a `tracing` event.

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

/// Notes what only somebody who looks for it wants to hear: nothing on stderr.
#[cfg(not(feature = "tracing"))]
pub fn note(_: fmt::Arguments<'_>) {}

/// Notes what only somebody who looks for it wants to hear.
#[cfg(feature = "tracing")]
pub fn note(what: fmt::Arguments<'_>) {
    tracing::debug!(target: "highwater", "{what}");
}
