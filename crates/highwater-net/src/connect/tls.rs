//! TLS from the first byte: the handshake that follows the connect.

#[cfg(unix)]
use crate::UnixPath;
use crate::address::{Name, Socket};
use crate::connect::OpenConnection;
use crate::tls::handshake_over;
use crate::{ClientTls, ConnectError, NamedClientTls, StreamReader, StreamWriter, TlsError};
use std::time::Duration;
use tokio::time::Instant;

type Halves = (StreamReader, StreamWriter);

impl OpenConnection<Name> {
    /// Inside TLS, from the first byte: the server shows a certificate that is valid for the host, or for
    /// the name that was given with [`ClientTls::server_name`]. The [`connect_timeout`](Self::connect_timeout)
    /// bounds the handshake, too.
    ///
    /// # Errors
    /// [`ConnectError::Tls`] once it is awaited: the handshake failed.
    ///
    /// # Source
    /// asyncio: `ssl` and `server_hostname`. diverges: a host that is to be verified can be left out there.
    ///
    /// ```
    /// # use highwater_net::*;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    /// # let greet = |_: StreamReader, writer: StreamWriter| async move { writer.write("in private\n") };
    /// # let server = start_server(greet, ("localhost", 0)).tls(ServerTls::new(identity).unwrap()).await?;
    /// # let port = server.local_addrs()[0].port();
    /// # let roots = Roots::from_pem(made.cert.pem()).unwrap();
    /// let tls = ClientTls::builder().roots(roots).build()?;
    /// let (mut reader, _writer) = open_connection(("localhost", port)).tls(tls).await?;
    /// assert_eq!(reader.read_line().await?.unwrap(), "in private\n");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn tls(mut self, tls: impl HostTls) -> Self {
        self.tls = Some(tls.for_host(self.to.host()));
        self
    }
}

impl OpenConnection<Socket> {
    /// Inside TLS, from the first byte; the server shows a certificate that is valid for the name that is
    /// given.
    ///
    /// # Errors
    /// [`ConnectError::Tls`] once it is awaited: the handshake failed.
    ///
    /// # Source
    /// asyncio: `ssl` and `server_hostname` with `sock`.
    ///
    /// ```no_run
    /// # use highwater_net::*;
    /// # async fn connect(socket: tokio::net::TcpStream, tls: ClientTls) -> std::io::Result<()> {
    /// let (reader, writer) = open_connection(socket).tls(tls.server_name("example.org")).await?;
    /// # drop((reader, writer));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Without a name it does not compile:
    ///
    /// ```compile_fail
    /// # use highwater_net::*;
    /// # async fn connect(socket: tokio::net::TcpStream, tls: ClientTls) {
    /// let connecting = open_connection(socket).tls(tls);
    /// # }
    /// ```
    pub fn tls(mut self, tls: NamedClientTls) -> Self {
        self.tls = Some(tls);
        self
    }
}

#[cfg(unix)]
impl OpenConnection<UnixPath> {
    /// Inside TLS, from the first byte; the server shows a certificate that is valid for the name that is
    /// given. The [`connect_timeout`](Self::connect_timeout) bounds the handshake, too.
    ///
    /// # Errors
    /// [`ConnectError::Tls`] once it is awaited: the handshake failed.
    ///
    /// # Source
    /// asyncio: `ssl` and `server_hostname` of `open_unix_connection`.
    ///
    /// ```no_run
    /// # use highwater_net::*;
    /// # async fn connect(tls: ClientTls) -> std::io::Result<()> {
    /// let connecting = open_unix_connection("/run/vault.sock").tls(tls.server_name("vault"));
    /// # drop(connecting.await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, tls: NamedClientTls) -> Self {
        self.tls = Some(tls);
        self
    }
}

/// What the TLS of a connection to a host can be: a [`ClientTls`], which means that host, or a
/// [`NamedClientTls`], which means another.
///
/// ```
/// use highwater_net::{HostTls, OpenConnection, Name, open_connection};
/// fn securely(tls: impl HostTls) -> OpenConnection<Name> {
///     open_connection(("example.org", 443)).tls(tls)
/// }
/// # let _ = |tls: highwater_net::ClientTls| securely(tls);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the TLS of a connection",
    note = "a `ClientTls`, or `client_tls.server_name(\"…\")` to mean another name than the host's"
)]
pub trait HostTls: sealed::Sealed {
    #[doc(hidden)]
    fn for_host(self, host: String) -> NamedClientTls;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::ClientTls {}
    impl Sealed for &crate::ClientTls {}
    impl Sealed for crate::NamedClientTls {}
}

impl HostTls for ClientTls {
    fn for_host(self, host: String) -> NamedClientTls {
        self.server_name(host)
    }
}

impl HostTls for &ClientTls {
    fn for_host(self, host: String) -> NamedClientTls {
        self.server_name(host)
    }
}

impl HostTls for NamedClientTls {
    fn for_host(self, _: String) -> NamedClientTls {
        self
    }
}

/// When a connection has to be there, and how long that was from the start.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    /// None where the time-out is none, or past the clock's range.
    pub(super) fn after(timeout: Option<Duration>) -> Option<Self> {
        let after = timeout?;
        Some(Self { at: Instant::now().checked_add(after)?, after })
    }
}

/// The same connection inside TLS, if that was asked for.
pub(super) async fn secure(
    halves: Halves,
    tls: Option<NamedClientTls>,
    deadline: Option<Deadline>,
) -> Result<Halves, ConnectError> {
    let Some(tls) = tls else { return Ok(halves) };
    let peer = halves.0.facts().peer_addr().clone();
    let shaking = handshake_over(halves, tls);
    let shaken = match deadline {
        None => shaking.await,
        Some(Deadline { at, after }) => {
            let timed_out = |_| Err(TlsError::TimedOut { after });
            tokio::time::timeout_at(at, shaking).await.unwrap_or_else(timed_out)
        }
    };
    shaken.map_err(|error| ConnectError::Tls { peer, error })
}
