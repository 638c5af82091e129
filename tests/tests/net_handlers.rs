//! S1: the forms of a handler, what its return does, and what a half that it gives away does.

use futures::poll;
use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{LOOPBACK, echo, give_away, is_echoed};
use std::io;
use std::pin::pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn nothing(mut reader: StreamReader, writer: StreamWriter) {
    let line = reader.read_line().await.unwrap().unwrap();
    writer.write(line).unwrap();
}

async fn result(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let line = reader.read_line().await?.unwrap();
    writer.write(line)?;
    Ok(())
}

async fn other_error(mut reader: StreamReader, writer: StreamWriter) -> Result<(), &'static str> {
    let line = reader.read_line().await.map_err(|_| "no line")?.ok_or("no line")?;
    writer.write(line).map_err(|_| "no write")
}

fn plain(mut reader: StreamReader, writer: StreamWriter) {
    tokio::spawn(async move {
        let line = reader.read_line().await.unwrap().unwrap();
        writer.write(line).unwrap();
    });
}

/// Sends a line from a plain socket, and reads to the clean end of the reply.
async fn one_line(address: std::net::SocketAddr) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"a line\n").await.unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).await.unwrap();
    reply
}

#[test]
fn s1_every_form_of_a_handler_answers_and_closes() {
    on_each_runtime(|| async {
        let greeting = String::from("a closure's own\n");
        let closure = move |mut reader: StreamReader, writer: StreamWriter| {
            let greeting = greeting.clone();
            async move {
                reader.read_line().await?;
                writer.write(greeting)?;
                Ok::<(), io::Error>(())
            }
        };
        let servers = [
            start_server(nothing, LOOPBACK).await.unwrap(),
            start_server(result, LOOPBACK).await.unwrap(),
            start_server(other_error, LOOPBACK).await.unwrap(),
            start_server(plain, LOOPBACK).await.unwrap(),
        ];
        for server in servers {
            assert_eq!(one_line(server.local_addrs()[0]).await, "a line\n");
            server.close();
            server.wait_closed().await;
        }
        let server = start_server(closure, LOOPBACK).await.unwrap();
        assert_eq!(one_line(server.local_addrs()[0]).await, "a closure's own\n");
    });
}

#[test]
fn s1_a_handler_that_returns_at_once_closes_cleanly() {
    on_each_runtime(|| async {
        let server = start_server(|_: StreamReader, _: StreamWriter| {}, LOOPBACK).await.unwrap();
        for _ in 0..20 {
            assert_eq!(one_line(server.local_addrs()[0]).await, "");
        }
    });
}

/// Unread input would turn into a reset, which destroys what was not received yet.
#[test]
fn s1_a_return_delivers_the_reply_although_input_is_unread() {
    on_each_runtime(|| async {
        let handler = async |mut reader: StreamReader, writer: StreamWriter| {
            reader.read_line().await.unwrap();
            writer.write(vec![b'r'; 300_000]).unwrap();
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let mut client = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
        client.write_all(b"a request\n").await.unwrap();
        client.write_all(&[b'u'; 100_000]).await.unwrap();
        let mut reply = Vec::new();
        client.read_to_end(&mut reply).await.unwrap();
        assert_eq!(reply.len(), 300_000);
        server.close();
        drop(client);
        server.wait_closed().await;
    });
}

#[test]
fn s1_handlers_run_beside_each_other() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let first = open_connection(server.local_addrs()[0]).await.unwrap();
        let (mut reader, writer) = is_echoed(server.local_addrs()[0]).await.unwrap();
        writer.write("again\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "again\n");
        drop(first);
    });
}

#[test]
fn s1_both_halves_given_away_keep_the_connection() {
    on_each_runtime(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let (mut served, reply) = take.recv().await.unwrap();
        server.close();
        let mut closed = pin!(server.wait_closed());
        writer.write("a line\n").unwrap();
        reply.write(served.read_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "a line\n");
        assert!(poll!(&mut closed).is_pending(), "it counts as a client");
        drop((served, reply));
        assert_eq!(reader.read_line().await.unwrap(), None);
        drop((reader, writer));
        closed.await;
    });
}

#[test]
fn s1_a_writer_given_away_keeps_the_connection() {
    on_each_runtime(|| async {
        let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
        let handler = move |_: StreamReader, writer: StreamWriter| {
            let give = give.clone();
            async move { give.send(writer).unwrap() }
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let reply = take.recv().await.unwrap();
        server.close();
        let mut closed = pin!(server.wait_closed());
        for _ in 0..3 {
            reply.write("news\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "news\n");
            assert!(poll!(&mut closed).is_pending(), "it counts as a client");
        }
        drop(reply);
        assert_eq!(reader.read_line().await.unwrap(), None);
        drop((reader, writer));
        closed.await;
    });
}

#[test]
fn s1_a_reader_given_away_keeps_the_connection() {
    on_each_runtime(|| async {
        let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
        let handler = move |reader: StreamReader, writer: StreamWriter| {
            let give = give.clone();
            async move {
                writer.write("last words\n").unwrap();
                give.send(reader).unwrap();
            }
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let mut served = take.recv().await.unwrap();
        server.close();
        let mut closed = pin!(server.wait_closed());
        assert_eq!(reader.read_to_end(100).await.unwrap(), "last words\n", "its writer is gone");
        for _ in 0..3 {
            writer.write("a line\n").unwrap();
            assert_eq!(served.read_line().await.unwrap().unwrap(), "a line\n");
            assert!(poll!(&mut closed).is_pending(), "it counts as a client");
        }
        drop(served);
        drop((reader, writer));
        closed.await;
    });
}
