//! Bytes on their way out, in order, with as few copies and as few writes as possible.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::fmt;

/// The most bytes that are gathered into one block.
const BLOCK: usize = 64 * 1024;
/// [`Bytes`] at least this long are queued as they are; shorter ones are cheaper to copy than to hold.
const SHARE: usize = 2 * 1024;
/// What an emptied buffer may keep: enough to answer a short line without an allocation.
const KEEP: usize = 512;

/// Bytes to be written: small writes gathered into blocks, large [`Bytes`] queued without a copy.
///
/// It is a [`Buf`]: [`chunk`](Buf::chunk) or [`chunks_vectored`](Buf::chunks_vectored) give what to
/// write next, [`advance`](Buf::advance) says how much of it was taken. The count of bytes is kept, not
/// added up. It has no bound of its own: whoever pushes asks [`remaining`](Buf::remaining) first.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use highwater_buffer::WriteBuffer;
///
/// let mut buffer = WriteBuffer::new();
/// buffer.push(b"250 ");
/// buffer.push(b"OK\r\n");
/// buffer.push_bytes(Bytes::from(vec![b'x'; 100_000]));
/// assert_eq!(buffer.remaining(), 100_008);
/// assert_eq!(buffer.chunk(), b"250 OK\r\n");
/// buffer.advance(9);
/// assert_eq!(buffer.chunk().len(), 99_999);
/// ```
#[derive(Default)]
pub struct WriteBuffer {
    /// Invariant: none is empty.
    chunks: VecDeque<Chunk>,
    /// Invariant: the sum of what the chunks hold.
    remaining: usize,
    /// A block that was written out, kept for the next small write. Invariant: empty.
    spare: Vec<u8>,
}

enum Chunk {
    /// Small writes, gathered. Invariant: `written` is less than the length of `bytes`.
    Gathered { bytes: Vec<u8>, written: usize },
    /// A large payload, as it was handed over.
    Shared(Bytes),
}

impl WriteBuffer {
    /// An empty buffer, which holds no memory yet.
    ///
    /// ```
    /// assert!(highwater_buffer::WriteBuffer::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is left to write.
    ///
    /// ```
    /// # use highwater_buffer::WriteBuffer;
    /// let mut buffer = WriteBuffer::new();
    /// buffer.push(b"");
    /// assert!(buffer.is_empty());
    /// buffer.push(b"x");
    /// assert!(!buffer.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// Appends a copy of `bytes`. Short ones are gathered, so that many become one chunk; empty ones change
    /// nothing.
    ///
    /// ```
    /// # use bytes::Buf;
    /// # use highwater_buffer::WriteBuffer;
    /// let mut buffer = WriteBuffer::new();
    /// for _ in 0..1000 {
    ///     buffer.push(b"0123456789");
    /// }
    /// assert_eq!(buffer.chunk().len(), 10_000);
    /// ```
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(Chunk::Gathered { bytes: block, .. }) = self.chunks.back_mut() {
            // A block grows up to BLOCK; a longer one was made for a single long write.
            if block.len() + bytes.len() <= block.capacity().max(BLOCK) {
                block.extend_from_slice(bytes);
                self.remaining += bytes.len();
                return;
            }
        }
        self.push_block(bytes);
    }

    /// Appends `bytes`, without a copy from 2 KiB on; empty ones change nothing.
    ///
    /// ```
    /// # use bytes::{Buf, Bytes};
    /// # use highwater_buffer::WriteBuffer;
    /// let large = Bytes::from(vec![0; 10_000]);
    /// let mut buffer = WriteBuffer::new();
    /// buffer.push_bytes(large.clone());
    /// assert_eq!(buffer.chunk().as_ptr(), large.as_ptr());
    /// ```
    pub fn push_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < SHARE {
            return self.push(&bytes);
        }
        self.remaining += bytes.len();
        self.chunks.push_back(Chunk::Shared(bytes));
    }

    /// Moves all that `other` holds behind what is here, without a copy.
    ///
    /// ```
    /// # use bytes::Buf;
    /// # use highwater_buffer::WriteBuffer;
    /// let (mut first, mut second) = (WriteBuffer::new(), WriteBuffer::new());
    /// first.push(b"ab");
    /// second.push(b"cd");
    /// first.append(&mut second);
    /// assert_eq!((first.remaining(), second.remaining()), (4, 0));
    /// ```
    pub fn append(&mut self, other: &mut WriteBuffer) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            return core::mem::swap(self, other);
        }
        self.remaining += core::mem::take(&mut other.remaining);
        self.chunks.append(&mut other.chunks);
    }

    /// Drops all that is queued.
    ///
    /// ```
    /// # use highwater_buffer::WriteBuffer;
    /// let mut buffer = WriteBuffer::new();
    /// buffer.push(b"never sent");
    /// buffer.clear();
    /// assert!(buffer.is_empty());
    /// ```
    pub fn clear(&mut self) {
        self.chunks.clear();
        self.remaining = 0;
    }

    /// Gives back the memory that an empty buffer keeps for its next burst, but for half a KiB.
    ///
    /// ```
    /// # use bytes::Buf;
    /// # use highwater_buffer::WriteBuffer;
    /// let mut buffer = WriteBuffer::new();
    /// buffer.push(&[0; 5000]);
    /// buffer.advance(5000);
    /// assert!(buffer.allocated() >= 5000);
    /// buffer.release();
    /// assert_eq!(buffer.allocated(), 0);
    /// ```
    pub fn release(&mut self) {
        if self.spare.capacity() > KEEP {
            self.spare = Vec::new();
        }
        if self.chunks.is_empty() && self.chunks.capacity() > 8 {
            self.chunks = VecDeque::new();
        }
    }

    /// The bytes of memory that the blocks take, shared payloads aside.
    ///
    /// ```
    /// # use highwater_buffer::WriteBuffer;
    /// let mut buffer = WriteBuffer::new();
    /// buffer.push_bytes(vec![0; 100_000].into());
    /// assert_eq!(buffer.allocated(), 0);
    /// buffer.push(b"copied");
    /// assert!(buffer.allocated() >= 6);
    /// ```
    pub fn allocated(&self) -> usize {
        let gathered = self.chunks.iter().map(|chunk| match chunk {
            Chunk::Gathered { bytes, .. } => bytes.capacity(),
            Chunk::Shared(_) => 0,
        });
        self.spare.capacity() + gathered.sum::<usize>()
    }

    #[cold]
    fn push_block(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut block = core::mem::take(&mut self.spare);
        block.extend_from_slice(bytes);
        self.remaining += bytes.len();
        self.chunks.push_back(Chunk::Gathered { bytes: block, written: 0 });
    }

    #[cfg(debug_assertions)]
    fn check_invariants(&self) {
        debug_assert_eq!(self.remaining, self.chunks.iter().map(|chunk| chunk.rest().len()).sum());
        debug_assert!(self.chunks.iter().all(|chunk| !chunk.rest().is_empty()));
        debug_assert!(self.spare.is_empty());
    }
}

impl Chunk {
    fn rest(&self) -> &[u8] {
        match self {
            Chunk::Gathered { bytes, written } => &bytes[*written..],
            Chunk::Shared(bytes) => bytes,
        }
    }
}

/// What is to be written next, and how much of it was.
///
/// ```
/// use bytes::Buf;
/// use highwater_buffer::WriteBuffer;
///
/// let mut buffer = WriteBuffer::new();
/// buffer.push(b"head");
/// buffer.push_bytes(vec![b'b'; 4096].into());
/// # #[cfg(feature = "std")] {
/// use std::io::IoSlice;
/// let mut slices = [IoSlice::new(&[]); 8];
/// assert_eq!(buffer.chunks_vectored(&mut slices), 2);
/// assert_eq!((&slices[0][..], slices[1].len()), (&b"head"[..], 4096));
/// # }
/// buffer.advance(4);
/// assert_eq!(buffer.chunk().len(), 4096);
/// ```
impl Buf for WriteBuffer {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.front().map_or(&[], Chunk::rest)
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let filled = slices.len().min(self.chunks.len());
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = std::io::IoSlice::new(chunk.rest());
        }
        filled
    }

    /// # Panics
    /// When `count` is more than what remains.
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced {count} bytes of {}", self.remaining);
        self.remaining -= count;
        while count > 0 {
            let Some(front) = self.chunks.front_mut() else { break };
            let rest = front.rest().len();
            if count < rest {
                match front {
                    Chunk::Gathered { written, .. } => *written += count,
                    Chunk::Shared(bytes) => bytes.advance(count),
                }
                break;
            }
            count -= rest;
            if let Some(Chunk::Gathered { mut bytes, .. }) = self.chunks.pop_front() {
                if bytes.capacity() <= BLOCK && bytes.capacity() > self.spare.capacity() {
                    bytes.clear();
                    self.spare = bytes;
                }
            }
        }
        #[cfg(debug_assertions)]
        self.check_invariants();
    }
}

impl fmt::Debug for WriteBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBuffer")
            .field("remaining", &self.remaining)
            .field("chunks", &self.chunks.len())
            .finish()
    }
}
