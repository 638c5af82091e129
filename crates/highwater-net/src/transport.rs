//! Every kind of connection as one type, so that a handler needs no generics.

use crate::address::adopt_tcp;
#[cfg(unix)]
use crate::address::adopt_unix;
use crate::{Facts, StreamOptions, StreamReader, StreamWriter};
use socket2::SockRef;
use std::any::Any;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// What a connection runs over.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, Transport, open_connection, start_server};
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("127.0.0.1", 0)).await?;
/// let (_reader, writer) = open_connection(server.local_addrs()[0]).await?;
/// let nodelay = writer.with_transport(|transport| match transport {
///     Transport::Tcp(socket) => socket.nodelay().unwrap(),
///     _ => false,
/// });
/// assert_eq!(nodelay, Some(true));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[non_exhaustive]
pub enum Transport {
    /// A TCP socket.
    Tcp(TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// Any of them inside TLS, TLS itself included.
    #[cfg(feature = "tls")]
    Tls(Box<crate::TlsTransport>),
    /// Anything else: memory, stdio, the pipes of a child process.
    Other(Box<dyn OtherTransport>),
}

/// What [`Transport::Other`] holds: anything that reads and writes. Implemented for all of it.
///
/// ```
/// use highwater_net::{OtherTransport, Transport};
/// fn erase(io: impl OtherTransport + 'static) -> Transport {
///     Transport::Other(Box::new(io))
/// }
/// let stdio = erase(tokio::io::join(tokio::io::empty(), tokio::io::sink()));
/// assert!(matches!(stdio, Transport::Other(_)));
/// ```
pub trait OtherTransport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> OtherTransport for T {}

/// A reader and a writer over anything that reads and writes, as the types that a handler takes. A socket
/// is taken as [`open_connection`](crate::open_connection) takes it, with its addresses. With options, it is
/// [`StreamOptions::pair`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter};
/// async fn greet(_reader: StreamReader, writer: StreamWriter) {
///     writer.write("hello\n").unwrap();
/// }
/// let (near, far) = tokio::io::duplex(64);
/// let (reader, writer) = highwater_net::pair(near);
/// greet(reader, writer).await;
/// let (mut reader, _writer) = highwater_net::pair(far);
/// assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
/// # });
/// ```
pub fn pair(transport: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> (StreamReader, StreamWriter) {
    StreamOptions::new().pair(transport)
}

/// A socket by its type, whatever its type is called here; anything else as it is.
pub(crate) fn adopt<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(transport: T) -> (Transport, Facts) {
    let mut given = Some(transport);
    match named(&mut given) {
        Some(Transport::Tcp(socket)) => adopt_tcp(socket, None),
        #[cfg(unix)]
        Some(Transport::Unix(socket)) => adopt_unix(socket, None),
        Some(other) => (other, Facts::unknown()),
        None => {
            let transport = given.expect("it was taken only where it has a name");
            (Transport::Other(Box::new(transport)), Facts::unknown())
        }
    }
}

/// Takes what has a type of its own among the transports, or is one.
fn named(given: &mut dyn Any) -> Option<Transport> {
    fn taken<T: 'static>(given: &mut dyn Any) -> Option<T> {
        given.downcast_mut::<Option<T>>().and_then(Option::take)
    }
    let socket = taken::<TcpStream>(given).map(Transport::Tcp);
    #[cfg(unix)]
    let socket = socket.or_else(|| taken::<UnixStream>(given).map(Transport::Unix));
    socket.or_else(|| taken::<Transport>(given))
}

/// Two connected pairs in memory, for tests. Each direction holds at most `capacity` bytes.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ((mut reader, _writer), (_, peer)) = highwater_net::duplex(1024);
/// peer.write("ping\n").unwrap();
/// assert_eq!(reader.read_line().await.unwrap().unwrap(), "ping\n");
/// # });
/// ```
pub fn duplex(capacity: usize) -> ((StreamReader, StreamWriter), (StreamReader, StreamWriter)) {
    let (near, far) = tokio::io::duplex(capacity);
    (pair(near), pair(far))
}

impl Transport {
    /// Whether it knows its addresses by itself.
    pub(crate) fn is_socket(&self) -> bool {
        match self {
            Transport::Tcp(_) => true,
            #[cfg(unix)]
            Transport::Unix(_) => true,
            _ => false,
        }
    }

    /// Makes the drop that follows a reset, where the transport knows one.
    pub(crate) fn reset(&mut self) {
        match self {
            // It fails on a socket that is gone already, which needs no reset.
            Transport::Tcp(socket) => drop(SockRef::from(&*socket).set_linger(Some(Duration::ZERO))),
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.carrier_mut().reset(),
            _ => {}
        }
    }

    /// Bytes that a transport below has taken of what this one has accepted, where it holds bytes back.
    pub(crate) fn passed_on(&self) -> u64 {
        match self {
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.passed_on(),
            _ => 0,
        }
    }
}

impl From<TcpStream> for Transport {
    fn from(socket: TcpStream) -> Self {
        Transport::Tcp(socket)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Transport {
    fn from(socket: UnixStream) -> Self {
        Transport::Unix(socket)
    }
}

macro_rules! on_each {
    ($transport:expr, $io:ident => $call:expr) => {
        match $transport {
            Transport::Tcp($io) => $call,
            #[cfg(unix)]
            Transport::Unix($io) => $call,
            #[cfg(feature = "tls")]
            Transport::Tls($io) => $call,
            Transport::Other($io) => $call,
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_each!(self.get_mut(), io => Pin::new(io).poll_read(cx, into))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_each!(self.get_mut(), io => Pin::new(io).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_each!(self.get_mut(), io => Pin::new(io).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        on_each!(self, io => io.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_each!(self.get_mut(), io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_each!(self.get_mut(), io => Pin::new(io).poll_shutdown(cx))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Tcp(socket) => socket.fmt(f),
            #[cfg(unix)]
            Transport::Unix(socket) => socket.fmt(f),
            #[cfg(feature = "tls")]
            Transport::Tls(tls) => tls.fmt(f),
            Transport::Other(_) => f.write_str("OtherTransport"),
        }
    }
}
