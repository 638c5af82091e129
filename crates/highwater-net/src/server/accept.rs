//! Accepting: one task a listener, which survives whatever a single connection or a full table does.

use super::{ServerEvent, Shared, clients};
use crate::address::adopt_tcp;
use socket2::{SockRef, Socket};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The first pause after the system lacked something, and the longest: each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener and the task that accepts from it.
pub(super) struct Listening {
    slot: Arc<Slot>,
    task: AbortHandle,
}

/// Where the task and `close` both reach the listener: `None` once it is closed.
struct Slot(Mutex<Option<TcpListener>>);

impl Slot {
    fn listener(&self) -> MutexGuard<'_, Option<TcpListener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    /// Closes the socket, here and now.
    pub(super) fn close(&self) {
        drop(self.slot.listener().take());
        self.task.abort();
    }
}

/// Listens on every socket, or on none.
pub(super) fn listen(shared: &Arc<Shared>, sockets: Vec<(SocketAddr, Socket)>) -> io::Result<Vec<Listening>> {
    let _context = shared.runtime.enter();
    let backlog = shared.sockets.backlog();
    let listeners = sockets.into_iter().map(|(address, socket)| {
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        Ok((address, TcpListener::from_std(socket.into())?))
    });
    let listeners: Vec<_> = listeners.collect::<io::Result<_>>()?;
    let listening = listeners.into_iter().map(|(address, listener)| {
        let slot = Arc::new(Slot(Mutex::new(Some(listener))));
        let accepting = accept_all(Arc::clone(shared), address, Arc::clone(&slot));
        Listening { slot, task: shared.runtime.spawn(accepting).abort_handle() }
    });
    Ok(listening.collect())
}

/// asyncio: `_accept_connection`. diverges: when the system lacks something asyncio first fails on through
/// the round, then rests for 1 s, and any other error it meets again at once; here the first failure begins
/// a short rest that grows: quick to recover, slow to spin.
async fn accept_all(shared: Arc<Shared>, local_addr: SocketAddr, slot: Arc<Slot>) {
    let mut pause = FIRST_PAUSE;
    while let Some(accepted) = accept(&shared, &slot).await {
        let Err(error) = accepted else {
            pause = FIRST_PAUSE;
            continue;
        };
        let is_about_one = is_about_one_connection(&error);
        shared.tell(&ServerEvent::AcceptFailed { local_addr, error });
        if !is_about_one {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Accepts a connection and makes it a client, in one step: a `close` comes before both or after both.
/// `None` once the listener is closed. diverges: in asyncio a `close` in between trips an assertion, and that
/// client hangs.
async fn accept(shared: &Arc<Shared>, slot: &Slot) -> Option<io::Result<()>> {
    poll_fn(|cx| {
        let listener = slot.listener();
        let Some(open) = &*listener else { return Poll::Ready(None) };
        open.poll_accept(cx).map(|accepted| Some(accepted.map(|(socket, peer)| admit(shared, socket, peer))))
    })
    .await
}

fn admit(shared: &Arc<Shared>, socket: TcpStream, peer: SocketAddr) {
    if shared.sockets.keep_alive {
        // It fails on a socket that is gone already, which the first read will tell.
        SockRef::from(&socket).set_keepalive(true).ok();
    }
    let (transport, facts) = adopt_tcp(socket, Some(peer));
    clients::serve(shared, transport, facts);
}

/// Whether an accept failed for reasons of that connection, so that the next may be tried at once. All
/// others pause, so that a system that lacks something is not asked without end.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
