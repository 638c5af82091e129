//! TLS through rustls: configurations that say what is wrong with them, handshakes that end, a transport that
//! tells a clean end from a cut, and the upgrade of a connection.
//!
//! ```text
//!   Identity · Roots ──▶ ClientTls · ServerTls ──▶ start_tls ──▶ the same connection, over a TlsTransport
//! ```
//!
//! Every TLS connection was a plain pair first and was upgraded in place, those of `open_connection` and
//! `start_server` too: what reaches a connection (`close_clients`, weak writers, time-outs) reaches it during
//! the handshake as well.

mod alpn;
mod certificates;
mod client;
mod config_error;
mod error;
mod facts;
mod identity;
mod manners;
mod pem;
mod provider;
mod roots;
mod server;
mod start;
mod transport;

pub use client::{ClientTls, ClientTlsBuilder, NamedClientTls};
pub use config_error::TlsConfigError;
pub use error::TlsError;
pub use facts::TlsFacts;
pub use identity::Identity;
pub use roots::Roots;
pub use server::{ClientAuth, ServerTls, ServerTlsBuilder};
pub use start::{ReadAhead, StartTls, StartTlsError, TlsSide, start_tls};
pub use transport::TlsTransport;

pub(crate) use start::handshake_over;
