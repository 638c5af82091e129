//! How a server comes to its end in a bounded time, or with the scope that it was made for.

use super::{Server, Shared};
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// Between the close of the clients and their abort.
const GRACE: Duration = Duration::from_secs(1);

/// How a [`Server::shutdown`] went: all zero if everybody was done before the deadline.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # use highwater_net::{Shutdown, StreamReader, StreamWriter, start_server};
/// # use std::time::Duration;
/// let server = start_server(|_: StreamReader, _: StreamWriter| async {}, ("127.0.0.1", 0)).await?;
/// assert_eq!(server.shutdown(Duration::from_secs(10)).await, Shutdown::default());
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// Connections that were there at the deadline, and were closed.
    pub closed: usize,
    /// Those of them that were still there a second later, and were aborted.
    pub aborted: usize,
    /// Handlers that still ran then, and were cancelled.
    pub cancelled: usize,
}

impl Server {
    /// Ends the server within a bounded time, gently at first:
    ///
    /// 1. It stops accepting, as [`close`](Self::close) does. Handlers may finish.
    /// 2. After `deadline` connections are closed, as [`close_clients`](Self::close_clients) does: what is
    ///    queued is delivered, and reads end.
    /// 3. After 1 s more they are aborted, as [`abort_clients`](Self::abort_clients) does, and handlers that
    ///    still run are cancelled: their futures are dropped where they wait.
    ///
    /// It returns as soon as every connection is gone and every handler has ended. A `deadline` of zero begins
    /// with the second step. Several tasks may call it: the earliest deadline counts, and each is told what it
    /// saw. A handler that blocks its thread cannot be cancelled, and is waited for.
    ///
    /// # Cancel safety
    /// Cancelled, the server stays closed, and what has not happened yet does not happen. It may be called
    /// again.
    ///
    /// # Source
    /// asyncio: none; `close`, `close_clients` and `abort_clients` there are for each program to arrange, and
    /// `wait_closed` may hang on an idle client (gh-120866).
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use std::time::Duration;
    /// let listen_on = |mut reader: StreamReader, writer: StreamWriter| async move {
    ///     writer.write("welcome\n").unwrap();
    ///     while let Ok(Some(_)) = reader.read_line().await {}
    /// };
    /// let server = start_server(listen_on, ("127.0.0.1", 0)).await?;
    /// let (mut reader, writer) = open_connection(server.local_addrs()[0]).await?;
    /// reader.read_line().await?;
    ///
    /// let idle = tokio::spawn(async move {
    ///     let end = reader.read(1).await;
    ///     drop(writer);
    ///     end
    /// });
    /// let report = server.shutdown(Duration::from_millis(10)).await;
    /// assert_eq!((report.closed, report.cancelled), (1, 0));
    /// # drop(idle);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn shutdown(&self, deadline: Duration) -> Shutdown {
        let mut report = Shutdown::default();
        self.close();
        if timeout(deadline, self.wait_closed()).await.is_ok() {
            return report;
        }
        let clients = &self.shared().clients;
        report.closed = clients.connected();
        self.close_clients();
        if timeout(GRACE, self.wait_closed()).await.is_ok() {
            return report;
        }
        (report.aborted, report.cancelled) = (clients.connected(), clients.handled());
        self.abort_clients();
        self.shared().cancel_handlers();
        self.wait_closed().await;
        report
    }

    /// Serves while `future` runs; then closes, and waits until every connection is gone and every handler
    /// has ended. Returns what `future` returned. A server that was not started is for `future` to start.
    ///
    /// It waits as long as clients stay: to bound that, let `future` end in a [`shutdown`](Self::shutdown).
    ///
    /// # Panics
    /// When `future` does. The server is closed by then.
    ///
    /// # Cancel safety
    /// Cancelled, it closes the server; connections go on.
    ///
    /// # Source
    /// asyncio: `async with server`.
    ///
    /// ```
    /// # use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let greet = |_: StreamReader, writer: StreamWriter| async move { writer.write("hello\n") };
    /// let server = start_server(greet, ("127.0.0.1", 0)).await?;
    /// let line = server.serve_until(async {
    ///     let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await.unwrap();
    ///     reader.read_line().await.unwrap()
    /// });
    /// assert_eq!(line.await.unwrap(), "hello\n");
    /// assert_eq!(server.counts().open, 0);
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn serve_until<F: Future>(&self, future: F) -> F::Output {
        let closes = Closes(self);
        let output = future.await;
        drop(closes);
        self.wait_closed().await;
        output
    }
}

struct Closes<'a>(&'a Server);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Shared {
    /// Drops the futures of the handlers, each in its task, also where one is about to start. For good: a closed
    /// server gets no new ones.
    fn cancel_handlers(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        // A task that is not known yet looks after it is.
        self.clients.wake();
    }
}
