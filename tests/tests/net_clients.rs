//! S3: `close_clients` and `abort_clients` reach every connection, wherever its halves are.

use highwater_net::{Server, StreamOptions, StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{Halves, LOOPBACK, give_away, is_echoed};
use std::io::ErrorKind;
use std::time::Duration;

/// What the server's side keeps of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    Both,
    Reader,
    Writer,
}

const ALL: [Left; 3] = [Left::Both, Left::Reader, Left::Writer];

/// A server with one connection of which `left` is left, and the client.
async fn connected(left: Left) -> (Server, Option<StreamReader>, Option<StreamWriter>, Halves) {
    let (give, mut take) = give_away();
    let server = start_server(give, LOOPBACK).await.unwrap();
    let client = open_connection(server.local_addrs()[0]).await.unwrap();
    let (reader, writer) = take.recv().await.unwrap();
    let reader = (left != Left::Writer).then_some(reader);
    let writer = (left != Left::Reader).then_some(writer);
    (server, reader, writer, client)
}

#[test]
fn s3_close_clients_reaches_a_connection_wherever_its_halves_are() {
    on_each_runtime(|| async {
        for left in ALL {
            let (server, mut reader, writer, (mut client, client_writer)) = connected(left).await;
            if let Some(writer) = &writer {
                writer.write("queued before\n").unwrap();
            }
            server.close();
            server.close_clients();
            if writer.is_some() {
                assert_eq!(client.read_line().await.unwrap().unwrap(), "queued before\n", "{left:?}");
            }
            assert_eq!(client.read_line().await.unwrap(), None, "{left:?}");
            if let Some(reader) = &mut reader {
                assert_eq!(reader.read_line().await.unwrap(), None, "{left:?}");
            }
            if let Some(writer) = &writer {
                assert!(writer.write("too late").is_err(), "{left:?}");
            }
            drop((client, client_writer));
            server.wait_closed().await; // Also with the halves still there.
            drop((reader, writer));
        }
    });
}

#[test]
fn s3_abort_clients_reaches_a_connection_wherever_its_halves_are() {
    on_each_runtime(|| async {
        for left in ALL {
            let (server, mut reader, writer, (mut client, _client_writer)) = connected(left).await;
            server.close();
            server.abort_clients();
            server.wait_closed().await;
            let reset = client.read_line().await;
            if left == Left::Reader {
                // Its half had ended: the end may have arrived before the reset.
                assert!(!matches!(reset, Ok(Some(_))), "{reset:?}");
            } else {
                assert_eq!(std::io::Error::from(reset.unwrap_err()).kind(), ErrorKind::ConnectionReset);
            }
            if let Some(reader) = &mut reader {
                let error = std::io::Error::from(reader.read_line().await.unwrap_err());
                assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{left:?}");
            }
            if let Some(writer) = &writer {
                let error = std::io::Error::from(writer.write("too late").unwrap_err());
                assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{left:?}");
            }
        }
    });
}

/// Far more than the kernel holds.
const MUCH: usize = 16_000_000;

#[test]
fn s3_close_clients_delivers_what_a_stalled_writer_has_queued() {
    on_each_runtime(|| async {
        let (server, reader, writer, (mut client, client_writer)) = connected(Left::Both).await;
        let writer = writer.unwrap();
        writer.write(vec![b'm'; MUCH]).unwrap();
        let draining = tokio::spawn(async move {
            let drained = writer.drain().await;
            (drained, writer)
        });
        server.close();
        server.close_clients();
        assert_eq!(client.read_to_end(2 * MUCH).await.unwrap().len(), MUCH);
        draining.await.unwrap().0.unwrap();
        drop((client, client_writer));
        server.wait_closed().await;
        drop(reader);
    });
}

#[test]
fn s3_abort_clients_reaches_a_stalled_writer() {
    on_each_runtime(|| async {
        // Closed before, too: its delivery does not keep the abort out.
        for is_closed in [false, true] {
            let (server, _reader, writer, (mut client, _client_writer)) = connected(Left::Both).await;
            let writer = writer.unwrap();
            writer.write(vec![b'm'; MUCH]).unwrap();
            let clone = writer.clone();
            let draining = tokio::spawn(async move { clone.drain().await });
            tokio::task::yield_now().await;
            server.close();
            if is_closed {
                server.close_clients();
            }
            server.abort_clients();
            server.wait_closed().await;
            let error = draining.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            assert!(writer.wait_closed().await.unwrap_err().unsent() > 0);
            let error = std::io::Error::from(client.read_to_end(2 * MUCH).await.unwrap_err());
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "never a clean end");
        }
    });
}

/// A client that reads nothing holds `wait_closed` only as long as a delivery may stand still.
#[test]
fn s3_close_clients_is_bounded_by_the_delivery_timeout() {
    on_each_runtime(|| async {
        let (give, mut take) = give_away();
        let options = StreamOptions::new().delivery_timeout(Duration::from_millis(10));
        let server = start_server(give, LOOPBACK).streams(options).await.unwrap();
        let _client = open_connection(server.local_addrs()[0]).await.unwrap();
        let (_reader, writer) = take.recv().await.unwrap();
        writer.write(vec![b'm'; MUCH]).unwrap();
        server.close();
        server.close_clients();
        server.wait_closed().await;
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!(error.cause().kind(), ErrorKind::TimedOut);
        assert!(error.unsent() > 0);
    });
}

#[test]
fn s3_handlers_are_not_cancelled_their_reads_end() {
    on_each_runtime(|| async {
        for is_abort in [false, true] {
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let handler = move |mut reader: StreamReader, writer: StreamWriter| {
                let tell = tell.clone();
                async move {
                    while let Ok(Some(line)) = reader.read_line().await {
                        writer.write(line).unwrap();
                    }
                    tokio::task::yield_now().await;
                    tell.send(reader.error().map(|error| error.kind())).ok();
                }
            };
            let server = start_server(handler, LOOPBACK).await.unwrap();
            let clients = [
                is_echoed(server.local_addrs()[0]).await.unwrap(),
                is_echoed(server.local_addrs()[0]).await.unwrap(),
            ];
            if is_abort {
                server.abort_clients();
            } else {
                server.close_clients();
            }
            for _ in &clients {
                let error = told.recv().await.unwrap();
                assert_eq!(error, is_abort.then_some(ErrorKind::ConnectionAborted));
            }
            assert!(server.is_serving(), "it serves on");
            is_echoed(server.local_addrs()[0]).await.unwrap();
        }
    });
}
