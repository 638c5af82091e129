//! W7, W8 and R4 over TCP: the reply and a clean end though input is unread, a reset that is a reset, and
//! data before an error.

use highwater_net::{StreamReader, StreamWriter, Transport, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{LOOPBACK, give_away, pair_of_tcp, reset};
use std::io::{self, ErrorKind, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// Reads a line, leaves the rest, and replies.
async fn replies(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    reader.read_line().await?;
    writer.write(vec![b'r'; 200_000])?;
    Ok(())
}

#[test]
fn w7_the_reply_and_a_clean_end_arrive_though_input_is_unread() {
    on_each_runtime(|| async {
        let server = start_server(replies, LOOPBACK).await.unwrap();
        for unread in [1, 70_000, 900_000] {
            let client = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
            let (mut from, mut to) = client.into_split();
            let sending = tokio::spawn(async move {
                to.write_all(b"a request\n").await.unwrap();
                to.write_all(&vec![b'u'; unread]).await.unwrap();
                to
            });
            let mut reply = Vec::new();
            from.read_to_end(&mut reply).await.unwrap();
            assert_eq!(reply.len(), 200_000);
            drop(sending.await.unwrap());
        }
        server.close();
        server.wait_closed().await;
    });
}

/// Both ends are ours: the client meets a clean end too.
#[test]
fn w7_a_client_of_ours_reads_the_reply_to_its_end() {
    on_each_runtime(|| async {
        let server = start_server(replies, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        writer.write("a request\n").unwrap();
        writer.write(vec![b'u'; 500_000]).unwrap();
        assert_eq!(reader.read_to_end(1_000_000).await.unwrap().len(), 200_000);
        writer.close();
        writer.wait_closed().await.unwrap();
    });
}

#[test]
fn w8_abort_is_a_reset_for_the_peer_wherever_the_reader_is() {
    on_each_runtime(|| async {
        for is_reader_kept in [true, false] {
            let (give, mut take) = give_away();
            let server = start_server(give, LOOPBACK).await.unwrap();
            let mut client = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
            let (reader, writer) = take.recv().await.unwrap();
            let reader = is_reader_kept.then_some(reader);
            writer.write("never sent").unwrap();
            writer.abort();
            let error = client.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            server.close();
            server.wait_closed().await;
            drop(reader);
        }
    });
}

#[test]
fn w8_abort_ends_a_read_that_waits_elsewhere() {
    on_each_runtime(|| async {
        let (mut near, far) = pair_of_tcp();
        let (mut reader, writer) = open_connection(far).await.unwrap();
        near.write_all(b"half a li").unwrap();
        reader.peek(9).await.unwrap();
        let reading = tokio::spawn(async move { (reader.read_line().await, reader) });
        tokio::task::yield_now().await;
        writer.abort();
        let (read, mut reader) = reading.await.unwrap();
        assert_eq!(io::Error::from(read.unwrap_err()).kind(), ErrorKind::ConnectionAborted);
        assert_eq!(reader.read(100).await.unwrap(), "half a li");
        assert_eq!(reader.read(100).await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    });
}

#[test]
fn r4_a_reset_comes_after_the_data_and_every_time() {
    on_each_runtime(|| async {
        let (near, far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        let mut near = TcpStream::from_std(near).unwrap();
        let (mut reader, writer) = open_connection(far).await.unwrap();
        near.write_all(b"first\nsecond\nthird").await.unwrap();
        reader.peek(18).await.unwrap();
        reset(near);
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "first\n");
        assert_eq!(reader.read_until(b"\n").await.unwrap(), "second\n");
        for _ in 0..3 {
            let error = io::Error::from(reader.read_line().await.unwrap_err());
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        assert_eq!(reader.read(100).await.unwrap(), "third");
        assert_eq!(reader.read(100).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        let kept = writer.write("too late").unwrap_err();
        assert_eq!(io::Error::from(kept).kind(), ErrorKind::ConnectionReset);
    });
}

/// The peer sends its reason and resets; here the writer finds out first. The kernel still holds the reason.
async fn a_writer_meets_a_reset(is_known_readable: bool) {
    let (near, far) = pair_of_tcp();
    near.set_nonblocking(true).unwrap();
    let mut near = TcpStream::from_std(near).unwrap();
    let (mut reader, writer) = open_connection(far).await.unwrap();
    near.write_all(b"the reason\n").await.unwrap();
    reset(near);
    let is_readable = |transport: &Transport| match transport {
        Transport::Tcp(socket) => socket.try_io(Interest::READABLE, || Ok(())).is_ok(),
        other => panic!("{other:?}"),
    };
    while is_known_readable && writer.with_transport(is_readable) == Some(false) {
        tokio::task::yield_now().await;
    }
    writer.write("more\n").unwrap();
    let error = writer.flush().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "the reason\n");
    for _ in 0..3 {
        let kept = io::Error::from(reader.read_line().await.unwrap_err());
        assert_eq!(kept.kind(), error.kind(), "never a clean end");
    }
}

#[test]
fn r4_a_writer_that_meets_the_reset_first_does_not_hide_the_data() {
    on_each_runtime(|| a_writer_meets_a_reset(true));
}

#[test]
fn r4_nor_when_the_reactor_has_not_looked_at_the_socket_yet() {
    on_each_runtime(|| a_writer_meets_a_reset(false));
}
