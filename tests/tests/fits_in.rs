//! The streams among what others made: hyper on either end, `copy_bidirectional`, the pipes of a child process; each
//! from the first byte to the end.

use bytes::Bytes;
use highwater_net::{StreamReader, StreamWriter, duplex, open_connection, start_server};
use highwater_tests::bounded::run;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional, join, split};

const LOCAL: (&str, u16) = ("127.0.0.1", 0);

fn pattern(length: u32) -> Bytes {
    (0..length).map(|index| (index % 251) as u8).collect()
}

/// Serves HTTP that answers with what it is sent, until the peer has had enough.
async fn serve_http(io: impl AsyncRead + AsyncWrite + Unpin) -> hyper::Result<()> {
    let echo = service_fn(async |request: Request<Incoming>| {
        Ok::<_, hyper::Error>(Response::new(request.into_body()))
    });
    hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(TokioIo::new(io), echo).await
}

/// Both halves as one that reads and writes.
fn adapted(reader: StreamReader, writer: StreamWriter) -> impl AsyncRead + AsyncWrite + Unpin {
    join(reader.into_async_read(), writer.into_async_write())
}

/// The transport again, behind what was read of it already.
async fn reunited(reader: StreamReader, writer: StreamWriter) -> impl AsyncRead + AsyncWrite + Unpin {
    let highwater_net::stream::Reunited { transport, buffer } = reader.reunite(writer).await.unwrap();
    let (from, to) = split(transport);
    join(highwater_net::stream::StreamReader::from_parts(from, buffer).into_async_read(), to)
}

/// A conversation that begins with a line of its own. The first request comes right behind it, so that the reader has
/// read of it before hyper does.
async fn http_behind_a_line<T>(hand_over: impl AsyncFnOnce(StreamReader, StreamWriter) -> T)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let ((mut reader, writer), (mut answers, client)) = duplex(1 << 16);
    client.write("HTTP, please\nPOST / HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\n\r\nhello").unwrap();
    let conversation = async {
        let head = answers.read_until(b"\r\n\r\n").await.unwrap();
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{head:?}");
        assert_eq!(answers.read_exactly(5).await.unwrap(), "hello");
        client.write("POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\n\r\nbye").unwrap();
        client.write_eof().unwrap();
        let last = answers.read_to_end(1000).await.unwrap();
        assert!(last.starts_with(b"HTTP/1.1 200 OK\r\n") && last.ends_with(b"\r\n\r\nbye"), "{last:?}");
    };
    let server = async {
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "HTTP, please\n");
        assert!(reader.buffered() > 0);
        serve_http(hand_over(reader, writer).await).await.unwrap();
    };
    tokio::join!(conversation, server);
}

#[test]
fn hyper_serves_over_the_adapters_of_a_pair() {
    run(http_behind_a_line(async |reader, writer| adapted(reader, writer)));
}

#[test]
fn hyper_serves_over_a_reunited_pair() {
    run(http_behind_a_line(async |reader, writer| reunited(reader, writer).await));
}

/// Sends two requests on one connection, the second of a length that fills every buffer on the way.
async fn ask_http(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.unwrap();
    let connection = tokio::spawn(connection);
    for body in [pattern(10), pattern(3_000_000)] {
        let request = Request::post("/").header("host", "here").body(Full::new(body.clone())).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.into_body().collect().await.unwrap().to_bytes() == body);
    }
    drop(sender);
    connection.await.unwrap().unwrap();
}

#[test]
fn hyper_asks_and_answers_over_tcp_between_two_of_ours() {
    run(async {
        let handler = async |mut reader: StreamReader, writer: StreamWriter| {
            writer.write("220 ready\n")?;
            assert_eq!(reader.read_line().await?.unwrap(), "HTTP\n");
            serve_http(adapted(reader, writer)).await.map_err(io::Error::other)
        };
        let server = start_server(handler, LOCAL).on_error(|event| panic!("{event}")).await.unwrap();
        for is_reunited in [false, true] {
            let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "220 ready\n");
            writer.write("HTTP\n").unwrap();
            if is_reunited {
                ask_http(reunited(reader, writer).await).await;
            } else {
                ask_http(adapted(reader, writer)).await;
            }
        }
        server.close();
        server.wait_closed().await;
        assert_eq!(server.counts().accepted, 2);
    });
}

#[test]
fn copy_bidirectional_carries_both_directions_and_each_end_by_itself() {
    run(async {
        // It answers once it has seen the end of what it is sent.
        let upstream = start_server(
            async |mut reader: StreamReader, writer: StreamWriter| {
                let all = reader.read_to_end(1 << 20).await?;
                writer.write(all.slice(100_000..))?;
                writer.drain().await?;
                io::Result::Ok(())
            },
            LOCAL,
        );
        let upstream = upstream.await.unwrap();
        let address = upstream.local_addrs()[0];

        let (told, hears) = std::sync::mpsc::channel();
        let proxy = start_server(
            move |reader: StreamReader, writer: StreamWriter| {
                let told = told.clone();
                async move {
                    let (from, to) = open_connection(address).await?;
                    let (mut near, mut far) = (adapted(reader, writer), adapted(from, to));
                    told.send(copy_bidirectional(&mut near, &mut far).await?).unwrap();
                    io::Result::Ok(())
                }
            },
            LOCAL,
        );
        let proxy = proxy.await.unwrap();

        let (mut reader, writer) = open_connection(proxy.local_addrs()[0]).await.unwrap();
        let sent = pattern(300_000);
        writer.write(sent.clone()).unwrap();
        writer.write_eof().unwrap();
        let answer = reader.read_to_end(1 << 20).await.unwrap();
        assert!(answer == sent.slice(100_000..), "{} bytes", answer.len());
        writer.close();
        writer.wait_closed().await.unwrap();
        for server in [proxy, upstream] {
            server.close();
            server.wait_closed().await;
        }
        assert_eq!(hears.try_recv().unwrap(), (300_000, 200_000));
    });
}

#[cfg(unix)]
mod child {
    use super::{pattern, run};
    use highwater_net::stream;
    use std::process::Stdio;
    use tokio::process::{Child, ChildStdin, ChildStdout, Command};

    fn cat() -> (Child, ChildStdout, ChildStdin) {
        let mut command = Command::new("cat");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (stdout, stdin) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        (child, stdout, stdin)
    }

    #[test]
    fn the_pipes_of_a_child_carry_more_than_they_hold_and_the_end() {
        run(async {
            let (mut child, stdout, stdin) = cat();
            let (mut reader, writer) = (stream::StreamReader::new(stdout), stream::StreamWriter::new(stdin));
            let sent = pattern(1_000_000);
            let all = sent.clone();
            let sending = tokio::spawn(async move {
                for part in all.chunks(10_000) {
                    writer.write(part).unwrap();
                    writer.drain().await.unwrap();
                }
                writer.write_eof().unwrap();
                writer.wait_closed().await.unwrap();
            });
            let back = reader.read_to_end(1 << 20).await.unwrap();
            assert!(back == sent, "{} bytes", back.len());
            sending.await.unwrap();
            assert!(child.wait().await.unwrap().success());
        });
    }

    #[test]
    fn the_joined_pipes_of_a_child_are_a_pair_whose_close_ends_it() {
        run(async {
            let (mut child, stdout, stdin) = cat();
            let (mut reader, writer) = highwater_net::pair(tokio::io::join(stdout, stdin));
            for line in ["meow\n", "purr\n"] {
                writer.write(line).unwrap();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), line);
            }
            writer.close();
            writer.wait_closed().await.unwrap();
            assert!(child.wait().await.unwrap().success());
        });
    }
}
