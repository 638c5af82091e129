//! Futures that are given up: dropped before their first poll, after it, after the second, and so on.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use tokio_test::task;

/// Polls `future` at most `polls` times and drops it. After each poll that had to wait, `step` moves the
/// world on. The output, if it got that far.
pub fn poll_at_most<V>(future: impl Future<Output = V>, polls: usize, mut step: impl FnMut()) -> Option<V> {
    let mut future = task::spawn(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = future.poll() {
            return Some(output);
        }
        step();
    }
    None
}

/// [`poll_at_most`] inside a runtime, whose tasks go on after each poll.
pub async fn poll_at_most_beside<V>(
    future: impl Future<Output = V>,
    polls: usize,
    mut step: impl FnMut(),
) -> Option<V> {
    let mut future = pin!(future);
    for _ in 0..polls {
        // The waker of no task: the next poll comes anyway.
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()))
        {
            return Some(output);
        }
        step();
        crate::bounded::settle().await;
    }
    None
}

/// Runs `scenario` with 0, 1, 2, … polls until it says that its future was not cut short any more.
/// Returns how many times it was.
///
/// # Panics
/// When a thousand polls are not enough.
pub fn at_every_poll(mut scenario: impl FnMut(usize) -> bool) -> usize {
    (0..1000).find(|polls| scenario(*polls)).expect("no future here needs a thousand polls")
}
