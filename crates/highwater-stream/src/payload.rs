//! Anything that is bytes, as a writer takes it.

use bytes::{Bytes, BytesMut};
use highwater_buffer::WriteBuffer;

/// What [`StreamWriter::write`](crate::StreamWriter::write) takes: anything that is bytes.
///
/// What is borrowed is copied. What is owned and long (`Bytes`, `Vec<u8>`, `String` from 2 KiB) is queued
/// without a copy.
///
/// ```
/// use highwater_stream::Payload;
/// assert_eq!("text".payload_bytes(), b"text");
/// assert_eq!(vec![1, 2].payload_bytes(), [1, 2]);
/// ```
pub trait Payload {
    /// The bytes.
    ///
    /// ```
    /// use highwater_stream::{Bytes, Payload};
    /// assert_eq!(Bytes::from("shared").payload_bytes(), b"shared");
    /// ```
    fn payload_bytes(&self) -> &[u8];

    /// Appends the bytes to `queue`.
    ///
    /// ```
    /// use bytes::Buf;
    /// use highwater_stream::{Payload, WriteBuffer};
    /// let mut queue = WriteBuffer::new();
    /// b"ab".queue_into(&mut queue);
    /// assert_eq!(queue.chunk(), b"ab");
    /// ```
    fn queue_into(self, queue: &mut WriteBuffer)
    where
        Self: Sized,
    {
        queue.push(self.payload_bytes());
    }
}

macro_rules! copied {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> Payload for $type {
            fn payload_bytes(&self) -> &[u8] {
                self.as_ref()
            }
        }
    )*};
}

macro_rules! handed_over {
    ($($type:ty),* $(,)?) => {$(
        impl Payload for $type {
            fn payload_bytes(&self) -> &[u8] {
                self.as_ref()
            }

            fn queue_into(self, queue: &mut WriteBuffer) {
                queue.push_bytes(Bytes::from(self));
            }
        }
    )*};
}

copied!([] [u8], [] str, [const N: usize] [u8; N]);
handed_over!(Bytes, BytesMut, Vec<u8>, String, Box<[u8]>);

impl<T: Payload + ?Sized> Payload for &T {
    fn payload_bytes(&self) -> &[u8] {
        (**self).payload_bytes()
    }
}
