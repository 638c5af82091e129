//! Connecting by name: how it is resolved, how its addresses are raced, and from which socket.

use super::connector::{AnyConnector, Connected, Connector};
use super::driver::first_of;
use super::error::{Conflict, ConnectError, Tried};
use super::order::interleave;
use super::race::Pace;
use super::socket::{Local, SocketOptions};
#[cfg(feature = "tls")]
use super::tls::{self, Deadline};
use super::{OpenConnection, StreamReader, StreamWriter};
use crate::address::{ConnectTo, Name, adopt_tcp};
use crate::keep_alive::KeepAlive;
use crate::resolve::{AnyResolver, Family, Resolver, SystemResolver};
use socket2::Socket;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::time::Duration;

/// RFC 8305 §8: the recommended delay between attempts.
const DELAY: Duration = Duration::from_millis(250);

/// How a name is reached.
pub(super) struct Reach {
    resolver: Box<dyn AnyResolver>,
    family: Option<Family>,
    local_addr: Option<Name>,
    pace: Pace,
    /// `None`: 1 if attempts overlap, 0 if not.
    interleave: Option<usize>,
    sockets: SocketOptions,
    /// In place of a socket, whose options are not for it.
    connector: Option<Box<dyn AnyConnector>>,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            resolver: Box::new(SystemResolver),
            family: None,
            local_addr: None,
            pace: Pace { delay: Some(DELAY), attempt_timeout: None },
            interleave: None,
            sockets: SocketOptions::default(),
            connector: None,
        }
    }
}

/// Options for a name. A socket, which is connected already, has none of them.
impl OpenConnection<Name> {
    /// How long resolving and connecting may take together. Without it, as long as the system lets it.
    ///
    /// Past it: [`ConnectError::TimedOut`], with all addresses that were tried.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let connecting = open_connection(address).connect_timeout(Duration::from_secs(10));
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn connect_timeout(mut self, after: Duration) -> Self {
        self.timeout = Some(after);
        self
    }

    /// How long each address may take. Without it, as long as the system lets it.
    ///
    /// An address that has had its time is listed with a `TimedOut` error, and the next is tried.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let connecting = open_connection(address).attempt_timeout(Duration::from_secs(5));
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn attempt_timeout(mut self, after: Duration) -> Self {
        self.reach.pace.attempt_timeout = Some(after);
        self
    }

    /// How long after an address the next is tried, if there is no answer; 250 ms unless said otherwise.
    /// `None` tries strictly one after the other. Zero tries all at once: RFC 8305 §5 asks for 10 ms at least.
    ///
    /// With a [`local_addr`](Self::local_addr) that has a port it is always one after the other, for two
    /// sockets cannot have the port at once.
    ///
    /// asyncio: `happy_eyeballs_delay`, in seconds. diverges: it is on by default.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let port = server.local_addr()?.port();
    /// let hasty = open_connection(("localhost", port)).happy_eyeballs_delay(Duration::from_millis(100));
    /// assert!(hasty.await.is_ok());
    /// let patient = open_connection(("localhost", port)).happy_eyeballs_delay(None);
    /// assert!(patient.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn happy_eyeballs_delay(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.reach.pace.delay = delay.into();
        self
    }

    /// How many addresses of the first family are tried before one of the other; from then on they take
    /// turns. 0 tries them as they were resolved.
    ///
    /// 1 unless said otherwise, and 0 if there is no [`happy_eyeballs_delay`](Self::happy_eyeballs_delay).
    ///
    /// asyncio: `interleave`. RFC 8305 §4: the First Address Family Count.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let port = server.local_addr()?.port();
    /// let connecting = open_connection(("localhost", port)).interleave(2);
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn interleave(mut self, first: usize) -> Self {
        self.reach.interleave = Some(first);
        self
    }

    /// Only addresses of this family. A host that is an address of the other is a
    /// [`Conflict`](ConnectError::Conflict).
    ///
    /// asyncio: `family`.
    ///
    /// ```
    /// # use highwater_net::{Family, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let connecting = open_connection(("localhost", address.port())).family(Family::V4);
    /// let (_reader, writer) = connecting.await?;
    /// assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn family(mut self, family: Family) -> Self {
        self.reach.family = Some(family);
        self
    }

    /// What resolves the host, and that of [`local_addr`](Self::local_addr); the system unless said
    /// otherwise. Addresses do not go there.
    ///
    /// ```
    /// # use highwater_net::{Query, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let pinned = move |_: Query| async move { Ok(vec![address]) };
    /// let (_reader, writer) = open_connection(("db.internal", 5432)).resolver(pinned).await?;
    /// assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.reach.resolver = Box::new(resolver);
        self
    }

    /// Where to connect from. Port 0 leaves the port to the system.
    ///
    /// For each address only local ones of its family are tried, and the first that can be bound is taken.
    /// If there is none, the address is listed with an error that names the local one.
    ///
    /// asyncio: `local_addr`.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (_reader, writer) = open_connection(address).local_addr(("127.0.0.1", 0)).await?;
    /// assert!(writer.facts().local_addr().to_string().starts_with("127.0.0.1:"));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn local_addr(mut self, from: impl ConnectTo<Kind = Name>) -> Self {
        self.reach.local_addr = Some(from.into_target());
        self
    }

    /// Whether to probe a silent peer, and when: a boolean or a [`KeepAlive`]. Off unless said otherwise.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, Transport, open_connection};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let probes = KeepAlive::new().idle(Duration::from_secs(60));
    /// let (_reader, writer) = open_connection(address).keep_alive(probes).await?;
    /// let is_on = writer.with_transport(|transport| match transport {
    ///     Transport::Tcp(socket) => socket2::SockRef::from(socket).keepalive().unwrap(),
    ///     _ => false,
    /// });
    /// assert_eq!(is_on, Some(true));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn keep_alive(mut self, keep_alive: impl Into<KeepAlive>) -> Self {
        self.reach.sockets.keep_alive = Some(keep_alive.into());
        self
    }

    /// How many bytes the system may hold for sending (`SO_SNDBUF`). It may round, double or bound them.
    ///
    /// ```
    /// # use highwater_net::{Transport, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (_reader, writer) = open_connection(address).send_buffer_size(32 * 1024).await?;
    /// let size = writer.with_transport(|transport| match transport {
    ///     Transport::Tcp(socket) => socket2::SockRef::from(socket).send_buffer_size().unwrap(),
    ///     _ => 0,
    /// });
    /// assert!(size >= Some(32 * 1024));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn send_buffer_size(mut self, bytes: usize) -> Self {
        self.reach.sockets.send_buffer_size = Some(bytes);
        self
    }

    /// How many bytes the system may hold that have arrived (`SO_RCVBUF`), from before it connects, so that
    /// the window fits. It may round, double or bound them.
    ///
    /// ```
    /// # use highwater_net::{Transport, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let (_reader, writer) = open_connection(address).recv_buffer_size(32 * 1024).await?;
    /// let size = writer.with_transport(|transport| match transport {
    ///     Transport::Tcp(socket) => socket2::SockRef::from(socket).recv_buffer_size().unwrap(),
    ///     _ => 0,
    /// });
    /// assert!(size >= Some(32 * 1024));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
        self.reach.sockets.recv_buffer_size = Some(bytes);
        self
    }

    /// Called with each socket before it is bound or connected, after the options above: for those that have
    /// no method here, such as `SO_MARK`, `SO_BINDTODEVICE` or TCP fast open. Its error is that of the address.
    ///
    /// It must not block. What it panics with comes out of the await.
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let connecting = open_connection(address).on_socket(|socket| socket.set_tos_v4(0x10));
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn on_socket(mut self, hook: impl Fn(&Socket) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.reach.sockets.hook = Some(Box::new(hook));
        self
    }

    /// What connects to each address; the system unless said otherwise.
    ///
    /// It makes what it connects: with a [`local_addr`](Self::local_addr) or an option of the socket it is a
    /// [`Conflict`](ConnectError::Conflict).
    ///
    /// ```
    /// # use highwater_net::open_connection;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let in_memory = |_| async { Ok(tokio::io::duplex(1024).0) };
    /// let (_reader, writer) = open_connection(("192.0.2.1", 80)).connector(in_memory).await?;
    /// assert_eq!(writer.facts().peer_addr().to_string(), "192.0.2.1:80");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.reach.connector = Some(Box::new(connector));
        self
    }

    async fn connect(self) -> Result<(StreamReader, StreamWriter), ConnectError> {
        let streams = self.options();
        #[cfg(feature = "tls")]
        let (wanted, deadline) = (self.tls, Deadline::after(self.timeout));
        let Self { to, timeout, reach, .. } = self;
        reach.check(&to).map_err(ConnectError::Conflict)?;
        let mut tried = Tried::default();
        let connecting = reach.connect(&to, &mut tried);
        let connected = match timeout {
            None => connecting.await,
            Some(after) => match tokio::time::timeout(after, connecting).await {
                Ok(connected) => connected,
                Err(_) => return Err(ConnectError::TimedOut { to, after, attempts: tried.into_attempts() }),
            },
        };
        let Some((transport, facts)) = connected? else {
            return Err(ConnectError::Unreachable { to, attempts: tried.into_attempts() });
        };
        let halves = streams.split(transport, facts);
        #[cfg(feature = "tls")]
        let halves = tls::secure(halves, wanted, deadline).await?;
        Ok(halves)
    }
}

impl Reach {
    fn check(&self, to: &Name) -> Result<(), Conflict> {
        if self.connector.is_some() {
            let local_addr = self.local_addr.is_some().then_some("local_addr");
            if let Some(option) = local_addr.or_else(|| self.sockets.option()) {
                return Err(Conflict::Connector { option });
            }
        }
        Conflict::check(self.family, to, self.local_addr.as_ref())
    }

    async fn connect(&self, to: &Name, tried: &mut Tried) -> Result<Option<Connected>, ConnectError> {
        let local = match &self.local_addr {
            None => None,
            Some(name) => match name.resolve_with(&*self.resolver, self.family).await {
                Ok(addresses) => Some(Local::new(name.clone(), addresses)),
                Err(error) => return Err(ConnectError::LocalAddr { local_addr: name.clone(), error }),
            },
        };
        let addresses = match to.resolve_with(&*self.resolver, self.family).await {
            Ok(addresses) => addresses,
            Err(error) => return Err(ConnectError::Resolve { to: to.clone(), error }),
        };
        // asyncio: without a delay they stay as they are.
        let first = self.interleave.unwrap_or(usize::from(self.pace.delay.is_some()));
        let addresses = interleave(addresses, first);
        let mut pace = self.pace;
        if local.as_ref().is_some_and(Local::has_port) {
            pace.delay = None;
        }
        let attempt = async |address| match &self.connector {
            Some(connector) => connector.connect_any(address).await,
            None => {
                let socket = self.sockets.open(address, local.as_ref())?.connect(address).await?;
                Ok(adopt_tcp(socket, None))
            }
        };
        Ok(first_of(&addresses, pace, tried, attempt).await)
    }
}

impl IntoFuture for OpenConnection<Name> {
    type Output = Result<(StreamReader, StreamWriter), ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}
