//! Tests that end: each runs on a thread and a runtime of its own, and one that hangs, in a wait or in a
//! lock, fails instead of standing still.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Real time that no test comes near, also on a slow machine. Nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs `test` on a thread of its own.
///
/// # Panics
/// When `test` does, or when it has not ended after a minute and a half.
pub fn bounded<V: Send + 'static>(test: impl FnOnce() -> V + Send + 'static) -> V {
    bounded_by(PATIENCE, test)
}

/// The same for a test that does a lot.
///
/// # Panics
/// When `test` does, or when it has not ended in that time.
pub fn bounded_by<V: Send + 'static>(patience: Duration, test: impl FnOnce() -> V + Send + 'static) -> V {
    let (done, wait) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("test").to_owned();
    let thread = thread::Builder::new()
        .name(name)
        .spawn(move || {
            let _sent_when_dropped = done;
            test()
        })
        .expect("threads can be started");
    match wait.recv_timeout(patience) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still running after {patience:?}"),
        // The sender is dropped at the end, by a panic too.
        _ => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
    }
}

/// Runs `test` to its end on a runtime of one thread.
pub fn run<V: Send + 'static>(test: impl Future<Output = V> + Send + 'static) -> V {
    bounded(|| one_thread().block_on(test))
}

/// The same, with the clock paused: it moves on only when everybody waits.
pub fn run_paused<V: Send + 'static>(test: impl Future<Output = V> + Send + 'static) -> V {
    bounded(|| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime can be built").block_on(test)
    })
}

/// Runs `test` to its end on a runtime of two workers.
pub fn run_on_workers<V: Send + 'static>(test: impl Future<Output = V> + Send + 'static) -> V {
    bounded(|| two_workers().block_on(test))
}

/// A runtime of one thread.
pub fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

/// A runtime of two workers.
pub fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be built")
}

/// Lets every other task of a one-thread runtime go on until it has to wait.
pub async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}
