//! C2: happy eyeballs on real sockets. Who is tried when is told by the hook on the sockets, in paused time.

use highwater_net::{Attempt, ConnectError, Name, OpenConnection, Query, open_connection};
use highwater_tests::counted::{on_each_runtime, run_paused};
use highwater_tests::net::{LOOPBACK, Silent, has_ipv6, refusing};
use std::io::{ErrorKind, Read};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A name with these addresses, and when each is tried.
fn race(addresses: &[SocketAddr]) -> (OpenConnection<Name>, Tries) {
    let addresses = addresses.to_vec();
    let resolved = move |_: Query| {
        let addresses = addresses.clone();
        async move { Ok(addresses) }
    };
    let tries = Tries(Arc::default(), Instant::now());
    let told = tries.clone();
    let connecting = open_connection(("raced.internal", 1)).resolver(resolved).on_socket(move |_| {
        told.0.lock().unwrap().push(told.1.elapsed());
        Ok(())
    });
    (connecting, tries)
}

#[derive(Clone)]
struct Tries(Arc<Mutex<Vec<Duration>>>, Instant);

impl Tries {
    /// In milliseconds.
    fn times(&self) -> Vec<u128> {
        self.0.lock().unwrap().iter().map(Duration::as_millis).collect()
    }

    fn now(&self) -> u128 {
        self.1.elapsed().as_millis()
    }
}

fn listening() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind(LOOPBACK).unwrap();
    (listener.local_addr().unwrap(), listener)
}

#[test]
fn c2_an_address_that_never_answers_delays_the_winner_by_the_delay_and_no_more() {
    run_paused(|| async {
        let (silent, (address, _listener)) = (Silent::new(), listening());
        for (delay, expected) in [(None, 250), (Some(40), 40), (Some(10_000), 10_000), (Some(0), 0)] {
            let (mut connecting, tries) = race(&[silent.address, address]);
            if let Some(delay) = delay {
                connecting = connecting.happy_eyeballs_delay(Duration::from_millis(delay));
            }
            let (_reader, writer) = connecting.await.unwrap();
            assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
            assert_eq!((tries.times(), tries.now()), (vec![0, expected], expected));
        }
    });
}

#[test]
fn c2_an_address_that_refuses_delays_nobody() {
    run_paused(|| async {
        let ((refused, _socket), (address, _listener)) = (refusing(), listening());
        let (connecting, tries) = race(&[refused, refused, address]);
        let (_reader, writer) = connecting.await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
        assert_eq!((tries.times(), tries.now()), (vec![0, 0, 0], 0));
    });
}

#[test]
fn c2_after_the_first_that_connects_no_other_is_tried() {
    run_paused(|| async {
        let ((address, _listener), (other, untouched)) = (listening(), listening());
        let (connecting, tries) = race(&[address, other]);
        let _halves = connecting.await.unwrap();
        assert_eq!(tries.times(), [0]);
        untouched.set_nonblocking(true).unwrap();
        assert_eq!(untouched.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn c2_without_a_delay_one_is_tried_after_the_other() {
    run_paused(|| async {
        let (silent, (address, _listener)) = (Silent::new(), listening());
        let (connecting, tries) = race(&[silent.address, address]);
        let connecting = connecting.happy_eyeballs_delay(None).attempt_timeout(Duration::from_secs(7));
        let (_reader, writer) = connecting.await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
        assert_eq!((tries.times(), tries.now()), (vec![0, 7000], 7000));
    });
}

#[test]
fn c1_an_address_that_has_had_its_time_is_listed_and_the_next_is_tried() {
    run_paused(|| async {
        let (silent, (refused, _socket)) = (Silent::new(), refusing());
        let (connecting, tries) = race(&[silent.address, refused, silent.address]);
        let error = connecting.attempt_timeout(Duration::from_millis(100)).await.unwrap_err();
        assert_eq!((tries.times(), tries.now()), (vec![0, 100, 100], 200));
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        let kinds: Vec<_> =
            attempts.iter().map(|attempt| (attempt.address(), attempt.error().kind())).collect();
        assert_eq!(
            kinds,
            [
                (silent.address, ErrorKind::TimedOut),
                (refused, ErrorKind::ConnectionRefused),
                (silent.address, ErrorKind::TimedOut),
            ]
        );
        let silence = format!("{}: no answer within 100ms", silent.address);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("could not connect to raced.internal:1: {silence}; {refused}: ")),
            "{text}"
        );
    });
}

/// In the order in which they were started, also when the second failed first.
#[test]
fn c2_when_the_time_runs_out_failed_and_running_attempts_are_listed_in_order() {
    run_paused(|| async {
        let (silent, (refused, _socket)) = (Silent::new(), refusing());
        let (connecting, tries) = race(&[silent.address, refused, silent.address, refused]);
        let after = Duration::from_millis(300);
        let error = connecting.connect_timeout(after).await.unwrap_err();
        assert_eq!((tries.times(), tries.now()), (vec![0, 250, 250], 300));
        let ConnectError::TimedOut { attempts, .. } = &error else { panic!("{error:?}") };
        let addresses: Vec<_> = attempts.iter().map(Attempt::address).collect();
        assert_eq!(addresses, [silent.address, refused, silent.address]);
        let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.error().kind()).collect();
        assert_eq!(kinds, [ErrorKind::TimedOut, ErrorKind::ConnectionRefused, ErrorKind::TimedOut]);
        assert!(error.to_string().contains("raced.internal:1 was not connected within 300ms: "), "{error}");
    });
}

#[test]
fn c1_the_connect_timeout_covers_resolving() {
    run_paused(|| async {
        let never = |_: Query| std::future::pending();
        let connecting = open_connection(("slow.internal", 1)).resolver(never);
        let error = connecting.connect_timeout(Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.to_string(), "slow.internal:1 was not connected within 5s");
        assert!(matches!(error, ConnectError::TimedOut { attempts, .. } if attempts.is_empty()));
    });
}

/// Refused, so that all of them are tried, and seen in the error.
#[test]
fn c2_the_families_take_turns() {
    if !has_ipv6("c2_the_families_take_turns") {
        return;
    }
    on_each_runtime(|| async {
        let ((four, _bound), six) = (refusing(), SocketAddr::from((Ipv6Addr::LOCALHOST, 0)));
        let resolved = [six, six, six, four, four];
        for (first, delay, expected) in [
            (None, true, [six, four, six, four, six]),
            (Some(1), false, [six, four, six, four, six]),
            (Some(2), true, [six, six, four, six, four]),
            (Some(0), true, resolved),
            // asyncio: without a delay, they stay as they are.
            (None, false, resolved),
        ] {
            let (mut connecting, _) = race(&resolved);
            if let Some(first) = first {
                connecting = connecting.interleave(first);
            }
            if !delay {
                connecting = connecting.happy_eyeballs_delay(None);
            }
            let error = connecting.await.unwrap_err();
            let ConnectError::Unreachable { attempts, .. } = error else { panic!("{error:?}") };
            assert_eq!(attempts.iter().map(Attempt::address).collect::<Vec<_>>(), expected, "{first:?}");
        }
    });
}

/// Both connect at once; whoever loses sees its end, and not a byte of what the winner writes.
#[test]
fn c2_a_loser_that_has_connected_is_closed_before_the_winner_is_returned() {
    on_each_runtime(|| async {
        let ((one, first), (two, second)) = (listening(), listening());
        let (connecting, tries) = race(&[one, two]);
        let (_reader, writer) = connecting.happy_eyeballs_delay(Duration::ZERO).await.unwrap();
        let won = writer.facts().peer_addr().socket_addr().unwrap();
        let (winner, loser) = if won == one { (first, second) } else { (second, first) };
        let (mut accepted, peer) = winner.accept().unwrap();
        assert_eq!(writer.facts().local_addr().socket_addr(), Some(peer));
        writer.write("hello").unwrap();
        writer.flush().await.unwrap();
        let mut hello = [0; 5];
        accepted.read_exact(&mut hello).unwrap();
        if tries.times().len() == 2 {
            let (mut lost, _) = loser.accept().unwrap();
            assert_eq!(lost.read(&mut hello).unwrap_or(0), 0, "its end, or a reset");
        }
    });
}
