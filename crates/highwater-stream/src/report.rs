//! What nobody is left to be told: one line on stderr, as asyncio logs it, or a `tracing` event.

use std::fmt;

#[cfg(not(feature = "tracing"))]
pub(crate) fn report(what: fmt::Arguments<'_>) {
    eprintln!("highwater: {what}");
}

#[cfg(feature = "tracing")]
pub(crate) fn report(what: fmt::Arguments<'_>) {
    tracing::warn!(target: "highwater", "{what}");
}
