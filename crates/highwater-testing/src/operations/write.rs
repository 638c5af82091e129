//! `WriteBuffer` beside [`WriteModel`].

use super::choices::Choices;
use crate::model::WriteModel;
use bytes::{Buf, Bytes};
use highwater_buffer::WriteBuffer;
use std::io::IoSlice;

/// What is done to a buffer. The bytes themselves follow from their place, so that a change of order shows.
///
/// ```
/// use highwater_testing::{WriteOperation, WriteScript, check_writes};
///
/// let operations = vec![
///     WriteOperation::Push(10),
///     WriteOperation::PushBytes(5000),
///     WriteOperation::Advance(500),
///     WriteOperation::WriteVectored(2),
/// ];
/// check_writes(&WriteScript { operations });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Operations in order.
///
/// ```
/// use highwater_testing::{WriteScript, check_writes};
///
/// // A fuzz target: any bytes are a script.
/// check_writes(&WriteScript::from_bytes(b"whatever the fuzzer has found"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteScript {
    /// What is done to the buffer.
    pub operations: Vec<WriteOperation>,
}

impl WriteScript {
    /// The script that these bytes choose: any bytes choose one, similar bytes choose similar ones, and the
    /// empty slice chooses the one without operations.
    ///
    /// Lengths lie around 2 KiB, where sharing begins, and 64 KiB, where a block ends.
    ///
    /// ```
    /// use highwater_testing::WriteScript;
    /// assert!(WriteScript::from_bytes(b"").operations.is_empty());
    /// assert_eq!(WriteScript::from_bytes(b"twice"), WriteScript::from_bytes(b"twice"));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self { operations: Choices::new(bytes).rest(choose_operation) }
    }
}

fn choose_length(choices: &mut Choices<'_>) -> Option<usize> {
    const EDGES: &[usize] = &[0, 1, 2, 511, 512, 513, 2047, 2048, 2049, 65_535, 65_536, 65_537];
    match choices.below(10)? {
        0..=5 => choices.below(100),
        6..=8 => choices.of(EDGES),
        _ => choices.below(10_000),
    }
}

fn choose_operation(choices: &mut Choices<'_>) -> Option<WriteOperation> {
    Some(match choices.below(30)? {
        0..=7 => WriteOperation::Push(choose_length(choices)?),
        8..=13 => WriteOperation::PushBytes(choose_length(choices)?),
        14..=15 => WriteOperation::Append(
            choices.several(0, 3, choose_length)?,
            choices.several(0, 2, choose_length)?,
        ),
        16..=21 => WriteOperation::Advance(choices.below(1001)?),
        22..=23 => WriteOperation::Advance(1000),
        24..=26 => WriteOperation::WriteVectored(choices.below(9)?),
        27 => WriteOperation::Clear,
        _ => WriteOperation::Release,
    })
}

/// Does everything to a buffer and to the model.
///
/// # Panics
/// Where they differ.
///
/// ```
/// use highwater_testing::{WriteOperation, WriteScript, check_writes};
///
/// let operations = vec![WriteOperation::Push(100), WriteOperation::Clear, WriteOperation::Release];
/// check_writes(&WriteScript { operations });
/// ```
pub fn check_writes(script: &WriteScript) {
    let (mut buffer, mut model) = (WriteBuffer::new(), WriteModel::new());
    let mut payloads = Payloads { next: 0 };
    for operation in &script.operations {
        apply(operation, &mut buffer, &mut model, &mut payloads);
        compare(&buffer, &model, operation);
    }
}

fn apply(
    operation: &WriteOperation,
    buffer: &mut WriteBuffer,
    model: &mut WriteModel,
    payloads: &mut Payloads,
) {
    match operation {
        WriteOperation::Push(length) => push(payloads.take(*length), false, buffer, model),
        WriteOperation::PushBytes(length) => push(payloads.take(*length), true, buffer, model),
        WriteOperation::Append(copied, shared) => {
            let (mut other, mut other_model) = (WriteBuffer::new(), WriteModel::new());
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
            let count = model.bytes().len() * thousandths / 1000;
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
            if model.bytes().is_empty() {
                assert!(buffer.allocated() <= 512, "half a KiB may stay, not {}", buffer.allocated());
            }
        }
    }
}

fn push(bytes: Bytes, shared: bool, buffer: &mut WriteBuffer, model: &mut WriteModel) {
    model.push(&bytes);
    if shared {
        buffer.push_bytes(bytes);
    } else {
        buffer.push(&bytes);
    }
}

fn compare(buffer: &WriteBuffer, model: &WriteModel, after: &WriteOperation) {
    assert_eq!(buffer.remaining(), model.bytes().len(), "what remains after {after:?}");
    assert_eq!(buffer.is_empty(), model.bytes().is_empty(), "is_empty after {after:?}");
    assert_eq!(buffer.chunk().is_empty(), model.bytes().is_empty(), "an empty chunk after {after:?}");
    assert!(model.bytes().starts_with(buffer.chunk()), "the first chunk after {after:?}");

    // More slices than there are chunks show all of it, fewer show its front, and none is empty.
    for count in [1, 2, 1000] {
        let mut slices = vec![IoSlice::new(&[]); count];
        let filled = buffer.chunks_vectored(&mut slices);
        let mut rest = model.bytes();
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
