//! Accepting: one task a listener, which survives whatever a single connection or a full table does, and
//! takes no more connections than there are places.

use super::bind::Bound;
use super::clients::Arrived;
use super::{ServerEvent, Shared, handler};
use crate::{Address, Incoming, Listener};
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
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
struct Slot(Mutex<Option<Box<dyn Listener>>>);

impl Slot {
    fn listener(&self) -> MutexGuard<'_, Option<Box<dyn Listener>>> {
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

/// Listens on everything, or on nothing.
pub(super) fn listen(shared: &Arc<Shared>, bound: Vec<Bound>) -> io::Result<Vec<Listening>> {
    let _context = shared.runtime.enter();
    let listeners = bound.into_iter().map(|Bound { address, source }| Ok((address, source.listen()?)));
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
async fn accept_all(shared: Arc<Shared>, local_addr: Address, slot: Arc<Slot>) {
    let mut pause = FIRST_PAUSE;
    while let Some(accepted) = accept(&shared, &slot).await {
        let error = match accepted {
            Ok(arrived) => {
                // Outside of the listener's lock: the server may be closed from in there.
                arrived.judge_and_serve();
                pause = FIRST_PAUSE;
                continue;
            }
            Err(error) => error,
        };
        let is_about_one = is_about_one_connection(&error);
        shared.tell(&ServerEvent::AcceptFailed { local_addr: local_addr.clone(), error });
        if !is_about_one {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Accepts a connection and makes it a client, in one step: a `close` comes before both or after both.
/// `None` once the listener is closed. diverges: in asyncio a `close` in between trips an assertion, and that
/// client hangs.
///
/// A place is taken before the listener is asked, so that there are never more clients than places, not even
/// for a moment. While nobody comes it is given back, for another listener may need it.
async fn accept(shared: &Arc<Shared>, slot: &Slot) -> Option<io::Result<Arrived>> {
    loop {
        let place = Arc::clone(&shared.places).acquire_owned().await.ok()?;
        let mut place = Some(place);
        let asked = poll_fn(|cx| {
            // Woken: somebody may have come. From the start, with a place.
            let Some(place) = place.take() else { return Poll::Ready(None) };
            ask(shared, slot, place, cx).map(Some)
        });
        if let Some(accepted) = asked.await {
            return accepted;
        }
    }
}

fn ask(
    shared: &Arc<Shared>,
    slot: &Slot,
    place: OwnedSemaphorePermit,
    cx: &mut Context<'_>,
) -> Poll<Option<io::Result<Arrived>>> {
    let mut listener = slot.listener();
    let Some(open) = &mut *listener else { return Poll::Ready(None) };
    let accepted: Poll<io::Result<Incoming>> = catch_unwind(AssertUnwindSafe(|| open.poll_accept(cx)))
        .unwrap_or_else(|panic| {
            let message = handler::message(&*panic);
            Poll::Ready(Err(io::Error::other(format!("the listener panicked: {message}"))))
        });
    accepted.map_ok(|incoming| Arrived::new(shared, place, incoming)).map(Some)
}

/// Whether an accept failed for reasons of that connection, so that the next may be tried at once. All
/// others pause, so that a system that lacks something is not asked without end.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
