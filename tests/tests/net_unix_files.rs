//! S5: what happens to the file of a Unix socket: when one that is there is replaced, and when ours goes.
#![cfg(unix)]

use highwater_net::{
    BindError, Server, UnixPathError, open_unix_connection, start_server, start_unix_server,
};
use highwater_tests::bounded::{run_paused, settle};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{Halves, echo};
use highwater_tests::scratch::Scratch;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::pin::pin;

fn stale(scratch: &Scratch) -> PathBuf {
    let path = scratch.file("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    path
}

/// Bound, and not listening.
fn bound(path: &Path) -> Socket {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(path).unwrap()).unwrap();
    socket
}

async fn is_served(path: &Path) -> Halves {
    let (mut reader, writer) = open_unix_connection(path).await.unwrap();
    writer.write("here?\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "here?\n");
    (reader, writer)
}

/// Refuses to start at `path`, with that text, and touches nothing.
async fn refuses(scratch: &Scratch, path: &Path, says: &str) {
    let before = (scratch.names(), fs::symlink_metadata(path).unwrap().ino());
    let error = start_unix_server(echo, path).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {}: {says}", path.display()));
    assert_eq!(std::io::Error::from(error).kind(), ErrorKind::AddrInUse);
    assert_eq!((scratch.names(), fs::symlink_metadata(path).unwrap().ino()), before);
}

const ALIVE: &str = "a live server listens there";

#[test]
fn s5_a_stale_file_is_replaced() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = stale(&scratch);
        let server = start_unix_server(echo, &path).await.unwrap();
        is_served(&path).await;
        assert_eq!(scratch.names(), ["s"], "nothing else is left");
        server.close();
        assert_eq!(scratch.names(), [""; 0]);
    });
}

/// The name under which it is put aside may be somebody's already.
#[test]
fn s5_a_stale_file_is_replaced_and_no_other() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = stale(&scratch);
        let others: Vec<_> = (0..8).map(|n| format!(".stale-{}-{n}", std::process::id())).collect();
        for other in &others {
            fs::write(scratch.file(other), "kept").unwrap();
        }
        let server = start_unix_server(echo, &path).await.unwrap();
        is_served(&path).await;
        server.close();
        assert_eq!(scratch.names(), others);
        for other in &others {
            assert_eq!(fs::read(scratch.file(other)).unwrap(), b"kept");
        }
    });
}

#[test]
fn s5_a_live_server_keeps_its_file_and_its_clients() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let _server = start_unix_server(echo, &path).await.unwrap();
        refuses(&scratch, &path, ALIVE).await;
        is_served(&path).await;
    });
}

/// Its queue is full, so that it takes no probe; and one whose socket is of another type.
#[cfg(target_os = "linux")]
#[test]
fn s5_a_server_that_is_busy_or_of_another_type_is_alive() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let listener = bound(&path);
        listener.listen(0).unwrap();
        let mut queue = Vec::new();
        loop {
            let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            if client.connect(&SockAddr::unix(&path).unwrap()).is_err() {
                break;
            }
            queue.push(client);
        }
        refuses(&scratch, &path, ALIVE).await;

        let path = scratch.file("datagrams");
        let _datagrams = UnixDatagram::bind(&path).unwrap();
        refuses(&scratch, &path, ALIVE).await;
    });
}

#[test]
fn s5_what_is_no_socket_stays() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        fs::create_dir(scratch.file("directory")).unwrap();
        fs::write(scratch.file("file"), "kept").unwrap();
        std::os::unix::fs::symlink(stale(&scratch), scratch.file("link")).unwrap();
        let others = [("directory", "a directory"), ("file", "a regular file"), ("link", "a symbolic link")];
        for (name, found) in others {
            refuses(&scratch, &scratch.file(name), &format!("there is {found}, not a socket")).await;
        }
        assert_eq!(fs::read(scratch.file("file")).unwrap(), b"kept");
    });
}

#[test]
fn s5_a_folder_that_is_missing_is_the_systems_error() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let error = start_unix_server(echo, scratch.file("none/s")).await.unwrap_err();
        assert!(matches!(error, BindError::Unix { error: UnixPathError::Os(_), .. }));
        assert_eq!(std::io::Error::from(error).kind(), ErrorKind::NotFound);
    });
}

/// A server that has bound and does not listen yet refuses the first probe, and takes the second.
#[test]
fn s5_a_server_between_its_bind_and_its_listen_is_not_taken_for_dead() {
    run_paused(async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let other = bound(&path);
        let mut starting = pin!(start_unix_server(echo, &path).into_future());
        assert!(futures::poll!(&mut starting).is_pending(), "between the probes");
        other.listen(1).unwrap();
        let error = starting.await.unwrap_err();
        assert!(matches!(error, BindError::Unix { error: UnixPathError::InUse, .. }), "{error:?}");
        assert!(path.exists());
    });
}

/// Another server has replaced the file, and refuses as the old one did; both times it is one file.
#[test]
fn s5_a_file_that_changes_between_the_probes_is_not_taken_for_dead() {
    run_paused(async {
        let scratch = Scratch::new();
        let path = stale(&scratch);
        let mut starting = pin!(start_unix_server(echo, &path).into_future());
        assert!(futures::poll!(&mut starting).is_pending());
        fs::remove_file(&path).unwrap();
        let _other = bound(&path);
        let error = starting.await.unwrap_err();
        assert!(matches!(error, BindError::Unix { error: UnixPathError::InUse, .. }), "{error:?}");
        assert_eq!(scratch.names(), ["s"]);
    });
}

#[test]
fn s5_a_file_that_is_gone_between_the_probes_frees_the_path() {
    run_paused(async {
        let scratch = Scratch::new();
        let path = stale(&scratch);
        let mut starting = pin!(start_unix_server(echo, &path).into_future());
        assert!(futures::poll!(&mut starting).is_pending());
        fs::remove_file(&path).unwrap();
        let _server = starting.await.unwrap();
        is_served(&path).await;
    });
}

#[test]
fn s5_a_start_that_is_cancelled_between_the_probes_changes_nothing() {
    run_paused(async {
        let scratch = Scratch::new();
        let path = stale(&scratch);
        {
            let mut starting = pin!(start_unix_server(echo, &path).into_future());
            assert!(futures::poll!(&mut starting).is_pending());
        }
        settle().await;
        assert_eq!(scratch.names(), ["s"]);
    });
}

/// All of them have seen the same stale file. One wins, and can be reached.
#[test]
fn s5_of_several_that_find_a_stale_file_one_wins() {
    highwater_tests::bounded::run_on_workers(async {
        for _ in 0..10 {
            let scratch = Scratch::new();
            let path = stale(&scratch);
            let starts: Vec<_> =
                (0..6).map(|_| tokio::spawn(start_unix_server(echo, &path).into_future())).collect();
            let mut servers = Vec::new();
            for start in starts {
                match start.await.unwrap() {
                    Ok(server) => servers.push(server),
                    Err(BindError::Unix { error: UnixPathError::InUse, .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(servers.len(), 1);
            is_served(&path).await;
            assert_eq!(scratch.names(), ["s"]);
        }
    });
}

#[test]
fn s5_the_mode_is_there_before_anybody_can_connect() {
    on_each_runtime(|| async {
        for mode in [0o600, 0o666, 0o640] {
            for start in [true, false] {
                let scratch = Scratch::new();
                let path = scratch.file("s");
                let server = start_unix_server(echo, &path).mode(mode).start_serving(start).await.unwrap();
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
                assert_eq!(server.is_serving(), start);
            }
        }
    });
}

async fn a_server(path: &Path) -> Server {
    start_unix_server(echo, path).await.unwrap()
}

#[test]
fn s5_the_file_goes_with_the_server() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let server = a_server(&path).await;
        let (mut reader, writer) = is_served(&path).await;
        server.close();
        assert!(!path.exists());
        writer.write("goes on\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "goes on\n");

        drop(a_server(&path).await);
        assert!(!path.exists(), "dropped");

        let bound = start_unix_server(echo, &path).start_serving(false).await.unwrap();
        assert!(path.exists());
        bound.close();
        assert!(!path.exists(), "never started");

        a_server(&path).await.shutdown(std::time::Duration::ZERO).await;
        assert!(!path.exists(), "shut down");
    });
}

#[test]
fn s5_a_file_that_is_gone_already_is_no_trouble() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let server = a_server(&path).await;
        fs::remove_file(&path).unwrap();
        server.close();
        server.wait_closed().await;
    });
}

#[test]
fn s5_a_file_that_was_replaced_stays() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let server = a_server(&path).await;
        fs::remove_file(&path).unwrap();
        let other = a_server(&path).await;
        server.close();
        is_served(&path).await;
        other.close();
        assert!(!path.exists());
    });
}

#[test]
fn s5_the_file_stays_if_that_is_asked_for() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let server = start_unix_server(echo, &path).cleanup_socket(false).await.unwrap();
        server.close();
        assert_eq!(scratch.names(), ["s"]);
        let again = start_unix_server(echo, &path).cleanup_socket(false).await.unwrap();
        drop(again);
        assert_eq!(scratch.names(), ["s"]);
    });
}

#[test]
fn s5_the_file_of_a_socket_that_was_handed_in_stays() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let listener = UnixListener::bind(&path).unwrap();
        let server = start_server(echo, listener).await.unwrap();
        assert_eq!(server.endpoints()[0].to_string(), path.display().to_string());
        is_served(&path).await;
        server.close();
        assert_eq!(scratch.names(), ["s"]);
        assert!(open_unix_connection(&path).await.is_err(), "it is closed with the server");
    });
}

/// A server that would listen where nobody finds it says so.
#[test]
fn s5_a_start_that_comes_too_late_is_an_error() {
    on_each_runtime(|| async {
        let scratch = Scratch::new();
        let path = scratch.file("s");
        let late = start_unix_server(echo, &path).start_serving(false).await.unwrap();
        let taker = a_server(&path).await;
        let error = late.start_serving().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains("removed or replaced"), "{error}");
        late.wait_closed().await;
        is_served(&path).await;
        drop(taker);
        assert_eq!(scratch.names(), [""; 0]);
    });
}
