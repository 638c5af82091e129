//! Starting a server: its options, by what it listens on.

use super::bind::{self, Bound};
#[cfg(unix)]
use super::bind_to::BindPath;
use super::bind_to::{BindListeners, BindNames, IntoBind};
use super::event::{Hook, tell};
use super::handler::{Handler, Serve};
use super::{BindError, Server, ServerEvent, Shared};
#[cfg(feature = "tls")]
use crate::ServerTls;
#[cfg(unix)]
use crate::UnixPath;
use crate::{Facts, Family, KeepAlive, StreamOptions};
use std::fmt;
use std::future::{Future, IntoFuture};
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

/// Starts a server: every connection to one of the addresses is given to `handler`. Await it, after its
/// options if it needs any.
///
/// The handler is an `async fn(StreamReader, StreamWriter)` that returns nothing or a `Result`, or a plain
/// function that gives the halves away. When it returns, the halves that it still holds are dropped, and
/// the connection closes gracefully; a half that it gave away keeps it alive. Its error or panic closes
/// that connection and nothing else, and is reported: to the hook of [`on_error`](StartServer::on_error),
/// else to `tracing` if that feature is on, else as a line on stderr.
///
/// All addresses that the hosts resolve to are bound, each once. One that the system lacks is skipped and
/// told if at least one binds; any other failure closes all. Port 0 is one port for all of them.
///
/// # Errors
/// [`BindError`]: nothing is bound.
///
/// # Panics
/// Awaited outside of a tokio runtime with its I/O and its time enabled.
///
/// # Cancel safety
/// Cancel safe: dropped, it leaves nothing bound.
///
/// # Source
/// asyncio: `start_server`. diverges:
/// - A handler that returns closes its connection, since it has said all it had to say; a plain function
///   that panics does, too: one rule for every handler.
/// - The runtime owns the handlers, so that a connection is served to its end.
/// - An address that is skipped is told: a server that listens on less than it was asked to should say so.
/// - Port 0 is one port for all addresses, because a server has a port.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
///
/// async fn shout(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
///     while let Some(line) = reader.read_line().await? {
///         writer.write(line.to_ascii_uppercase())?;
///         writer.drain().await?;
///     }
///     Ok(())
/// }
///
/// let server = start_server(shout, ("127.0.0.1", 0)).limit(1024).await?;
/// let (mut reader, writer) = open_connection(server.local_addrs()[0]).await?;
/// writer.write("quiet\n")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "QUIET\n");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub fn start_server<M, B: IntoBind>(handler: impl Handler<M>, addresses: B) -> StartServer<B::Kind> {
    StartServer::new(handler, addresses.into_bind())
}

/// Starts a server on a Unix socket, whose file it makes: every connection is given to `handler`. Await it,
/// after its options if it needs any. On Unix only.
///
/// A path that begins with a NUL is an abstract name (Linux, Android), which has no file.
///
/// A socket file that is there already is replaced if nobody serves it: two probes, 50 ms apart, are refused.
/// When the server closes, the file is removed, if it is still the one that was made.
///
/// # Errors
/// [`BindError::Unix`]: with the path, and what is wrong with it. Nothing is bound, and no file is left.
///
/// # Panics
/// Awaited outside of a tokio runtime with its I/O and its time enabled.
///
/// # Cancel safety
/// Cancel safe: dropped, it leaves nothing bound.
///
/// # Source
/// asyncio: `start_unix_server`; its `sock` is [`start_server`] of a listener. diverges: asyncio removes
/// whatever socket it finds, and so takes the clients of a server that is alive (gh-121252).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{StreamReader, StreamWriter, open_unix_connection, start_unix_server};
/// # let path = std::env::temp_dir().join(format!("highwater-start-{}", std::process::id()));
/// let who = |_: StreamReader, writer: StreamWriter| async move {
///     writer.write(format!("user {}\n", writer.facts().peer_cred().unwrap().uid()))
/// };
/// let server = start_unix_server(who, &path).mode(0o660).await?;
/// let (mut reader, _writer) = open_unix_connection(&path).await?;
/// assert!(reader.read_line().await?.unwrap().starts_with(b"user "));
/// server.close();
/// assert!(!path.exists());
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[cfg(unix)]
pub fn start_unix_server<M>(handler: impl Handler<M>, path: impl AsRef<Path>) -> StartServer<BindPath> {
    let on = BindPath { path: UnixPath::new(path), mode: None, cleanup: true, backlog: bind::BACKLOG };
    StartServer::new(handler, on)
}

/// A server to be started: see [`start_server`] and `start_unix_server`. Which options it has depends on
/// what it listens on.
///
/// ```
/// # use highwater_net::{StreamReader, StreamWriter, start_server};
/// # async fn serve(_: StreamReader, _: StreamWriter) {}
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let starting = start_server(serve, ("127.0.0.1", 0)).limit(1024).backlog(1000);
/// let server = starting.await?;
/// assert!(server.is_serving());
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing listens until it is awaited"]
pub struct StartServer<K> {
    on: K,
    pub(super) common: Common,
}

/// What does not depend on what a server listens on.
pub(super) struct Common {
    serve: Serve,
    streams: StreamOptions,
    limit: Option<usize>,
    start_serving: bool,
    hook: Option<Hook>,
    max_connections: usize,
    admit: Option<Admit>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
}

pub(super) type Admit = Box<dyn Fn(&Facts) -> bool + Send + Sync>;

impl<K> StartServer<K> {
    fn new<M>(handler: impl Handler<M>, on: K) -> Self {
        let common = Common {
            serve: handler.into_serve(),
            streams: StreamOptions::new(),
            limit: None,
            start_serving: true,
            hook: None,
            max_connections: usize::MAX,
            admit: None,
            #[cfg(feature = "tls")]
            tls: None,
        };
        Self { on, common }
    }

    /// The readers' limit, in bytes before a separator.
    ///
    /// asyncio: the `limit` of `start_server`; 64 KiB unless said otherwise, as there.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    /// let serve = move |reader: StreamReader, _: StreamWriter| told.send(reader.limit()).unwrap();
    /// let server = start_server(serve, ("127.0.0.1", 0)).limit(1024).await?;
    /// let _client = open_connection(server.local_addrs()[0]).await?;
    /// assert_eq!(hears.recv().await, Some(1024));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.common.limit = Some(limit);
        self
    }

    /// All options of the readers and writers, in place of those said before, but for a
    /// [`limit`](Self::limit) that is said here.
    ///
    /// ```
    /// # use highwater_net::{StreamOptions, StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    /// let serve = move |_: StreamReader, writer: StreamWriter| told.send(writer.write("five!")).unwrap();
    /// let options = StreamOptions::new().max_buffered(Some(4));
    /// let server = start_server(serve, ("127.0.0.1", 0)).streams(options).await?;
    /// let _client = open_connection(server.local_addrs()[0]).await?;
    /// assert!(hears.recv().await.unwrap().is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn streams(mut self, options: StreamOptions) -> Self {
        self.common.streams = options;
        self
    }

    /// With `false` the addresses are bound, and connections are refused until
    /// [`Server::start_serving`] or [`Server::serve_forever`]. A listener that was handed in listens
    /// already: its connections wait. A Unix socket that waits so for long may be taken for a dead one, and
    /// replaced by another server. asyncio: the `start_serving` of `start_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).start_serving(false).await?;
    /// assert!(!server.is_serving());
    /// server.start_serving()?;
    /// assert!(server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn start_serving(mut self, start: bool) -> Self {
        self.common.start_serving = start;
        self
    }

    /// Who is told what no caller is: handlers that failed, accepts that failed, addresses that were
    /// skipped. It is called where that happens; it should not block. A panic in it harms nothing else.
    ///
    /// # Source
    /// asyncio: `loop.set_exception_handler`, for this server alone.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use highwater_net::{ServerEvent, StreamReader, StreamWriter, open_connection, start_server};
    /// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    /// let fail = |_: StreamReader, _: StreamWriter| async { Err::<(), _>("no such mailbox") };
    /// let server = start_server(fail, ("127.0.0.1", 0))
    ///     .on_error(move |event: &ServerEvent| told.send(event.to_string()).unwrap())
    ///     .await?;
    /// let _client = open_connection(server.local_addrs()[0]).await?;
    /// assert!(hears.recv().await.unwrap().ends_with("no such mailbox"));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn on_error(mut self, hook: impl Fn(&ServerEvent) + Send + Sync + 'static) -> Self {
        self.common.hook = Some(Arc::new(hook));
        self
    }

    /// The most connections at a time, over all addresses. While so many are there, none is accepted: they
    /// wait in the kernel's queue, until one that was there is gone and its handler has ended. 0 accepts none.
    /// Without it there is no bound but the system's.
    ///
    /// A connection has its place from the accept on, so that over TLS peers who say nothing hold places until
    /// the handshake time-out.
    ///
    /// # Source
    /// asyncio: none; there each program counts for itself (bpo-33840).
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let greet = |mut reader: StreamReader, writer: StreamWriter| async move {
    ///     writer.write("hello\n").unwrap();
    ///     reader.read(1).await.ok();
    /// };
    /// let server = start_server(greet, ("127.0.0.1", 0)).max_connections(1).await?;
    /// let (mut first, first_writer) = open_connection(server.local_addrs()[0]).await?;
    /// let (mut second, _writer) = open_connection(server.local_addrs()[0]).await?;
    /// assert_eq!(first.read_line().await?.unwrap(), "hello\n");
    /// assert_eq!(server.counts().open, 1); // the second waits
    /// drop((first, first_writer));
    /// assert_eq!(second.read_line().await?.unwrap(), "hello\n");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn max_connections(mut self, most: usize) -> Self {
        self.common.max_connections = most;
        self
    }

    /// Who may be served, judged by what is known of a connection as it is accepted. One that is declined is
    /// closed at once, with a reset, and counted as refused; a client may meet the reset while it connects, or
    /// as it reads. It is called by the task that accepts; it should
    /// not block. If it panics, that is told to the hook, and the connection is declined.
    ///
    /// # Source
    /// asyncio: none.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0))
    ///     .admit(|facts| facts.peer_addr().socket_addr().is_none_or(|peer| !peer.ip().is_loopback()))
    ///     .await?;
    /// if let Ok((mut reader, _writer)) = open_connection(server.local_addrs()[0]).await {
    ///     assert!(reader.read(1).await.is_err());
    /// }
    /// assert_eq!(server.counts().refused, 1);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn admit(mut self, judge: impl Fn(&Facts) -> bool + Send + Sync + 'static) -> Self {
        self.common.admit = Some(Box::new(judge));
        self
    }
}

impl StartServer<BindNames> {
    /// Only addresses of that family are bound. Without it, those of both.
    ///
    /// asyncio: the `family` of `start_server`. A host that has none of the family is an error.
    ///
    /// ```
    /// # use highwater_net::{BindError, Family, StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("localhost", 0)).family(Family::V4).await?;
    /// assert!(server.local_addrs().iter().all(|address| address.is_ipv4()));
    /// let error = start_server(serve, ("::1", 0)).family(Family::V4).await.unwrap_err();
    /// assert!(matches!(error, BindError::Family { .. }));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn family(mut self, family: Family) -> Self {
        self.on.family = Some(family);
        self
    }

    /// Whether an address can be bound although connections of an earlier server still have it
    /// (`SO_REUSEADDR`). On Unix systems it is on unless said otherwise; on others it is off, since there it
    /// lets a second server take the address of the first.
    ///
    /// asyncio: the `reuse_address` of `start_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).reuse_address(false).await?;
    /// assert!(server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.on.sockets.reuse_address = reuse;
        self
    }

    /// How many connections the kernel may hold that were not accepted yet. 100 unless said otherwise.
    ///
    /// asyncio: the `backlog` of `start_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).backlog(1000).await?;
    /// assert!(server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.on.sockets.backlog = backlog;
        self
    }

    /// Whether other sockets may listen on the same port (`SO_REUSEPORT`). Off unless said otherwise. It exists
    /// on Unix only.
    ///
    /// asyncio: the `reuse_port` of `start_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let first = start_server(serve, ("127.0.0.1", 0)).reuse_port(true).await?;
    /// let second = start_server(serve, first.local_addrs()[0]).reuse_port(true).await?;
    /// assert_eq!(first.local_addrs(), second.local_addrs());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    #[cfg(unix)]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.on.sockets.reuse_port = reuse;
        self
    }

    /// Whether, and when, connections probe a silent peer (`SO_KEEPALIVE`): a `bool`, or a [`KeepAlive`] with
    /// times. Off unless said otherwise. Times that the system refuses are [`BindError::KeepAlive`].
    ///
    /// asyncio: the `keep_alive` of `start_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, Transport, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    /// let serve = move |_: StreamReader, writer: StreamWriter| {
    ///     let probes = writer.with_transport(|transport| match transport {
    ///         Transport::Tcp(socket) => socket2::SockRef::from(socket).keepalive().unwrap(),
    ///         _ => false,
    ///     });
    ///     told.send(probes).unwrap();
    /// };
    /// let server = start_server(serve, ("127.0.0.1", 0)).keep_alive(true).await?;
    /// let _client = open_connection(server.local_addrs()[0]).await?;
    /// assert_eq!(hears.recv().await.unwrap(), Some(true));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn keep_alive(mut self, keep_alive: impl Into<KeepAlive>) -> Self {
        self.on.keep_alive = Some(keep_alive.into());
        self
    }
}

impl StartServer<BindListeners> {
    /// Whether, and when, TCP connections probe a silent peer. Unless it is said, they have it from their
    /// listener. Times that the system refuses are [`BindError::KeepAlive`].
    ///
    /// asyncio: the `keep_alive` of `start_server`, there for a `sock` too.
    ///
    /// ```
    /// # use highwater_net::{KeepAlive, StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let probes = KeepAlive::new().idle(std::time::Duration::from_secs(60));
    /// let server = start_server(serve, listener).keep_alive(probes).await?;
    /// assert!(server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn keep_alive(mut self, keep_alive: impl Into<KeepAlive>) -> Self {
        self.on.keep_alive = Some(keep_alive.into());
        self
    }
}

#[cfg(unix)]
impl StartServer<BindPath> {
    /// The permissions of the socket's file, as `chmod` takes them, whatever the `umask` is. They are there
    /// before anybody can connect. They are those of the file that was bound and of no other: if something else
    /// is found in its place, that is [`UnixPathError::Replaced`](crate::UnixPathError::Replaced). Linux needs
    /// its `/proc` for that. Without a mode, the `umask` decides. An abstract name has no file, and a mode for it
    /// is an error.
    ///
    /// # Source
    /// asyncio: none; there `chmod` comes after the server listens.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_unix_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("highwater-mode-{}", std::process::id()));
    /// let server = start_unix_server(serve, &path).mode(0o600).await?;
    /// # use std::os::unix::fs::PermissionsExt;
    /// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn mode(mut self, mode: u32) -> Self {
        self.on.mode = Some(mode);
        self
    }

    /// Whether the socket's file is removed when the server closes. Yes, unless said otherwise.
    ///
    /// asyncio: the `cleanup_socket` of `start_unix_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_unix_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("highwater-cleanup-{}", std::process::id()));
    /// let server = start_unix_server(serve, &path).cleanup_socket(false).await?;
    /// server.close();
    /// assert!(path.exists());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn cleanup_socket(mut self, cleanup: bool) -> Self {
        self.on.cleanup = cleanup;
        self
    }

    /// How many connections the kernel may hold that were not accepted yet. 100 unless said otherwise.
    ///
    /// asyncio: the `backlog` of `start_unix_server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_unix_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let path = std::env::temp_dir().join(format!("highwater-backlog-{}", std::process::id()));
    /// let server = start_unix_server(serve, &path).backlog(1000).await?;
    /// assert!(server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.on.backlog = backlog;
        self
    }
}

impl Common {
    fn start(self, bound: Vec<Bound>, keep_alive: Option<KeepAlive>) -> Result<Server, BindError> {
        let streams = match self.limit {
            Some(limit) => self.streams.limit(limit),
            None => self.streams,
        };
        let start = self.start_serving;
        let shared = Shared::new(bound, self.serve, streams)
            .with_hooks(self.hook, self.admit)
            .with_bounds(self.max_connections, keep_alive);
        #[cfg(feature = "tls")]
        let shared = shared.with_tls(self.tls);
        let server = Server::new(shared);
        if start {
            server.start_serving().map_err(BindError::Listen)?;
        }
        Ok(server)
    }
}

/// Each connection is told the same, where nobody hears what the system says to it.
fn checked(keep_alive: Option<KeepAlive>) -> Result<Option<KeepAlive>, BindError> {
    match keep_alive.as_ref().map_or(Ok(()), KeepAlive::check) {
        Ok(()) => Ok(keep_alive),
        Err(error) => Err(BindError::KeepAlive(error)),
    }
}

type Starting = Pin<Box<dyn Future<Output = Result<Server, BindError>> + Send>>;

impl IntoFuture for StartServer<BindNames> {
    type Output = Result<Server, BindError>;
    type IntoFuture = Starting;

    fn into_future(self) -> Starting {
        let Self { mut on, common } = self;
        Box::pin(async move {
            on.sockets.listen = common.start_serving;
            let keep_alive = checked(on.keep_alive.clone())?;
            let bound = bind::bind(on, |event| tell(&common.hook, event)).await?;
            common.start(bound, keep_alive)
        })
    }
}

impl IntoFuture for StartServer<BindListeners> {
    type Output = Result<Server, BindError>;
    type IntoFuture = Starting;

    fn into_future(self) -> Starting {
        let Self { on, common } = self;
        Box::pin(async move {
            let keep_alive = checked(on.keep_alive.clone())?;
            common.start(bind::take(on)?, keep_alive)
        })
    }
}

#[cfg(unix)]
impl IntoFuture for StartServer<BindPath> {
    type Output = Result<Server, BindError>;
    type IntoFuture = Starting;

    fn into_future(self) -> Starting {
        let Self { on, common } = self;
        Box::pin(async move {
            match super::socket_file::bind(&on, common.start_serving).await {
                Ok(bound) => common.start(vec![bound], None),
                Err(error) => Err(BindError::Unix { path: on.path, error }),
            }
        })
    }
}

impl<K: fmt::Debug> fmt::Debug for StartServer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartServer")
            .field("on", &self.on)
            .field("streams", &self.common.streams)
            .finish_non_exhaustive()
    }
}
