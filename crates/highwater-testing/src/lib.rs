//! Tests for stream transports and for protocols on highwater's buffers: what highwater is tested with.
//!
//! | to test | take |
//! | --- | --- |
//! | a transport: anything that is `AsyncRead` and `AsyncWrite` | [`Conformance`] |
//! | a program over a transport that does its worst | [`Chaos`] |
//! | that the outcome does not depend on how bytes are cut | [`at_every_cut`], [`at_every_cut_async`], [`Cut`] |
//! | that a future can be dropped anywhere | [`at_every_poll`], [`at_every_poll_async`] |
//! | a parser on random streams in random parts | [`strategies`], [`Parts::parse`] |
//! | `ReadBuffer` and `WriteBuffer`, or what stands above them | [`ReadModel`], [`WriteModel`], [`check_reads`], [`check_searches`], [`check_writes`] |
//! | two pairs that write and read at once, over a transport made difficult | [`check_pair`] |
//!
//! # A protocol of your own, in ten lines
//!
//! `message` is a parser over a `ReadBuffer`: a line that says how long the payload is, and the payload. The test
//! draws payloads and a cut, and says that what was sent is what comes out:
//!
//! ```
//! # #[cfg(feature = "proptest")] {
//! use highwater_buffer::{ReadBuffer, Verdict};
//! use highwater_testing::strategies::cuts;
//! use proptest::{collection::vec, prelude::*};
//!
//! fn message(buffer: &mut ReadBuffer) -> Result<Verdict<Vec<u8>>, Box<dyn std::error::Error>> {
//!     // Nothing is taken before all of it is there.
//!     let Verdict::Ready(Some(head)) = buffer.find_line(20)? else { return Ok(Verdict::NeedMore) };
//!     let length: usize = std::str::from_utf8(&buffer.unread_bytes()[..head])?.trim_end().parse()?;
//!     Ok(buffer.find_exactly(head + length)?.map(|n| buffer.take(n)[head..].to_vec()))
//! }
//!
//! proptest! {
//! # /*
//!     #[test]
//! # */
//!     fn what_was_sent_comes_out(payloads in vec(vec(any::<u8>(), 0..40), 0..9), cut in cuts()) {
//!         let wire: Vec<u8> =
//!             payloads.iter().flat_map(|p| [format!("{}\n", p.len()).as_bytes(), p].concat()).collect();
//!         let parsed = cut.parts(wire).parse(message);
//!         prop_assert!(parsed.error.is_none());
//!         prop_assert_eq!(parsed.messages, payloads);
//!     }
//! }
//! # what_was_sent_comes_out();
//! # }
//! ```
//!
//! # Features
//!
//! `proptest` (default) adds the module [`strategies`]. Everything else works without it, and without a build of
//! proptest.

// docs.rs marks what a feature adds.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod chaos;
mod conformance;
mod cut;
mod model;
mod operations;
mod perform;
mod polls;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use call::{Call, End, Op, Outcome};
pub use chaos::Chaos;
pub use conformance::{Checked, Conformance, Finding, Halves, PairOptions, Report, Reset};
pub use cut::{Cut, Parsed, Parts, at_every_cut, at_every_cut_async};
pub use model::{ReadModel, WriteModel};
pub use operations::{
    Act, EndScript, Ending, PairCounts, PairRead, PairScript, PairWrite, ReadOperation, ReadScript,
    SearchScript, StartOver, WriteOperation, WriteScript, check_pair, check_reads, check_searches,
    check_writes,
};
pub use perform::Form;
pub use polls::{Polls, at_every_poll, at_every_poll_async};
