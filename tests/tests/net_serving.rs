//! S3: when a server listens, and when it does not any more.

use futures::future::join_all;
use futures::poll;
use highwater_net::{Server, StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::bounded::one_thread;
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{LOOPBACK, echo, is_echoed};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::pin::pin;

async fn a_server() -> Server {
    start_server(echo, LOOPBACK).await.unwrap()
}

#[test]
fn s3_a_server_is_shared_sent_and_cloned() {
    fn is_one<T: Clone + Send + Sync + 'static>(_: &T) {}
    on_each_runtime(|| async {
        let server = a_server().await;
        is_one(&server);
        let clone = server.clone();
        assert_eq!(clone.local_addrs(), server.local_addrs());
        tokio::spawn(async move { clone.close() }).await.unwrap();
        assert!(!server.is_serving());
    });
}

#[test]
fn s3_started_later_it_first_refuses_and_then_serves() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
        let address = server.local_addrs()[0];
        assert!(!server.is_serving());
        is_echoed(address).await.unwrap_err();
        for _ in 0..3 {
            server.start_serving().unwrap();
            assert!(server.is_serving());
            is_echoed(address).await.unwrap();
        }
    });
}

#[test]
fn s3_serve_forever_starts_what_was_not_started() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
        let mut serving = pin!(server.serve_forever());
        assert!(poll!(&mut serving).is_pending());
        is_echoed(server.local_addrs()[0]).await.unwrap();
        server.close();
        serving.await.unwrap();
    });
}

#[test]
fn s3_starting_after_close_is_an_error_and_changes_nothing() {
    on_each_runtime(|| async {
        for start in [true, false] {
            let server = start_server(echo, LOOPBACK).start_serving(start).await.unwrap();
            let address = server.local_addrs()[0];
            server.close();
            assert_eq!(server.start_serving().unwrap_err().kind(), ErrorKind::NotConnected);
            server.serve_forever().await.unwrap();
            assert!(!server.is_serving());
            assert_eq!(server.local_addrs(), [address]);
            drop(TcpListener::bind(address).unwrap());
            server.wait_closed().await;
        }
    });
}

/// Somebody else has taken the address: bound is not listening.
#[cfg(target_os = "linux")]
#[test]
fn s3_a_start_that_fails_closes_the_server() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
        let _other = start_server(echo, server.local_addrs()[0]).await.unwrap();
        assert_eq!(server.start_serving().unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(server.start_serving().unwrap_err().kind(), ErrorKind::NotConnected);
        server.wait_closed().await;
    });
}

#[test]
fn s3_serve_forever_ends_well_on_close_for_all_who_wait() {
    on_each_runtime(|| async {
        let server = a_server().await;
        let mut waiters: Vec<_> = (0..10).map(|_| Box::pin(server.serve_forever())).collect();
        for waiter in &mut waiters {
            assert!(poll!(waiter).is_pending());
        }
        is_echoed(server.local_addrs()[0]).await.unwrap();
        server.close();
        for ended in join_all(waiters).await {
            ended.unwrap();
        }
    });
}

#[test]
fn s3_dropping_serve_forever_goes_on_serving() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
        {
            let mut serving = pin!(server.serve_forever());
            assert!(poll!(&mut serving).is_pending());
        }
        assert!(server.is_serving());
        is_echoed(server.local_addrs()[0]).await.unwrap();
    });
}

#[test]
fn s3_close_frees_the_address_at_once_and_connections_go_on() {
    on_each_runtime(|| async {
        let server = a_server().await;
        let address = server.local_addrs()[0];
        let (mut reader, writer) = is_echoed(address).await.unwrap();
        server.close();
        server.close();
        let again = start_server(echo, address).await.unwrap();
        is_echoed(address).await.unwrap();

        writer.write("still there?\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "still there?\n");
        drop((reader, writer));
        server.wait_closed().await;
        assert!(again.is_serving());
    });
}

/// Not a moment after: the address is free as soon as anybody can know.
#[test]
fn s3_who_sees_the_server_closed_finds_the_address_free() {
    on_each_runtime(|| async {
        for _ in 0..200 {
            let server = a_server().await;
            let address = server.local_addrs()[0];
            let closing = server.clone();
            let closer = std::thread::spawn(move || closing.close());
            while server.is_serving() {
                std::hint::spin_loop();
            }
            drop(TcpListener::bind(address).unwrap());
            closer.join().unwrap();
        }
    });
}

#[test]
fn s3_close_before_serving_frees_the_address() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).start_serving(false).await.unwrap();
        let address = server.local_addrs()[0];
        server.close();
        drop(TcpListener::bind(address).unwrap());
        server.wait_closed().await;
    });
}

#[test]
fn s3_dropping_the_last_server_is_close_and_handlers_go_on() {
    on_each_runtime(|| async {
        let server = a_server().await;
        let address = server.local_addrs()[0];
        let (mut reader, writer) = is_echoed(address).await.unwrap();
        let clone = server.clone();
        drop(server);
        is_echoed(address).await.unwrap();
        drop(clone);
        assert!(open_connection(address).await.is_err());
        drop(TcpListener::bind(address).unwrap());
        writer.write("still there?\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "still there?\n");
    });
}

/// A server that a handler closes, from within its own runtime.
#[test]
fn s3_a_handler_may_close_its_server() {
    on_each_runtime(|| async {
        let (give, take) = tokio::sync::oneshot::channel::<Server>();
        let take = std::sync::Arc::new(tokio::sync::Mutex::new(Some(take)));
        let handler = move |_: StreamReader, writer: StreamWriter| {
            let take = take.clone();
            async move {
                let server = take.lock().await.take().unwrap().await.unwrap();
                server.close();
                server.close_clients();
                assert!(writer.is_closing());
            }
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        give.send(server.clone()).unwrap();
        let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        server.serve_forever().await.ok();
        assert_eq!(reader.read_line().await.unwrap(), None);
    });
}

#[test]
fn s3_a_server_may_be_started_and_closed_outside_of_its_runtime() {
    highwater_tests::bounded::bounded(|| {
        let runtime = one_thread();
        let start = async { start_server(echo, LOOPBACK).start_serving(false).await };
        let server = runtime.block_on(start).unwrap();
        server.start_serving().unwrap();
        runtime.block_on(is_echoed(server.local_addrs()[0])).unwrap();
        server.close();
        // Nothing runs that could close it later; but somebody else may have been given the port, for a while.
        while TcpListener::bind(server.local_addrs()[0]).is_err() {
            std::thread::yield_now();
        }
        runtime.block_on(server.wait_closed());
    });
}
