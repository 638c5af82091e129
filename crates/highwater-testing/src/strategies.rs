//! What proptest draws: byte streams with separators in them, cuts, scripts for the buffers.

use crate::cut::Cut;
use crate::operations::{PairScript, ReadScript, SearchScript, WriteScript};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Streams of up to `most` pieces: these separators, what is almost one of them, and other bytes.
///
/// # Panics
/// When there is no separator.
///
/// ```
/// use highwater_testing::strategies::bytes_with;
/// use proptest::prelude::*;
///
/// proptest!(|(stream in bytes_with(&["\r\n", "\n"], 20))| {
///     let lines = stream.split(|byte| *byte == b'\n').count();
///     prop_assert!(lines <= 21);
/// });
/// ```
pub fn bytes_with<S: AsRef<[u8]>>(separators: &[S], most: usize) -> impl Strategy<Value = Bytes> + use<S> {
    let separators: Vec<Bytes> =
        separators.iter().map(|separator| Bytes::copy_from_slice(separator.as_ref())).collect();
    let part = (select(separators.clone()), any::<prop::sample::Index>())
        .prop_map(|(separator, end)| separator.slice(..end.index(separator.len() + 1)));
    let piece = prop_oneof![
        2 => select(separators),
        2 => part,
        3 => vec(any::<u8>(), 0..12).prop_map(Bytes::from),
    ];
    vec(piece, 0..=most).prop_map(|pieces| pieces.concat().into())
}

/// Every kind of cut: ahead, whole, byte by byte, in parts of up to 40 bytes.
///
/// ```
/// use highwater_testing::strategies::{bytes_with, cuts};
/// use proptest::prelude::*;
///
/// proptest!(|(stream in bytes_with(&["\n"], 20), cut in cuts())| {
///     let parts: Vec<_> = cut.parts(stream.clone()).collect();
///     prop_assert_eq!(parts.concat(), stream);
/// });
/// ```
pub fn cuts() -> impl Strategy<Value = Cut> {
    prop_oneof![
        1 => Just(Cut::Whole),
        1 => Just(Cut::Ahead),
        1 => Just(Cut::ByteByByte),
        6 => vec(1..40_usize, 1..8).prop_map(Cut::Sizes),
    ]
}

/// Scripts for [`check_reads`](crate::check_reads).
///
/// ```
/// use highwater_testing::{check_reads, strategies::read_scripts};
/// use proptest::prelude::*;
///
/// proptest!(|(script in read_scripts())| check_reads(&script));
/// ```
pub fn read_scripts() -> impl Strategy<Value = ReadScript> {
    vec(any::<u8>(), 0..600).prop_map(|bytes| ReadScript::from_bytes(&bytes))
}

/// Scripts for [`check_writes`](crate::check_writes).
///
/// ```
/// use highwater_testing::{check_writes, strategies::write_scripts};
/// use proptest::prelude::*;
///
/// proptest!(|(script in write_scripts())| check_writes(&script));
/// ```
pub fn write_scripts() -> impl Strategy<Value = WriteScript> {
    vec(any::<u8>(), 0..120).prop_map(|bytes| WriteScript::from_bytes(&bytes))
}

/// Scripts for [`check_searches`](crate::check_searches).
///
/// ```
/// use highwater_testing::{check_searches, strategies::search_scripts};
/// use proptest::prelude::*;
///
/// proptest!(|(script in search_scripts())| check_searches(&script));
/// ```
pub fn search_scripts() -> impl Strategy<Value = SearchScript> {
    vec(any::<u8>(), 0..400).prop_map(|bytes| SearchScript::from_bytes(&bytes))
}

/// Scripts for [`check_pair`](crate::check_pair).
///
/// ```
/// use highwater_testing::{check_pair, strategies::pair_scripts};
/// use proptest::prelude::*;
///
/// proptest!(|(script in pair_scripts())| {
///     let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
///     runtime.unwrap().block_on(check_pair(&script));
/// });
/// ```
pub fn pair_scripts() -> impl Strategy<Value = PairScript> {
    vec(any::<u8>(), 0..400).prop_map(|bytes| PairScript::from_bytes(&bytes))
}
