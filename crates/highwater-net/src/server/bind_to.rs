//! Where to listen, in the forms in which people have it.

use super::bind::SocketOptions;
use crate::address::{ConnectTo, Name, Target};
use crate::{Family, KeepAlive, Listener};
use socket2::Socket;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What [`start_server`](crate::start_server) takes.
///
/// | form | is |
/// | --- | --- |
/// | `("localhost", 8000)`, `(IpAddr, 8000)`, a `SocketAddr`, `"localhost:8000"` | every address that it resolves to |
/// | `(["127.0.0.1", "::1"], 8000)`, `&[SocketAddr]`, `Vec<SocketAddr>` | all of them |
/// | `("", 8000)`, `(None, 8000)` | all interfaces, of both families |
/// | a listening `TcpListener` or `UnixListener` of std or tokio, an `OwnedFd`, or a `Vec` of one of these | those sockets, as they are |
/// | a `Box<dyn Listener>`, or a `Vec` of them | any source of connections: see [`Listener`] |
///
/// The first three are [`BindNames`], the others [`BindListeners`]. Which options there are depends on which
/// it is. A Unix path is for [`start_unix_server`](crate::start_unix_server).
///
/// # Source
/// asyncio: `host`, `port` and `sock` of `start_server`.
///
/// ```
/// use highwater_net::{BindNames, IntoBind, Server, StreamReader, StreamWriter, start_server};
/// async fn quiet_server(addresses: impl IntoBind<Kind = BindNames>) -> Server {
///     start_server(|_: StreamReader, _: StreamWriter| async {}, addresses).backlog(10).await.unwrap()
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = quiet_server((["127.0.0.1"], 0)).await;
/// assert_eq!(server.local_addrs().len(), 1);
/// # });
/// ```
pub trait IntoBind {
    /// [`BindNames`] or [`BindListeners`].
    type Kind;

    /// Where to listen.
    ///
    /// ```
    /// use highwater_net::IntoBind;
    /// let everywhere = ("", 8000).into_bind();
    /// assert!(format!("{everywhere:?}").contains("0.0.0.0:8000"));
    /// ```
    fn into_bind(self) -> Self::Kind;
}

/// Hosts and ports, to be resolved and bound, each once.
///
/// ```
/// use highwater_net::{BindNames, IntoBind};
/// let names: BindNames = ("localhost", 8000).into_bind();
/// # drop(names);
/// ```
#[derive(Clone, Debug)]
pub struct BindNames {
    /// The names of each host that was given: one, or, of all interfaces, one of each family.
    pub(super) hosts: Vec<Vec<Name>>,
    pub(super) family: Option<Family>,
    pub(super) sockets: SocketOptions,
    pub(super) keep_alive: Option<KeepAlive>,
}

impl BindNames {
    fn new(hosts: Vec<Vec<Name>>) -> Self {
        Self { hosts, family: None, sockets: SocketOptions::default(), keep_alive: None }
    }
}

fn on_host(host: &str, port: u16) -> Vec<Name> {
    if host.is_empty() {
        return on_all_interfaces(port);
    }
    vec![(host, port).into_target()]
}

fn on_all_interfaces(port: u16) -> Vec<Name> {
    let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
    any.map(|ip| Name(Target::Address((ip, port).into()))).into()
}

macro_rules! names {
    ($([$($generics:tt)*] $type:ty: $given:ident => $hosts:expr),* $(,)?) => {$(
        impl<$($generics)*> IntoBind for $type {
            type Kind = BindNames;
            fn into_bind(self) -> BindNames {
                let $given = self;
                BindNames::new($hosts)
            }
        }
    )*};
}

names! {
    [] (&str, u16): given => vec![on_host(given.0, given.1)],
    [] (String, u16): given => vec![on_host(&given.0, given.1)],
    [] (&String, u16): given => vec![on_host(given.0, given.1)],
    [] (&str, &str): given => vec![vec![given.into_target()]],
    [] (IpAddr, u16): given => vec![vec![given.into_target()]],
    [] (Option<&str>, u16): given => vec![on_host(given.0.unwrap_or_default(), given.1)],
    [const N: usize] ([&str; N], u16): given => {
        given.0.iter().map(|host| on_host(host, given.1)).collect()
    },
    [] (&[&str], u16): given => given.0.iter().map(|host| on_host(host, given.1)).collect(),
    [] (Vec<String>, u16): given => given.0.iter().map(|host| on_host(host, given.1)).collect(),
    [] SocketAddr: given => vec![vec![given.into_target()]],
    [] &[SocketAddr]: given => given.iter().map(|address| vec![address.into_target()]).collect(),
    [] Vec<SocketAddr>: given => given.iter().map(|address| vec![address.into_target()]).collect(),
    [] &str: given => vec![vec![given.into_target()]],
    [] String: given => vec![vec![given.into_target()]],
    [] &String: given => vec![vec![given.into_target()]],
}

/// Sockets that listen already, and other sources of connections. They belong to the server, are made
/// non-blocking, and are closed with it; the file of a Unix socket is left where it is.
///
/// # Source
/// asyncio: the `sock` of `start_server` and `start_unix_server`. diverges: several at once, and the file of
/// a socket that was handed in is never removed, since whoever made it may hand it to the next server
/// (gh-133354); and a socket that does not listen is refused, since nothing would come from it.
///
/// ```
/// use highwater_net::{StreamReader, StreamWriter, start_server};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, listener).await?;
/// assert_eq!(server.local_addrs(), [address]);
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// They have no options for binding. diverges: asyncio raises `ValueError`; what can be found early should
/// be.
///
/// ```compile_fail
/// # use highwater_net::{StreamReader, StreamWriter, start_server};
/// # fn never(listener: std::net::TcpListener) {
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, listener).reuse_port(true);
/// # }
/// ```
#[derive(Debug)]
pub struct BindListeners {
    pub(super) given: Vec<Given>,
    pub(super) keep_alive: Option<KeepAlive>,
}

pub(super) enum Given {
    Socket(Socket),
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Other(Box<dyn Listener>),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Given::Socket(socket) => socket.fmt(f),
            Given::Tcp(listener) => listener.fmt(f),
            #[cfg(unix)]
            Given::Unix(listener) => listener.fmt(f),
            Given::Other(listener) => write!(f, "Listener({})", listener.local_addr()),
        }
    }
}

macro_rules! listeners {
    ($($(#[$meta:meta])* $type:ty: $given:ident => $listener:expr),* $(,)?) => {$(
        $(#[$meta])*
        impl IntoBind for $type {
            type Kind = BindListeners;
            fn into_bind(self) -> BindListeners {
                vec![self].into_bind()
            }
        }

        $(#[$meta])*
        impl IntoBind for Vec<$type> {
            type Kind = BindListeners;
            fn into_bind(self) -> BindListeners {
                let given = self.into_iter().map(|$given| $listener).collect();
                BindListeners { given, keep_alive: None }
            }
        }
    )*};
}

listeners! {
    std::net::TcpListener: given => Given::Socket(given.into()),
    tokio::net::TcpListener: given => Given::Tcp(given),
    #[cfg(unix)]
    std::os::unix::net::UnixListener: given => Given::Socket(given.into()),
    #[cfg(unix)]
    tokio::net::UnixListener: given => Given::Unix(given),
    #[cfg(unix)]
    std::os::fd::OwnedFd: given => Given::Socket(given.into()),
    Box<dyn Listener>: given => Given::Other(given),
}

impl<L: Listener> IntoBind for Box<L> {
    type Kind = BindListeners;
    fn into_bind(self) -> BindListeners {
        (self as Box<dyn Listener>).into_bind()
    }
}

/// The path of a Unix socket to be made: see [`start_unix_server`](crate::start_unix_server). On Unix only.
///
/// ```
/// use highwater_net::{BindPath, StartServer, StreamReader, StreamWriter, start_unix_server};
/// let handler = |_: StreamReader, _: StreamWriter| async {};
/// let starting: StartServer<BindPath> = start_unix_server(handler, "/run/a.sock");
/// assert!(format!("{starting:?}").contains("/run/a.sock"));
/// ```
#[cfg(unix)]
#[derive(Clone, Debug)]
pub struct BindPath {
    pub(super) path: crate::UnixPath,
    pub(super) mode: Option<u32>,
    pub(super) cleanup: bool,
    pub(super) backlog: u32,
}
