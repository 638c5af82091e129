//! S3: the scope of a server, its counts, and whom it admits.

use highwater_net::{Counts, Server, StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::bounded::settle;
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::memory::memory;
use highwater_tests::net::{LOOPBACK, echo, hook, is_echoed};
use std::future::pending;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn s3_serve_until_serves_for_as_long_and_waits_for_the_end() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let output = server
            .serve_until(async {
                let (reader, writer) = is_echoed(address).await.unwrap();
                assert!(server.is_serving());
                drop((reader, writer));
                "what it returned"
            })
            .await;
        assert_eq!(output, "what it returned");
        assert!(!server.is_serving());
        assert_eq!(server.counts().open, 0);
        drop(TcpListener::bind(address).unwrap());
    });
}

#[test]
fn s3_serve_until_waits_for_a_client_that_stays() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let client = is_echoed(server.local_addrs()[0]).await.unwrap();
        let mut scope = Box::pin(server.serve_until(async { 7 }));
        assert!(futures::poll!(&mut scope).is_pending());
        assert!(!server.is_serving(), "closed, and waiting");
        drop(client);
        assert_eq!(scope.await, 7);
    });
}

#[test]
fn s3_serve_until_that_is_dropped_closes() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let (mut reader, writer) = is_echoed(server.local_addrs()[0]).await.unwrap();
        let mut scope = Box::pin(server.serve_until(pending::<()>()));
        assert!(futures::poll!(&mut scope).is_pending());
        assert!(server.is_serving());
        drop(scope);
        assert!(!server.is_serving());
        writer.write("goes on\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "goes on\n");
    });
}

#[test]
fn s3_serve_until_that_panics_closes() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let scope = server.clone();
        let panics = tokio::spawn(async move { scope.serve_until(async { panic!("inside") }).await });
        let panicked: Result<(), _> = panics.await;
        assert!(panicked.unwrap_err().is_panic());
        assert!(!server.is_serving());
        server.wait_closed().await;
    });
}

fn counted(server: &Server) -> (usize, u64, u64, u64) {
    let Counts { open, accepted, refused, handler_errors, .. } = server.counts();
    (open, accepted, refused, handler_errors)
}

#[test]
fn s3_counts_follow_the_connections() {
    on_one_thread(|| async {
        let (tell, mut told) = hook();
        let (listener, connector) = memory();
        let handler = |mut reader: StreamReader, writer: StreamWriter| async move {
            match reader.read_line().await?.as_deref() {
                Some(b"fail\n") => Err("as told".into()),
                Some(b"panic\n") => panic!("as told"),
                _ => {
                    writer.write("fine\n")?;
                    Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
                }
            }
        };
        let server = start_server(handler, listener).on_error(tell).await.unwrap();
        assert_eq!(counted(&server), (0, 0, 0, 0));
        let clients = ["fail\n", "panic\n", "go\n"].map(|line| (connector.connect(), line));
        settle().await;
        assert_eq!(counted(&server), (3, 3, 0, 0));
        for ((mut reader, writer), line) in clients {
            writer.write(line).unwrap();
            reader.read_to_end(100).await.unwrap();
        }
        server.close();
        server.wait_closed().await;
        told.recv().await.unwrap();
        told.recv().await.unwrap();
        assert_eq!(counted(&server), (0, 3, 0, 2));
        assert_eq!(server.counts().failed_handshakes, 0);
    });
}

/// The reset may come so soon that connecting tells it.
async fn is_reset(address: SocketAddr) {
    let reset = match open_connection(address).await {
        Ok((mut reader, _writer)) => io::Error::from(reader.read(1).await.unwrap_err()),
        Err(error) => error.into(),
    };
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn s3_who_is_not_admitted_is_closed_at_once_and_counted() {
    on_each_runtime(|| async {
        let is_open = Arc::new(AtomicBool::new(false));
        let judge = Arc::clone(&is_open);
        let server = start_server(echo, LOOPBACK)
            .admit(move |facts| {
                assert!(facts.peer_addr().socket_addr().is_some());
                judge.load(Ordering::SeqCst)
            })
            .await
            .unwrap();
        let address = server.local_addrs()[0];
        for refused in 1..=3 {
            is_reset(address).await;
            while server.counts().open > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(counted(&server), (0, 0, refused, 0));
        }
        is_open.store(true, Ordering::SeqCst);
        let _client = is_echoed(address).await.unwrap();
        assert_eq!(counted(&server), (1, 1, 3, 0));
    });
}

#[test]
fn s3_a_judge_that_panics_declines_and_is_told_and_one_that_closes_the_server_may() {
    on_each_runtime(|| async {
        let (tell, mut told) = hook();
        let server =
            start_server(echo, LOOPBACK).on_error(tell).admit(|_| panic!("undecided")).await.unwrap();
        for _ in 0..2 {
            is_reset(server.local_addrs()[0]).await;
            assert!(told.recv().await.unwrap().ends_with("was not decided: undecided"));
        }
        assert_eq!(counted(&server).2, 2);

        let (give, take) = std::sync::mpsc::channel::<Server>();
        let take = std::sync::Mutex::new(take);
        let server = start_server(echo, LOOPBACK)
            .start_serving(false)
            .admit(move |_| {
                take.lock().unwrap().recv().unwrap().close();
                true
            })
            .await
            .unwrap();
        give.send(server.clone()).unwrap();
        server.start_serving().unwrap();
        let client = is_echoed(server.local_addrs()[0]).await.unwrap();
        assert!(!server.is_serving());
        drop(client);
        server.wait_closed().await;
    });
}

/// With connections of its own still open, one served on and one in TIME_WAIT.
#[test]
fn s3_a_closed_servers_address_is_bound_again_at_once() {
    on_each_runtime(|| async {
        let closes = |_: StreamReader, _: StreamWriter| async {};
        let short = start_server(closes, LOOPBACK).await.unwrap();
        let address = short.local_addrs()[0];
        let (mut reader, writer) = open_connection(address).await.unwrap();
        assert_eq!(reader.read(1).await.unwrap(), "");
        drop((reader, writer));
        short.close();
        let mut server = start_server(echo, address).await.unwrap();
        for _ in 0..10 {
            let _served_on = is_echoed(address).await.unwrap();
            server.close();
            server = start_server(echo, address).await.unwrap();
        }
    });
}
