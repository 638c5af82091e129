//! What the contenders of a work are given, and what they are to make of it.

use crate::CHUNK;
use futures::io::AsyncRead as FuturesAsyncRead;
use std::io;
use std::ops::Mul;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// About the length of what is repeated: it stays in the second cache, as bytes do that a kernel has just copied.
const BLOCK: usize = 256 * 1024;
/// By so much is the first chunk short, so that the ends of later ones fall within records, not between them.
const SHIFT: usize = 7;
/// Of so many bytes is a page.
const PAGE: usize = 4096;

/// What a contender says it has seen, and what is compared with what was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Lines, frames, messages or writes.
    pub records: usize,
    /// All bytes of them, separators and lengths included.
    pub bytes: usize,
}

impl Done {
    /// One more record, of so many bytes.
    #[inline]
    pub fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes;
    }
}

impl Mul<usize> for Done {
    type Output = Self;

    fn mul(self, times: usize) -> Self {
        Self { records: self.records * times, bytes: self.bytes * times }
    }
}

/// Records in an order that repeats.
#[derive(Clone, Debug)]
pub struct Load {
    /// One pass.
    pieces: Vec<Piece>,
    /// The most that one read brings.
    chunk: usize,
    /// What one pass holds.
    once: Done,
    passes: usize,
}

/// Bytes, and how often they follow each other.
#[derive(Clone, Debug)]
struct Piece {
    /// A page more than the bytes, wherever among it they lie.
    block: Vec<u8>,
    lead: usize,
    times: usize,
}

impl Piece {
    fn new(bytes: &[u8], lead: usize, times: usize) -> Self {
        assert!(lead <= PAGE, "the room around the bytes is a page");
        Self { block: [&vec![0; lead], bytes, &vec![0; PAGE - lead]].concat(), lead, times }
    }

    fn bytes(&self) -> &[u8] {
        &self.block[self.lead..self.block.len() - (PAGE - self.lead)]
    }
}

impl Load {
    /// `records` records that lie in `bytes`, again and again.
    pub fn new(bytes: &[u8], records: usize) -> Self {
        let times = (BLOCK / bytes.len()).max(1);
        let block = bytes.repeat(times);
        let once = Done { records: records * times, bytes: block.len() };
        Self { pieces: vec![Piece::new(&block, 0, 1)], chunk: CHUNK, once, passes: 1 }
    }

    /// One line of `length` bytes. What it is made of stays in the cache however long the line is, so that the
    /// memory which a reader touches is its own.
    pub fn long_line(length: usize) -> Self {
        if length <= BLOCK {
            return Self::new(&crate::records(1, length, b"\n"), 1);
        }
        let whole = (length - 1) / CHUNK;
        let end = crate::records(1, length - whole * CHUNK, b"\n");
        let once = Done { records: 1, bytes: length };
        Self {
            pieces: vec![Piece::new(&[b'x'; CHUNK], 0, whole), Piece::new(&end, 0, 1)],
            chunk: CHUNK,
            once,
            passes: 1,
        }
    }

    /// The same in chunks of another length.
    #[must_use]
    pub fn in_chunks_of(self, chunk: usize) -> Self {
        Self { chunk, ..self }
    }

    /// The same so many times.
    #[must_use]
    pub fn times(&self, passes: usize) -> Self {
        Self { passes, ..self.clone() }
    }

    /// The same elsewhere in a page, `lead` bytes from where it would lie.
    ///
    /// Copies can be ten times as slow when a destination lies up to 15 bytes behind its source within their
    /// pages (`rep movsb` on some processors), and large blocks all begin at one place in a page. Who meets
    /// that is chance: it ought to be a chance of each round.
    #[must_use]
    pub fn moved_by(&self, lead: usize) -> Self {
        let pieces = self.pieces.iter().map(|piece| Piece::new(piece.bytes(), lead % PAGE, piece.times));
        Self { pieces: pieces.collect(), ..*self }
    }

    /// What there is in all.
    pub fn expected(&self) -> Done {
        self.once * self.passes
    }

    /// The bytes in one piece, and how often they come.
    ///
    /// # Panics
    /// For a long line, which never lies in one piece.
    pub fn block(&self) -> (&[u8], usize) {
        let [piece] = &self.pieces[..] else { panic!("a long line has no block") };
        (piece.bytes(), self.passes)
    }

    /// A transport that brings it all, and then the end.
    pub fn source(&self) -> Source<'_> {
        let chunk_left = self.chunk.saturating_sub(SHIFT).max(1);
        Source { load: self, piece: 0, times: 0, at: 0, left: self.expected().bytes, chunk_left }
    }
}

/// A [`Load`] as it arrives: a read brings what fits, and no more than is left of a chunk.
#[derive(Debug)]
pub struct Source<'a> {
    load: &'a Load,
    piece: usize,
    /// How often this piece was brought whole.
    times: usize,
    at: usize,
    left: usize,
    chunk_left: usize,
}

impl Source<'_> {
    /// Hands what comes next to `put`, at most `most` bytes, and tells how many it were: zero at the end.
    #[inline]
    pub fn next(&mut self, most: usize, mut put: impl FnMut(&[u8])) -> usize {
        let count = most.min(self.chunk_left).min(self.left);
        let mut rest = count;
        while rest > 0 {
            let piece = &self.load.pieces[self.piece];
            let bytes = piece.bytes();
            let part = rest.min(bytes.len() - self.at);
            put(&bytes[self.at..self.at + part]);
            rest -= part;
            self.at += part;
            if self.at == bytes.len() {
                self.at = 0;
                self.times += 1;
                if self.times == piece.times {
                    self.times = 0;
                    self.piece = (self.piece + 1) % self.load.pieces.len();
                }
            }
        }
        self.left -= count;
        self.chunk_left -= count;
        if self.chunk_left == 0 {
            self.chunk_left = self.load.chunk;
        }
        count
    }
}

impl io::Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut at = 0;
        Ok(self.next(into.len(), |part| {
            into[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }))
    }
}

impl AsyncRead for Source<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.remaining();
        self.next(room, |part| into.put_slice(part));
        Poll::Ready(Ok(()))
    }
}

impl FuturesAsyncRead for Source<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut *self, into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_load_comes_whole_in_chunks_that_cut_records() {
        let load = Load::new(b"0123456789abcde\n", 1).times(3);
        let mut source = load.source();
        let mut room = vec![0; 2 * CHUNK];
        assert_eq!(source.read(&mut room).unwrap(), CHUNK - SHIFT);
        assert_eq!(source.read(&mut room).unwrap(), CHUNK);
        assert_eq!(&room[..SHIFT], b"9abcde\n");
        let mut rest = Vec::new();
        source.read_to_end(&mut rest).unwrap();
        assert_eq!(2 * CHUNK - SHIFT + rest.len(), load.expected().bytes);
    }

    #[test]
    fn what_is_moved_is_the_same() {
        let load = Load::new(b"abc\n", 1);
        let read = |load: &Load| {
            let mut bytes = Vec::new();
            load.source().read_to_end(&mut bytes).map(|_| bytes).unwrap()
        };
        assert_eq!(read(&load.moved_by(100).moved_by(40)), read(&load));
        assert_eq!(load.moved_by(100).block(), load.block());
    }

    #[test]
    fn a_long_line_has_one_end() {
        let load = Load::long_line(1024 * 1024).times(2);
        let mut bytes = Vec::new();
        load.source().read_to_end(&mut bytes).unwrap();
        assert_eq!(load.expected(), Done { records: 2, bytes: bytes.len() });
        assert_eq!(memchr::memchr_iter(b'\n', &bytes).count(), 2);
    }
}
