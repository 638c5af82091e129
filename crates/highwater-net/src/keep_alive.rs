//! Probing a silent peer: whether, and when.

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::time::Duration;

/// Whether a connection probes a peer that is silent, and when (`SO_KEEPALIVE`). What is not said is left
/// to the system.
///
/// The times are whole seconds, one at least; a fraction is cut off, and the system refuses a zero.
///
/// # Source
/// asyncio: the `keep_alive` of `start_server`, a boolean, which is taken here as well. diverges: with the
/// times, because two hours until the first probe is too long for most.
///
/// ```
/// # use highwater_net::{KeepAlive, Transport, open_connection};
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = server.local_addr()?;
/// let probes = KeepAlive::new().idle(Duration::from_secs(60)).interval(Duration::from_secs(10)).retries(3);
/// let (_reader, writer) = open_connection(address).keep_alive(probes).await?;
/// let idle = writer.with_transport(|transport| match transport {
///     Transport::Tcp(socket) => socket2::SockRef::from(socket).tcp_keepalive_time().ok(),
///     _ => None,
/// });
/// assert_eq!(idle, Some(Some(Duration::from_secs(60))));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct KeepAlive(Option<TcpKeepalive>);

impl KeepAlive {
    /// Probes, at the times that the system has set.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, open_connection};
    /// let connecting = open_connection(("example.org", 80)).keep_alive(KeepAlive::new());
    /// # drop(connecting);
    /// ```
    pub fn new() -> Self {
        Self(Some(TcpKeepalive::new()))
    }

    /// How long the peer may be silent before the first probe.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, open_connection};
    /// # use std::time::Duration;
    /// let probes = KeepAlive::new().idle(Duration::from_secs(60));
    /// let connecting = open_connection(("example.org", 80)).keep_alive(probes);
    /// # drop(connecting);
    /// ```
    pub fn idle(self, after: Duration) -> Self {
        Self(Some(self.probes().with_time(after)))
    }

    /// How long to wait for the answer to a probe before the next.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, open_connection};
    /// # use std::time::Duration;
    /// let probes = KeepAlive::new().interval(Duration::from_secs(10));
    /// let connecting = open_connection(("example.org", 80)).keep_alive(probes);
    /// # drop(connecting);
    /// ```
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd",
        target_vendor = "apple",
        windows,
    ))]
    pub fn interval(self, between: Duration) -> Self {
        Self(Some(self.probes().with_interval(between)))
    }

    /// How many probes may go unanswered before the connection is lost.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, open_connection};
    /// let connecting = open_connection(("example.org", 80)).keep_alive(KeepAlive::new().retries(3));
    /// # drop(connecting);
    /// ```
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd",
        target_vendor = "apple",
        windows,
    ))]
    pub fn retries(self, probes: u32) -> Self {
        Self(Some(self.probes().with_retries(probes)))
    }

    fn probes(self) -> TcpKeepalive {
        self.0.unwrap_or_else(TcpKeepalive::new)
    }

    /// Whether the system takes it, asked of a socket that is good for nothing else.
    pub(crate) fn check(&self) -> io::Result<()> {
        let open = |domain| Socket::new(domain, Type::STREAM, Some(Protocol::TCP));
        let socket = open(Domain::IPV4).or_else(|_| open(Domain::IPV6))?;
        self.apply(&SockRef::from(&socket))
    }

    /// Says it to the socket.
    pub(crate) fn apply(&self, socket: &SockRef<'_>) -> io::Result<()> {
        match &self.0 {
            Some(probes) => socket.set_tcp_keepalive(probes),
            None => socket.set_keepalive(false),
        }
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::new()
    }
}

/// `true` is [`KeepAlive::new`], `false` no probes.
impl From<bool> for KeepAlive {
    fn from(on: bool) -> Self {
        if on { Self::new() } else { Self(None) }
    }
}
