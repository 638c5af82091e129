//! S3 under a race: `close` in the very moment of an accept leaves nobody unserved and nobody uncounted.

use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::bounded::{bounded, one_thread, two_workers};
use highwater_tests::net::LOOPBACK;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Clients beside each other. With the server's side at most 50 descriptors are open.
const CLIENTS: usize = 16;

/// Connects as often as it goes; each time it is greeted, or told that the server is closed.
///
/// Linux forgets to reset some of the handshakes that end while their listener closes, of any program; the
/// first byte that such a client sends is answered with the reset.
async fn comes_and_goes(address: SocketAddr, mut closed: watch::Receiver<()>) {
    // Refused, or reset in the queue of a listener that closes: the server is closed.
    while let Ok((mut reader, writer)) = open_connection(address).await {
        let read = tokio::select! {
            biased;
            read = reader.read_line() => read,
            _ = closed.changed() => {
                writer.write("anybody?\n").ok();
                reader.read_line().await
            }
        };
        match read {
            Ok(line) => assert_eq!(line.expect("no clean end without the greeting"), "hello\n"),
            Err(_) => break,
        }
    }
}

/// One server, closed while clients come. Returns how many were served.
async fn race(after: usize) -> usize {
    let running = Arc::new(AtomicUsize::new(0));
    let served = Arc::new(AtomicUsize::new(0));
    let (runs, serves) = (Arc::clone(&running), Arc::clone(&served));
    let handler = move |_: StreamReader, writer: StreamWriter| {
        runs.fetch_add(1, Ordering::SeqCst);
        let (runs, serves) = (Arc::clone(&runs), Arc::clone(&serves));
        async move {
            writer.write("hello\n").unwrap();
            tokio::task::yield_now().await;
            serves.fetch_add(1, Ordering::SeqCst);
            runs.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let server = start_server(handler, LOOPBACK).await.unwrap();
    let address = server.local_addrs()[0];
    let (tell_closed, is_closed) = watch::channel(());
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(comes_and_goes(address, is_closed.clone()))).collect();
    while served.load(Ordering::SeqCst) < after {
        tokio::task::yield_now().await;
    }
    let closing = server.clone();
    let closer = std::thread::spawn(move || closing.close());
    server.wait_closed().await;
    assert_eq!(running.load(Ordering::SeqCst), 0, "a handler runs after `wait_closed`");
    let at_the_end = served.load(Ordering::SeqCst);
    closer.join().unwrap();
    tell_closed.send_replace(());
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(served.load(Ordering::SeqCst), at_the_end, "a handler ran after `wait_closed`");
    at_the_end
}

fn races(runtime: &Runtime) {
    for round in 0..10 {
        assert!(runtime.block_on(race(round)) >= round);
    }
}

#[test]
fn s3_close_in_the_moment_of_an_accept_on_one_thread() {
    bounded(|| races(&one_thread()));
}

#[test]
fn s3_close_in_the_moment_of_an_accept_on_two_workers() {
    bounded(|| races(&two_workers()));
}

/// Also where the listener is just being asked by another thread.
#[test]
fn s3_when_close_returns_the_address_is_free() {
    bounded(|| {
        let runtime = two_workers();
        for _ in 0..300 {
            let clients = runtime.block_on(async {
                let server = start_server(|_: StreamReader, _: StreamWriter| (), LOOPBACK).await.unwrap();
                let address = server.local_addrs()[0];
                let come_and_go = || async move { while open_connection(address).await.is_ok() {} };
                let clients: Vec<_> = (0..4).map(|_| tokio::spawn(come_and_go())).collect();
                while server.counts().accepted == 0 {
                    std::hint::spin_loop();
                }
                server.close();
                drop(std::net::TcpListener::bind(address).unwrap());
                clients
            });
            for client in clients {
                client.abort();
            }
        }
    });
}

/// Whoever looks while another closes: closed and nobody counted means that nobody comes any more.
#[test]
fn s3_wait_closed_beside_close_never_ends_before_the_last_accept() {
    bounded(|| {
        let runtime = two_workers();
        for _ in 0..50 {
            let begun = Arc::new(AtomicUsize::new(0));
            let begins = Arc::clone(&begun);
            let handler = move |_: StreamReader, _: StreamWriter| {
                begins.fetch_add(1, Ordering::SeqCst);
            };
            runtime.block_on(async {
                let server = start_server(handler, LOOPBACK).await.unwrap();
                let address = server.local_addrs()[0];
                // They go at once: the server's side has no reason to linger.
                let come_and_go = || async move { drop(open_connection(address).await) };
                let clients: Vec<_> = (0..4).map(|_| tokio::spawn(come_and_go())).collect();
                let closing = server.clone();
                let closer = std::thread::spawn(move || closing.close());
                while server.is_serving() {
                    std::hint::spin_loop();
                }
                server.wait_closed().await;
                let at_the_end = begun.load(Ordering::SeqCst);
                closer.join().unwrap();
                for client in clients {
                    client.await.unwrap();
                }
                assert_eq!(begun.load(Ordering::SeqCst), at_the_end);
            });
        }
    });
}
