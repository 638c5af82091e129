//! asyncio's `StreamReader` and `StreamWriter` on tokio, over any `AsyncRead` and `AsyncWrite`.
//!
//! **Not `tokio_util::io::StreamReader`**, which turns a `Stream` of chunks into an `AsyncRead`. This one
//! is asyncio's: `read`, `read_exactly`, `read_until`, `read_line`, all cancel safe and bounded, beside a
//! writer whose `write` never waits and whose bytes leave without a forgotten flush.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let (near, far) = tokio::io::duplex(1024); // any transport: a socket, a pipe, a TLS stream
//! let (mut reader, writer) = highwater_stream::pair(near);
//! # let (mut peer, reply) = highwater_stream::pair(far);
//! writer.write("hello\n")?;
//! writer.drain().await?;
//! # assert_eq!(peer.read_line().await?.unwrap(), "hello\n");
//! # reply.write("hello yourself\n")?;
//! let line = reader.read_line().await?;
//! assert_eq!(line.unwrap(), "hello yourself\n");
//! writer.close();
//! # drop((peer, reply));
//! writer.wait_closed().await?;
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! | make | by |
//! | --- | --- |
//! | a reader and a writer over one transport | [`pair`], [`Pair`] |
//! | a reader alone, a writer alone | [`StreamReader::new`], [`StreamWriter::new`] |
//! | a reader that is fed by hand | [`StreamReader::detached`] |
//!
//! # Features
//! None is on unless asked for. `codec` runs any `Decoder` of tokio-util on a reader, in mid-stream. `tracing` tells
//! what nobody waits for as events instead of lines on stderr.
//!
//! For TCP and servers see `highwater-net`; for the buffers without a runtime, `highwater-buffer`, whose
//! items are re-exported here.

// docs.rs marks what a feature adds.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connection;
mod detached;
mod error;
mod flusher;
mod outbox;
mod pair;
mod payload;
mod reader;
mod report;
mod source;
mod sync;
mod waiters;
mod writer;

pub use connection::Linger;
pub use detached::{Detached, FeedError, Feeder};
pub use error::{
    CloseError, LimitedReadError, ReadExactlyError, ReadUntilError, SkipUntilError, TransportError,
    WriteError,
};
pub use pair::{Pair, ReadHalf, ReuniteError, ReuniteReason, Reunited, UpgradeError, pair};
pub use payload::Payload;
pub use reader::{AsyncReader, Limited, Lines, Split, StreamReader};
#[cfg(feature = "codec")]
pub use reader::{DecodeError, Decoded};
pub use source::Source;
pub use writer::{AsyncWriter, StreamWriter, WeakWriter};

pub use bytes::Bytes;
pub use highwater_buffer::{
    DEFAULT_LIMIT, IncompleteRead, IntoSeparators, InvalidSeparators, InvalidWatermarks, LimitOverrun,
    ReadBuffer, Separator, Separators, Watermarks, WriteBuffer,
};

#[doc(hidden)]
pub use flusher::Attendant;
#[doc(hidden)]
pub use report::report;

#[cfg(all(test, highwater_loom))]
mod models;
