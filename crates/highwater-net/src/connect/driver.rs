//! Obeys the race: starts attempts, waits for them, and closes the losers.

use super::error::Tried;
use super::race::{Order, Pace, Race};
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::{Instant, sleep_until};

/// An attempt that goes on. Dropped, it closes its socket.
type Running<Fut> = Vec<(usize, Pin<Box<Fut>>)>;

/// The socket of the first address that connects, if one does; what became of the others is in `tried`.
///
/// When it returns, and when it is dropped, no other socket is left: also not one that has connected, too.
pub(super) async fn first_of<S, Fut: Future<Output = io::Result<S>>>(
    addresses: &[SocketAddr],
    pace: Pace,
    tried: &mut Tried,
    attempt: impl Fn(SocketAddr) -> Fut,
) -> Option<S> {
    let start = Instant::now();
    let mut race = Race::new(addresses.len(), pace);
    let mut running: Running<Fut> = Vec::new();
    loop {
        let until = match race.next(start.elapsed()) {
            Order::Start(index) => {
                tried.start(addresses[index]);
                running.push((index, Box::pin(attempt(addresses[index]))));
                continue;
            }
            Order::GiveUp(index) => {
                running.retain(|(at, _)| *at != index);
                tried.give_up(index, pace.attempt_timeout);
                continue;
            }
            Order::Lost => return None,
            Order::Wait(until) => until.and_then(|until| start.checked_add(until)),
        };
        match ended(&mut running, until).await {
            Some((_, Ok(socket))) => return Some(socket),
            Some((index, Err(error))) => {
                race.failed(index);
                tried.fail(index, error);
            }
            None => {}
        }
    }
}

/// The next attempt that ends, the earliest if several do; `None` at the time. It is not running any more.
async fn ended<S, Fut: Future<Output = io::Result<S>>>(
    running: &mut Running<Fut>,
    until: Option<Instant>,
) -> Option<(usize, io::Result<S>)> {
    let attempts = poll_fn(|cx| {
        let mut spent = None;
        for place in 0..running.len() {
            let (index, attempt) = &mut running[place];
            if let Poll::Ready(result) = attempt.as_mut().poll(cx) {
                let index = *index;
                running.remove(place);
                return Poll::Ready((index, result));
            }
            if spent.is_none() && !has_budget_remaining() {
                spent = Some(place);
            }
        }
        // One that uses up the task's turn each time is not to keep the others from theirs.
        if let Some(place) = spent {
            running.rotate_left(place + 1);
        }
        Poll::Pending
    });
    let Some(until) = until else { return Some(attempts.await) };
    // Nor from the clock.
    let (mut attempts, mut alarm) = (pin!(attempts), pin!(unconstrained(sleep_until(until))));
    poll_fn(|cx| match attempts.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending => alarm.as_mut().poll(cx).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests;
