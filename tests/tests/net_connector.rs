//! What a connector brings: sockets are taken for what they are, whatever they come in.

use highwater_net::{Name, OpenConnection, Query, Transport, open_connection};
use highwater_tests::net::on_each_runtime;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// Where nobody is: only a connector gets anywhere.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 7);

/// Connected through it, with a socket to a listener of the test's.
async fn is_a_socket(connecting: OpenConnection<Name>, listener: &TcpListener) {
    let (reader, writer) = connecting.await.unwrap();
    let (mut accepted, client) = listener.accept().await.unwrap();
    let is_without_delay = writer.with_transport(|transport| match transport {
        Transport::Tcp(socket) => socket.nodelay().unwrap(),
        other => panic!("{other:?}"),
    });
    assert_eq!(is_without_delay, Some(true));
    assert_eq!(writer.facts().peer_addr().socket_addr(), listener.local_addr().ok());
    assert_eq!(writer.facts().local_addr().socket_addr(), Some(client));
    writer.abort();
    let ended = accepted.read_u8().await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::ConnectionReset, "an abort is no clean end");
    drop(reader);
}

#[test]
fn c3_a_socket_that_a_connector_brings_is_one() {
    on_each_runtime(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let bare = move |_| TcpStream::connect(to);
        is_a_socket(open_connection(NOWHERE).connector(bare), &listener).await;
        let as_a_transport = move |_| async move { TcpStream::connect(to).await.map(Transport::from) };
        is_a_socket(open_connection(NOWHERE).connector(as_a_transport), &listener).await;
    });
}

#[test]
fn c1_what_is_no_socket_is_at_the_address_that_was_asked_for() {
    on_each_runtime(|| async {
        let in_memory = |_| async { Ok(Transport::Other(Box::new(tokio::io::duplex(64).0))) };
        let (_reader, writer) = open_connection(NOWHERE).connector(in_memory).await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(NOWHERE));
    });
}

#[cfg(unix)]
#[test]
fn c1_a_unix_socket_that_a_connector_brings_is_one() {
    on_each_runtime(|| async {
        let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
        let beside = move |_| {
            let (near, far) = tokio::net::UnixStream::pair().unwrap();
            give.send(far).unwrap();
            std::future::ready(Ok(near))
        };
        let (_reader, writer) = open_connection(NOWHERE).connector(beside).await.unwrap();
        assert!(writer.facts().peer_cred().is_some() && take.recv().await.is_some());
        assert_eq!(writer.facts().peer_addr().socket_addr(), None);
    });
}

type Connects =
    dyn Fn(SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>> + Send + Sync;
type Resolves =
    dyn Fn(Query) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> + Send + Sync;

/// As a configuration keeps them.
#[test]
fn c1_a_connector_and_a_resolver_may_be_of_a_type_that_is_forgotten() {
    on_each_runtime(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let connector: Arc<Connects> = Arc::new(move |_| Box::pin(TcpStream::connect(to)));
        let resolver: Arc<Resolves> = Arc::new(|_| Box::pin(async { Ok(vec![NOWHERE]) }));
        let connecting = open_connection(("only.there", 7)).resolver(resolver).connector(connector);
        is_a_socket(connecting, &listener).await;
    });
}
