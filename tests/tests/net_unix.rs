//! S1, S5, T5: servers and clients on Unix sockets: paths, abstract names, who the peer is, and what may be
//! wrong with a path.
#![cfg(unix)]

use highwater_net::{
    Address, BindError, ConnectError, Server, StreamReader, StreamWriter, UnixPathError,
    open_unix_connection, start_unix_server,
};
use highwater_tests::bounded::{run_paused, settle};
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{Halves, echo, give_away};
use highwater_tests::scratch::Scratch;
use socket2::{Domain, SockAddr, Socket, Type};
use std::error::Error;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

async fn is_echoed(path: impl AsRef<Path>) -> Halves {
    let (mut reader, writer) = open_unix_connection(path).await.unwrap();
    writer.write("are you there?\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "are you there?\n");
    (reader, writer)
}

fn path_of(address: &Address) -> Option<PathBuf> {
    match address {
        Address::Unix(address) => address.as_pathname().map(Path::to_owned),
        other => panic!("{other:?}"),
    }
}

/// A path of a socket file that nobody serves.
fn stale(scratch: &Scratch) -> PathBuf {
    let path = scratch.file("stale");
    drop(UnixListener::bind(&path).unwrap());
    path
}

#[test]
fn s1_a_unix_server_serves_as_a_tcp_server_does() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("a");
        let server: Server = start_unix_server(echo, &path).limit(100).backlog(10).await.unwrap();
        assert!(server.is_serving());
        assert_eq!(server.local_addrs(), []);
        assert_eq!(server.endpoints()[0].to_string(), path.display().to_string());

        let clients = [is_echoed(&path).await, is_echoed(&path).await];
        assert_eq!(server.counts().open, 2);
        server.close();
        let gone = open_unix_connection(&path).await.unwrap_err();
        assert!(matches!(gone, ConnectError::Unix { error: UnixPathError::NotFound(_), .. }), "{gone:?}");
        drop(clients);
        server.wait_closed().await;
        assert_eq!(path_of(&server.endpoints()[0]), Some(path), "also after the end");
    });
}

#[test]
fn s1_a_unix_server_that_is_started_later_refuses_first() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("a");
        let server = start_unix_server(echo, &path).start_serving(false).await.unwrap();
        let refused = open_unix_connection(&path).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Unix { error: UnixPathError::Refused(_), .. }));
        server.start_serving().unwrap();
        is_echoed(&path).await;
    });
}

#[test]
fn t5_both_halves_know_addresses_and_credentials_also_after_the_end() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("a");
        let (give, mut take) = give_away();
        let server = start_unix_server(give, &path).await.unwrap();
        let client = open_unix_connection(&path).await.unwrap();
        let accepted = take.recv().await.unwrap();
        server.abort_clients();
        assert_eq!(path_of(client.0.facts().peer_addr()), Some(path.clone()));
        assert_eq!(path_of(accepted.1.facts().local_addr()), Some(path));
        assert_eq!(accepted.0.facts().peer_addr().to_string(), "an unnamed Unix socket");
        let us = rustix::process::geteuid().as_raw();
        for facts in [client.0.facts(), client.1.facts(), accepted.0.facts(), accepted.1.facts()] {
            let cred = facts.peer_cred().unwrap();
            assert_eq!(cred.uid(), us);
            #[cfg(target_os = "linux")]
            assert_eq!(cred.pid(), Some(std::process::id() as i32));
        }
    });
}

#[test]
fn t5_no_other_transport_has_credentials() {
    on_one_thread(|| async {
        let (near, _far) = highwater_tests::net::pair_of_tcp();
        let (reader, _writer) = highwater_net::open_connection(near).await.unwrap();
        assert!(reader.facts().peer_cred().is_none());
        let ((reader, _writer), _peer) = highwater_net::duplex(1);
        assert!(reader.facts().peer_cred().is_none());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn s5_abstract_names_work_and_have_no_file() {
    on_each_runtime(|| async {
        let name = format!("highwater {} {:?}", std::process::id(), std::thread::current().id());
        let path = format!("\0{name}");
        for _ in 0..2 {
            let server = start_unix_server(echo, &path).await.unwrap();
            assert_eq!(server.endpoints()[0].to_string(), format!("@{name}"));
            let (reader, _writer) = is_echoed(&path).await;
            assert_eq!(reader.facts().peer_addr().to_string(), format!("@{name}"));

            let taken = start_unix_server(echo, &path).await.unwrap_err();
            assert!(matches!(taken, BindError::Unix { error: UnixPathError::InUse, .. }), "{taken:?}");
            let text = format!("cannot listen on @{name}: a live server listens there");
            assert_eq!(taken.to_string(), text);
            server.close();
            let refused = open_unix_connection(&path).await.unwrap_err();
            assert!(matches!(refused, ConnectError::Unix { error: UnixPathError::Refused(_), .. }));
        }
        // Any byte may be part of a name.
        let odd = format!("\0{name}\0more");
        let _server = start_unix_server(echo, &odd).await.unwrap();
        is_echoed(&odd).await;
        assert!(open_unix_connection(&path).await.is_err());
    });
}

/// It would protect nothing.
#[cfg(target_os = "linux")]
#[test]
fn s5_a_mode_for_an_abstract_name_is_an_error_that_names_both() {
    on_one_thread(|| async {
        let name = format!("highwater mode {}", std::process::id());
        let error = start_unix_server(echo, format!("\0{name}")).mode(0o600).await.unwrap_err();
        let BindError::Unix { error: UnixPathError::ModeOfAbstract { mode: 0o600 }, .. } = &error else {
            panic!("{error:?}")
        };
        let says =
            format!("cannot listen on @{name}: the mode 0600 is for a file, and an abstract name has none");
        tells(error, ErrorKind::InvalidInput, &says);
        assert!(open_unix_connection(format!("\0{name}")).await.is_err());
    });
}

/// How many connections the kernel takes while nobody accepts: on Linux one more than the backlog.
#[cfg(target_os = "linux")]
#[test]
fn s2_a_unix_backlog_is_what_was_asked_for() {
    on_one_thread(|| async {
        for (backlog, taken) in [(Some(3), 4), (None, 101)] {
            for start in [true, false] {
                let scratch = Scratch::new();
                let path = scratch.file("a");
                let starting = start_unix_server(echo, &path).start_serving(start);
                let server = match backlog {
                    Some(backlog) => starting.backlog(backlog).await.unwrap(),
                    None => starting.await.unwrap(),
                };
                server.start_serving().unwrap();
                // Nothing here yields, so that nobody accepts.
                let address = SockAddr::unix(&path).unwrap();
                let connect = |_| {
                    let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
                    client.set_nonblocking(true).unwrap();
                    client.connect(&address).is_ok().then_some(client)
                };
                let clients: Vec<Socket> = (0..taken + 10).map_while(connect).collect();
                assert_eq!(clients.len(), taken, "{backlog:?}, {start}");
            }
        }
    });
}

/// The kinds, and a sentence with the path.
fn tells(error: impl Error + Into<io::Error>, kind: ErrorKind, text: &str) {
    assert!(error.to_string().contains(text), "{error}");
    assert_eq!(error.into().kind(), kind);
}

#[test]
fn s5_a_path_that_is_too_long_says_how_long_and_what_is_the_most() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let most = if cfg!(target_os = "linux") { 107 } else { 103 };
        let room = most - scratch.path().as_os_str().len() - 1;
        let fits = scratch.file(&"x".repeat(room));
        let server = start_unix_server(echo, &fits).await.unwrap();
        is_echoed(&fits).await;
        drop(server);

        let long = scratch.file(&"x".repeat(room + 1));
        let says = format!("the path is {} bytes long, and {most} is the most", most + 1);
        let error = start_unix_server(echo, &long).await.unwrap_err();
        let BindError::Unix { path, error: UnixPathError::TooLong { length, most: told } } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((path.as_path(), *length, *told), (long.as_path(), most + 1, most));
        tells(error, ErrorKind::InvalidInput, &says);
        tells(open_unix_connection(&long).await.unwrap_err(), ErrorKind::InvalidInput, &says);
        #[cfg(target_os = "linux")]
        for (length, fits) in [(most, true), (most + 1, false)] {
            let name = format!("\0{}{}", std::process::id(), "n".repeat(200));
            let server = start_unix_server(echo, &name[..=length]).await;
            assert_eq!(server.is_ok(), fits, "{server:?}");
            let client = open_unix_connection(&name[..=length]).await;
            assert_eq!(client.is_ok(), fits, "{client:?}");
        }
        assert_eq!(scratch.names(), [""; 0]);
    });
}

#[test]
fn s5_paths_that_are_none() {
    on_each_runtime(|| async {
        let mut paths = vec![("", "the path is empty"), ("a\0b", "the path contains a NUL")];
        if cfg!(target_os = "linux") {
            paths.push(("\0", "the path is empty"));
        }
        for (path, says) in paths {
            tells(open_unix_connection(path).await.unwrap_err(), ErrorKind::InvalidInput, says);
            tells(start_unix_server(echo, path).await.unwrap_err(), ErrorKind::InvalidInput, says);
        }
    });
}

#[test]
fn c1_what_cannot_be_connected_says_why() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let missing = open_unix_connection(scratch.file("missing")).await.unwrap_err();
        assert!(missing.source().is_some_and(|error| error.source().is_some()), "the cause stays inside");
        tells(missing, ErrorKind::NotFound, "there is no such socket");

        let refused = open_unix_connection(stale(&scratch)).await.unwrap_err();
        tells(refused, ErrorKind::ConnectionRefused, "nobody listens there");

        std::fs::write(scratch.file("file"), "").unwrap();
        let file = open_unix_connection(scratch.file("file")).await.unwrap_err();
        assert!(matches!(file, ConnectError::Unix { error: UnixPathError::NotASocket { .. }, .. }));
        tells(file, ErrorKind::ConnectionRefused, "there is a regular file, not a socket");

        let directory = open_unix_connection(scratch.path()).await.unwrap_err();
        tells(directory, ErrorKind::ConnectionRefused, "there is a directory, not a socket");

        let _datagrams = UnixDatagram::bind(scratch.file("datagrams")).unwrap();
        let other = open_unix_connection(scratch.file("datagrams")).await.unwrap_err();
        assert!(matches!(other, ConnectError::Unix { error: UnixPathError::Os(_), .. }), "{other:?}");
    });
}

/// A listener at `path` whose queue is full.
fn full(path: &Path) -> (UnixListener, Vec<Socket>) {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let address = SockAddr::unix(path).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(1).unwrap();
    let mut queue = Vec::new();
    loop {
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        client.set_nonblocking(true).unwrap();
        if client.connect(&address).is_err() {
            return (listener.into(), queue);
        }
        queue.push(client);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn c1_a_full_queue_is_waited_for_as_long_as_the_timeout_lets_it() {
    run_paused(async {
        let scratch = Scratch::new();
        let path = scratch.file("full");
        let (listener, _queue) = full(&path);
        let after = Duration::from_secs(5);
        let error = open_unix_connection(&path).connect_timeout(after).await.unwrap_err();
        assert!(matches!(error, ConnectError::Unix { error: UnixPathError::TimedOut { .. }, .. }));
        tells(error, ErrorKind::TimedOut, "not connected within 5s");

        let waits = tokio::spawn(open_unix_connection(&path).into_future());
        settle().await;
        assert!(!waits.is_finished());
        listener.accept().unwrap();
        assert!(waits.await.unwrap().is_ok());

        let waits = tokio::spawn(open_unix_connection(&path).into_future());
        settle().await;
        drop(listener);
        tells(waits.await.unwrap().unwrap_err(), ErrorKind::ConnectionRefused, "nobody listens there");
    });
}

#[test]
fn c1_the_options_of_a_unix_connection_are_its_streams() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("a");
        let greet = |_: StreamReader, writer: StreamWriter| async move { writer.write("12345678\n") };
        let _server = start_unix_server(greet, &path).await.unwrap();
        let options = highwater_net::StreamOptions::new().limit(100).max_buffered(Some(3));
        let opening = open_unix_connection(&path).limit(5).streams(options);
        let (mut reader, writer) = opening.await.unwrap();
        assert!(reader.read_line().await.is_err(), "the limit that is said wins");
        assert!(writer.write("four").is_err());
    });
}
