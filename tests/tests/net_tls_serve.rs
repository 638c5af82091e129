//! A server inside TLS: its handshakes are its clients' own affair, and everything that reaches a client
//! reaches one that has not shaken hands yet.

use highwater_net::{
    ClientTls, Server, ServerTls, StreamReader, StreamWriter, open_connection, start_server, start_tls,
};
use highwater_tests::counted::{on_each_runtime, on_one_thread, run_paused};
use highwater_tests::net::{Halves, LOOPBACK, echo, hook};
use highwater_tests::tls::{LOCALHOST, client, server};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

async fn echoing(tls: ServerTls) -> (Server, UnboundedReceiver<String>) {
    let (hook, told) = hook();
    (start_server(echo, LOOPBACK).tls(tls).on_error(hook).await.unwrap(), told)
}

async fn ends(server: Server) {
    server.close();
    server.wait_closed().await;
}

async fn connected(server: &Server) -> Halves {
    open_connection(server.local_addrs()[0]).tls(client()).await.unwrap()
}

/// Someone who connects and says nothing.
async fn silent(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
    while server.counts().open == 0 {
        tokio::task::yield_now().await;
    }
    socket
}

async fn is_served((mut reader, writer): Halves) {
    writer.write("are you there?\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "are you there?\n");
    writer.close();
    writer.wait_closed().await.unwrap();
}

/// The socket's end, whichever way it comes. What the server said before is dropped.
async fn end_of(mut socket: TcpStream) {
    let mut bytes = Vec::new();
    drop(socket.read_to_end(&mut bytes).await);
}

#[test]
fn t3_who_does_not_shake_hands_holds_up_nobody() {
    on_each_runtime(|| async {
        let (server, _told) = echoing(server()).await;
        let waiting = silent(&server).await;
        is_served(connected(&server).await).await;
        drop(waiting);
        ends(server).await;
    });
}

#[test]
fn t3_a_handshake_that_stops_is_ended_counted_and_told() {
    run_paused(|| async {
        let (server, mut told) = echoing(server().handshake_timeout(Duration::from_secs(7))).await;
        let mut stopping = silent(&server).await;
        stopping.write_all(&[22, 3, 1]).await.unwrap(); // the first bytes of a ClientHello
        let peer = stopping.local_addr().unwrap();
        let expected = format!("no TLS with {peer}: the TLS handshake took longer than 7s");
        assert_eq!(told.recv().await.unwrap(), expected);
        end_of(stopping).await;
        let counts = server.counts();
        assert_eq!((counts.accepted, counts.failed_handshakes, counts.handler_errors), (1, 1, 0));
        ends(server).await;
    });
}

#[test]
fn t3_garbage_and_plain_http_are_refused_and_the_next_is_served() {
    on_one_thread(|| async {
        let (server, mut told) = echoing(server()).await;
        for bytes in
            [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0; 1000], &[0xff; 5], b"\n\n\n\n\n\n"]
        {
            let mut socket = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
            socket.write_all(bytes).await.unwrap();
            end_of(socket).await;
            assert!(told.recv().await.unwrap().contains("the TLS handshake failed: "));
        }
        is_served(connected(&server).await).await;
        assert_eq!(server.counts().failed_handshakes, 4);
        ends(server).await;
    });
}

#[test]
fn t3_who_leaves_in_the_middle_is_told() {
    on_one_thread(|| async {
        let (server, mut told) = echoing(server()).await;
        drop(silent(&server).await);
        let sentence = told.recv().await.unwrap();
        assert!(sentence.ends_with("ended the connection in the middle of the TLS handshake"), "{sentence}");
        ends(server).await;
    });
}

#[test]
fn t3_handshakes_past_the_bound_wait_for_their_turn_and_not_for_ever() {
    run_paused(|| async {
        let tls = ServerTls::builder(LOCALHOST.identity()).max_handshakes(1).build().unwrap();
        let (server, mut told) = echoing(tls).await;
        let first = silent(&server).await;
        // Its turn comes when the first has used up its time, which is a moment before its own is.
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = connected(&server).await;
        assert!(told.recv().await.unwrap().ends_with("took longer than 60s"));
        is_served(second).await;
        drop(first);
        ends(server).await;
    });
}

#[test]
fn s3_shutdown_ends_a_client_that_is_stuck_in_its_handshake() {
    run_paused(|| async {
        let (server, _told) = echoing(server()).await;
        let stuck = silent(&server).await;
        let begun = tokio::time::Instant::now();
        server.shutdown(Duration::from_secs(5)).await;
        assert!(begun.elapsed() >= Duration::from_secs(5) && begun.elapsed() < Duration::from_secs(10));
        server.wait_closed().await;
        assert_eq!(server.counts().open, 0);
        end_of(stuck).await;
    });
}

#[test]
fn s3_close_clients_and_abort_clients_reach_a_handshake() {
    on_each_runtime(|| async {
        for abort in [false, true] {
            let (server, _told) = echoing(server()).await;
            let stuck = silent(&server).await;
            match abort {
                true => server.abort_clients(),
                false => server.close_clients(),
            }
            end_of(stuck).await;
            ends(server).await;
        }
    });
}

/// Says so in plain, and goes on inside TLS.
async fn upgrading(reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let mut reader = reader;
    assert_eq!(reader.read_line().await?.unwrap(), "STARTTLS\n");
    writer.write("go ahead\n")?;
    let (reader, writer) = start_tls(reader, writer, server()).await?;
    echo(reader, writer).await
}

async fn upgraded(server: &Server) -> Halves {
    let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
    writer.write("STARTTLS\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "go ahead\n");
    start_tls(reader, writer, client().server_name("localhost")).await.unwrap()
}

#[test]
fn s3_close_clients_and_abort_clients_reach_a_connection_that_was_upgraded() {
    on_each_runtime(|| async {
        let server = start_server(upgrading, LOOPBACK).on_error(|_| {}).await.unwrap();
        let (mut reader, writer) = upgraded(&server).await;
        writer.write("still here\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "still here\n");
        assert_eq!(server.counts().open, 1);
        server.close_clients();
        assert_eq!(reader.read(1).await.unwrap(), "", "close_notify came");
        drop((reader, writer));

        let (mut reader, writer) = upgraded(&server).await;
        // A client is through with its handshake before its server is.
        writer.write("still here\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "still here\n");
        server.abort_clients();
        assert_eq!(reader.read(1).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        ends(server).await;
    });
}

#[test]
fn t2_a_client_hello_in_the_segment_of_the_command_completes() {
    on_each_runtime(|| async {
        let server = start_server(upgrading, LOOPBACK).await.unwrap();
        let (reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        // The command is queued, and goes out in front of the ClientHello; the answer in plain is read by hand.
        let socket = reader.reunite(writer).await.unwrap().transport;
        let halves =
            highwater_net::pair(Hasty { socket, command: b"STARTTLS\n", answer: b"go ahead\n".len() });
        let (reader, writer) =
            start_tls(halves.0, halves.1, client().server_name("localhost")).await.unwrap();
        is_served((reader, writer)).await;
        ends(server).await;
    });
}

/// Sends the command in one write with what comes first, and skips the answer.
struct Hasty {
    socket: highwater_net::Transport,
    command: &'static [u8],
    answer: usize,
}

mod hasty {
    use super::Hasty;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    impl AsyncRead for Hasty {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            while self.answer > 0 {
                let mut byte = [0; 1];
                let mut one = ReadBuf::new(&mut byte);
                ready!(Pin::new(&mut self.socket).poll_read(cx, &mut one))?;
                assert_eq!(one.filled().len(), 1, "the answer comes whole");
                self.answer -= 1;
            }
            Pin::new(&mut self.socket).poll_read(cx, into)
        }
    }

    impl AsyncWrite for Hasty {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.command.is_empty() {
                return Pin::new(&mut self.socket).poll_write(cx, bytes);
            }
            let both = [self.command, bytes].concat();
            let count = ready!(Pin::new(&mut self.socket).poll_write(cx, &both))?;
            assert_eq!(count, both.len(), "one segment");
            self.command = b"";
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.socket).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.socket).poll_shutdown(cx)
        }
    }
}

#[test]
fn t5_facts_of_both_sides_stay_after_the_end() {
    on_one_thread(|| async {
        let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
        let handler = move |reader: StreamReader, writer: StreamWriter| give.send((reader, writer)).unwrap();
        let server = start_server(handler, LOOPBACK).tls(server()).await.unwrap();
        let tls: ClientTls = client();
        let connecting = open_connection(server.local_addrs()[0]).tls(tls.server_name("localhost"));
        let (ours, theirs) = (connecting.await.unwrap(), take.recv().await.unwrap());
        for (reader, writer) in [&ours, &theirs] {
            writer.abort();
            assert_eq!(reader.facts().tls().unwrap().server_name(), Some("localhost"));
            assert_eq!(writer.facts().tls().unwrap().server_name(), Some("localhost"));
            assert!(writer.facts().peer_addr().socket_addr().is_some());
        }
        assert_eq!(ours.0.facts().tls().unwrap().peer_certificates(), [LOCALHOST.der()]);
        assert!(theirs.0.facts().tls().unwrap().peer_certificates().is_empty());
        drop((ours, theirs));
        ends(server).await;
    });
}

/// Closed between the accept and the handshake: `wait_closed` waits for that socket as for any other.
#[test]
fn s3_a_client_that_is_closed_before_its_handshake_is_waited_for() {
    run_paused(|| async {
        let slot: Arc<Mutex<Option<Server>>> = Arc::default();
        let closes = Arc::clone(&slot);
        let starting = start_server(echo, LOOPBACK).tls(server()).on_error(|_| {}).admit(move |_| {
            closes.lock().unwrap().as_ref().unwrap().close_clients();
            true
        });
        let server = starting.await.unwrap();
        *slot.lock().unwrap() = Some(server.clone());
        let client = silent(&server).await;
        server.close();
        let mut closed = Box::pin(server.wait_closed());
        assert!(futures::poll!(&mut closed).is_pending(), "it lingers");
        drop(client);
        closed.await;
        // The server holds the judge, and the judge the server.
        *slot.lock().unwrap() = None;
    });
}

#[test]
fn t3_a_resolver_that_panics_is_counted_and_told() {
    #[derive(Debug)]
    struct Panics;
    impl highwater_net::rustls::server::ResolvesServerCert for Panics {
        fn resolve(
            &self,
            _: highwater_net::rustls::server::ClientHello<'_>,
        ) -> Option<Arc<highwater_net::rustls::sign::CertifiedKey>> {
            panic!("no such tenant");
        }
    }
    on_one_thread(|| async {
        let provider = Arc::new(highwater_tests::tls::Provider::AwsLcRs.rustls());
        let config = highwater_net::rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Panics));
        let (server, mut told) = echoing(config.into()).await;
        let connecting = open_connection(server.local_addrs()[0]).tls(client());
        assert!(connecting.await.is_err());
        let sentence = told.recv().await.unwrap();
        assert!(sentence.ends_with("the TLS handshake panicked: no such tenant"), "{sentence}");
        assert_eq!(server.counts().failed_handshakes, 1);
        ends(server).await;
    });
}

/// An upgrade that was put aside is never polled again: the end of the server does not wait for it.
#[test]
fn s3_shutdown_does_not_wait_for_an_upgrade_that_was_put_aside() {
    run_paused(|| async {
        type Upgrade = <highwater_net::StartTls<ServerTls> as std::future::IntoFuture>::IntoFuture;
        let aside: Arc<Mutex<Vec<Upgrade>>> = Arc::default();
        let puts = Arc::clone(&aside);
        let handler = move |reader: StreamReader, writer: StreamWriter| {
            let puts = Arc::clone(&puts);
            async move {
                let mut upgrade = start_tls(reader, writer, server()).into_future();
                assert!(futures::poll!(&mut upgrade).is_pending());
                puts.lock().unwrap().push(upgrade);
            }
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let client = silent(&server).await;
        while aside.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        server.shutdown(Duration::ZERO).await;
        assert_eq!(server.counts().open, 0);
        drop(aside.lock().unwrap().drain(..).collect::<Vec<_>>());
        end_of(client).await;
    });
}
