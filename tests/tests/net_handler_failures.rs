//! S1: a handler's error or panic closes its connection and nothing else, and is told with the peer.

use futures::poll;
use highwater_net::{ServerEvent, StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::memory::memory;
use highwater_tests::net::{LOOPBACK, hook, is_echoed};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Fails in the way that the first line names, or echoes.
async fn fails(mut reader: StreamReader, writer: StreamWriter) -> Result<(), String> {
    let _held = PanicsOnDrop(false);
    while let Some(line) = reader.read_line().await.map_err(|error| error.to_string())? {
        match &*line {
            b"fail\n" => return Err("no such mailbox".into()),
            b"panic\n" => panic!("a panic in the future"),
            b"format\n" => panic!("a panic with {}", "a text of its own"),
            b"other\n" => std::panic::panic_any(7),
            b"drop\n" => {
                let _held = PanicsOnDrop(true);
                return Ok(());
            }
            line => writer.write(line).map_err(|error| error.to_string())?,
        }
    }
    Ok(())
}

struct PanicsOnDrop(bool);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert!(!self.0, "a panic in a drop");
    }
}

/// What the server tells of a client that sends `line`; that client's connection ends cleanly, and another's
/// goes on.
async fn tells(line: &'static str) -> String {
    let (tell, mut told) = hook();
    let server = start_server(fails, LOOPBACK).on_error(tell).await.unwrap();
    let address = server.local_addrs()[0];
    let (mut other_reader, other_writer) = is_echoed(address).await.unwrap();

    let (mut reader, writer) = open_connection(address).await.unwrap();
    let client = writer.facts().local_addr().to_string();
    writer.write(line).unwrap();
    assert_eq!(reader.read_line().await.unwrap(), None);
    let event = told.recv().await.unwrap();
    assert!(event.contains(&client), "{event} lacks {client}");

    other_writer.write("still there?\n").unwrap();
    assert_eq!(other_reader.read_line().await.unwrap().unwrap(), "still there?\n");
    is_echoed(address).await.unwrap();
    drop((reader, writer, other_reader, other_writer));
    server.close();
    server.wait_closed().await;
    assert!(told.try_recv().is_err(), "it is told once");
    event.replace(&client, "CLIENT")
}

#[test]
fn s1_an_error_is_told_with_the_peer() {
    on_each_runtime(|| async {
        assert_eq!(tells("fail\n").await, "the handler of CLIENT failed: no such mailbox");
    });
}

#[test]
fn s1_a_panic_in_the_future_is_told_with_the_peer() {
    on_each_runtime(|| async {
        assert_eq!(tells("panic\n").await, "the handler of CLIENT panicked: a panic in the future");
        assert_eq!(tells("format\n").await, "the handler of CLIENT panicked: a panic with a text of its own");
        assert_eq!(tells("other\n").await, "the handler of CLIENT panicked: a panic without a message");
    });
}

#[test]
fn s1_a_panic_in_a_drop_of_what_the_future_holds_is_told_with_the_peer() {
    on_each_runtime(|| async {
        assert_eq!(tells("drop\n").await, "the handler of CLIENT panicked: a panic in a drop");
    });
}

#[test]
fn s1_a_panic_in_the_function_itself_is_told_with_the_peer() {
    on_each_runtime(|| async {
        let handler = |_: StreamReader, _: StreamWriter| panic!("before any future");
        #[allow(unreachable_code, clippy::diverging_sub_expression)]
        let handler = move |reader: StreamReader, writer: StreamWriter| -> () { handler(reader, writer) };
        let (tell, mut told) = hook();
        let server = start_server(handler, LOOPBACK).on_error(tell).await.unwrap();
        for _ in 0..3 {
            let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap(), None);
            let client = writer.facts().local_addr().to_string();
            let event = told.recv().await.unwrap();
            assert_eq!(event, format!("the handler of {client} panicked: before any future"));
        }
        server.close();
        server.wait_closed().await;
    });
}

#[test]
fn s1_the_event_carries_the_peers_address_and_the_error() {
    on_each_runtime(|| async {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel::<(SocketAddr, String)>();
        let hook = move |event: &ServerEvent| {
            let ServerEvent::HandlerFailed { peer, error } = event else { panic!("{event:?}") };
            assert!(error.is::<std::io::Error>());
            tell.send((peer.socket_addr().unwrap(), error.to_string())).unwrap();
        };
        let handler = |_: StreamReader, _: StreamWriter| async {
            Err::<(), _>(std::io::Error::other("an error of io"))
        };
        let server = start_server(handler, LOOPBACK).on_error(hook).await.unwrap();
        let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let client = writer.facts().local_addr().socket_addr().unwrap();
        assert_eq!(told.recv().await.unwrap(), (client, "an error of io".into()));
    });
}

/// asyncio closes the transport; a half that was given away does not keep it open.
#[test]
fn s1_a_failure_closes_the_connection_wherever_its_halves_are() {
    on_each_runtime(|| async {
        for is_panic in [false, true] {
            let kept = Arc::new(Mutex::new(Vec::new()));
            let keep = Arc::clone(&kept);
            let handler = move |reader: StreamReader, writer: StreamWriter| {
                keep.lock().unwrap().push((reader, writer));
                async move {
                    assert!(!is_panic, "after giving the halves away");
                    Err::<(), _>("after giving the halves away")
                }
            };
            let (tell, mut told) = hook();
            let server = start_server(handler, LOOPBACK).on_error(tell).await.unwrap();
            let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap(), None);
            assert!(told.recv().await.unwrap().ends_with("after giving the halves away"));
            drop((reader, writer));
            server.close();
            server.wait_closed().await;
            let (_, writer) = kept.lock().unwrap().pop().unwrap();
            assert!(writer.write("too late").is_err());
        }
    });
}

/// What the failed handler had written is still under way when the hook panics.
#[test]
fn s1_a_hook_that_panics_harms_no_connection_and_no_count() {
    on_each_runtime(|| async {
        let handler = |_: StreamReader, writer: StreamWriter| async move {
            writer.write(vec![b'w'; 8_000_000]).unwrap();
            Err::<(), _>("after a long reply")
        };
        let (tell, mut told) = hook();
        let hook = move |event: &ServerEvent| {
            tell(event);
            panic!("in the hook");
        };
        let server = start_server(handler, LOOPBACK).on_error(hook).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        told.recv().await.unwrap();
        server.close();
        let mut closed = pin!(server.wait_closed());
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert!(poll!(&mut closed).is_pending(), "its reply is not delivered yet");
        }
        assert_eq!(reader.read_to_end(10_000_000).await.unwrap().len(), 8_000_000);
        drop((reader, writer));
        closed.await;
    });
}

/// A handler that has said what it had to say, and a client that does not stay for it.
#[test]
fn s1_bytes_that_nobody_was_left_to_be_told_of_are_told_to_the_hook() {
    on_each_runtime(|| async {
        let (tell, mut told) = hook();
        let much = |_: StreamReader, writer: StreamWriter| async move { writer.write(vec![b'm'; 8 << 20]) };
        let server = start_server(much, LOOPBACK).on_error(tell).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let client = writer.facts().local_addr().to_string();
        assert_eq!(reader.read(1).await.unwrap(), "m");
        writer.abort();
        let event = told.recv().await.unwrap();
        let start = format!("the connection of {client} was closed with ");
        assert!(event.starts_with(&start) && event.contains(" bytes unsent: "), "{event}");
        assert_eq!(server.counts().handler_errors, 0);
        drop((reader, writer));
        server.close();
        server.wait_closed().await;
    });
}

/// Takes nothing, brings nothing: panics in each write.
struct Panics;

impl AsyncRead for Panics {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Panics {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        panic!("on purpose, in poll_write");
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The transport is called in the task of the handler, which it does not take along.
#[test]
fn s1_a_transport_that_panics_is_an_error_to_its_handler() {
    on_each_runtime(|| async {
        let (tell, mut told) = hook();
        let (listener, connector) = memory();
        let answers = |mut reader: StreamReader, writer: StreamWriter| async move {
            writer.write("x")?;
            reader.read(1).await?;
            Ok::<_, io::Error>(())
        };
        let server = start_server(answers, listener).on_error(tell).await.unwrap();
        connector.bring(Panics);
        for expected in ["1 byte unsent: the transport panicked", "failed: the transport panicked"] {
            let event = told.recv().await.unwrap();
            assert!(event.ends_with(expected), "{event}");
        }
        server.close();
        server.wait_closed().await;
    });
}
