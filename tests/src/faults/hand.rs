//! Who performs the operations of an end: each future is polled by its own task, and one of them is given up
//! where the fault says so.

use super::fault::{Fault, Moment, Side};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

/// No operation has to wait so often, a millisecond each.
const MOST: usize = 1_000_000;

/// Performs the operations of one end.
#[derive(Clone, Debug)]
pub struct Hand(Rc<State>);

#[derive(Debug)]
struct State {
    /// How many polls the operations have had.
    polls: Cell<usize>,
    gives_up: Option<(usize, Moment)>,
    is_harried: bool,
    gave_up: Cell<bool>,
}

impl Hand {
    /// For one end.
    pub fn new(side: Side, fault: Fault) -> Self {
        let gives_up = match fault {
            Fault::Dropped { at, poll, moment } if at == side => Some((poll, moment)),
            _ => None,
        };
        let is_harried = matches!(fault, Fault::Harried { at } if at == side);
        Self(Rc::new(State { polls: Cell::new(0), gives_up, is_harried, gave_up: Cell::new(false) }))
    }

    /// Performs an operation that can be called again, and calls it again when it was given up.
    pub async fn perform<T>(&self, mut operation: impl AsyncFnMut() -> T) -> T {
        if !self.0.is_harried {
            return self.insist(operation).await;
        }
        for _ in 0..MOST {
            if let Poll::Ready(output) = poll_once(operation()).await {
                return output;
            }
            self.0.gave_up.set(true);
            // Others go on meanwhile; nobody is there to be woken.
            sleep(Duration::from_millis(1)).await;
        }
        panic!("it makes no way");
    }

    /// The same, of an operation that makes no way in a poll or two.
    pub async fn insist<T>(&self, mut operation: impl AsyncFnMut() -> T) -> T {
        loop {
            if let Some(output) = self.attempt(operation()).await {
                return output;
            }
        }
    }

    /// Performs an operation. `None`: it was given up, and its future is dropped.
    pub async fn attempt<F: Future>(&self, operation: F) -> Option<F::Output> {
        let state = &*self.0;
        let mut operation = pin!(operation);
        poll_fn(|cx| {
            let poll = state.polls.replace(state.polls.get() + 1);
            let chosen = state.gives_up.filter(|(at, _)| *at == poll).map(|(_, moment)| moment);
            if chosen == Some(Moment::Woken) {
                state.gave_up.set(true);
                return Poll::Ready(None);
            }
            let polled = operation.as_mut().poll(cx).map(Some);
            if polled.is_pending() && chosen == Some(Moment::Waiting) {
                state.gave_up.set(true);
                return Poll::Ready(None);
            }
            polled
        })
        .await
    }

    /// How many polls the operations have had.
    pub fn polls(&self) -> usize {
        self.0.polls.get()
    }

    /// Whether one was given up.
    pub fn gave_up(&self) -> bool {
        self.0.gave_up.get()
    }
}

/// One poll, after which the future is dropped.
async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
