//! S2: a socket that is handed in, `reuse_port`, `backlog`, `keep_alive`, and an address in TIME_WAIT.

use highwater_net::{BindError, StreamReader, StreamWriter, Transport, open_connection, start_server};
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{LOOPBACK, echo, give_away, is_echoed};
use socket2::SockRef;
#[cfg(target_os = "linux")]
use socket2::{Domain, Socket, Type};
#[cfg(target_os = "linux")]
use std::net::SocketAddr;
use std::net::TcpListener;

#[test]
fn s2_a_listener_that_was_bound_elsewhere_is_taken() {
    on_each_runtime(|| async {
        for is_nonblocking in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(is_nonblocking).unwrap();
            let address = listener.local_addr().unwrap();
            // A client that came before the server.
            let early = std::net::TcpStream::connect(address).unwrap();
            let server = start_server(echo, listener).await.unwrap();
            assert_eq!(server.local_addrs(), [address]);
            is_echoed(address).await.unwrap();
            let (mut reader, writer) = open_connection(early).await.unwrap();
            writer.write("early\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "early\n");

            server.close();
            assert!(open_connection(address).await.is_err(), "it is the server's, and closed with it");
            drop(TcpListener::bind(address).unwrap());
        }
    });
}

#[cfg(unix)]
#[test]
fn s2_reuse_port_lets_others_listen_too_and_only_then() {
    on_one_thread(|| async {
        let alone = start_server(echo, LOOPBACK).await.unwrap();
        let error = start_server(echo, alone.local_addrs()[0]).reuse_port(true).await.unwrap_err();
        assert!(matches!(error, BindError::Bind { .. }), "{error:?}");

        let first = start_server(echo, LOOPBACK).reuse_port(true).await.unwrap();
        let address = first.local_addrs()[0];
        let second = start_server(echo, address).reuse_port(true).await.unwrap();
        assert_eq!(second.local_addrs(), first.local_addrs());
        assert!(start_server(echo, address).await.is_err());
        for server in [first, second] {
            is_echoed(address).await.unwrap();
            server.close();
        }
    });
}

#[test]
fn s2_keep_alive_is_the_connections() {
    on_each_runtime(|| async {
        for keep_alive in [false, true] {
            let (give, mut take) = give_away();
            let server = start_server(give, LOOPBACK).keep_alive(keep_alive).await.unwrap();
            let _client = open_connection(server.local_addrs()[0]).await.unwrap();
            let (_reader, writer) = take.recv().await.unwrap();
            let is_set = writer.with_transport(|transport| match transport {
                Transport::Tcp(socket) => SockRef::from(socket).keepalive().unwrap(),
                other => panic!("{other:?}"),
            });
            assert_eq!(is_set, Some(keep_alive));
        }
    });
}

/// Connects to `address` until the kernel takes no more, while nobody accepts: nothing here yields. How many
/// it took.
#[cfg(target_os = "linux")]
fn taken_unaccepted(address: SocketAddr, expected: usize) -> usize {
    let connect = |_| {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        client.set_nonblocking(true).unwrap();
        client.connect(&address.into()).ok();
        client
    };
    let clients: Vec<Socket> = (0..expected + 10).map(connect).collect();
    loop {
        // Only a connection has a peer. One that was begun may take a moment.
        let taken = clients.iter().filter(|client| client.peer_addr().is_ok()).count();
        if taken >= expected {
            return taken;
        }
        std::thread::yield_now();
    }
}

/// On Linux it holds one more than the backlog.
#[cfg(target_os = "linux")]
#[test]
fn s2_backlog_is_what_was_asked_for() {
    on_one_thread(|| async {
        for (backlog, expected) in [(Some(3), 4), (None, 101)] {
            for start in [true, false] {
                let starting = start_server(echo, LOOPBACK).start_serving(start);
                let server = match backlog {
                    Some(backlog) => starting.backlog(backlog).await.unwrap(),
                    None => starting.await.unwrap(),
                };
                server.start_serving().unwrap();
                let taken = taken_unaccepted(server.local_addrs()[0], expected);
                assert_eq!(taken, expected, "{backlog:?}, {start}");
            }
        }
    });
}

/// The server ends the connection first, so its address is the one in TIME_WAIT.
#[cfg(unix)]
#[test]
fn s2_an_address_in_time_wait_is_bound_again() {
    on_each_runtime(|| async {
        let close = |_: StreamReader, _: StreamWriter| async {};
        let server = start_server(close, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let (mut reader, writer) = open_connection(address).await.unwrap();
        assert_eq!(reader.read_line().await.unwrap(), None);
        drop((reader, writer));
        server.close();
        server.wait_closed().await;
        start_server(close, address).await.unwrap();
    });
}
