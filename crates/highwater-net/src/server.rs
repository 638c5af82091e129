//! Servers: who listens, who is served, and how both end.

mod accept;
mod bind;
mod bind_to;
mod clients;
mod counts;
mod error;
mod event;
mod handler;
mod service;
mod shutdown;
#[cfg(unix)]
mod socket_file;
mod start;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "server/untraced.rs"]
mod trace;

#[cfg(unix)]
pub use bind_to::BindPath;
pub use bind_to::{BindListeners, BindNames, IntoBind};
pub use counts::Counts;
pub use error::BindError;
pub use event::ServerEvent;
pub use handler::{Handler, Outcome};
pub use shutdown::Shutdown;
#[cfg(unix)]
pub use start::start_unix_server;
pub use start::{StartServer, start_server};

#[cfg(feature = "tls")]
use crate::ServerTls;
use crate::options::OnUnsent;
use crate::{Address, KeepAlive, Listener, StreamOptions};
use accept::{Listening, NotAll};
use bind::Bound;
use clients::Clients;
use event::{Hook, tell};
use handler::Serve;
use start::Admit;
use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

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

pub(super) struct Shared {
    endpoints: Vec<Address>,
    /// Those of the endpoints that are of the internet.
    local_addrs: Vec<SocketAddr>,
    serve: Serve,
    streams: StreamOptions,
    hook: Option<Hook>,
    /// The hook, as each connection has it.
    on_unsent: Arc<OnUnsent>,
    admit: Option<Admit>,
    keep_alive: Option<KeepAlive>,
    #[cfg(feature = "tls")]
    tls: Option<ServerTls>,
    runtime: Handle,
    phase: Mutex<Phase>,
    clients: Clients,
    /// A permit for each connection that may still be accepted. One is taken before the accept and given
    /// back when that client is gone.
    places: Arc<Semaphore>,
    /// Set once, when handlers that still run are dropped.
    is_cancelled: AtomicBool,
    /// Told when the phase or the clients change.
    changed: Notify,
}

enum Phase {
    Bound(Vec<Bound>),
    Serving(Vec<Listening>),
    Closed,
}

impl Server {
    fn new(shared: Shared) -> Self {
        Self { life: Arc::new(Life(Arc::new(shared))) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.life.0
    }

    /// The internet addresses that are bound, in the order in which they were given and resolved; also after the
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

    /// Everything that the server listens on, in the order in which it was given and resolved: internet
    /// addresses, Unix sockets, and what other listeners call themselves; also after the server was closed.
    ///
    /// # Source
    /// asyncio: `Server.sockets`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, start_server};
    /// # async fn serve(_: StreamReader, _: StreamWriter) {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let server = start_server(serve, ("127.0.0.1", 0)).await?;
    /// assert_eq!(server.endpoints()[0].to_string(), server.local_addrs()[0].to_string());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn endpoints(&self) -> &[Address] {
        &self.shared().endpoints
    }

    /// What the server has seen so far, in numbers that fit together.
    ///
    /// # Source
    /// asyncio: none.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let greet = |_: StreamReader, writer: StreamWriter| async move { writer.write("hello\n") };
    /// let server = start_server(greet, ("127.0.0.1", 0)).await?;
    /// let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await?;
    /// reader.read_line().await?;
    /// assert_eq!(server.counts().accepted, 1);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn counts(&self) -> Counts {
        self.shared().clients.counts()
    }

    /// Whether connections are accepted. Not after [`close`](Self::close), and not after the runtime on which
    /// the server was started has ended, which closes it.
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
    /// When the system refuses to listen, which closes the server; `NotConnected` after `close`, and when its
    /// runtime has ended.
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
        let sources = match &mut *phase {
            Phase::Serving(_) => return Ok(()),
            Phase::Closed => return Err(was_closed()),
            Phase::Bound(sources) => mem::take(sources),
        };
        match accept::listen(shared, sources) {
            Ok(listening) => {
                *phase = Phase::Serving(listening.clone());
                drop(phase);
                for one in &listening {
                    one.accept(shared);
                }
                // By somebody else, or by a runtime that has ended.
                if matches!(*shared.phase(), Phase::Closed) { Err(was_closed()) } else { Ok(()) }
            }
            Err(NotAll { error, others }) => {
                *phase = Phase::Closed;
                drop(phase);
                shared.changed.notify_waiters();
                drop(others);
                Err(error)
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

    /// Stops listening, at once: the addresses are free, and the file of a Unix socket that the server made is
    /// gone. No client is added any more. Connections go on. Any number of times, and from anywhere: a handler,
    /// a hook, a [`Listener`](crate::Listener).
    ///
    /// A `Box<dyn Listener>` that is being asked for a connection at that moment is dropped as soon as it has
    /// answered, by the task that asked; and so is what it answers. Any other is dropped here.
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

fn unsent(hook: Option<Hook>) -> Arc<OnUnsent> {
    Arc::new(move |error, facts| {
        let (peer, error) = (facts.peer_addr().clone(), error.clone());
        tell(&hook, &ServerEvent::Unsent { peer, error });
    })
}

impl Shared {
    fn new(bound: Vec<Bound>, serve: Serve, streams: StreamOptions) -> Self {
        let endpoints: Vec<Address> = bound.iter().map(|bound| bound.address.clone()).collect();
        Self {
            local_addrs: endpoints.iter().filter_map(Address::socket_addr).collect(),
            endpoints,
            serve,
            streams,
            hook: None,
            on_unsent: unsent(None),
            admit: None,
            keep_alive: None,
            #[cfg(feature = "tls")]
            tls: None,
            runtime: Handle::current(),
            phase: Mutex::new(Phase::Bound(bound)),
            clients: Clients::default(),
            places: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            is_cancelled: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    fn with_hooks(self, hook: Option<Hook>, admit: Option<Admit>) -> Self {
        let on_unsent = unsent(hook.clone());
        Self { hook, on_unsent, admit, ..self }
    }

    fn with_bounds(self, max_connections: usize, keep_alive: Option<KeepAlive>) -> Self {
        let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Self { places, keep_alive, ..self }
    }

    #[cfg(feature = "tls")]
    fn with_tls(self, tls: Option<ServerTls>) -> Self {
        Self { tls, ..self }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut phase = self.phase();
        let others: Vec<Box<dyn Listener>> = match &mut *phase {
            Phase::Bound(bound) => {
                mem::take(bound).into_iter().filter_map(|bound| bound.source.close()).collect()
            }
            Phase::Serving(listening) => listening.iter().filter_map(Listening::close).collect(),
            Phase::Closed => return,
        };
        // Only now: who sees it closed finds the addresses free and no client added any more.
        *phase = Phase::Closed;
        drop(phase);
        // Without a lock: they may look at the server as they go. A panic there is theirs.
        drop(catch_unwind(AssertUnwindSafe(|| drop(others))));
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

fn was_closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the server was closed")
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("endpoints", &self.endpoints())
            .field("is_serving", &self.is_serving())
            .finish_non_exhaustive()
    }
}
