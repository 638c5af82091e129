//! `WriteBuffer` beside [`ModelWriteBuffer`].

use crate::model::ModelWriteBuffer;
use bytes::{Buf, Bytes};
use highwater_buffer::WriteBuffer;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::io::IoSlice;

/// What is done to a buffer.
#[derive(Clone, Debug)]
pub enum WriteOperation {
    /// So many bytes are copied in.
    Push(usize),
    /// So many are handed over as `Bytes`.
    PushBytes(usize),
    /// The same to another buffer, whose contents then move behind the first one's.
    Append(Vec<usize>, Vec<usize>),
    /// So many thousandths of what remains are written.
    Advance(usize),
    /// One vectored write of so many slices is made, and taken whole.
    WriteVectored(usize),
    /// All is dropped.
    Clear,
    /// Memory is given back.
    Release,
}

/// Does everything to a buffer and to the model, and panics where they differ.
pub fn check_writes(operations: &[WriteOperation]) {
    let (mut buffer, mut model) = (WriteBuffer::new(), ModelWriteBuffer::default());
    let mut payloads = Payloads { next: 0 };
    for operation in operations {
        apply(operation, &mut buffer, &mut model, &mut payloads);
        compare(&buffer, &model, operation);
    }
}

fn apply(
    operation: &WriteOperation,
    buffer: &mut WriteBuffer,
    model: &mut ModelWriteBuffer,
    payloads: &mut Payloads,
) {
    match operation {
        WriteOperation::Push(length) => push(payloads.take(*length), false, buffer, model),
        WriteOperation::PushBytes(length) => push(payloads.take(*length), true, buffer, model),
        WriteOperation::Append(copied, shared) => {
            let (mut other, mut other_model) = (WriteBuffer::new(), ModelWriteBuffer::default());
            for length in copied {
                push(payloads.take(*length), false, &mut other, &mut other_model);
            }
            for length in shared {
                push(payloads.take(*length), true, &mut other, &mut other_model);
            }
            buffer.append(&mut other);
            model.append(&mut other_model);
            compare(&other, &other_model, operation);
        }
        WriteOperation::Advance(thousandths) => {
            let count = model.bytes.len() * thousandths / 1000;
            buffer.advance(count);
            model.advance(count);
        }
        WriteOperation::WriteVectored(slices) => {
            let mut vectored = vec![IoSlice::new(&[]); *slices];
            let filled = buffer.chunks_vectored(&mut vectored);
            let count = vectored[..filled].iter().map(|slice| slice.len()).sum();
            buffer.advance(count);
            model.advance(count);
        }
        WriteOperation::Clear => {
            buffer.clear();
            model.clear();
        }
        WriteOperation::Release => {
            buffer.release();
            if model.bytes.is_empty() {
                assert!(buffer.allocated() <= 512, "half a KiB may stay, not {}", buffer.allocated());
            }
        }
    }
}

fn push(bytes: Bytes, shared: bool, buffer: &mut WriteBuffer, model: &mut ModelWriteBuffer) {
    model.push(&bytes);
    if shared {
        buffer.push_bytes(bytes);
    } else {
        buffer.push(&bytes);
    }
}

fn compare(buffer: &WriteBuffer, model: &ModelWriteBuffer, after: &WriteOperation) {
    assert_eq!(buffer.remaining(), model.bytes.len(), "what remains after {after:?}");
    assert_eq!(buffer.is_empty(), model.bytes.is_empty(), "is_empty after {after:?}");
    assert_eq!(buffer.chunk().is_empty(), model.bytes.is_empty(), "an empty chunk after {after:?}");
    assert!(model.bytes.starts_with(buffer.chunk()), "the first chunk after {after:?}");

    // More slices than there are chunks show all of it, fewer show its front, and none is empty.
    for count in [1, 2, 1000] {
        let mut slices = vec![IoSlice::new(&[]); count];
        let filled = buffer.chunks_vectored(&mut slices);
        let mut rest = &model.bytes[..];
        for slice in &slices[..filled] {
            assert!(!slice.is_empty(), "an empty slice after {after:?}");
            rest = rest.strip_prefix(&**slice).unwrap_or_else(|| panic!("other bytes after {after:?}"));
        }
        assert!(rest.is_empty() || filled == count, "slices were left empty after {after:?}");
    }
}

/// Payloads in which every byte tells its place, so that a change of order shows.
struct Payloads {
    next: u32,
}

impl Payloads {
    fn take(&mut self, length: usize) -> Bytes {
        (0..length)
            .map(|_| {
                self.next = self.next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (self.next >> 24) as u8
            })
            .collect()
    }
}

/// Scripts of up to 30 operations, with lengths around 2 KiB, where sharing begins, and 64 KiB, where a
/// block ends.
pub fn write_scripts() -> impl Strategy<Value = Vec<WriteOperation>> {
    vec(operations(), 1..30)
}

fn lengths() -> impl Strategy<Value = usize> {
    let edges: &[usize] = &[0, 1, 2, 511, 512, 513, 2047, 2048, 2049, 65_535, 65_536, 65_537];
    prop_oneof![6 => 0..100_usize, 3 => select(edges), 1 => 0..10_000_usize]
}

fn operations() -> impl Strategy<Value = WriteOperation> {
    prop_oneof![
        8 => lengths().prop_map(WriteOperation::Push),
        6 => lengths().prop_map(WriteOperation::PushBytes),
        2 => (vec(lengths(), 0..4), vec(lengths(), 0..3))
            .prop_map(|(copied, shared)| WriteOperation::Append(copied, shared)),
        6 => (0..=1000_usize).prop_map(WriteOperation::Advance),
        2 => Just(WriteOperation::Advance(1000)),
        3 => (0..9_usize).prop_map(WriteOperation::WriteVectored),
        1 => Just(WriteOperation::Clear),
        2 => Just(WriteOperation::Release),
    ]
}
