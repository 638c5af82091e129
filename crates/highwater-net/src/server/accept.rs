//! Accepting: one task a listener, which survives whatever a single connection or a full table does, and
//! takes no more connections than there are places.

use super::bind::{Bound, Source};
use super::clients::Arrived;
use super::{ServerEvent, Shared, handler};
use crate::{Address, Incoming, Listener};
use std::future::poll_fn;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

/// The first pause after the system lacked something, and the longest: each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener, and the task that accepts from it once it runs. Clones are the same.
#[derive(Clone)]
pub(super) struct Listening(Arc<Slot>);

/// Where the task and `close` both reach the listener.
struct Slot {
    local_addr: Address,
    /// A listener of ours calls nobody back. What a caller's does is not known: it is asked, and dropped,
    /// outside of every lock that somebody else waits for.
    is_ours: bool,
    listener: Mutex<Open>,
    /// Held by the task while it asks. Who closes a listener of ours waits for the answer here.
    asking: Mutex<()>,
    /// Set once, after the task was started.
    task: OnceLock<AbortHandle>,
}

enum Open {
    Idle(Box<dyn Listener>),
    /// The task has it, and asks it outside of the lock.
    Asked,
    /// If it was being asked, the task finds this, and drops it.
    Closed,
}

impl Slot {
    fn listener(&self) -> MutexGuard<'_, Open> {
        locked(&self.listener)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listening {
    fn new(address: Address, source: Source) -> io::Result<Self> {
        let is_ours = !matches!(source, Source::Other(_));
        Ok(Self(Arc::new(Slot {
            local_addr: address,
            is_ours,
            listener: Mutex::new(Open::Idle(source.listen()?)),
            asking: Mutex::new(()),
            task: OnceLock::new(),
        })))
    }

    /// Starts the task. Without a lock: a runtime that has ended drops it here and now, which closes.
    pub(super) fn accept(&self, shared: &Arc<Shared>) {
        let accepting = Accepting { shared: Arc::clone(shared), slot: Arc::clone(&self.0) };
        let task = shared.runtime.spawn(accepting.all()).abort_handle();
        let task = self.0.task.get_or_init(|| task);
        // Closed in the meantime, by somebody who did not find the task.
        if matches!(*self.0.listener(), Open::Closed) {
            task.abort();
        }
    }

    /// Closes it: no client is added any more. A socket of ours is closed here and now. A caller's listener is
    /// returned, to be dropped where no lock is held; if it is being asked, the task drops it as it answers.
    pub(super) fn close(&self) -> Option<Box<dyn Listener>> {
        // What it is about to answer is a client, or was never taken from the queue.
        let _answered = self.0.is_ours.then(|| locked(&self.0.asking));
        let was = mem::replace(&mut *self.0.listener(), Open::Closed);
        if let Some(task) = self.0.task.get() {
            task.abort();
        }
        match was {
            Open::Idle(listener) if self.0.is_ours => {
                drop(listener);
                None
            }
            Open::Idle(listener) => Some(listener),
            Open::Asked | Open::Closed => None,
        }
    }
}

/// Some did not listen. The others are to be dropped where no lock is held.
pub(super) struct NotAll {
    pub(super) error: io::Error,
    pub(super) others: Vec<Listening>,
}

/// Listens on everything, or on nothing.
pub(super) fn listen(shared: &Shared, bound: Vec<Bound>) -> Result<Vec<Listening>, NotAll> {
    let _context = shared.runtime.enter();
    let mut listening = Vec::new();
    let mut failed = None;
    for Bound { address, source } in bound {
        match Listening::new(address, source) {
            Ok(one) => listening.push(one),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        None => Ok(listening),
        Some(error) => Err(NotAll { error, others: listening }),
    }
}

/// What the task owns. If it goes without a `close`, with its runtime, then nobody accepts any more, and
/// nobody is to wait in the kernel's queue: the server closes.
struct Accepting {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Accepting {
    /// asyncio: `_accept_connection`. diverges: when the system lacks something asyncio first fails on through
    /// the round, then rests for 1 s, and any other error it meets again at once; here the first failure begins
    /// a short rest that grows: quick to recover, slow to spin.
    async fn all(self) {
        let mut pause = FIRST_PAUSE;
        while let Some(accepted) = self.accept().await {
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
            let local_addr = self.slot.local_addr.clone();
            self.shared.tell(&ServerEvent::AcceptFailed { local_addr, error });
            if !is_about_one {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Accepts a connection and makes it a client, in one step: a `close` comes before both or after both.
    /// `None` once the listener is closed. diverges: in asyncio a `close` in between trips an assertion, and
    /// that client hangs.
    ///
    /// A place is taken before the listener is asked, so that there are never more clients than places, not even
    /// for a moment. While nobody comes it is given back, for another listener may need it.
    async fn accept(&self) -> Option<io::Result<Arrived>> {
        loop {
            let place = Arc::clone(&self.shared.places).acquire_owned().await.ok()?;
            let mut place = Some(place);
            let asked = poll_fn(|cx| {
                // Woken: somebody may have come. From the start, with a place.
                let Some(place) = place.take() else { return Poll::Ready(None) };
                self.ask(place, cx).map(Some)
            });
            if let Some(accepted) = asked.await {
                return accepted;
            }
        }
    }

    fn ask(&self, place: OwnedSemaphorePermit, cx: &mut Context<'_>) -> Poll<Option<io::Result<Arrived>>> {
        let _asking = locked(&self.slot.asking);
        let mut listener = {
            let mut open = self.slot.listener();
            match mem::replace(&mut *open, Open::Asked) {
                Open::Idle(listener) => listener,
                closed => {
                    *open = closed;
                    return Poll::Ready(None);
                }
            }
        };
        let accepted = catch_unwind(AssertUnwindSafe(|| listener.poll_accept(cx)));
        let mut open = self.slot.listener();
        if matches!(*open, Open::Closed) {
            drop(open);
            // Whoever has come is turned away with the listener.
            return Poll::Ready(None);
        }
        *open = Open::Idle(listener);
        // With the lock: a `close` that comes now finds the client.
        let accepted: Poll<io::Result<Incoming>> = accepted.unwrap_or_else(|panic| {
            let message = handler::message(&*panic);
            Poll::Ready(Err(io::Error::other(format!("the listener panicked: {message}"))))
        });
        accepted.map_ok(|incoming| Arrived::new(&self.shared, place, incoming)).map(Some)
    }
}

/// Whether an accept failed for reasons of that connection, so that the next may be tried at once. All
/// others pause, so that a system that lacks something is not asked without end.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
