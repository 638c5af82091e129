//! The proxy as a process, between connections that end, fail, or fall silent.

mod support;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use highwater_net::{StreamReader, StreamWriter, open_connection, pair};
use support::{Server, run};
use tokio::net::TcpListener;
use tokio::time::timeout;

const PROXY: &str = env!("CARGO_BIN_EXE_proxy");

/// Many times what anything here takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

type Halves = (StreamReader, StreamWriter);

/// Where the proxy forwards to.
struct Far(TcpListener);

impl Far {
    async fn listen() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    async fn accept(&self) -> Halves {
        pair(within(self.0.accept()).await.unwrap().0)
    }

    /// The proxy in front of it.
    async fn proxied(&self, options: &[&str]) -> Server {
        let to = self.address().to_string();
        Server::start(PROXY, &[&["--listen", "127.0.0.1:0", "--to", &to], options].concat()).await
    }

    /// A connection through the proxy, both ends of it.
    async fn through(&self, proxy: &Server) -> (Halves, Halves) {
        let near = open_connection(proxy.address).await.unwrap();
        (near, self.accept().await)
    }
}

async fn within<F: Future>(future: F) -> F::Output {
    timeout(TIME_LIMIT, future).await.expect("it happens in time")
}

async fn reads(reader: &mut StreamReader, text: &str) {
    assert_eq!(within(reader.read_exactly(text.len())).await.unwrap(), text);
}

async fn is_reset(reader: &mut StreamReader) {
    let error = within(reader.read_to_end(100)).await.expect_err("it is no clean end");
    assert_eq!(std::io::Error::from(error).kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn it_explains_itself() {
    let ended = run(PROXY, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: "), "{}", ended.stdout);
}

#[tokio::test]
async fn each_direction_ends_by_itself() {
    let far = Far::listen().await;
    let proxy = far.proxied(&[]).await;
    for near_ends_first in [true, false] {
        let (near, far) = far.through(&proxy).await;
        let (mut first, mut second) = if near_ends_first { (near, far) } else { (far, near) };
        first.1.write("the request").unwrap();
        first.1.write_eof().unwrap();
        assert_eq!(within(second.0.read_to_end(100)).await.unwrap(), "the request");
        // Only now, so that the other direction is seen to be open still.
        second.1.write("the answer").unwrap();
        second.1.write_eof().unwrap();
        assert_eq!(within(first.0.read_to_end(100)).await.unwrap(), "the answer");
    }
}

#[tokio::test]
async fn a_reset_is_passed_on_as_a_reset() {
    let far = Far::listen().await;
    let proxy = far.proxied(&[]).await;
    for near_resets in [true, false] {
        let (near, far) = far.through(&proxy).await;
        let (one, mut other) = if near_resets { (near, far) } else { (far, near) };
        one.1.write("half a li").unwrap();
        reads(&mut other.0, "half a li").await;
        one.1.abort();
        is_reset(&mut other.0).await;
    }
}

#[tokio::test]
async fn a_reset_behind_an_end_is_passed_on_as_well() {
    let far = Far::listen().await;
    let proxy = far.proxied(&[]).await;
    let (mut near, mut far) = far.through(&proxy).await;
    near.1.write_eof().unwrap();
    assert_eq!(within(far.0.read_to_end(100)).await.unwrap(), "");
    far.1.write("half an answ").unwrap();
    reads(&mut near.0, "half an answ").await;
    far.1.abort();
    is_reset(&mut near.0).await;
}

#[tokio::test]
async fn where_nothing_moves_both_sides_are_reset() {
    let far = Far::listen().await;
    let proxy = far.proxied(&["--idle", "300ms"]).await;
    let (mut near, mut far) = far.through(&proxy).await;
    near.1.write("hello").unwrap();
    reads(&mut far.0, "hello").await;
    is_reset(&mut near.0).await;
    is_reset(&mut far.0).await;
}

/// One direction moves and the other does not, for longer than the idle time in all.
#[tokio::test]
async fn one_direction_that_moves_keeps_both_alive() {
    const IDLE: Duration = Duration::from_secs(2);
    let far = Far::listen().await;
    let proxy = far.proxied(&["--idle", "2s"]).await;
    let (mut near, mut far) = far.through(&proxy).await;
    let started = tokio::time::Instant::now();
    // As fast as it goes, so that a machine that is busy has 2 s for each round.
    while started.elapsed() < IDLE + IDLE / 4 {
        far.1.write("x").unwrap();
        reads(&mut near.0, "x").await;
    }
    near.1.write("still here").unwrap();
    reads(&mut far.0, "still here").await;
}

#[tokio::test]
async fn where_nobody_listens_the_client_is_reset() {
    // Bound, so that nobody else takes it meanwhile, and never listened on.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let to = reserved.local_addr().unwrap().to_string();
    let proxy = Server::start(PROXY, &["--listen", "127.0.0.1:0", "--to", &to]).await;
    match open_connection(proxy.address).await {
        Ok((mut reader, _writer)) => is_reset(&mut reader).await,
        // As fast as that.
        Err(error) => assert_eq!(std::io::Error::from(error).kind(), ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn the_server_is_told_whom_a_connection_is_for() {
    let far = Far::listen().await;
    for (version, header) in [
        ("v1", |from: SocketAddr, to: SocketAddr| {
            format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", from.port(), to.port()).into_bytes()
        }),
        ("v2", |from: SocketAddr, to: SocketAddr| {
            let fixed = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01";
            [&fixed[..], &from.port().to_be_bytes(), &to.port().to_be_bytes()].concat()
        }),
    ] as [(_, fn(SocketAddr, SocketAddr) -> Vec<u8>); 2]
    {
        let proxy = far.proxied(&["--proxy-out", version]).await;
        let (near, mut far) = far.through(&proxy).await;
        near.1.write("and then this").unwrap();
        let from = near.1.facts().local_addr().socket_addr().unwrap();
        let expected = [&header(from, proxy.address)[..], b"and then this"].concat();
        assert_eq!(within(far.0.read_exactly(expected.len())).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn whom_a_connection_is_for_is_passed_on() {
    let far = Far::listen().await;
    let proxy = far.proxied(&["--proxy-in", "--proxy-out", "v1"]).await;
    let near = open_connection(proxy.address).await.unwrap();
    near.1.write(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\0\x02hello").unwrap();
    let mut far = far.accept().await;
    reads(&mut far.0, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello").await;
}

#[tokio::test]
async fn a_connection_without_the_header_is_reset() {
    let far = Far::listen().await;
    let proxy = far.proxied(&["--proxy-in"]).await;
    for first in ["GET / HTTP/1.1\r\n\r\n", "PROXY TCP9\r\n", &"P".repeat(5000)] {
        let (mut reader, writer) = open_connection(proxy.address).await.unwrap();
        writer.write(first).unwrap();
        is_reset(&mut reader).await;
    }
    // The next one that has it is the first that arrives.
    let near = open_connection(proxy.address).await.unwrap();
    near.1.write("PROXY UNKNOWN\r\nhello").unwrap();
    reads(&mut far.accept().await.0, "hello").await;
}

/// Two proxies, and TLS between them: what one adds the other takes away.
#[tokio::test]
async fn ends_and_headers_pass_through_tls() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let made = rcgen::generate_simple_self_signed(["proxy.test".to_owned()]).unwrap();
    let (chain, key) = (folder.join("proxy-chain.pem"), folder.join("proxy-key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());

    let far = Far::listen().await;
    let inner = far.proxied(&["--proxy-in", "--tls-in", chain, key, "--proxy-out", "v1"]).await;
    let to = inner.address.to_string();
    let trusting = ["--tls-out", "--ca", chain, "--server-name", "proxy.test", "--proxy-out", "v2"];
    let outer = [&["--listen", "127.0.0.1:0", "--to", &to], &trusting[..]].concat();
    let outer = Server::start(PROXY, &outer).await;

    for near_ends_first in [true, false] {
        let (near, mut far) = far.through(&outer).await;
        let from = near.1.facts().local_addr().socket_addr().unwrap().port();
        let header = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {}\r\n", outer.address.port());
        reads(&mut far.0, &header).await;

        let (mut first, mut second) = if near_ends_first { (near, far) } else { (far, near) };
        let long = "0123456789".repeat(100_000);
        first.1.write(&long).unwrap();
        first.1.write_eof().unwrap();
        assert_eq!(within(second.0.read_to_end(long.len())).await.unwrap(), long);
        second.1.write("the answer").unwrap();
        second.1.write_eof().unwrap();
        assert_eq!(within(first.0.read_to_end(100)).await.unwrap(), "the answer");
    }
    let (near, mut far) = far.through(&outer).await;
    near.1.abort();
    // The header, which nobody has read, and then the reset.
    is_reset(&mut far.0).await;
}

#[tokio::test]
async fn more_connections_than_may_be_wait_for_one_to_end() {
    let far = Far::listen().await;
    let proxy = far.proxied(&["--max-connections", "1"]).await;
    let (mut near, other) = far.through(&proxy).await;
    let (mut waiting, writer) = open_connection(proxy.address).await.unwrap();
    writer.write("me, too").unwrap();
    let busy = async {
        for _ in 0..100 {
            other.1.write("x").unwrap();
            reads(&mut near.0, "x").await;
        }
    };
    tokio::select! {
        biased;
        _ = far.accept() => panic!("it has let in two"),
        () = busy => {}
    }
    near.1.write_eof().unwrap();
    drop(other);
    assert_eq!(within(near.0.read_to_end(1)).await.unwrap(), "");
    let (mut reader, writer) = far.accept().await;
    reads(&mut reader, "me, too").await;
    writer.write("welcome").unwrap();
    reads(&mut waiting, "welcome").await;
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_lets_connections_finish() {
    let far = Far::listen().await;
    let mut proxy = far.proxied(&[]).await;
    let (mut near, mut far) = far.through(&proxy).await;
    near.1.write("before").unwrap();
    reads(&mut far.0, "before").await;

    proxy.interrupt().await;
    assert_eq!(proxy.line().await, "Stop serving");
    far.1.write("after").unwrap();
    far.1.write_eof().unwrap();
    near.1.write_eof().unwrap();
    assert_eq!(within(near.0.read_to_end(100)).await.unwrap(), "after");
    assert_eq!(proxy.line().await, "0 connections were cut short");
    assert_eq!(proxy.exit_code().await, Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_cut_short_at_the_end_is_reset_both_ways() {
    let far = Far::listen().await;
    // Once the deadline ends it, and once a second Ctrl-C.
    for (deadline, again) in [("0ms", false), ("60m", true)] {
        let mut proxy = far.proxied(&["--deadline", deadline]).await;
        let (mut near, mut far) = far.through(&proxy).await;
        far.1.write("half an answ").unwrap();
        reads(&mut near.0, "half an answ").await;
        near.1.write("half a requ").unwrap();
        reads(&mut far.0, "half a requ").await;

        proxy.interrupt().await;
        assert_eq!(proxy.line().await, "Stop serving");
        if again {
            proxy.interrupt().await;
        }
        is_reset(&mut near.0).await;
        is_reset(&mut far.0).await;
        assert_eq!(proxy.line().await, "1 connections were cut short");
        assert_eq!(proxy.exit_code().await, Some(0));
    }
}

#[tokio::test]
async fn what_it_cannot_do_is_told_in_a_sentence() {
    for (options, sentence) in [
        (&["--tls-in", "no/such/chain", "no/such/key"][..], "no/such/chain"),
        (&["--tls-out", "--ca", "no/such/ca"], "no/such/ca"),
    ] {
        let arguments = [&["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"], options].concat();
        let ended = run(PROXY, &arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.starts_with("proxy: ") && ended.stderr.contains(sentence), "{}", ended.stderr);
    }
    for (to, idle, sentence) in [
        ("127.0.0.1:1", "soon", "a number and its unit, as in 60s"),
        ("127.0.0.1:1x", "60s", "is not a number from 1 to 65535"),
        ("example.org", "60s", "it names no port"),
    ] {
        let ended = run(PROXY, &["--listen", "127.0.0.1:0", "--to", to, "--idle", idle]).await;
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    }
}
