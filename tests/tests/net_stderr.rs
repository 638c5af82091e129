//! S1: without a hook a handler's failure is one line on stderr. Each case runs in a process of its own,
//! which is this test once more with a variable set.
#![cfg(unix)]

use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::counted::once;
use highwater_tests::net::{LOOPBACK, echo, is_echoed};
use std::env;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

const CASE: &str = "HIGHWATER_TEST_CASE";

/// One client, whose handler fails. Returns its address.
async fn fails<E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static>(fail: fn() -> Result<(), E>) {
    let handler = move |_: StreamReader, _: StreamWriter| async move { fail() };
    let server = start_server(handler, LOOPBACK).await.unwrap();
    let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
    assert_eq!(reader.read_line().await.unwrap(), None);
    println!("client {}", writer.facts().local_addr());
    drop((reader, writer));
    server.close();
    server.wait_closed().await;
}

/// Runs `case` in a process of its own. Returns the client's address and the lines of ours on stderr.
fn lines_of(test: &str, case: impl AsyncFnOnce() + Send + 'static) -> Option<(String, Vec<String>)> {
    if env::var_os(CASE).is_some() {
        once(case);
        return None;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    let ran = again.args(["--exact", test, "--nocapture"]).env(CASE, "1").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let client = String::from_utf8(ran.stdout).unwrap();
    let client = client.lines().find_map(|line| line.split_once("client ")).expect("it prints its address");
    let stderr = String::from_utf8(ran.stderr).unwrap();
    let ours = stderr.lines().filter(|line| line.starts_with("highwater")).map(str::to_owned);
    Some((client.1.to_owned(), ours.collect()))
}

#[test]
fn s1_without_a_hook_an_error_is_one_line_on_stderr() {
    let case = async || fails(|| Err("no such mailbox")).await;
    if let Some((client, lines)) = lines_of("s1_without_a_hook_an_error_is_one_line_on_stderr", case) {
        assert_eq!(lines, [format!("highwater: the handler of {client} failed: no such mailbox")]);
    }
}

#[test]
fn s1_without_a_hook_a_panic_is_one_line_on_stderr() {
    let case = async || fails::<String>(|| panic!("an invariant fell")).await;
    if let Some((client, lines)) = lines_of("s1_without_a_hook_a_panic_is_one_line_on_stderr", case) {
        assert_eq!(lines, [format!("highwater: the handler of {client} panicked: an invariant fell")]);
    }
}

#[test]
fn s1_with_a_hook_or_without_a_failure_stderr_stays_empty() {
    let case = async || {
        fails::<String>(|| Ok(())).await;
        let handler = |_: StreamReader, _: StreamWriter| async { Err::<(), _>("for the hook alone") };
        let server = start_server(handler, LOOPBACK).on_error(|_| ()).await.unwrap();
        let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        assert_eq!(reader.read_line().await.unwrap(), None);
    };
    if let Some((_, lines)) = lines_of("s1_with_a_hook_or_without_a_failure_stderr_stays_empty", case) {
        assert_eq!(lines, [""; 0]);
    }
}

/// Whoever can reach a server can make a handshake fail, and could fill its log.
#[test]
fn t3_a_handshake_that_fails_is_not_told_on_stderr() {
    let case = async || {
        let server = start_server(echo, LOOPBACK).tls(highwater_tests::tls::server()).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        println!("client {}", writer.facts().local_addr());
        writer.write("GET / HTTP/1.1\r\n\r\n").unwrap();
        // An alert, and the end.
        reader.read_to_end(1000).await.unwrap();
        drop((reader, writer));
        server.close();
        server.wait_closed().await;
        assert_eq!(server.counts().failed_handshakes, 1);
    };
    if let Some((_, lines)) = lines_of("t3_a_handshake_that_fails_is_not_told_on_stderr", case) {
        assert_eq!(lines, [""; 0]);
    }
}

/// A daemon whose stderr is a pipe that nobody reads any more: what cannot be told harms nobody.
fn survives_a_closed_stderr(test: &str, case: impl AsyncFnOnce() + Send + 'static) {
    if env::var_os(CASE).is_some() {
        once(case);
        return;
    }
    let (nobody_reads, stderr) = UnixStream::pair().unwrap();
    drop(nobody_reads);
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture", "--include-ignored"]).env(CASE, "1");
    let ran = again.stdout(Stdio::piped()).stderr(OwnedFd::from(stderr)).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn s1_a_failure_that_cannot_be_told_harms_nobody() {
    survives_a_closed_stderr("s1_a_failure_that_cannot_be_told_harms_nobody", async || {
        let handler = |reader: StreamReader, writer: StreamWriter| async {
            echo(reader, writer).await?;
            Err::<(), _>(std::io::Error::other("after the last line"))
        };
        let server = start_server(handler, LOOPBACK).await.unwrap();
        for _ in 0..3 {
            is_echoed(server.local_addrs()[0]).await.unwrap();
        }
        server.close();
        server.wait_closed().await;
    });
}

#[test]
fn s1_unsent_bytes_that_cannot_be_told_harm_nobody() {
    survives_a_closed_stderr("s1_unsent_bytes_that_cannot_be_told_harm_nobody", async || {
        let (near, far) = tokio::io::duplex(4);
        let (reader, writer) = highwater_net::pair(near);
        writer.write("more than four bytes").unwrap();
        drop(far);
        drop((reader, writer));
    });
}
