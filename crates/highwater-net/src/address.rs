//! Where to connect, in the forms in which people have it.

use crate::{Address, Facts, Transport};
#[cfg(unix)]
use socket2::SockRef;
use std::fmt;
use std::io;
#[cfg(unix)]
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;

/// What [`open_connection`](crate::open_connection) takes.
///
/// | form | is |
/// | --- | --- |
/// | `("example.org", 80)`, `("example.org", "http")`, `"example.org:80"`, `(IpAddr, 80)`, a `SocketAddr` | a [`Name`]: resolved and connected |
/// | a connected `TcpStream` or `UnixStream` of std or tokio, an `OwnedFd` | a [`Socket`]: taken as it is |
///
/// Which options there are depends on which it is.
///
/// A port may be the name of a service, and a number in a text. An IPv6 host may have a zone, by name or by
/// number (`"fe80::1%eth0"`), and needs brackets where the port is in the same text (`"[fe80::1%eth0]:80"`). What is
/// wrong with a name is told when it is resolved.
///
/// # Source
/// asyncio: `host`, `port` and `sock` of `open_connection`. diverges: a connection needs both host and port,
/// for nobody listens on port 0; and whoever gives a socket cannot give what contradicts it.
///
/// ```
/// use highwater_net::{ConnectTo, Name};
/// fn text(to: impl ConnectTo<Kind = Name>) -> String {
///     to.into_target().to_string()
/// }
/// assert_eq!(text(("example.org", 80)), "example.org:80");
/// assert_eq!(text("example.org:80"), "example.org:80");
/// ```
pub trait ConnectTo {
    /// [`Name`] or [`Socket`].
    type Kind;

    /// The target.
    ///
    /// ```
    /// use highwater_net::ConnectTo;
    /// assert_eq!(("::1", 80).into_target().to_string(), "[::1]:80");
    /// ```
    fn into_target(self) -> Self::Kind;
}

/// A host and a port, to be resolved and connected.
///
/// ```
/// use highwater_net::{ConnectTo, Name};
/// let name: Name = ("example.org", 80).into_target();
/// assert_eq!(name.to_string(), "example.org:80");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub(crate) Target);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Host(String, u16),
    /// The port is the name of a service, or a number in a text.
    Service(String, String),
    /// `host:port` in one text.
    Text(String),
    Address(SocketAddr),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Target::Host(host, port) => write!(f, "{host}:{port}"),
            Target::Service(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Target::Service(host, port) => write!(f, "{host}:{port}"),
            Target::Text(text) => f.write_str(text),
            Target::Address(address) => address.fmt(f),
        }
    }
}

macro_rules! name {
    ($($type:ty: $given:ident => $target:expr),* $(,)?) => {$(
        impl ConnectTo for $type {
            type Kind = Name;
            fn into_target(self) -> Name {
                let $given = self;
                Name($target)
            }
        }
    )*};
}

name! {
    (&str, u16): given => Target::Host(given.0.into(), given.1),
    (String, u16): given => Target::Host(given.0, given.1),
    (&String, u16): given => Target::Host(given.0.clone(), given.1),
    (&str, &str): given => Target::Service(given.0.into(), given.1.into()),
    (&str, String): given => Target::Service(given.0.into(), given.1),
    (String, &str): given => Target::Service(given.0, given.1.into()),
    (String, String): given => Target::Service(given.0, given.1),
    (&String, &str): given => Target::Service(given.0.clone(), given.1.into()),
    (&String, &String): given => Target::Service(given.0.clone(), given.1.clone()),
    (IpAddr, u16): given => Target::Address(given.into()),
    (IpAddr, &str): given => Target::Service(given.0.to_string(), given.1.into()),
    SocketAddr: given => Target::Address(given),
    &str: given => Target::Text(given.into()),
    String: given => Target::Text(given),
    &String: given => Target::Text(given.clone()),
}

/// A connected socket that was made elsewhere. It belongs to the call, and is closed if that fails.
///
/// # Source
/// asyncio: `sock=`. diverges: there it stays open after some errors and leaks after others; here it has one
/// owner. And it sends without delay, as every TCP stream here.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = server.local_addr()?;
/// let socket = std::net::TcpStream::connect(address)?;
/// let (reader, _writer) = highwater_net::open_connection(socket).await?;
/// assert_eq!(reader.facts().peer_addr().socket_addr(), Some(address));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Socket(pub(crate) Given);

#[derive(Debug)]
pub(crate) enum Given {
    Tcp(TcpStream),
    StdTcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
    #[cfg(unix)]
    StdUnix(std::os::unix::net::UnixStream),
    #[cfg(unix)]
    Fd(std::os::fd::OwnedFd),
}

impl Socket {
    /// The socket as a transport, ready for this runtime, with its addresses.
    pub(crate) fn adopt(self) -> io::Result<(Transport, Facts)> {
        match self.0 {
            Given::Tcp(socket) => Ok(adopt_tcp(socket, None)),
            Given::StdTcp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(adopt_tcp(TcpStream::from_std(socket)?, None))
            }
            #[cfg(unix)]
            Given::Unix(socket) => Ok(adopt_unix(socket, None)),
            #[cfg(unix)]
            Given::StdUnix(socket) => {
                socket.set_nonblocking(true)?;
                Ok(adopt_unix(tokio::net::UnixStream::from_std(socket)?, None))
            }
            #[cfg(unix)]
            Given::Fd(fd) => adopt_fd(fd),
        }
    }
}

/// Every TCP stream of ours sends without delay, and tells its addresses. An accept tells the peer's, which
/// the socket does not know any more when the peer has gone already.
///
/// diverges: asyncio leaves out sockets that are handed in, and what a listener that was handed in accepts;
/// whether a small write is delayed must not depend on who made the socket.
pub(crate) fn adopt_tcp(socket: TcpStream, peer: Option<SocketAddr>) -> (Transport, Facts) {
    // It fails on a socket that is gone already, which the first read or write will tell.
    socket.set_nodelay(true).ok();
    let known = |address: Option<SocketAddr>| address.map_or(Address::Unknown, Address::Inet);
    let peer = peer.or_else(|| socket.peer_addr().ok());
    let facts = Facts::new(known(peer), known(socket.local_addr().ok()));
    (socket.into(), facts)
}

/// The peer's address is what an accept told, or else what the socket tells.
#[cfg(unix)]
pub(crate) fn adopt_unix(
    socket: tokio::net::UnixStream,
    peer: Option<tokio::net::unix::SocketAddr>,
) -> (Transport, Facts) {
    let known = |address: Option<tokio::net::unix::SocketAddr>| {
        address.map_or(Address::Unknown, |address| Address::Unix(Box::new(address.into())))
    };
    let peer = peer.or_else(|| socket.peer_addr().ok());
    let mut facts = Facts::new(known(peer), known(socket.local_addr().ok()));
    facts.set_peer_cred(socket.peer_cred().ok());
    (socket.into(), facts)
}

#[cfg(unix)]
fn adopt_fd(fd: std::os::fd::OwnedFd) -> io::Result<(Transport, Facts)> {
    use socket2::{Domain, Type};
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let socket = SockRef::from(&fd);
    let (kind, address) = (socket.r#type()?, socket.local_addr()?);
    if kind != Type::STREAM {
        return Err(invalid("the socket is not a stream socket"));
    }
    is_connected(&socket)?;
    match address.domain() {
        Domain::IPV4 | Domain::IPV6 => Socket(Given::StdTcp(fd.into())).adopt(),
        Domain::UNIX => Socket(Given::StdUnix(fd.into())).adopt(),
        _ => Err(invalid("the socket is neither of the internet families nor a Unix socket")),
    }
}

/// A peer that has reset the connection has no address any more, but may have left bytes. Nothing is taken
/// from them here.
#[cfg(unix)]
fn is_connected(socket: &SockRef<'_>) -> io::Result<()> {
    if socket.peer_addr().is_ok() {
        return Ok(());
    }
    socket.set_nonblocking(true)?;
    match socket.peek(&mut [MaybeUninit::uninit()]) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(error),
        Err(_) => Err(io::Error::new(io::ErrorKind::NotConnected, "the socket is not connected")),
    }
}

macro_rules! socket {
    ($($(#[$meta:meta])* $type:ty => $variant:ident),* $(,)?) => {$(
        $(#[$meta])*
        impl ConnectTo for $type {
            type Kind = Socket;
            fn into_target(self) -> Socket {
                Socket(Given::$variant(self))
            }
        }
    )*};
}

socket! {
    TcpStream => Tcp,
    std::net::TcpStream => StdTcp,
    #[cfg(unix)]
    tokio::net::UnixStream => Unix,
    #[cfg(unix)]
    std::os::unix::net::UnixStream => StdUnix,
    #[cfg(unix)]
    std::os::fd::OwnedFd => Fd,
}
