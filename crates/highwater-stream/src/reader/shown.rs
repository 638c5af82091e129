//! What a decoder was shown and has not used, while no decoder is at work.
//!
//! A decoder takes its bytes from a window of its own. Between two of its calls the window stays as it is, so that
//! an item which comes in a thousand pieces is not copied a thousand times; every other read puts the bytes back
//! first. Nothing but the feature `codec` leaves anything here.

use super::StreamReader;
#[cfg(feature = "codec")]
use bytes::BytesMut;

/// What a reader has of it. Without the feature there is never any, and it takes no room.
#[cfg(feature = "codec")]
pub(super) type MaybeShown = Option<Box<Shown>>;
#[cfg(not(feature = "codec"))]
pub(super) type MaybeShown = ();

#[cfg(feature = "codec")]
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Invariant: empty unless the buffer is empty and has not ended. So a read that needs bytes asks for more, and
    /// [`poll_fill`](StreamReader::poll_fill), where all of them meet, finds these.
    pub(super) window: BytesMut,
    /// How many bytes a decoder was shown to no avail. It may remember how far it has looked, so it is never shown
    /// fewer of them the next time.
    pub(super) in_vain: usize,
}

#[cfg(feature = "codec")]
impl<R> StreamReader<R> {
    /// The bytes of the window.
    pub(super) fn shown(&self) -> &[u8] {
        self.shown.as_deref().map_or(&[], |shown| &shown.window)
    }

    /// Puts the window back into the buffer, and tells whether anything was in it.
    pub(super) fn put_back(&mut self) -> bool {
        let Some(shown) = &mut self.shown else { return false };
        if shown.window.is_empty() {
            return false;
        }
        self.buffer.unread(&std::mem::take(&mut shown.window));
        true
    }
}

#[cfg(not(feature = "codec"))]
impl<R> StreamReader<R> {
    pub(super) fn shown(&self) -> &[u8] {
        &[]
    }

    pub(super) fn put_back(&mut self) -> bool {
        false
    }
}
