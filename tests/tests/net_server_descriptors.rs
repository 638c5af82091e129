//! S3, S4, S5: however a server ends, it leaves neither a descriptor, nor a task, nor a file behind. One test,
//! so that this process has no others open.
#![cfg(target_os = "linux")]

use highwater_net::{StreamReader, StreamWriter, open_connection, open_unix_connection};
use highwater_net::{start_server, start_unix_server};
use highwater_tests::bounded::{bounded, one_thread, two_workers};
use highwater_tests::counted::leaves_nothing;
use highwater_tests::memory::memory;
use highwater_tests::net::{LOOPBACK, echo, is_echoed};
use highwater_tests::scratch::Scratch;
use std::future::pending;
use std::os::fd::OwnedFd;
use std::time::Duration;

async fn shut_down() {
    let hang = |reader: StreamReader, writer: StreamWriter| async move {
        let _held = (reader, writer);
        pending::<()>().await;
    };
    let server = start_server(hang, LOOPBACK).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(open_connection(server.local_addrs()[0]).await.unwrap());
    }
    while server.counts().open < 5 {
        tokio::task::yield_now().await;
    }
    drop(clients);
    server.shutdown(Duration::ZERO).await;
}

async fn on_unix_sockets() {
    let scratch = Scratch::new();
    let path = scratch.file("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = start_unix_server(echo, &path).await.unwrap();
    assert!(start_unix_server(echo, &path).await.is_err());
    assert!(start_unix_server(echo, scratch.path()).await.is_err());
    for _ in 0..5 {
        let (mut reader, writer) = open_unix_connection(&path).await.unwrap();
        writer.write("here?\n").unwrap();
        reader.read_line().await.unwrap();
    }
    server.close();
    server.wait_closed().await;
    assert!(open_unix_connection(&path).await.is_err());
    assert_eq!(scratch.names(), [""; 0]);
}

async fn declined() {
    let server = start_server(echo, LOOPBACK).admit(|_| false).await.unwrap();
    for _ in 0..5 {
        if let Ok((mut reader, _writer)) = open_connection(server.local_addrs()[0]).await {
            reader.read(1).await.ok();
        }
    }
    server.close();
    server.wait_closed().await;
}

async fn never_accepted() {
    let server = start_server(echo, LOOPBACK).max_connections(1).await.unwrap();
    let first = is_echoed(server.local_addrs()[0]).await.unwrap();
    let waits = open_connection(server.local_addrs()[0]).await.unwrap();
    server.close();
    drop((first, waits));
    server.wait_closed().await;
}

async fn in_memory() {
    let (listener, connector) = memory();
    let server = start_server(echo, listener).await.unwrap();
    server
        .serve_until(async {
            let (mut reader, writer) = connector.connect();
            writer.write("here?\n").unwrap();
            reader.read_line().await.unwrap();
        })
        .await;
}

async fn handed_in() {
    let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bad = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(start_server(echo, vec![OwnedFd::from(good), bad.into()]).await.is_err());
    let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    drop(start_server(echo, good).start_serving(false).await.unwrap());
}

#[test]
fn s3_a_server_leaves_nothing_behind() {
    bounded(|| {
        for runtime in [one_thread(), two_workers()] {
            leaves_nothing("a server that was shut down", &runtime, shut_down);
            leaves_nothing("a server on a Unix socket", &runtime, on_unix_sockets);
            leaves_nothing("clients that were declined", &runtime, declined);
            leaves_nothing("a client that was never accepted", &runtime, never_accepted);
            leaves_nothing("a server in memory", &runtime, in_memory);
            leaves_nothing("listeners that were handed in", &runtime, handed_in);
        }
    });
}
