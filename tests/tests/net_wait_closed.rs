//! S3: `wait_closed` waits for the close, the connections and the handlers, in whatever order they end.

use futures::future::join_all;
use futures::poll;
use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{LOOPBACK, echo, give_away, is_echoed};
use std::pin::pin;
use tokio::sync::watch;
use tokio::task::yield_now;

#[test]
fn s3_wait_closed_waits_for_the_close() {
    on_each_runtime(|| async {
        for start in [true, false] {
            let server = start_server(echo, LOOPBACK).start_serving(start).await.unwrap();
            let mut closed = pin!(server.wait_closed());
            assert!(poll!(&mut closed).is_pending());
            server.close();
            closed.await;
            server.wait_closed().await;
        }
    });
}

#[test]
fn s3_wait_closed_waits_for_connections() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let first = is_echoed(server.local_addrs()[0]).await.unwrap();
        let (mut reader, writer) = is_echoed(server.local_addrs()[0]).await.unwrap();
        server.close();
        let mut closed = pin!(server.wait_closed());
        drop(first);
        for line in ["one\n", "two\n", "three\n"] {
            assert!(poll!(&mut closed).is_pending());
            writer.write(line).unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), line);
        }
        drop((reader, writer));
        closed.await;
    });
}

/// The connection is gone, the handler is not.
#[test]
fn s3_wait_closed_waits_for_a_handler_that_outlives_its_connection() {
    on_each_runtime(|| async {
        let (end, may_end) = watch::channel(false);
        let handler = move |reader: StreamReader, writer: StreamWriter| {
            let mut may_end = may_end.clone();
            async move {
                drop(reader);
                writer.close();
                writer.wait_closed().await.unwrap();
                drop(writer);
                may_end.wait_for(|end| *end).await.unwrap();
            }
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        assert_eq!(reader.read_line().await.unwrap(), None);
        drop((reader, writer));
        server.close();
        let mut closed = pin!(server.wait_closed());
        for _ in 0..100 {
            assert!(poll!(&mut closed).is_pending());
            yield_now().await;
        }
        end.send_replace(true);
        closed.await;
    });
}

/// The handler is gone, the connection is not: it still delivers.
#[test]
fn s3_wait_closed_waits_for_a_connection_that_outlives_its_handler() {
    on_each_runtime(|| async {
        let handler = |_: StreamReader, writer: StreamWriter| async move {
            writer.write(vec![b'r'; 16_000_000]).unwrap();
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        assert_eq!(reader.read_exactly(1).await.unwrap(), "r");
        server.close();
        let mut closed = pin!(server.wait_closed());
        for _ in 0..100 {
            assert!(poll!(&mut closed).is_pending());
            yield_now().await;
        }
        assert_eq!(reader.read_to_end(16_000_000).await.unwrap().len(), 15_999_999);
        drop((reader, writer));
        closed.await;
    });
}

#[test]
fn s3_wait_closed_may_come_before_or_after_close_many_times_and_cancelled() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let client = is_echoed(server.local_addrs()[0]).await.unwrap();
        let mut early: Vec<_> = (0..10).map(|_| Box::pin(server.wait_closed())).collect();
        for waiter in &mut early {
            assert!(poll!(waiter).is_pending());
        }
        early.truncate(5);
        server.close();
        let mut late: Vec<_> = (0..10).map(|_| Box::pin(server.wait_closed())).collect();
        for waiter in &mut late {
            assert!(poll!(waiter).is_pending());
        }
        late.truncate(5);
        let elsewhere = server.clone();
        let elsewhere = tokio::spawn(async move { elsewhere.wait_closed().await });
        drop(client);
        join_all(early.into_iter().chain(late)).await;
        elsewhere.await.unwrap();
        server.wait_closed().await;
    });
}

/// The halves are dropped on other threads, in either order.
#[test]
fn s3_wait_closed_sees_halves_that_go_anywhere() {
    on_each_runtime(|| async {
        for reader_first in [true, false] {
            let (give, mut take) = give_away();
            let server = start_server(give, LOOPBACK).await.unwrap();
            let client = open_connection(server.local_addrs()[0]).await.unwrap();
            let (reader, writer) = take.recv().await.unwrap();
            server.close();
            drop(client);
            let dropping = std::thread::spawn(move || {
                if reader_first {
                    drop(reader);
                    drop(writer);
                } else {
                    drop(writer);
                    drop(reader);
                }
            });
            server.wait_closed().await;
            dropping.join().unwrap();
        }
    });
}
