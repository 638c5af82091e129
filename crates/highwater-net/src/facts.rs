//! What is known of a connection, kept after it is gone.

#[cfg(feature = "tls")]
use crate::TlsFacts;
use std::fmt;
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::sync::OnceLock;

/// What is known of a connection: taken when it is made, and there after it is gone.
///
/// asyncio: `get_extra_info`, typed.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("127.0.0.1", 0)).await?;
/// let address = server.local_addrs()[0];
/// let (reader, writer) = open_connection(address).await?;
/// writer.close();
/// writer.wait_closed().await?;
/// assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
/// assert_eq!(reader.facts().peer_addr().to_string(), address.to_string());
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Facts {
    peer_addr: Address,
    local_addr: Address,
    #[cfg(feature = "tls")]
    tls: Layers,
    #[cfg(unix)]
    peer_cred: Option<tokio::net::unix::UCred>,
}

/// One TLS inside the other, as they were started.
#[cfg(feature = "tls")]
#[derive(Clone, Debug, Default)]
struct Layers(OnceLock<Box<(TlsFacts, Layers)>>);

impl Facts {
    pub(crate) fn new(peer_addr: Address, local_addr: Address) -> Self {
        Self {
            peer_addr,
            local_addr,
            #[cfg(feature = "tls")]
            tls: Layers::default(),
            #[cfg(unix)]
            peer_cred: None,
        }
    }

    pub(crate) fn set_peer_addr(&mut self, address: Address) {
        self.peer_addr = address;
    }

    #[cfg(unix)]
    pub(crate) fn set_peer_cred(&mut self, cred: Option<tokio::net::unix::UCred>) {
        self.peer_cred = cred;
    }

    pub(crate) fn unknown() -> Self {
        Self::new(Address::Unknown, Address::Unknown)
    }

    /// The address of the other end. asyncio: `get_extra_info("peername")`.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (reader, _writer) = open_connection(address).await?;
    /// assert_eq!(reader.facts().peer_addr().socket_addr(), Some(address));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn peer_addr(&self) -> &Address {
        &self.peer_addr
    }

    /// The address of our end. asyncio: `get_extra_info("sockname")`.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (reader, _writer) = open_connection(address).await?;
    /// let (_accepted, ours) = server.accept()?;
    /// assert_eq!(reader.facts().local_addr().socket_addr(), Some(ours));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn local_addr(&self) -> &Address {
        &self.local_addr
    }

    /// What the TLS handshake has settled, if there was one; the innermost of several. asyncio:
    /// `get_extra_info("ssl_object")` and its like.
    ///
    /// ```
    /// let ((reader, _writer), _peer) = highwater_net::duplex(64);
    /// assert!(reader.facts().tls().is_none());
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&TlsFacts> {
        let mut layers = &self.tls;
        let mut innermost = None;
        while let Some(layer) = layers.0.get() {
            innermost = Some(&layer.0);
            layers = &layer.1;
        }
        innermost
    }

    #[cfg(feature = "tls")]
    pub(crate) fn tls_started(&self, facts: TlsFacts) {
        let mut layers = &self.tls;
        while let Some(layer) = layers.0.get() {
            layers = &layer.1;
        }
        // Who starts TLS has both halves, so that nobody else is at it.
        drop(layers.0.set(Box::new((facts, Layers::default()))));
    }

    /// Who is at the other end of a Unix socket, as the kernel noted it when the connection was made: user,
    /// group, and process where the system tells it. `None` for every other transport. On Unix only.
    ///
    /// # Source
    /// asyncio: none; there a program asks the socket, while it is open.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::open_connection;
    /// let (near, _far) = tokio::net::UnixStream::pair()?;
    /// let (reader, writer) = open_connection(near).await?;
    /// writer.abort();
    /// let cred = reader.facts().peer_cred().unwrap();
    /// # #[cfg(target_os = "linux")]
    /// assert_eq!(cred.pid(), Some(std::process::id() as i32));
    /// # let _ = cred;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[cfg(unix)]
    pub fn peer_cred(&self) -> Option<tokio::net::unix::UCred> {
        self.peer_cred
    }
}

/// One end of a connection.
///
/// asyncio: what `get_extra_info` gives for `"peername"` and `"sockname"`.
///
/// ```
/// use highwater_net::Address;
/// use std::net::SocketAddr;
/// let address = Address::from(SocketAddr::from(([127, 0, 0, 1], 80)));
/// assert!(matches!(address, Address::Inet(_)));
/// assert_eq!(address.to_string(), "127.0.0.1:80");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Inet(SocketAddr),
    /// A Unix socket: a path, an abstract name, or no name at all. In a box, since it has room for the longest path
    /// and every connection of any kind has two addresses.
    #[cfg(unix)]
    Unix(Box<std::os::unix::net::SocketAddr>),
    /// The transport has no addresses, or they could not be learned.
    Unknown,
}

impl Address {
    /// The IP address and the port, if that is what it is.
    ///
    /// ```
    /// use highwater_net::Address;
    /// assert_eq!(Address::Unknown.socket_addr(), None);
    /// ```
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Address::Inet(address) => Some(*address),
            _ => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address::Inet(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => address.fmt(f),
            #[cfg(unix)]
            Address::Unix(address) => write_unix(address, f),
            Address::Unknown => f.write_str("an unknown address"),
        }
    }
}

/// The path; an abstract name behind an `@`, as the system's own tools show it.
#[cfg(unix)]
fn write_unix(address: &std::os::unix::net::SocketAddr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = SocketAddrExt::as_abstract_name(address) {
        return write!(f, "@{}", String::from_utf8_lossy(name));
    }
    match address.as_pathname() {
        Some(path) => fmt::Display::fmt(&path.display(), f),
        None => f.write_str("an unnamed Unix socket"),
    }
}
