//! C2: a race leaves one socket open if it has a winner, and none if it has not or is cancelled, at whatever
//! it waits for. One test, so that this process has no others open.
#![cfg(target_os = "linux")]

use highwater_net::{Name, OpenConnection, Query, open_connection};
use highwater_tests::bounded::run_paused;
use highwater_tests::net::{LOOPBACK, Silent, descriptors, refusing};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::advance;

/// A name that resolves to these, and not at the first poll.
fn raced(addresses: &[SocketAddr]) -> OpenConnection<Name> {
    let addresses = addresses.to_vec();
    open_connection(("raced.internal", 1)).resolver(move |_: Query| {
        let addresses = addresses.clone();
        async move {
            tokio::task::yield_now().await;
            Ok(addresses)
        }
    })
}

/// Polls until nothing is left but to wait for the network or the time.
async fn poll<F: Future + Unpin>(connecting: &mut F) {
    for _ in 0..3 {
        assert!(futures::poll!(&mut *connecting).is_pending());
        tokio::task::yield_now().await;
    }
}

#[test]
fn c2_a_race_leaves_the_winner_open_and_nobody_else() {
    run_paused(async {
        let silent = Silent::new();
        let (refused, _socket) = refusing();
        let listener = TcpListener::bind(LOOPBACK).unwrap();
        let address = listener.local_addr().unwrap();
        let before = descriptors();

        // Cancelled while it resolves, the name or the local one.
        for connecting in [
            raced(&[silent.address]),
            raced(&[silent.address]).local_addr(("us.internal", 0)),
            open_connection(silent.address).resolver(|_| std::future::pending()).local_addr(("us", 0)),
        ] {
            let mut connecting = Box::pin(connecting.into_future());
            assert!(futures::poll!(&mut connecting).is_pending());
            assert_eq!(descriptors(), before, "nothing is open yet");
            drop(connecting);
            assert_eq!(descriptors(), before);
        }

        // Cancelled while one, two and three are tried: in the delay, and in the connect.
        for open in 1..=3 {
            let mut connecting = Box::pin(raced(&[silent.address; 3]).into_future());
            poll(&mut connecting).await;
            for _ in 1..open {
                advance(Duration::from_millis(250)).await;
                poll(&mut connecting).await;
            }
            assert_eq!(descriptors(), before + open, "so many are tried");
            drop(connecting);
            assert_eq!(descriptors(), before, "they are closed there and then");
        }

        // Cancelled while it is bound to an address of its own, which is free again.
        let mut connecting = Box::pin(open_connection(silent.address).local_addr(free()).into_future());
        poll(&mut connecting).await;
        assert_eq!(descriptors(), before + 1);
        drop(connecting);
        assert_eq!(descriptors(), before);

        // Won: with losers that wait, that were refused, that have connected as well.
        for addresses in [
            vec![silent.address, address],
            vec![refused, silent.address, silent.address, address],
            vec![address; 4],
        ] {
            for delay in [Duration::ZERO, Duration::from_millis(250)] {
                let halves = raced(&addresses).happy_eyeballs_delay(delay).await.unwrap();
                assert_eq!(descriptors(), before + 1, "the losers are closed before the winner is returned");
                let writer = halves.1.clone();
                drop(halves);
                writer.abort();
                drop(writer);
            }
        }

        // Lost: refused, out of their own time, out of the time of all.
        let hurry = Duration::from_millis(10);
        assert!(raced(&[refused, refused]).await.is_err());
        assert!(raced(&[silent.address, refused]).attempt_timeout(hurry).await.is_err());
        assert!(raced(&[silent.address; 2]).connect_timeout(hurry).await.is_err());
        assert!(raced(&[address]).on_socket(|_| Err(std::io::Error::other("no"))).await.is_err());

        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(descriptors(), before);
    });
}

/// A port that nobody has.
fn free() -> SocketAddr {
    refusing().0
}
