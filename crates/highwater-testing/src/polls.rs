//! Futures that are given up: dropped before their first poll, after it, after the second, and so on.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

/// A future that has not ended after so many polls never will.
const MOST: usize = 1000;

/// How many polls the future of a run gets before it is dropped. See [`at_every_poll`].
#[derive(Clone, Debug)]
pub struct Polls {
    most: usize,
    /// Whether the future of this run came to its end. Set once it is over.
    has_ended: Arc<OnceLock<bool>>,
}

/// Runs `scenario` with 0, 1, 2, … polls until its future is not cut short any more. The scenario sets up its
/// world, gives the future to [`Polls::run`], and checks what became of the world. How many futures were cut
/// short.
///
/// # Panics
/// When a thousand polls are not enough, or when the scenario gives no future to its [`Polls`].
///
/// ```
/// use highwater_stream::StreamReader;
/// use highwater_testing::{Cut, at_every_poll};
///
/// let cuts = at_every_poll(|polls| {
///     let mut reader = StreamReader::new(Cut::ByteByByte.parts("abc"));
///     let read = polls.run(reader.read_exactly(3), || {});
///     // Given up or not: nothing was lost, and nothing is there twice.
///     let taken = read.map_or(0, |bytes| bytes.unwrap().len());
///     assert!(taken == 3 || b"abc".starts_with(reader.unread_bytes()));
/// });
/// assert_eq!(cuts, 4, "before the first poll, and at each wait");
/// ```
pub fn at_every_poll(mut scenario: impl FnMut(Polls)) -> usize {
    let mut is_whole = |most| {
        let polls = Polls::new(most);
        scenario(polls.clone());
        polls.is_over()
    };
    (0..MOST).find(|most| is_whole(*most)).unwrap_or_else(|| panic!("{MOST} polls are not enough"))
}

/// [`at_every_poll`] for scenarios that wait, within a runtime whose tasks go on meanwhile.
///
/// # Panics
/// When a thousand polls are not enough, or when the scenario gives no future to its [`Polls`].
///
/// # Cancel safety
/// Dropped, it drops the scenario that is in course.
///
/// ```
/// use highwater_testing::at_every_poll_async;
/// use tokio::task::yield_now;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cuts = at_every_poll_async(async |polls| {
///     let (near, far) = tokio::io::duplex(4);
///     let (mut reader, _writer) = highwater_stream::pair(near);
///     let (_, peer) = highwater_stream::pair(far);
///     peer.write("a line\n").unwrap();
///     let line = polls.run_beside(reader.read_line(), yield_now).await;
///     let line = match line {
///         Some(line) => line,
///         None => reader.read_line().await, // given up, and called again
///     };
///     assert_eq!(line.unwrap().unwrap(), "a line\n");
/// });
/// assert!(cuts.await > 1);
/// # });
/// ```
pub async fn at_every_poll_async(mut scenario: impl AsyncFnMut(Polls)) -> usize {
    for most in 0..MOST {
        let polls = Polls::new(most);
        scenario(polls.clone()).await;
        if polls.is_over() {
            return most;
        }
    }
    panic!("{MOST} polls are not enough");
}

impl Polls {
    fn new(most: usize) -> Self {
        Self { most, has_ended: Arc::default() }
    }

    /// How many polls the future of this run gets.
    ///
    /// ```
    /// let mut seen = Vec::new();
    /// highwater_testing::at_every_poll(|polls| {
    ///     seen.push(polls.most());
    ///     polls.run(async {}, || {});
    /// });
    /// assert_eq!(seen, [0, 1]);
    /// ```
    pub fn most(&self) -> usize {
        self.most
    }

    /// Polls `future` and drops it when it had as many polls as this run gives. After each poll that had to
    /// wait, `step` moves the world on. The output, if it got that far.
    ///
    /// # Panics
    /// When this run has had a future before.
    ///
    /// ```
    /// use tokio::sync::oneshot;
    ///
    /// let cuts = highwater_testing::at_every_poll(|polls| {
    ///     let (send, receive) = oneshot::channel();
    ///     let mut send = Some(send);
    ///     let received = polls.run(receive, || send.take().unwrap().send(7).unwrap());
    ///     assert!(received.is_none_or(|received| received == Ok(7)));
    /// });
    /// assert_eq!(cuts, 2);
    /// ```
    pub fn run<V>(&self, future: impl Future<Output = V>, mut step: impl FnMut()) -> Option<V> {
        let mut future = pin!(future);
        for _ in 0..self.most {
            // The waker of no task: the next poll comes anyway.
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.ends(true);
                return Some(output);
            }
            step();
        }
        self.ends(false);
        None
    }

    /// [`run`](Self::run) within a runtime: what `step` gives is waited for, so that other tasks go on after each poll.
    ///
    /// # Panics
    /// When this run has had a future before.
    ///
    /// # Cancel safety
    /// Dropped, it drops the future.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// highwater_testing::at_every_poll_async(async |polls| {
    ///     let task = tokio::spawn(async { 7 });
    ///     let seven = polls.run_beside(task, tokio::task::yield_now).await;
    ///     assert!(seven.is_none_or(|seven| seven.unwrap() == 7));
    /// }).await;
    /// # });
    /// ```
    pub async fn run_beside<V, S: Future>(
        &self,
        future: impl Future<Output = V>,
        mut step: impl FnMut() -> S,
    ) -> Option<V> {
        let mut future = pin!(future);
        for _ in 0..self.most {
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(output) = polled {
                self.ends(true);
                return Some(output);
            }
            step().await;
        }
        self.ends(false);
        None
    }

    fn ends(&self, has_ended: bool) {
        self.has_ended.set(has_ended).expect("a run has one future");
    }

    fn is_over(&self) -> bool {
        *self.has_ended.get().expect("the scenario gives its polls a future")
    }
}
