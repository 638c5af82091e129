//! S3 at the end of a runtime: with live connections it neither hangs nor panics, and what outlives it errs.

use highwater_net::{Server, StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::bounded::one_thread;
use highwater_tests::counted::{with_each_runtime, without_a_runtime};
use highwater_tests::memory::memory;
use highwater_tests::net::{LOOPBACK, echo, give_away, is_echoed};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A handler that writes more than is taken, and waits.
async fn stalls(mut reader: StreamReader, writer: StreamWriter) {
    writer.write(vec![b's'; 16_000_000]).unwrap();
    reader.read_line().await.ok();
}

#[test]
fn s3_a_runtime_ends_with_live_connections() {
    with_each_runtime(|runtime| {
        let (server, clients) = runtime.block_on(async {
            let server = start_server(echo, LOOPBACK).await.unwrap();
            let stalling = start_server(stalls, LOOPBACK).await.unwrap();
            let clients = [
                is_echoed(server.local_addrs()[0]).await.unwrap(),
                is_echoed(server.local_addrs()[0]).await.unwrap(),
                open_connection(stalling.local_addrs()[0]).await.unwrap(),
            ];
            drop(stalling);
            (server, clients)
        });
        drop(runtime);
        for (_, writer) in &clients {
            writer.write("into the void\n").ok();
        }
        drop(clients);
        outlives(&server);
    });
}

/// What a server whose runtime has ended still does.
fn outlives(server: &Server) {
    let address = server.local_addrs()[0];
    server.close_clients();
    server.abort_clients();
    server.close();
    assert!(!server.is_serving());
    drop(TcpListener::bind(address).unwrap());
    one_thread().block_on(server.wait_closed());
}

#[test]
fn s3_a_server_that_outlives_its_runtime_closes_and_has_no_client_left() {
    with_each_runtime(|runtime| {
        let (give, mut take) = give_away();
        let server = runtime.block_on(async { start_server(give, LOOPBACK).await }).unwrap();
        let client = runtime.block_on(async { open_connection(server.local_addrs()[0]).await });
        let halves = runtime.block_on(take.recv()).unwrap();
        drop(runtime);
        outlives(&server);
        drop((client, halves));
    });
}

/// The kernel would go on taking connections for it, which nobody serves.
#[test]
fn s3_a_runtime_that_ends_closes_its_servers() {
    with_each_runtime(|runtime| {
        let (listener, connector) = memory();
        let (server, other) = runtime.block_on(async {
            let server = start_server(echo, LOOPBACK).await.unwrap();
            is_echoed(server.local_addrs()[0]).await.unwrap();
            (server, start_server(echo, listener).await.unwrap())
        });
        drop(runtime);
        assert!(!server.is_serving() && !other.is_serving());
        assert!(connector.is_closed());
        let address = server.local_addrs()[0];
        assert!(TcpStream::connect(address).is_err());
        drop(TcpListener::bind(address).unwrap());
        assert_eq!(server.start_serving().unwrap_err().kind(), ErrorKind::NotConnected);
        one_thread().block_on(async {
            server.serve_forever().await.unwrap();
            server.wait_closed().await;
        });
    });
}

#[test]
fn s3_a_listener_is_not_served_on_a_runtime_that_has_ended() {
    with_each_runtime(|runtime| {
        let (listener, connector) = memory();
        let start = async { start_server(echo, listener).start_serving(false).await };
        let server = runtime.block_on(start).unwrap();
        drop(runtime);
        assert_eq!(server.start_serving().unwrap_err().kind(), ErrorKind::NotConnected);
        assert!(!server.is_serving() && connector.is_closed());
    });
}

#[test]
fn s3_starting_on_a_runtime_that_has_ended_is_an_error() {
    with_each_runtime(|runtime| {
        let start = async { start_server(echo, LOOPBACK).start_serving(false).await };
        let server = runtime.block_on(start).unwrap();
        drop(runtime);
        server.start_serving().unwrap_err();
        assert!(!server.is_serving());
        outlives(&server);
    });
}

#[test]
fn s3_the_last_server_may_go_with_its_runtime() {
    with_each_runtime(|runtime| {
        let address = runtime.block_on(async {
            let server = start_server(echo, LOOPBACK).await.unwrap();
            let address = server.local_addrs()[0];
            is_echoed(address).await.unwrap();
            tokio::spawn(async move { server.serve_forever().await });
            address
        });
        drop(runtime);
        drop(TcpListener::bind(address).unwrap());
    });
}

/// A handler that owns its server: nothing but the runtime's end frees them.
#[test]
fn s3_a_handler_that_owns_its_server_goes_with_the_runtime() {
    with_each_runtime(|runtime| {
        let (address, client, give) = runtime.block_on(async {
            let (give, take) = tokio::sync::watch::channel(None::<Server>);
            let handler = move |mut reader: StreamReader, writer: StreamWriter| {
                let mut take = take.clone();
                async move {
                    let server = take.wait_for(Option::is_some).await.unwrap().clone();
                    while let Ok(Some(line)) = reader.read_line().await {
                        writer.write(line).unwrap();
                    }
                    drop(server);
                }
            };
            let server = start_server(handler, LOOPBACK).await.unwrap();
            let address = server.local_addrs()[0];
            give.send_replace(Some(server));
            let client = is_echoed(address).await.unwrap();
            (address, client, give)
        });
        drop(runtime);
        drop(TcpListener::bind(address).unwrap());
        drop(client);
        // The handler's function still holds the server that holds it.
        give.send_replace(None);
    });
}

/// A runtime without a clock can serve; it is the waits that need one.
#[test]
fn s3_a_runtime_without_time_serves() {
    without_a_runtime(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let served = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let server = start_server(echo, LOOPBACK).await.unwrap();
                is_echoed(server.local_addrs()[0]).await.unwrap();
            });
        }));
        assert!(served.is_ok());
    });
}
