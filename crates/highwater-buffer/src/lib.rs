//! The buffers of asyncio's Streams, without any I/O: bytes in, verdicts out.
//!
//! | type | is |
//! | --- | --- |
//! | [`ReadBuffer`] | bytes that have arrived; each read is a synchronous step that returns a [`Verdict`] |
//! | [`Separators`] | one or several byte strings that end a frame, compiled once |
//! | [`WriteBuffer`] | bytes on their way out: small writes gathered, large [`Bytes`](bytes::Bytes) shared |
//! | [`Watermarks`] | when a writer should wait, and when it may go on |
//!
//! Nothing here waits, reads a clock or touches a socket of its own accord: use it below a blocking reader
//! (`ReadBuffer::fill_from`), in an embedded parser or under an async runtime of your own.
//! `highwater-stream` puts tokio above it.
//!
//! ```
//! use highwater_buffer::{ReadBuffer, Separators, Verdict};
//!
//! let crlf = Separators::one(b"\r\n")?;
//! let mut buffer = ReadBuffer::new();
//!
//! buffer.feed(b"HELO example.org\r");
//! assert_eq!(buffer.read_until(&crlf)?, Verdict::NeedMore);
//! buffer.feed(b"\nMAIL");
//! assert_eq!(buffer.read_until_ref(&crlf)?, Verdict::Ready(&b"HELO example.org\r\n"[..]));
//! assert_eq!(buffer.unread_bytes(), b"MAIL");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `std` (default) adds the conversions to `std::io::Error` and vectored output as
//! `std::io::IoSlice`. Without it the crate is `no_std` and needs only `alloc`.
#![cfg_attr(not(feature = "std"), no_std)]
// docs.rs marks what a feature adds.
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod error;
mod read_buffer;
mod separators;
mod verdict;
mod watermarks;
mod write_buffer;

pub use error::{FrameError, IncompleteRead, InvalidSeparators, InvalidWatermarks, LimitOverrun};
#[doc(hidden)]
pub use read_buffer::SMALLEST_FILL;
pub use read_buffer::{DEFAULT_LIMIT, LARGEST_FILL, ReadBuffer};
pub use separators::{IntoSeparators, Separator, Separators};
pub use verdict::Verdict;
pub use watermarks::Watermarks;
pub use write_buffer::WriteBuffer;
