//! The model of `WriteBuffer`.

/// Bytes to be written, in order.
#[derive(Clone, Debug, Default)]
pub struct ModelWriteBuffer {
    /// What was pushed and not taken.
    pub bytes: Vec<u8>,
}

impl ModelWriteBuffer {
    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Moves all that `other` holds behind what is here.
    pub fn append(&mut self, other: &mut ModelWriteBuffer) {
        self.bytes.append(&mut other.bytes);
    }

    /// Takes `count` bytes from the front.
    pub fn advance(&mut self, count: usize) {
        self.bytes.drain(..count);
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}
