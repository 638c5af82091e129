//! C1: a stream socket that was connected elsewhere, of any family, asyncio's `sock=`.
#![cfg(unix)]

use highwater_net::{Address, ConnectError, ConnectTo, Socket, Transport, open_connection};
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::pair_of_tcp;
use highwater_tests::scratch::Scratch;
use socket2::{Domain, SockRef, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

/// Lines go both ways over `near`, whose other end is `far`.
async fn talks(near: impl ConnectTo<Kind = Socket>, mut far: impl Read + Write) {
    far.write_all(b"before it was handed in\n").unwrap();
    let (mut reader, writer) = open_connection(near).limit(100).await.unwrap();
    assert_eq!(reader.limit(), 100);
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "before it was handed in\n");
    writer.write("a reply").unwrap();
    writer.flush().await.unwrap();
    let mut reply = [0; 7];
    far.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"a reply");
    drop(far);
    assert_eq!(reader.read_line().await.unwrap(), None);
}

#[test]
fn c1_a_connected_tcp_stream_of_std_blocking_or_not() {
    on_each_runtime(|| async {
        for is_nonblocking in [false, true] {
            let (near, far) = pair_of_tcp();
            near.set_nonblocking(is_nonblocking).unwrap();
            talks(near, far).await;
        }
    });
}

#[test]
fn c1_a_connected_tcp_stream_of_tokio() {
    on_each_runtime(|| async {
        let (near, far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        talks(tokio::net::TcpStream::from_std(near).unwrap(), far).await;
    });
}

#[test]
fn c1_a_unix_stream_of_std_and_of_tokio() {
    on_each_runtime(|| async {
        let (near, far) = UnixStream::pair().unwrap();
        talks(near, far).await;
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        talks(tokio::net::UnixStream::from_std(near).unwrap(), far).await;
    });
}

#[test]
fn c1_the_descriptor_of_a_stream_socket_becomes_what_it_is() {
    on_each_runtime(|| async {
        let (near, far) = pair_of_tcp();
        talks(OwnedFd::from(near), far).await;
        let (near, far) = UnixStream::pair().unwrap();
        talks(OwnedFd::from(near), far).await;

        let (near, _far) = pair_of_tcp();
        let (_reader, writer) = open_connection(OwnedFd::from(near)).await.unwrap();
        assert_eq!(writer.with_transport(|transport| matches!(transport, Transport::Tcp(_))), Some(true));
        let (near, _far) = UnixStream::pair().unwrap();
        let (_reader, writer) = open_connection(OwnedFd::from(near)).await.unwrap();
        assert_eq!(writer.with_transport(|transport| matches!(transport, Transport::Unix(_))), Some(true));
    });
}

async fn is_refused(fd: OwnedFd) -> io::Error {
    let error = open_connection(fd).await.unwrap_err();
    assert!(error.to_string().starts_with("the socket could not be taken: "), "{error}");
    match error {
        ConnectError::Socket(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn c1_the_descriptor_of_a_datagram_socket_is_refused() {
    on_one_thread(|| async {
        let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let error = is_refused(datagram.into()).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "the socket is not a stream socket");

        let (datagram, _peer) = UnixDatagram::pair().unwrap();
        assert_eq!(is_refused(datagram.into()).await.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn c1_a_descriptor_that_is_no_socket_is_refused() {
    on_one_thread(|| async {
        let file = std::fs::File::open("/dev/null").unwrap();
        is_refused(file.into()).await;
    });
}

#[test]
fn c1_a_refused_socket_is_closed() {
    on_one_thread(|| async {
        let (datagram, peer) = UnixDatagram::pair().unwrap();
        is_refused(datagram.into()).await;
        assert!(peer.send(b"anybody?").is_err());
    });
}

/// A peer that has gone is no reason to refuse: what it sent is there to be read.
#[test]
fn c1_a_socket_whose_peer_has_gone_is_taken() {
    on_one_thread(|| async {
        let (near, mut far) = pair_of_tcp();
        far.write_all(b"last words").unwrap();
        drop(far);
        let (mut reader, _writer) = open_connection(near).await.unwrap();
        assert_eq!(reader.read_to_end(100).await.unwrap(), "last words");

        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"last words").unwrap();
        drop(far);
        let (mut reader, writer) = open_connection(near).await.unwrap();
        assert_eq!(reader.read_to_end(100).await.unwrap(), "last words");
        assert!(matches!(writer.facts().peer_addr(), Address::Unix(_)));
    });
}

#[test]
fn c1_a_socket_whose_peer_has_reset_it_gives_what_came_before() {
    on_one_thread(|| async {
        let (near, mut far) = pair_of_tcp();
        far.write_all(b"last words").unwrap();
        SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
        drop(far);
        while near.peer_addr().is_ok() {
            tokio::task::yield_now().await;
        }
        let (mut reader, _writer) = open_connection(OwnedFd::from(near)).await.unwrap();
        assert_eq!(reader.read_exactly(10).await.unwrap(), "last words");
        assert!(reader.read(1).await.is_err());
    });
}

#[test]
fn c1_a_descriptor_that_is_not_connected_is_refused() {
    on_one_thread(|| async {
        let scratch = Scratch::new();
        let (_address, bound) = highwater_tests::net::refusing();
        let unconnected: [OwnedFd; 4] = [
            bound.into(),
            TcpListener::bind("127.0.0.1:0").unwrap().into(),
            socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap().into(),
            UnixListener::bind(scratch.file("s")).unwrap().into(),
        ];
        for fd in unconnected {
            let error = is_refused(fd).await;
            assert_eq!(error.kind(), ErrorKind::NotConnected);
            assert_eq!(error.to_string(), "the socket is not connected");
        }
    });
}
