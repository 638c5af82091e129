//! What a server tells when no caller is there to be told.

use super::trace;
#[cfg(feature = "tls")]
use crate::TlsError;
use crate::{Address, Attempt, CloseError};
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(super) type Hook = Arc<dyn Fn(&ServerEvent) + Send + Sync>;

/// A panic in the hook is its own affair: what tells it, a listener or a connection, goes on.
pub(super) fn tell(hook: &Option<Hook>, event: &ServerEvent) {
    let telling = AssertUnwindSafe(|| match hook {
        Some(hook) => hook(event),
        None => trace::tell(event),
    });
    drop(catch_unwind(telling));
}

/// What a server tells to the hook of [`StartServer::on_error`](crate::StartServer::on_error).
///
/// ```
/// use highwater_net::{ServerEvent, StreamReader, StreamWriter, open_connection, start_server};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
/// let server = start_server(|_: StreamReader, _: StreamWriter| async { Err("no room") }, ("127.0.0.1", 0))
///     .on_error(move |event| {
///         if let ServerEvent::HandlerFailed { error, .. } = event {
///             told.send(error.to_string()).unwrap();
///         }
///     })
///     .await?;
/// let _client = open_connection(server.local_addrs()[0]).await?;
/// assert_eq!(hears.recv().await.unwrap(), "no room");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A handler returned an error. Its connection was closed.
    HandlerFailed {
        /// Whom it served.
        peer: Address,
        /// What it returned.
        error: Box<dyn Error + Send + Sync>,
    },
    /// A handler panicked. Its connection was closed.
    HandlerPanicked {
        /// Whom it served.
        peer: Address,
        /// What it said.
        message: String,
    },
    /// Bytes to a client were lost, and no writer was left to be told: the client went, or took nothing any
    /// more.
    Unsent {
        /// Whose they were.
        peer: Address,
        /// How many, and why.
        error: CloseError,
    },
    /// A TLS handshake failed. The connection was closed. Where nobody has a hook, this is told to `tracing`
    /// as something to debug with, and not on stderr: whoever can reach a server can make it happen.
    #[cfg(feature = "tls")]
    HandshakeFailed {
        /// With whom.
        peer: Address,
        /// Why.
        error: TlsError,
    },
    /// A connection could not be accepted. The listener goes on: at once if only that connection was at
    /// fault, else after a pause of 5 ms, twice as long each time, up to 1 s.
    AcceptFailed {
        /// Where it listens.
        local_addr: Address,
        /// Why not.
        error: io::Error,
    },
    /// The hook of [`StartServer::admit`](crate::StartServer::admit) panicked. That connection was closed.
    AdmitPanicked {
        /// Who had come.
        peer: Address,
        /// What it said.
        message: String,
    },
    /// An address that the system lacks was skipped; others were bound.
    AddressSkipped(Attempt),
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerEvent::HandlerFailed { peer, error } => write!(f, "the handler of {peer} failed: {error}"),
            ServerEvent::HandlerPanicked { peer, message } => {
                write!(f, "the handler of {peer} panicked: {message}")
            }
            ServerEvent::Unsent { peer, error } => write!(f, "the connection of {peer} was {error}"),
            #[cfg(feature = "tls")]
            ServerEvent::HandshakeFailed { peer, error } => write!(f, "no TLS with {peer}: {error}"),
            ServerEvent::AdmitPanicked { peer, message } => {
                write!(f, "whether to admit {peer} was not decided: {message}")
            }
            ServerEvent::AcceptFailed { local_addr, error } => {
                write!(f, "a connection to {local_addr} could not be accepted: {error}")
            }
            ServerEvent::AddressSkipped(attempt) => write!(f, "an address was skipped: {attempt}"),
        }
    }
}
