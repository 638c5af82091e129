//! Who sends what was queued, so that nobody can forget a flush, and ends what was closed.
//!
//! It is a task that starts with the first write and is woken at most once for a burst; or, on a runtime of one
//! thread, a part of the one task that a server has for a connection. Its clock bounds every wait in which nobody
//! else may be left: a delivery that stands still, and the linger.

use crate::TransportError;
use crate::connection::{Connection, Standing};
use crate::waiters::Slot;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a read goes on, after the writer has met a loss, although nothing is there. When this has passed,
/// the runtime has looked at its sockets once more: it does so before it looks at its clock.
const READING_OUT: Duration = Duration::from_millis(20);

/// Starts the task on `runtime`. On one that has ended it is dropped at once, which pushes a last time.
pub(crate) fn start<T, F>(runtime: &Handle, connection: Arc<Connection<T, F>>)
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    runtime.spawn(Flusher::new(connection));
}

/// What a program polls that serves a connection in one task, after what else the task does. It is ready once the
/// connection is gone.
///
/// On a runtime of one thread it is the connection's flusher, which costs neither a task nor a wake-up for each
/// burst. Dropped early, it hands the transport what that takes there and then, as a flusher does whose runtime
/// ends. With more threads the flusher is a task of its own, since the task may block its thread and others not.
#[doc(hidden)]
#[must_use = "nothing is sent unless it is polled"]
pub struct Attendant<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    part: Part<T, F>,
    connection: Arc<Connection<T, F>>,
}

enum Part<T: AsyncWrite + Unpin, F> {
    Sends(Flusher<T, F>),
    /// Another task sends, or the transport has panicked, which would have ended that task.
    Waits(Slot),
}

impl<T, F> Attendant<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    pub(crate) fn new(connection: Arc<Connection<T, F>>) -> Self {
        let flavor = connection.runtime().map(|runtime| runtime.runtime_flavor());
        let part = if let Some(RuntimeFlavor::CurrentThread) = flavor {
            connection.outbox.expect_flusher();
            Part::Sends(Flusher::new(Arc::clone(&connection)))
        } else {
            Part::Waits(None)
        };
        Self { part, connection }
    }

    pub fn facts(&self) -> &F {
        &self.connection.facts
    }

    /// Before whatever else is polled in the task: what that writes wakes nobody.
    pub fn begin(&self) {
        if let Part::Sends(_) = self.part {
            self.connection.outbox.flusher_is_awake();
        }
    }

    /// After that: sends, and ends what is to end. `Ready` once the connection is gone.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Part::Sends(flusher) = &mut self.part {
            // The rest of the task may have used up its turn, each time, and is not to keep all that it writes by that.
            let sending = AssertUnwindSafe(|| pin!(unconstrained(Pin::new(flusher))).poll(cx));
            if let Ok(polled) = catch_unwind(sending) {
                return polled;
            }
            let failed = mem::replace(&mut self.part, Part::Waits(None));
            drop(catch_unwind(AssertUnwindSafe(|| drop(failed)))); // It pushes a last time.
        }
        let Part::Waits(slot) = &mut self.part else { return Poll::Pending };
        self.connection.poll_gone(slot, cx)
    }
}

impl<T, F> Drop for Attendant<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if let Part::Waits(slot) = &mut self.part {
            self.connection.outbox.leave(slot);
        }
    }
}

impl<T, F> fmt::Debug for Attendant<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendant").field("is_gone", &self.connection.outbox.is_over()).finish()
    }
}

struct Flusher<T: AsyncWrite + Unpin, F> {
    connection: Arc<Connection<T, F>>,
    has_run: bool,
    /// The wait in course and its clock. Invariant: the clock counts from when the standing was reached.
    wait: Option<(Standing, Pin<Box<Sleep>>)>,
    lingering_since: Option<Instant>,
}

impl<T: AsyncWrite + Unpin, F> Flusher<T, F> {
    fn new(connection: Arc<Connection<T, F>>) -> Self {
        Self { connection, has_run: false, wait: None, lingering_since: None }
    }

    /// How long `standing` may last.
    fn patience(&mut self, standing: Standing) -> Option<Duration> {
        match standing {
            Standing::Idle | Standing::Gone => None,
            Standing::Stalled { unattended: true, .. } => Some(self.connection.farewell().delivery_timeout),
            Standing::Stalled { unattended: false, .. } => self.connection.manners.write_timeout,
            Standing::ReadingOut => Some(READING_OUT),
            Standing::Lingering { .. } => {
                let linger = self.connection.farewell().linger;
                let since = *self.lingering_since.get_or_insert_with(Instant::now);
                Some(linger.silence.min(linger.total.saturating_sub(since.elapsed())))
            }
        }
    }
}

impl<T: AsyncWrite + Unpin, F> Future for Flusher<T, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.has_run = true;
        loop {
            let standing = self.connection.drive(cx);
            if standing == Standing::Gone {
                return Poll::Ready(());
            }
            if self.wait.as_ref().is_none_or(|(waited_for, _)| *waited_for != standing) {
                self.wait = self.patience(standing).map(|patience| {
                    // A time-out past the clock's range is as good as none.
                    let patience = patience.min(Duration::from_secs(86_400 * 365 * 30));
                    (standing, Box::pin(sleep_until(Instant::now() + patience)))
                });
            }
            let Some((_, sleep)) = &mut self.wait else { return Poll::Pending };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.wait = None;
            if let Standing::Lingering { .. } = standing {
                self.connection.give_up_linger();
            } else if standing == Standing::ReadingOut {
                self.connection.outbox.read_out();
            } else {
                let after = self.patience(standing).unwrap_or_default();
                let queued = self.connection.outbox.queued();
                self.connection.abort(TransportError::write_timed_out(after, queued));
            }
        }
    }
}

impl<T: AsyncWrite + Unpin, F> Drop for Flusher<T, F> {
    fn drop(&mut self) {
        if self.connection.outbox.is_over() {
            return;
        }
        if self.has_run {
            self.connection.last_push();
        } else {
            self.connection.last_push_unless_in_use();
        }
    }
}
