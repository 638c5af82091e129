//! Wakers that wake late, and from another task.

use std::sync::Arc;
use std::task::{Wake, Waker};
use tokio::runtime::Handle;
use tokio::task::yield_now;

/// A waker that lets other tasks go first: once woken, a task of its own wakes `waker` after so many turns.
/// Outside of a runtime there is no such task, and it wakes at once.
pub(super) fn late(waker: &Waker, turns: u64) -> Waker {
    match Handle::try_current() {
        Ok(runtime) => Waker::from(Arc::new(Late { waker: waker.clone(), turns, runtime })),
        Err(_) => waker.clone(),
    }
}

struct Late {
    waker: Waker,
    turns: u64,
    runtime: Handle,
}

impl Wake for Late {
    fn wake(self: Arc<Self>) {
        let (alarm, turns) = (Alarm(self.waker.clone()), self.turns);
        self.runtime.spawn(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            drop(alarm);
        });
    }
}

/// Wakes when it is dropped, so that nobody sleeps on when a runtime drops its tasks.
struct Alarm(Waker);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.wake_by_ref();
    }
}
