//! Resolving: from a host and a port to addresses, through the system or a resolver of the caller's.

mod parts;

pub use parts::Port;

use crate::address::Name;
use dns_lookup::{AddrFamily, AddrInfoHints, LookupErrorKind, SockType};
use parts::{Host, Parts, Zone};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;

/// A family of internet addresses.
///
/// asyncio: `AF_INET` and `AF_INET6` as `family`.
///
/// ```
/// use highwater_net::Family;
/// assert_eq!(Family::V6.to_string(), "IPv6");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// What a [`Resolver`] is asked.
///
/// ```
/// # use highwater_net::{Query, open_connection};
/// # use std::io::ErrorKind;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let nobody = |query: Query| async move { Err(std::io::Error::new(ErrorKind::NotFound, format!("no {query}"))) };
/// let error = open_connection(("db.internal", 5432)).resolver(nobody).await.unwrap_err();
/// assert_eq!(error.to_string(), "db.internal:5432 did not resolve: no db.internal:5432");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    host: String,
    port: Port,
    family: Option<Family>,
}

impl Query {
    /// The host: a name, never an address.
    ///
    /// ```
    /// # use highwater_net::{Query, SystemResolver, Resolver};
    /// async fn only_this_machine(query: Query) -> std::io::Result<Vec<std::net::SocketAddr>> {
    ///     match query.host() {
    ///         "localhost" => SystemResolver.resolve(query).await,
    ///         _ => Err(std::io::ErrorKind::NotFound.into()),
    ///     }
    /// }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let connecting = highwater_net::open_connection(("example.org", 80)).resolver(only_this_machine);
    /// assert!(connecting.await.is_err());
    /// # });
    /// ```
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, by number or by service: the addresses carry its number.
    ///
    /// ```
    /// # use highwater_net::{Port, Query, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let database = move |query: Query| async move {
    ///     assert_eq!(query.port(), &Port::Service("postgresql".into()));
    ///     Ok(vec![address])
    /// };
    /// assert!(open_connection(("db.internal", "postgresql")).resolver(database).await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// The family that is wanted; `None` is both. Addresses of the other are left out in any case.
    ///
    /// ```
    /// # use highwater_net::{Family, Query, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = server.local_addr()?;
    /// let database = move |query: Query| async move {
    ///     assert_eq!(query.family(), Some(Family::V4));
    ///     Ok(vec![address])
    /// };
    /// let connecting = open_connection(("db.internal", 5432)).resolver(database).family(Family::V4);
    /// assert!(connecting.await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn family(&self) -> Option<Family> {
        self.family
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What turns a host and a port into addresses: given to
/// [`OpenConnection::resolver`](crate::OpenConnection::resolver).
///
/// Implemented for functions and closures `Fn(Query) -> impl Future`, for [`SystemResolver`], and for an
/// `Arc` of any. It may be dropped at any await, when the caller gives up.
///
/// # Source
/// asyncio: `loop.getaddrinfo`. diverges: it can be another for each connection, because the system's runs in
/// a pool of threads that a slow server of names can fill (gh-112169).
///
/// ```
/// use highwater_net::{Query, Resolver, SystemResolver, open_connection};
/// use std::net::SocketAddr;
///
/// /// Knows one name, and asks the system for all others.
/// struct Pinned(&'static str, SocketAddr);
///
/// impl Resolver for Pinned {
///     async fn resolve(&self, query: Query) -> std::io::Result<Vec<SocketAddr>> {
///         if query.host() == self.0 {
///             return Ok(vec![self.1]);
///         }
///         SystemResolver.resolve(query).await
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = server.local_addr()?;
/// let connecting = open_connection(("db.internal", 5432)).resolver(Pinned("db.internal", address));
/// let (_reader, writer) = connecting.await?;
/// assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub trait Resolver: Send + Sync {
    /// The addresses, best first, with the port in each.
    ///
    /// # Errors
    /// Any: it is the source of [`ConnectError::Resolve`](crate::ConnectError::Resolve).
    ///
    /// # Cancel safety
    /// It is dropped when nobody waits for the answer any more, and asked anew for the next connection.
    ///
    /// ```
    /// # use highwater_net::{Query, Resolver, SystemResolver, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let port = server.local_addr()?.port();
    /// let best_only = |query: Query| async move {
    ///     let mut addresses = SystemResolver.resolve(query).await?;
    ///     addresses.truncate(1);
    ///     Ok(addresses)
    /// };
    /// assert!(open_connection(("localhost", port)).resolver(best_only).await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    fn resolve(&self, query: Query) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

impl<F, Fut> Resolver for F
where
    F: Fn(Query) -> Fut + Send + Sync + ?Sized,
    Fut: Future<Output = io::Result<Vec<SocketAddr>>> + Send,
{
    fn resolve(&self, query: Query) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send {
        self(query)
    }
}

impl<R: Resolver + ?Sized> Resolver for Arc<R> {
    fn resolve(&self, query: Query) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send {
        R::resolve(self, query)
    }
}

/// The system's resolver, `getaddrinfo`, on a thread that may wait.
///
/// What it does not find is `NotFound`. Dropped, it is left to finish on its thread, for `getaddrinfo` cannot
/// be interrupted.
///
/// ```
/// use highwater_net::{Query, Resolver, SystemResolver, open_connection};
/// let verbose = |query: Query| async move {
///     println!("resolving {query}");
///     SystemResolver.resolve(query).await
/// };
/// let connecting = open_connection(("example.org", 80)).resolver(verbose);
/// # drop(connecting);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    async fn resolve(&self, query: Query) -> io::Result<Vec<SocketAddr>> {
        blocking(move || look_up(&query.host, &query.port.to_string(), query.family)).await
    }
}

/// A [`Resolver`] whose type is forgotten.
pub(crate) trait AnyResolver: Send + Sync {
    fn resolve_any(
        &self,
        query: Query,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>>;
}

impl<R: Resolver> AnyResolver for R {
    fn resolve_any(
        &self,
        query: Query,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>> {
        Box::pin(self.resolve(query))
    }
}

impl Name {
    /// Through the system, for both families.
    pub(crate) async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        self.resolve_with(&SystemResolver, None).await
    }

    /// At least one address, all of `family`. Only a name goes to the resolver: an address is known, and
    /// the numbers of services and zones are the system's.
    pub(crate) async fn resolve_with(
        &self,
        resolver: &dyn AnyResolver,
        family: Option<Family>,
    ) -> io::Result<Vec<SocketAddr>> {
        let mut addresses = match self.parts()? {
            Parts::Address(address) => vec![address],
            Parts::Pair(Host::Name(host), port) => resolver.resolve_any(Query { host, port, family }).await?,
            Parts::Pair(Host::Ip(ip, Zone::Number(zone)), Port::Number(port)) => {
                vec![address(ip, port, zone)]
            }
            Parts::Pair(Host::Ip(ip, zone), port) => {
                blocking(move || Ok(vec![address(ip, port.number()?, zone.number()?)])).await?
            }
        };
        addresses.retain(|address| family.is_none_or(|family| family == Family::of(address.ip())));
        match (addresses.is_empty(), family) {
            (false, _) => Ok(addresses),
            (true, None) => Err(not_found("it has no address".into())),
            (true, Some(family)) => Err(not_found(format!("it has no {family} address"))),
        }
    }
}

async fn blocking<V: Send + 'static>(work: impl FnOnce() -> io::Result<V> + Send + 'static) -> io::Result<V> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

/// As asyncio's and tokio's: for stream sockets, without flags.
fn look_up(host: &str, service: &str, family: Option<Family>) -> io::Result<Vec<SocketAddr>> {
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        address: family.map_or(0, |family| match family {
            Family::V4 => AddrFamily::Inet.into(),
            Family::V6 => AddrFamily::Inet6.into(),
        }),
        ..AddrInfoHints::default()
    };
    let found =
        dns_lookup::getaddrinfo(Some(host), Some(service), Some(hints)).map_err(|error| {
            match error.kind() {
                LookupErrorKind::NoName | LookupErrorKind::NoData | LookupErrorKind::Service => {
                    io::Error::new(io::ErrorKind::NotFound, error)
                }
                _ => error.into(),
            }
        })?;
    found.map(|info| info.map(|info| info.sockaddr)).collect()
}

impl Port {
    /// The system knows services by number; the host does not matter.
    fn number(&self) -> io::Result<u16> {
        let service = match self {
            Port::Number(number) => return Ok(*number),
            Port::Service(service) => service,
        };
        match look_up("127.0.0.1", service, Some(Family::V4)).as_deref() {
            Ok([address, ..]) => Ok(address.port()),
            _ => Err(not_found(format!("there is no service {service}"))),
        }
    }
}

impl Zone {
    /// The system tells the number of a zone along with an address in it, and only with one of the link.
    fn number(&self) -> io::Result<u32> {
        let zone = match self {
            Zone::Number(number) => return Ok(*number),
            Zone::Name(name) => name,
        };
        match look_up(&format!("fe80::1%{zone}"), "0", Some(Family::V6)).as_deref() {
            Ok([SocketAddr::V6(address), ..]) => Ok(address.scope_id()),
            _ => Err(not_found(format!("there is no zone {zone}"))),
        }
    }
}

fn address(ip: IpAddr, port: u16, zone: u32) -> SocketAddr {
    match ip {
        IpAddr::V4(ip) => (ip, port).into(),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, zone).into(),
    }
}

fn not_found(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, what)
}
