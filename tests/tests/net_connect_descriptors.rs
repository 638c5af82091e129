//! C1 and S3: what was cancelled, refused or closed leaves neither a descriptor nor a task behind. One test,
//! so that this process has no others open.
#![cfg(target_os = "linux")]

use highwater_net::{open_connection, start_server};
use highwater_tests::bounded::{bounded, one_thread, two_workers};
use highwater_tests::counted::leaves_nothing;
use highwater_tests::net::{LOOPBACK, Silent, descriptors, echo, give_away, is_echoed, refusing};
use std::time::Duration;

async fn cancelled() {
    let silent = Silent::new();
    let before = descriptors();
    for _ in 0..5 {
        let mut connecting = Box::pin(open_connection(silent.address).into_future());
        assert!(futures::poll!(&mut connecting).is_pending());
        tokio::task::yield_now().await;
        assert!(futures::poll!(&mut connecting).is_pending());
        drop(connecting);
        assert_eq!(descriptors(), before, "it is closed there and then");
    }
}

async fn timed_out() {
    let silent = Silent::new();
    let connecting = open_connection(silent.address).connect_timeout(Duration::from_millis(1));
    assert!(connecting.await.is_err());
}

async fn refused() {
    let (address, _socket) = refusing();
    assert!(open_connection(address).await.is_err());
    let (datagram, _peer) = std::os::unix::net::UnixDatagram::pair().unwrap();
    assert!(open_connection(std::os::fd::OwnedFd::from(datagram)).await.is_err());
}

async fn served() {
    let server = start_server(echo, LOOPBACK).await.unwrap();
    for _ in 0..20 {
        is_echoed(server.local_addrs()[0]).await.unwrap();
    }
    server.close();
    server.wait_closed().await;
}

async fn aborted() {
    let (give, mut take) = give_away();
    let server = start_server(give, LOOPBACK).await.unwrap();
    let _client = open_connection(server.local_addrs()[0]).await.unwrap();
    let _halves = take.recv().await.unwrap();
    server.abort_clients();
    server.close();
    server.wait_closed().await;
}

async fn never_served() {
    let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
    assert!(open_connection(server.local_addrs()[0]).await.is_err());
    drop(server);
    assert!(start_server(echo, ("203.0.113.1", 0)).await.is_err());
}

#[test]
fn c1_nothing_is_left_behind() {
    bounded(|| {
        for runtime in [one_thread(), two_workers()] {
            leaves_nothing("a connect that was cancelled", &runtime, cancelled);
            leaves_nothing("a connect that timed out", &runtime, timed_out);
            leaves_nothing("a connect that was refused", &runtime, refused);
            leaves_nothing("a server and its clients", &runtime, served);
            leaves_nothing("aborted clients", &runtime, aborted);
            leaves_nothing("a server that never served", &runtime, never_served);
        }
    });
}
