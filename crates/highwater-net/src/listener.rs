//! Where a server's connections come from, whatever that is.

use crate::address::adopt_tcp;
#[cfg(unix)]
use crate::address::adopt_unix;
use crate::transport::adopt;
use crate::{Address, Facts, Transport};
use std::io;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

/// A source of connections: what [`start_server`](crate::start_server) takes in a `Box`.
/// tokio's listeners are such sources.
///
/// A source that is dropped is closed: `Server::close` drops it there and then, or, if it is just being asked,
/// as soon as it has answered. It is polled by one task at a time, and both the poll and the drop may call the
/// server. A panic in the poll counts as an error.
///
/// # Source
/// asyncio: none; there `sock` takes sockets only.
///
/// ```
/// use highwater_net::{Address, Incoming, Listener, StreamReader, StreamWriter, pair, start_server};
/// use std::io;
/// use std::task::{Context, Poll};
/// use tokio::io::DuplexStream;
/// use tokio::sync::mpsc;
///
/// /// Connections in memory, without a network.
/// struct Memory(mpsc::UnboundedReceiver<DuplexStream>);
///
/// impl Listener for Memory {
///     fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
///         match self.0.poll_recv(cx) {
///             Poll::Ready(Some(io)) => Poll::Ready(Ok(Incoming::new(io))),
///             _ => Poll::Pending, // nobody comes any more
///         }
///     }
///
///     fn local_addr(&self) -> Address {
///         Address::Unknown
///     }
/// }
///
/// async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
///     while let Some(line) = reader.read_line().await? {
///         writer.write(line)?;
///     }
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (connect, memory) = mpsc::unbounded_channel();
/// let listener = Box::new(Memory(memory));
/// let server = start_server(echo, listener).await?;
///
/// let (near, far) = tokio::io::duplex(64);
/// connect.send(far).unwrap();
/// let (mut reader, writer) = pair(near);
/// writer.write("hello\n")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "hello\n");
/// # drop((reader, writer));
/// # server.close();
/// # server.wait_closed().await;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub trait Listener: Send + 'static {
    /// The next connection. `Pending` keeps the waker of `cx`; a source that will bring nothing more stays
    /// pending, too.
    ///
    /// # Errors
    /// Are told to the hook of `on_error`. One of the kinds `ConnectionAborted`, `ConnectionReset` and
    /// `Interrupted` concerns that connection, and the next is asked for at once; after any other the server
    /// pauses, 5 ms and twice as long each time, up to 1 s. None ends it.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use highwater_net::Listener;
    /// let mut listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let client = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
    /// let incoming = std::future::poll_fn(|cx| Listener::poll_accept(&mut listener, cx)).await?;
    /// assert_eq!(incoming.facts().peer_addr().socket_addr(), Some(client.local_addr()?));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>>;

    /// Where it listens: see [`Server::endpoints`](crate::Server::endpoints). Asked for once.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use highwater_net::Listener;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let address = Listener::local_addr(&listener);
    /// assert!(address.to_string().starts_with("127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    fn local_addr(&self) -> Address;
}

/// A connection that a [`Listener`] brings: what it runs over, and what is known of it.
///
/// ```
/// use highwater_net::{Address, Incoming};
/// let incoming = Incoming::new(tokio::io::duplex(64).0);
/// assert!(matches!(incoming.facts().peer_addr(), Address::Unknown));
/// ```
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Incoming {
    pub(crate) transport: Transport,
    pub(crate) facts: Facts,
}

impl Incoming {
    /// Anything that reads and writes. A socket of tokio is taken for what it is, with its addresses.
    ///
    /// ```
    /// use highwater_net::Incoming;
    /// let from_pipes = Incoming::new(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
    /// # drop(from_pipes);
    /// ```
    pub fn new(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self::of(adopt(io))
    }

    fn of((transport, facts): (Transport, Facts)) -> Self {
        Self { transport, facts }
    }

    /// The other end's address, in place of what the transport told: a proxy that stands before the server
    /// knows better.
    ///
    /// ```
    /// use highwater_net::{Address, Incoming};
    /// let client = std::net::SocketAddr::from(([192, 0, 2, 1], 4711));
    /// let incoming = Incoming::new(tokio::io::duplex(64).0).peer_addr(Address::from(client));
    /// assert_eq!(incoming.facts().peer_addr().socket_addr(), Some(client));
    /// ```
    pub fn peer_addr(mut self, address: Address) -> Self {
        self.facts.set_peer_addr(address);
        self
    }

    /// What is known of the connection, as its halves will tell it.
    ///
    /// ```
    /// use highwater_net::Incoming;
    /// let incoming = Incoming::new(tokio::io::duplex(64).0);
    /// assert_eq!(incoming.facts().local_addr().to_string(), "an unknown address");
    /// ```
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl From<TcpStream> for Incoming {
    fn from(socket: TcpStream) -> Self {
        Self::of(adopt_tcp(socket, None))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Incoming {
    fn from(socket: UnixStream) -> Self {
        Self::of(adopt_unix(socket, None))
    }
}

impl Listener for TcpListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        TcpListener::poll_accept(self, cx)
            .map_ok(|(socket, peer)| Incoming::of(adopt_tcp(socket, Some(peer))))
    }

    fn local_addr(&self) -> Address {
        TcpListener::local_addr(self).map_or(Address::Unknown, Address::Inet)
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        UnixListener::poll_accept(self, cx)
            .map_ok(|(socket, peer)| Incoming::of(adopt_unix(socket, Some(peer))))
    }

    fn local_addr(&self) -> Address {
        UnixListener::local_addr(self)
            .map_or(Address::Unknown, |address| Address::Unix(Box::new(address.into())))
    }
}
