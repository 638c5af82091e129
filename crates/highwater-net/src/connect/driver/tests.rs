//! C2: the driver, with attempts that are a clock each, under paused time.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const EYEBALLS: Pace = Pace { delay: Some(Duration::from_millis(250)), attempt_timeout: None };

fn addresses(count: u16) -> Vec<SocketAddr> {
    (0..count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
}

/// Counts the sockets that are open, connected or still connecting.
#[derive(Clone, Default)]
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn socket(&self) -> Fake {
        self.0.fetch_add(1, Ordering::SeqCst);
        Fake(self.clone())
    }
}

struct Fake(Open);

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The attempt on port `n` ends after `plan[n]`, well or not.
async fn attempt(open: &Open, plan: &[(u64, bool)], to: SocketAddr) -> io::Result<(SocketAddr, Fake)> {
    let socket = open.socket();
    let (after, is_well) = plan[usize::from(to.port())];
    sleep(ms(after)).await;
    if is_well { Ok((to, socket)) } else { Err(io::Error::other(format!("failed {}", to.port()))) }
}

/// The winner's port, when, and what is told of all that were tried; nothing but the winner is open.
async fn race(pace: Pace, plan: &[(u64, bool)]) -> (Option<u16>, u128, Vec<String>) {
    let (open, mut tried, start) = (Open::default(), Tried::default(), Instant::now());
    let addresses = addresses(u16::try_from(plan.len()).unwrap());
    let won = first_of(&addresses, pace, &mut tried, |to| attempt(&open, plan, to)).await;
    assert_eq!(open.count(), usize::from(won.is_some()), "losers are closed before the winner is returned");
    let told = tried.into_attempts().iter().map(|attempt| attempt.error().to_string()).collect();
    (won.map(|(to, _socket)| to.port()), start.elapsed().as_millis(), told)
}

#[tokio::test(start_paused = true)]
async fn c2_the_driver_keeps_to_the_times_of_the_race() {
    for (plan, won, at, told) in [
        (vec![], None, 0, vec![]),
        (vec![(10, true), (0, true)], Some(0), 10, vec!["no answer yet"]),
        (vec![(10, false), (5, true)], Some(1), 15, vec!["failed 0", "no answer yet"]),
        (vec![(9999, true), (5, true)], Some(1), 255, vec!["no answer yet", "no answer yet"]),
        (vec![(10, false), (20, false)], None, 30, vec!["failed 0", "failed 1"]),
        (vec![(900, false), (10, false)], None, 900, vec!["failed 0", "failed 1"]),
        (
            vec![(260, false), (9999, true), (1, true)],
            Some(2),
            261,
            vec!["failed 0", "no answer yet", "no answer yet"],
        ),
    ] {
        let told: Vec<_> = told.into_iter().map(String::from).collect();
        assert_eq!(race(EYEBALLS, &plan).await, (won, at, told), "{plan:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn c2_of_two_that_connect_in_the_same_poll_one_is_returned_and_the_other_closed() {
    let all_at_once = Pace { delay: Some(Duration::ZERO), attempt_timeout: None };
    let (won, at, _) = race(all_at_once, &[(10, true), (10, true), (10, true)]).await;
    assert_eq!((won, at), (Some(0), 10));
    let (won, at, told) = race(all_at_once, &[(10, false), (10, true), (10, true)]).await;
    assert_eq!((won, at), (Some(1), 10));
    assert_eq!(told[0], "failed 0");
}

#[tokio::test(start_paused = true)]
async fn c1_an_attempt_that_has_had_its_time_is_closed_and_told() {
    let hurried = Pace { delay: None, attempt_timeout: Some(ms(100)) };
    let (won, at, told) = race(hurried, &[(9999, true), (100, true)]).await;
    assert_eq!((won, at), (Some(1), 200));
    assert_eq!(told, ["no answer within 100ms", "no answer yet"]);
    let (won, at, told) = race(hurried, &[(9999, true), (9999, true)]).await;
    assert_eq!((won, at), (None, 200));
    assert_eq!(told, ["no answer within 100ms", "no answer within 100ms"]);
}

/// Closed when its time is over, and not when the race is.
#[tokio::test(start_paused = true)]
async fn c2_an_attempt_that_is_given_up_is_closed_at_once() {
    let hurried = Pace { delay: None, attempt_timeout: Some(ms(100)) };
    let (open, mut tried) = (Open::default(), Tried::default());
    let addresses = addresses(3);
    let mut racing =
        pin!(first_of(&addresses, hurried, &mut tried, |to| attempt(&open, &[(9999, true); 3], to)));
    for _ in 0..3 {
        assert!(timeout(ms(90), &mut racing).await.is_err());
        assert_eq!(open.count(), 1);
    }
}

/// At any time: before the first answer, while two are going on, while all are.
#[tokio::test(start_paused = true)]
async fn c2_dropped_it_closes_all() {
    for after in [0, 100, 250, 400, 600, 10_000] {
        let (open, mut tried) = (Open::default(), Tried::default());
        let plan = [(99_999, true); 3];
        let addresses = addresses(3);
        let racing = first_of(&addresses, EYEBALLS, &mut tried, |to| attempt(&open, &plan, to));
        assert!(timeout(ms(after), racing).await.is_err());
        assert_eq!(open.count(), 0, "after {after} ms");
        let started = tried.into_attempts().len();
        assert_eq!(started, (1 + usize::try_from(after).unwrap() / 250).min(3), "after {after} ms");
    }
}

/// Without a clock: with one address and no time-out there is no time to wait for.
#[test]
fn c2_a_race_of_one_needs_no_clock() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut tried = Tried::default();
    let won = runtime.block_on(first_of(&addresses(1), EYEBALLS, &mut tried, async |_| Ok(())));
    assert_eq!(won, Some(()));
}

/// Its task is never idle, so that a paused clock would stand still: here is no exact time to tell.
#[tokio::test]
async fn c2_an_attempt_that_uses_up_the_turn_of_its_task_keeps_nobody_from_theirs() {
    let attempt = async |to: SocketAddr| {
        while to.port() == 0 {
            tokio::task::consume_budget().await;
        }
        sleep(ms(1)).await;
        Ok(to.port())
    };
    let patience = Duration::from_secs(60);
    let pace = Pace { delay: Some(ms(10)), attempt_timeout: None };
    let (two, mut tried) = (addresses(2), Tried::default());
    let won = timeout(patience, first_of(&two, pace, &mut tried, attempt)).await;
    assert_eq!(won.expect("the second gets its turns"), Some(1));

    let (hurried, mut tried) = (Pace { delay: None, attempt_timeout: Some(ms(10)) }, Tried::default());
    let lost = timeout(patience, first_of(&two[..1], hurried, &mut tried, attempt)).await;
    assert_eq!(lost.expect("the clock gets its turns"), None);
    assert_eq!(tried.into_attempts()[0].error().kind(), io::ErrorKind::TimedOut);
}
