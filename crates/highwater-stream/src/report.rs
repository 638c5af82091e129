//! What nobody is left to be told: one line on stderr, as asyncio logs it, or a `tracing` event.

use std::fmt;

/// Tells it. The layers above call it for what is theirs.
#[cfg(not(feature = "tracing"))]
pub fn report(what: fmt::Arguments<'_>) {
    eprintln!("highwater: {what}");
}

/// Tells it. The layers above call it for what is theirs.
#[cfg(feature = "tracing")]
pub fn report(what: fmt::Arguments<'_>) {
    tracing::warn!(target: "highwater", "{what}");
}
