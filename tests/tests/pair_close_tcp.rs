//! W7 and W8 over TCP: the peer gets the reply and a clean end although its input was unread, or, after an
//! abort, a reset.

use highwater_stream::{Pair, ReadHalf, StreamReader, StreamWriter};
use highwater_tests::bounded::{run, run_on_workers};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REPLY: &str = "413 too large, and this is why\r\n";

type Halves = (StreamReader<ReadHalf<TcpStream>>, StreamWriter<TcpStream>);

fn hard(stream: &mut TcpStream) {
    stream.set_zero_linger().expect("a TCP socket has this option");
}

/// A plain client, and a server's halves.
async fn connected() -> (TcpStream, Halves) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = listener.accept().await.unwrap().0;
    (client, Pair::new(server).on_abort(hard).split())
}

/// A client that sends a megabyte, which nobody reads, and then reads.
async fn upload(mut client: TcpStream) -> io::Result<String> {
    client.write_all(&vec![b'x'; 1_000_000]).await?;
    let mut reply = String::new();
    client.read_to_string(&mut reply).await?;
    Ok(reply)
}

async fn replies_and(end: impl FnOnce(Halves) + Send + 'static) {
    let (mut client, halves) = connected().await;
    // The first part has arrived before the server ends, so that there is unread input for sure.
    client.write_all(&[b'x'; 10_000]).await.unwrap();
    halves.0.with_transport(|_| ()).unwrap();
    let weak = halves.1.downgrade();
    halves.1.write(REPLY).unwrap();
    let server = tokio::spawn(async move { end(halves) });
    assert_eq!(upload(client).await.expect("a clean end"), REPLY);
    server.await.unwrap();
    weak.wait_gone().await;
}

#[test]
fn w7_close_brings_the_reply_although_input_was_unread() {
    fn close((reader, writer): Halves) {
        writer.close();
        drop((reader, writer));
    }
    run(replies_and(close));
    run_on_workers(replies_and(close));
}

#[test]
fn w7_dropped_halves_bring_the_reply_although_input_was_unread() {
    run(replies_and(drop));
    run_on_workers(replies_and(drop));
}

#[test]
fn w7_a_last_reader_that_goes_brings_the_reply_too() {
    fn writer_first((reader, writer): Halves) {
        drop(writer);
        drop(reader);
    }
    run(replies_and(writer_first));
    run_on_workers(replies_and(writer_first));
}

#[test]
fn w7_a_long_reply_is_delivered_after_close() {
    run(async {
        let (mut client, (reader, writer)) = connected().await;
        let reply: Vec<u8> = (0..5_000_000u32).map(|index| (index % 251) as u8).collect();
        writer.write(reply.clone()).unwrap();
        writer.close();
        drop(reader);
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert!(got == reply);
        drop(client);
        writer.wait_closed().await.unwrap();
    });
}

#[test]
fn w8_abort_resets() {
    async fn check() {
        let (mut client, (reader, writer)) = connected().await;
        // More than the kernel takes.
        writer.write(vec![b'x'; 50_000_000]).unwrap();
        writer.abort();
        let mut got = Vec::new();
        let error = client.read_to_end(&mut got).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let unsent = writer.wait_closed().await.unwrap_err().unsent();
        assert!(unsent > 0 && got.len() as u64 <= 50_000_000 - unsent, "{} and {unsent}", got.len());
        drop(reader);
    }
    run(check());
    run_on_workers(check());
}

#[test]
fn w8_abort_resets_while_the_reader_lives_in_another_task() {
    async fn check() {
        let (mut client, (mut reader, writer)) = connected().await;
        client.write_all(b"line\npart").await.unwrap();
        let (is_waiting, waits) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "line\n");
            assert_eq!(reader.peek(4).await.unwrap(), b"part");
            is_waiting.send(()).unwrap();
            let error = reader.read_line().await.unwrap_err();
            assert_eq!(reader.read(10).await.unwrap(), "part");
            (io::Error::from(error).kind(), reader.read(10).await.unwrap_err().kind())
        });
        waits.await.unwrap();
        writer.abort();
        assert_eq!(task.await.unwrap(), (io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionAborted));
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    run(check());
    run_on_workers(check());
}
