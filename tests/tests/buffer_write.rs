//! W3, as far as the queue goes: small writes become few chunks, and large `Bytes` are not copied.

use bytes::{Buf, Bytes};
use highwater_buffer::WriteBuffer;
use std::io::IoSlice;

fn chunks(buffer: &WriteBuffer) -> usize {
    buffer.chunks_vectored(&mut [IoSlice::new(&[]); 64])
}

#[test]
fn w3_many_small_writes_become_one_chunk() {
    let mut buffer = WriteBuffer::new();
    for _ in 0..1024 {
        buffer.push(&[b'x'; 63]);
        buffer.push_bytes(Bytes::from_static(b"y"));
    }
    assert_eq!((buffer.remaining(), chunks(&buffer)), (65_536, 1));
    for _ in 0..9 * 1024 {
        buffer.push(&[b'x'; 64]);
    }
    assert_eq!((buffer.remaining(), chunks(&buffer)), (655_360, 7));
}

#[test]
fn w3_large_bytes_are_queued_without_a_copy() {
    let large = Bytes::from(vec![b'l'; 100_000]);
    let mut buffer = WriteBuffer::new();
    buffer.push(b"head");
    buffer.push_bytes(large.clone());
    buffer.push(b"tail");
    let mut slices = [IoSlice::new(&[]); 4];
    assert_eq!(buffer.chunks_vectored(&mut slices), 3);
    assert_eq!((slices[1].as_ptr(), slices[1].len()), (large.as_ptr(), large.len()));
    assert!(buffer.allocated() < 100, "only head and tail take room");
    buffer.advance(4 + 1);
    assert_eq!(buffer.chunk().as_ptr(), large[1..].as_ptr());
}

#[test]
fn w3_an_append_copies_nothing() {
    let (mut first, mut second) = (WriteBuffer::new(), WriteBuffer::new());
    first.push(b"first");
    second.push(b"second");
    let from = second.chunk().as_ptr();
    first.append(&mut second);
    first.advance(5);
    assert_eq!((first.chunk(), first.chunk().as_ptr()), (&b"second"[..], from));
    assert!(second.is_empty() && second.chunk().is_empty());
}

/// Wherever the cut is, in a block or in a large payload: what was written of `other` stays behind.
#[test]
fn w3_an_append_of_what_is_partly_written() {
    for written in [0, 1, 4, 5, 4000, 5005, 5008] {
        let whole = [&b"head "[..], &[b'l'; 5000], b"tail"].concat();
        let expected = [b"first", &whole[written..]].concat();

        let (mut first, mut second) = (WriteBuffer::new(), WriteBuffer::new());
        first.push(b"first");
        second.push(b"head ");
        second.push_bytes(Bytes::from(vec![b'l'; 5000]));
        second.push(b"tail");
        second.advance(written);
        first.append(&mut second);
        assert_eq!((first.remaining(), second.remaining()), (expected.len(), 0));
        assert!(first.copy_to_bytes(expected.len()) == expected, "after {written} bytes");
    }
}

#[test]
fn w3_a_block_that_was_written_out_serves_again() {
    let mut buffer = WriteBuffer::new();
    buffer.push(&[b'x'; 1000]);
    let block = buffer.chunk().as_ptr();
    buffer.advance(1000);
    buffer.push(&[b'y'; 1000]);
    assert_eq!((buffer.chunk(), buffer.chunk().as_ptr()), (&[b'y'; 1000][..], block));
}

#[test]
fn w3_an_idle_queue_keeps_next_to_nothing() {
    let mut buffer = WriteBuffer::new();
    for _ in 0..1000 {
        buffer.push(&[b'x'; 3000]);
        buffer.push_bytes(Bytes::from(vec![b'y'; 5000]));
    }
    buffer.advance(buffer.remaining());
    buffer.release();
    assert!(buffer.allocated() <= 512, "{} bytes", buffer.allocated());
}

#[test]
#[should_panic(expected = "advanced 4 bytes of 3")]
fn w3_no_more_is_taken_than_there_is() {
    let mut buffer = WriteBuffer::new();
    buffer.push(b"abc");
    buffer.advance(4);
}
