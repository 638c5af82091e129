//! Servers: who listens, who is served, and how both end.

mod accept;
mod bind;
mod clients;
mod handler;

pub use bind::BindError;
pub use handler::{Handler, Outcome};

use crate::address::{Bind, IntoBind};
use crate::{Address, Attempt, StreamOptions};
use accept::Listening;
use clients::Clients;
use handler::Serve;
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Notify;

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
/// Awaited outside of a tokio runtime with its I/O enabled.
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
pub fn start_server<M>(handler: impl Handler<M>, addresses: impl IntoBind) -> StartServer {
    StartServer {
        serve: handler.into_serve(),
        bind: addresses.into_bind(),
        streams: StreamOptions::new(),
        limit: None,
        sockets: bind::SocketOptions::default(),
        start_serving: true,
        hook: None,
    }
}

/// A server to be started: see [`start_server`].
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
pub struct StartServer {
    serve: Serve,
    bind: Bind,
    streams: StreamOptions,
    limit: Option<usize>,
    sockets: bind::SocketOptions,
    start_serving: bool,
    hook: Option<Hook>,
}

type Hook = Arc<dyn Fn(&ServerEvent) + Send + Sync>;

impl StartServer {
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
        self.limit = Some(limit);
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
        self.streams = options;
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
        self.sockets.backlog = backlog;
        self
    }

    /// Whether other sockets may listen on the same port (`SO_REUSEPORT`). Off unless said otherwise. It
    /// concerns the addresses that are bound here, and exists on Unix only.
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
        self.sockets.reuse_port = reuse;
        self
    }

    /// Whether connections probe a silent peer (`SO_KEEPALIVE`). Off unless said otherwise.
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
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.sockets.keep_alive = keep_alive;
        self
    }

    /// With `false` the addresses are bound, and connections are refused until
    /// [`Server::start_serving`] or [`Server::serve_forever`]. A listener that was handed in listens
    /// already: its connections wait. asyncio: the `start_serving` of `start_server`.
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
        self.start_serving = start;
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
        self.hook = Some(Arc::new(hook));
        self
    }

    async fn start(mut self) -> Result<Server, BindError> {
        self.sockets.listen = self.start_serving;
        if let Some(limit) = self.limit {
            self.streams = self.streams.limit(limit);
        }
        let told = |event: &ServerEvent| tell(&self.hook, event);
        let sockets = bind::bind(self.bind, &self.sockets, told).await?;
        let local_addrs = sockets.iter().map(|(address, _)| *address).collect();
        let shared = Arc::new(Shared {
            local_addrs,
            serve: self.serve,
            streams: self.streams,
            sockets: self.sockets,
            hook: self.hook,
            runtime: Handle::current(),
            phase: Mutex::new(Phase::Bound(sockets)),
            clients: Clients::default(),
            changed: Notify::new(),
        });
        let server = Server { life: Arc::new(Life(shared)) };
        if self.start_serving {
            server.start_serving().map_err(BindError::listen)?;
        }
        Ok(server)
    }
}

impl IntoFuture for StartServer {
    type Output = Result<Server, BindError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// A server. Clones are the same server; dropping the last one is [`close`](Self::close): handlers that
/// run go on.
///
/// # Source
/// asyncio: `asyncio.Server`. diverges: there a server that is dropped goes on; here what nobody can close
/// any more does not listen.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # use highwater_net::{StreamReader, StreamWriter, start_server};
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("localhost", 0)).await?;
/// assert!(server.is_serving());
/// let stop = server.clone();
/// tokio::spawn(async move { stop.close() });
/// server.serve_forever().await?; // until somebody closes it
/// server.wait_closed().await;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Server {
    life: Arc<Life>,
}

/// Closes the server when the last [`Server`] goes. The tasks hold [`Shared`] only.
struct Life(Arc<Shared>);

pub(crate) struct Shared {
    local_addrs: Vec<SocketAddr>,
    serve: Serve,
    streams: StreamOptions,
    sockets: bind::SocketOptions,
    hook: Option<Hook>,
    runtime: Handle,
    phase: Mutex<Phase>,
    clients: Clients,
    /// Told when the phase or the clients change.
    changed: Notify,
}

enum Phase {
    Bound(Vec<(SocketAddr, socket2::Socket)>),
    Serving(Vec<Listening>),
    Closed,
}

impl Server {
    fn shared(&self) -> &Arc<Shared> {
        &self.life.0
    }

    /// The addresses that are bound, in the order in which they were given and resolved; also after the
    /// server was closed.
    ///
    /// # Source
    /// asyncio: `Server.sockets`. diverges: there the order varies from run to run, and `close` empties it;
    /// here logs and tests can rely on it.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).await?;
    /// let port = server.local_addrs()[0].port();
    /// server.close();
    /// assert_eq!(server.local_addrs()[0].port(), port);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.shared().local_addrs
    }

    /// Whether connections are accepted.
    ///
    /// # Source
    /// asyncio: `Server.is_serving`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).await?;
    /// assert!(server.is_serving());
    /// server.close();
    /// assert!(!server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn is_serving(&self) -> bool {
        matches!(*self.shared().phase(), Phase::Serving(_))
    }

    /// Starts to listen and accept. Any number of times.
    ///
    /// # Errors
    /// When the system refuses to listen, which closes the server; `NotConnected` after `close`.
    ///
    /// # Source
    /// asyncio: `Server.start_serving`. diverges: after `close` it is an error and changes nothing, since a
    /// closed server has no addresses left to listen on.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// let handler = |_: StreamReader, _: StreamWriter| async {};
    /// let server = start_server(handler, ("127.0.0.1", 0)).start_serving(false).await?;
    /// assert!(open_connection(server.local_addrs()[0]).await.is_err());
    /// server.start_serving()?;
    /// assert!(open_connection(server.local_addrs()[0]).await.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn start_serving(&self) -> io::Result<()> {
        let shared = self.shared();
        let mut phase = shared.phase();
        match &mut *phase {
            Phase::Serving(_) => Ok(()),
            Phase::Closed => Err(io::Error::new(io::ErrorKind::NotConnected, "the server was closed")),
            Phase::Bound(sockets) => {
                let sockets = std::mem::take(sockets);
                match accept::listen(shared, sockets) {
                    Ok(listening) => {
                        *phase = Phase::Serving(listening);
                        Ok(())
                    }
                    Err(error) => {
                        *phase = Phase::Closed;
                        drop(phase);
                        shared.changed.notify_waiters();
                        Err(error)
                    }
                }
            }
        }
    }

    /// Serves until the server is closed, which ends it well, also where it was closed before. Any number of
    /// tasks may wait here.
    ///
    /// # Errors
    /// Those of [`start_serving`](Self::start_serving).
    ///
    /// # Cancel safety
    /// Cancel safe: the server goes on serving.
    ///
    /// # Source
    /// asyncio: `Server.serve_forever`. diverges: `close` ends it with `Ok`, since to close a server is not
    /// to cancel a task; cancelling it does not close, since who waits for a server does not own it; and any
    /// number may wait.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).await?;
    /// let (one, another, ()) = tokio::join!(server.serve_forever(), server.serve_forever(), async {
    ///     server.close();
    /// });
    /// assert!(one.is_ok() && another.is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn serve_forever(&self) -> io::Result<()> {
        let is_to_start = matches!(*self.shared().phase(), Phase::Bound(_));
        if is_to_start {
            self.start_serving()?;
        }
        self.shared().wait_until(|shared| matches!(*shared.phase(), Phase::Closed)).await;
        Ok(())
    }

    /// Stops listening, at once: the addresses are free. Connections go on. Any number of times.
    ///
    /// # Source
    /// asyncio: `Server.close`.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("127.0.0.1", 0)).await?;
    /// server.close();
    /// assert!(open_connection(server.local_addrs()[0]).await.is_err());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn close(&self) {
        self.shared().close();
    }

    /// Closes every connection, as [`StreamWriter::close`](crate::StreamWriter) does, wherever its halves
    /// are. Handlers are not cancelled: their reads end.
    ///
    /// # Source
    /// asyncio: `Server.close_clients`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let hang = |mut reader: StreamReader, writer: StreamWriter| async move {
    ///     writer.write("welcome")?;
    ///     reader.read(1).await.map(drop).map_err(std::io::Error::from)
    /// };
    /// let server = start_server(hang, ("127.0.0.1", 0)).await?;
    /// let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await?;
    /// assert_eq!(reader.read(7).await?, "welcome");
    /// server.close_clients();
    /// assert_eq!(reader.read(1).await?, "");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn close_clients(&self) {
        for client in self.shared().clients.all() {
            client.close();
        }
    }

    /// Aborts every connection, as [`StreamWriter::abort`](crate::StreamWriter) does, wherever its halves
    /// are. Handlers are not cancelled: their reads and writes end in `ConnectionAborted`.
    ///
    /// # Source
    /// asyncio: `Server.abort_clients`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    /// let hang = move |mut reader: StreamReader, writer: StreamWriter| {
    ///     let told = told.clone();
    ///     async move {
    ///         writer.write("welcome").unwrap();
    ///         told.send(reader.read(1).await.unwrap_err().kind()).unwrap();
    ///     }
    /// };
    /// let server = start_server(hang, ("127.0.0.1", 0)).await?;
    /// let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await?;
    /// assert_eq!(reader.read(7).await?, "welcome");
    /// server.abort_clients();
    /// assert_eq!(hears.recv().await, Some(std::io::ErrorKind::ConnectionAborted));
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn abort_clients(&self) {
        for client in self.shared().clients.all() {
            client.abort();
        }
    }

    /// Waits until the server is closed, every connection is gone and every handler has ended. It does
    /// not close.
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// # Source
    /// asyncio: `Server.wait_closed`. diverges: it waits for handlers, too; when it returns, nothing of the
    /// server runs.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).await?;
    /// let client = open_connection(server.local_addrs()[0]).await?;
    /// drop(client);
    /// server.close();
    /// server.wait_closed().await;
    /// assert!(!server.is_serving());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn wait_closed(&self) {
        let is_done = |shared: &Shared| matches!(*shared.phase(), Phase::Closed) && shared.clients.is_empty();
        self.shared().wait_until(is_done).await;
    }
}

impl Shared {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut phase = self.phase();
        if let Phase::Serving(listening) = &*phase {
            for listener in listening {
                listener.close();
            }
        }
        // Only now: who sees it closed finds the addresses free and no client added any more.
        *phase = Phase::Closed;
        drop(phase);
        self.changed.notify_waiters();
    }

    async fn wait_until(&self, is_done: impl Fn(&Self) -> bool) {
        loop {
            // First the ticket, then the look: a change in between is not missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_done(self) {
                return;
            }
            changed.await;
        }
    }

    fn tell(&self, event: &ServerEvent) {
        tell(&self.hook, event);
    }
}

/// A panic in the hook is its own affair: what tells it, a listener or a connection, goes on.
fn tell(hook: &Option<Hook>, event: &ServerEvent) {
    let telling = AssertUnwindSafe(|| match hook {
        Some(hook) => hook(event),
        None => highwater_stream::report(format_args!("{event}")),
    });
    drop(catch_unwind(telling));
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a server tells to the hook of [`StartServer::on_error`].
///
/// ```
/// use highwater_net::{ServerEvent, StreamReader, StreamWriter, open_connection, start_server};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
/// let server = start_server(|_: StreamReader, _: StreamWriter| async { Err("no room") }, ("127.0.0.1", 0))
///     .on_error(move |event| {
///         if let ServerEvent::HandlerFailed { error, .. } = event {
///             told.send(error.to_string()).unwrap();
///         }
///     })
///     .await?;
/// let _client = open_connection(server.local_addrs()[0]).await?;
/// assert_eq!(hears.recv().await.unwrap(), "no room");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A handler returned an error. Its connection was closed.
    HandlerFailed {
        /// Whom it served.
        peer: Address,
        /// What it returned.
        error: Box<dyn Error + Send + Sync>,
    },
    /// A handler panicked. Its connection was closed.
    HandlerPanicked {
        /// Whom it served.
        peer: Address,
        /// What it said.
        message: String,
    },
    /// A connection could not be accepted. The listener goes on: at once if only that connection was at
    /// fault, else after a pause of 5 ms, twice as long each time, up to 1 s.
    AcceptFailed {
        /// Where it listens.
        local_addr: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// An address that the system lacks was skipped; others were bound.
    AddressSkipped(Attempt),
}

impl fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerEvent::HandlerFailed { peer, error } => write!(f, "the handler of {peer} failed: {error}"),
            ServerEvent::HandlerPanicked { peer, message } => {
                write!(f, "the handler of {peer} panicked: {message}")
            }
            ServerEvent::AcceptFailed { local_addr, error } => {
                write!(f, "a connection to {local_addr} could not be accepted: {error}")
            }
            ServerEvent::AddressSkipped(attempt) => write!(f, "an address was skipped: {attempt}"),
        }
    }
}

impl fmt::Debug for StartServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartServer")
            .field("bind", &self.bind)
            .field("streams", &self.streams)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addrs", &self.local_addrs())
            .field("is_serving", &self.is_serving())
            .finish_non_exhaustive()
    }
}
