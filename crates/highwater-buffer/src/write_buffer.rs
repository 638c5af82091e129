//! Bytes on their way out, in order, with as few copies and as few writes as possible.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::{fmt, mem};

/// The most bytes that are gathered into one block: what a writer that heeds the high mark queues, and the
/// burst that took it there.
const BLOCK: usize = 96 * 1024;
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
    /// In front of `block`, what takes no more bytes. Invariant: none is empty.
    sealed: VecDeque<Chunk>,
    /// Invariant: the sum of what `sealed` holds, with what was written of it.
    sealed_length: usize,
    /// Where small writes are gathered, at the end of the queue. One that was written out serves again.
    block: Vec<u8>,
    /// How much of the first chunk was written. Invariant: less than its length; zero where there is none.
    written: usize,
}

enum Chunk {
    /// Small writes, gathered.
    Gathered(Vec<u8>),
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
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
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
        if bytes.len() > self.block.capacity() - self.block.len() {
            self.make_room(bytes.len());
        }
        self.block.extend_from_slice(bytes);
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
        self.seal();
        self.push_sealed(Chunk::Shared(bytes));
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
            return mem::swap(self, other);
        }
        self.seal();
        other.cut_off_written();
        self.sealed_length += mem::take(&mut other.sealed_length);
        self.sealed.append(&mut other.sealed);
        mem::swap(&mut self.block, &mut other.block);
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
        self.sealed.clear();
        self.block.clear();
        (self.sealed_length, self.written) = (0, 0);
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
        if self.block.is_empty() && self.block.capacity() > KEEP {
            self.block = Vec::new();
        }
        if self.sealed.is_empty() {
            self.sealed = VecDeque::new();
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
        let gathered = self.sealed.iter().map(|chunk| match chunk {
            Chunk::Gathered(bytes) => bytes.capacity(),
            Chunk::Shared(_) => 0,
        });
        self.block.capacity() + gathered.sum::<usize>()
    }

    /// Makes room in the block for `more` bytes, which it lacks.
    #[cold]
    fn make_room(&mut self, more: usize) {
        let capacity = if self.block.len() + more > BLOCK {
            // A burst that has filled a block is a large one.
            self.seal();
            BLOCK
        } else {
            BLOCK.min(2 * self.block.capacity())
        };
        // Longer than BLOCK only for a single long write.
        let capacity = capacity.max(self.block.len() + more);
        self.block.reserve_exact(capacity - self.block.len());
    }

    /// Ends the block, so that more can follow than it can hold.
    fn seal(&mut self) {
        if !self.block.is_empty() {
            let block = mem::take(&mut self.block);
            self.push_sealed(Chunk::Gathered(block));
        }
    }

    fn push_sealed(&mut self, chunk: Chunk) {
        self.sealed_length += chunk.bytes().len();
        self.sealed.push_back(chunk);
    }

    /// Cuts off what was written of the first chunk, so that others can be put before it.
    fn cut_off_written(&mut self) {
        if self.written == 0 {
            return;
        }
        if self.sealed.is_empty() {
            self.seal();
        }
        if let Some(front) = self.sealed.front_mut() {
            let mut bytes = match mem::replace(front, Chunk::Shared(Bytes::new())) {
                Chunk::Gathered(bytes) => bytes.into(),
                Chunk::Shared(bytes) => bytes,
            };
            bytes.advance(self.written);
            *front = Chunk::Shared(bytes);
        }
        self.sealed_length -= mem::take(&mut self.written);
    }

    /// Forgets the chunk in front, which was written out.
    fn drop_front(&mut self) {
        self.written = 0;
        if let Some(front) = self.sealed.pop_front() {
            self.sealed_length -= front.bytes().len();
        } else if self.block.capacity() > BLOCK {
            self.block = Vec::new();
        } else {
            self.block.clear();
        }
    }

    /// The chunk in front, with what was written of it.
    fn front(&self) -> &[u8] {
        self.sealed.front().map_or(&self.block, Chunk::bytes)
    }

    #[cfg(debug_assertions)]
    fn check_invariants(&self) {
        debug_assert_eq!(self.sealed_length, self.sealed.iter().map(|chunk| chunk.bytes().len()).sum());
        debug_assert!(self.sealed.iter().all(|chunk| !chunk.bytes().is_empty()));
        debug_assert!(self.written < self.front().len().max(1));
    }
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Gathered(bytes) => bytes,
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
    #[inline]
    fn remaining(&self) -> usize {
        self.sealed_length + self.block.len() - self.written
    }

    fn chunk(&self) -> &[u8] {
        &self.front()[self.written..]
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let block = Some(&self.block[..]).filter(|block| !block.is_empty());
        let mut written = self.written;
        let mut filled = 0;
        for (slice, chunk) in slices.iter_mut().zip(self.sealed.iter().map(Chunk::bytes).chain(block)) {
            *slice = std::io::IoSlice::new(&chunk[mem::take(&mut written)..]);
            filled += 1;
        }
        filled
    }

    /// # Panics
    /// When `count` is more than what remains.
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining(), "advanced {count} bytes of {}", self.remaining());
        while count > 0 {
            let rest = self.front().len() - self.written;
            if count < rest {
                self.written += count;
                break;
            }
            count -= rest;
            self.drop_front();
        }
        #[cfg(debug_assertions)]
        self.check_invariants();
    }
}

impl fmt::Debug for WriteBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBuffer")
            .field("remaining", &self.remaining())
            .field("sealed", &self.sealed.len())
            .finish()
    }
}
