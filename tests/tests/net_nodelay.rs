//! C3: every TCP stream has TCP_NODELAY, wherever it comes from.

use highwater_net::{StreamWriter, Transport, open_connection, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{LOOPBACK, give_away, pair_of_tcp};

fn nodelay(writer: &StreamWriter) -> Option<bool> {
    writer.with_transport(|transport| match transport {
        Transport::Tcp(socket) => socket.nodelay().unwrap(),
        other => panic!("{other:?} is no TCP stream"),
    })
}

#[test]
fn c3_connected() {
    on_each_runtime(|| async {
        let (give, _take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));
    });
}

#[test]
fn c3_the_winner_of_a_race_whatever_the_hook_said() {
    on_each_runtime(|| async {
        let server = std::net::TcpListener::bind(LOOPBACK).unwrap();
        let address = server.local_addr().unwrap();
        let resolver = move |_| async move { Ok(vec![address, address]) };
        let connecting = open_connection(("raced.internal", 1)).resolver(resolver);
        let connecting = connecting.local_addr(("127.0.0.1", 0));
        let (_reader, writer) = connecting.on_socket(|socket| socket.set_tcp_nodelay(false)).await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));
    });
}

#[test]
fn c3_accepted() {
    on_each_runtime(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let _client = open_connection(server.local_addrs()[0]).await.unwrap();
        let (_reader, writer) = take.recv().await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));
    });
}

#[test]
fn c3_handed_in() {
    on_each_runtime(|| async {
        let (near, far) = pair_of_tcp();
        assert!(!near.nodelay().unwrap(), "the system's default is a delay");
        let (_reader, writer) = open_connection(near).await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));

        far.set_nonblocking(true).unwrap();
        let far = tokio::net::TcpStream::from_std(far).unwrap();
        let (_reader, writer) = open_connection(far).await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));
    });
}

#[test]
fn c3_made_a_pair() {
    on_each_runtime(|| async {
        let (near, _far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        let near = tokio::net::TcpStream::from_std(near).unwrap();
        let (_reader, writer) = highwater_net::pair(near);
        assert_eq!(nodelay(&writer), Some(true));
    });
}

#[cfg(unix)]
#[test]
fn c3_handed_in_as_a_descriptor() {
    on_each_runtime(|| async {
        let (near, _far) = pair_of_tcp();
        let (_reader, writer) = open_connection(std::os::fd::OwnedFd::from(near)).await.unwrap();
        assert_eq!(nodelay(&writer), Some(true));
    });
}
