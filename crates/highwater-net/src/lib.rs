//! asyncio's `open_connection` and `start_server` for tokio.
//!
//! ```
//! use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
//!
//! async fn echo(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
//!     while let Some(line) = reader.read_line().await? {
//!         writer.write(line)?;
//!         writer.drain().await?;
//!     }
//!     Ok(()) // The connection closes gracefully: nothing to flush, nothing to shut down.
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let server = start_server(echo, ("127.0.0.1", 0)).await?;
//!
//! let (mut reader, writer) = open_connection(server.local_addrs()[0]).await?;
//! writer.write("hello\n")?;
//! assert_eq!(reader.read_line().await?.unwrap(), "hello\n");
//!
//! drop((reader, writer));
//! server.close();
//! server.wait_closed().await;
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
//!
//! [`StreamReader`] and [`StreamWriter`] are those of `highwater-stream` over [`Transport`], one type for
//! every kind of connection, so that a handler needs no generics. What the stream crate exports is here
//! too: what most programs name by itself, and all of it as [`stream`].
//!
//! | connect | serve |
//! | --- | --- |
//! | [`open_connection`], also to a socket that is there already | [`start_server`], also on listeners that are there already |
//! | `open_unix_connection` | `start_unix_server` |
//! | `.tls(ClientTls)` on each of them, `start_tls` later | `.tls(ServerTls)` on each of them, `start_tls` later |
//! | [`pair`] over anything that reads and writes, [`duplex`] in memory; a [`Connector`] to anywhere | a [`Listener`] of any source |
//!
//! # Features
//! `tls`, `aws-lc-rs` and `platform-roots` are on unless said otherwise. `ring` is another crypto provider.
//! `codec` runs any `Decoder` of tokio-util on a reader. Without `tls` nothing needs a C compiler.
//!
//! `tracing` runs each handler in a span, `connection` of the target `highwater::connection`, with the fields `id`,
//! `peer` and `local`. What nobody waits for is an event of the target `highwater::server`, in place of a line on
//! stderr: failed handlers and accepts, failed handshakes (to debug with), and bytes that were lost (`unsent`). A
//! hook ([`StartServer::on_error`]) is told instead of either. [`Server::counts`] has the totals without it.

// docs.rs marks what a feature adds.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod connect;
mod facts;
mod keep_alive;
mod listener;
mod options;
mod resolve;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod transport;
#[cfg(unix)]
mod unix;

pub use address::{ConnectTo, Name, Socket};
#[cfg(feature = "tls")]
pub use connect::HostTls;
#[cfg(unix)]
pub use connect::open_unix_connection;
pub use connect::{Attempt, Conflict, ConnectError, Connector, OpenConnection, open_connection};
pub use facts::{Address, Facts};
pub use keep_alive::KeepAlive;
pub use listener::{Incoming, Listener};
pub use options::StreamOptions;
pub use resolve::{Family, Port, Query, Resolver, SystemResolver};
pub use server::{
    BindError, BindListeners, BindNames, Counts, Handler, IntoBind, Outcome, Server, ServerEvent, Shutdown,
    StartServer, start_server,
};
#[cfg(unix)]
pub use server::{BindPath, start_unix_server};
#[cfg(feature = "tls")]
pub use tls::{
    ClientAuth, ClientTls, ClientTlsBuilder, Identity, NamedClientTls, ReadAhead, Roots, ServerTls,
    ServerTlsBuilder, StartTls, StartTlsError, TlsConfigError, TlsError, TlsFacts, TlsSide, TlsTransport,
    start_tls,
};
pub use transport::{OtherTransport, Transport, duplex, pair};
#[cfg(unix)]
pub use unix::{UnixPath, UnixPathError};

#[cfg(feature = "tls")]
pub use rustls;
/// What [`OpenConnection::on_socket`] is given a socket of.
pub use socket2;

pub use highwater_stream::{
    self as stream, Bytes, CloseError, IncompleteRead, IntoSeparators, InvalidSeparators, LimitOverrun,
    LimitedReadError, Linger, Payload, ReadExactlyError, ReadHalf, ReadUntilError, Separators,
    SkipUntilError, TransportError, Watermarks, WriteError,
};

/// `highwater-stream`'s reader over any connection of this crate. Not `tokio_util::io::StreamReader`.
///
/// ```
/// use highwater_net::StreamReader;
/// async fn first_line(reader: &mut StreamReader) -> Option<highwater_net::Bytes> {
///     reader.read_line().await.ok().flatten()
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ((mut reader, _writer), (_, peer)) = highwater_net::duplex(64);
/// peer.write("hello\n").unwrap();
/// assert_eq!(first_line(&mut reader).await.unwrap(), "hello\n");
/// # });
/// ```
pub type StreamReader = highwater_stream::StreamReader<ReadHalf<Transport, Facts>>;

/// `highwater-stream`'s writer over any connection of this crate.
///
/// ```
/// use highwater_net::StreamWriter;
/// fn greet(writer: &StreamWriter) -> Result<(), highwater_net::WriteError> {
///     writer.write("hello\n")
/// }
/// let ((_reader, writer), _peer) = highwater_net::duplex(64);
/// greet(&writer).unwrap();
/// assert_eq!(writer.queued(), 6);
/// ```
pub type StreamWriter = highwater_stream::StreamWriter<Transport, Facts>;

/// `highwater-stream`'s weak writer over any connection of this crate.
///
/// ```
/// use highwater_net::WeakWriter;
/// let ((_reader, writer), _peer) = highwater_net::duplex(64);
/// let clients: Vec<WeakWriter> = vec![writer.downgrade()];
/// for client in clients.iter().filter_map(WeakWriter::upgrade) {
///     client.write("to everybody\n").unwrap();
/// }
/// assert_eq!(writer.queued(), 13);
/// ```
pub type WeakWriter = highwater_stream::WeakWriter<Transport, Facts>;
