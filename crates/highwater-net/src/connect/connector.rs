//! What connects to an address in place of the system.

use crate::transport::adopt;
use crate::{Address, Facts, Transport};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// What connects to an address, in place of the system: given to
/// [`OpenConnection::connector`](crate::OpenConnection::connector). The counterpart of [`Listener`](crate::Listener).
///
/// Implemented for functions and closures `Fn(SocketAddr) -> impl Future`, and for an `Arc` of any. Everything else
/// stays as it is: names are resolved, addresses raced, time-outs heeded, and TLS begins on what was connected.
///
/// A future that borrows from its closure is none that a closure can return: clone into it what it needs, or implement
/// this for a type.
///
/// # Source
/// asyncio: none; there `sock` takes sockets only.
///
/// ```
/// use highwater_net::{Connector, open_connection, pair};
/// use std::io;
/// use std::net::SocketAddr;
/// use tokio::io::DuplexStream;
/// use tokio::sync::mpsc::UnboundedSender;
///
/// /// A network in memory: whoever has the other end of the channel is at every address.
/// struct Memory(UnboundedSender<DuplexStream>);
///
/// impl Connector for Memory {
///     type Connection = DuplexStream;
///
///     async fn connect(&self, _: SocketAddr) -> io::Result<DuplexStream> {
///         let (near, far) = tokio::io::duplex(64);
///         self.0.send(far).map_err(|_| io::ErrorKind::ConnectionRefused)?;
///         Ok(near)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
/// let (_reader, writer) = open_connection(("192.0.2.1", 7)).connector(Memory(give)).await?;
/// assert_eq!(writer.facts().peer_addr().to_string(), "192.0.2.1:7");
/// writer.write("hello\n")?;
/// let (mut reader, _writer) = pair(take.recv().await.unwrap());
/// assert_eq!(reader.read_line().await?.unwrap(), "hello\n");
/// # Ok::<(), io::Error>(())
/// # }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not connect to addresses",
    label = "not a function of a `SocketAddr` whose future is `Send` and brings a transport",
    note = "a transport is `AsyncRead + AsyncWrite + Unpin + Send + 'static`",
    note = "what borrows from the connector is a type that implements `Connector`, not a closure"
)]
pub trait Connector: Send + Sync {
    /// What it connects. A socket of tokio, and a [`Transport`], is taken for what it is, a socket with its own addresses:
    /// that of a proxy is the proxy's. The peer of anything else is the address that was asked for.
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects to one address. It must not block. What it panics with comes out of the await.
    ///
    /// # Errors
    /// Any: it is listed with the address, and the next is tried.
    ///
    /// # Cancel safety
    /// It is dropped when another address was faster, and when nobody waits for the connection any more. It may be in
    /// course for several addresses at once.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::{Connector, open_connection};
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let verbose = |address| async move {
    ///     println!("connecting to {address}");
    ///     tokio::net::TcpStream::connect(address).await
    /// };
    /// assert!(verbose.connect(address).await.is_ok());
    /// assert!(open_connection(address).connector(verbose).await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

impl<F, Fut, C> Connector for F
where
    F: Fn(SocketAddr) -> Fut + Send + Sync + ?Sized,
    Fut: Future<Output = io::Result<C>> + Send,
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Connection = C;

    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<C>> + Send {
        self(address)
    }
}

impl<C: Connector + ?Sized> Connector for Arc<C> {
    type Connection = C::Connection;

    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<C::Connection>> + Send {
        C::connect(self, address)
    }
}

/// A connection that was made, and what is known of it.
pub(super) type Connected = (Transport, Facts);

/// A [`Connector`] whose type is forgotten.
pub(super) trait AnyConnector: Send + Sync {
    fn connect_any(
        &self,
        address: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Connected>> + Send + '_>>;
}

impl<C: Connector> AnyConnector for C {
    fn connect_any(
        &self,
        address: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Connected>> + Send + '_>> {
        Box::pin(async move {
            let (transport, mut facts) = adopt(self.connect(address).await?);
            if !transport.is_socket() {
                facts.set_peer_addr(Address::Inet(address));
            }
            Ok((transport, facts))
        })
    }
}
