//! C1: local addresses, options of the socket, the hook, and what contradicts what.

use highwater_net::{
    Conflict, ConnectError, Family, KeepAlive, Query, StreamWriter, Transport, open_connection, socket2,
    start_server,
};
use highwater_tests::counted::{on_one_thread, run_paused};
use highwater_tests::net::{LOOPBACK, Silent, echo, has_ipv6, refusing};
use socket2::SockRef;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn local(writer: &StreamWriter) -> SocketAddr {
    writer.facts().local_addr().socket_addr().unwrap()
}

fn on_socket<V>(writer: &StreamWriter, look: impl FnOnce(SockRef<'_>) -> io::Result<V>) -> V {
    let seen = writer.with_transport(|transport| match transport {
        Transport::Tcp(socket) => look(SockRef::from(socket)).unwrap(),
        other => panic!("{other:?} is no TCP stream"),
    });
    seen.expect("it is open")
}

/// The only error of the only address.
fn only(error: ConnectError) -> (SocketAddr, io::Error) {
    let ConnectError::Unreachable { mut attempts, .. } = error else { panic!("{error:?}") };
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    let attempt = attempts.remove(0);
    let text = attempt.error().to_string();
    (attempt.address(), io::Error::new(attempt.error().kind(), text))
}

#[cfg(target_os = "linux")] // where all of 127/8 is there
#[test]
fn c1_a_connection_comes_from_the_local_address() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let to = server.local_addrs()[0];
        let ip: IpAddr = "127.0.0.9".parse().unwrap();
        for connecting in [
            open_connection(to).local_addr(("127.0.0.9", 0)),
            open_connection(to).local_addr((ip, 0)),
            open_connection(to).local_addr("127.0.0.9:0"),
            open_connection(to).local_addr(SocketAddr::from((ip, 0))),
        ] {
            let (mut reader, writer) = connecting.await.unwrap();
            assert_eq!(local(&writer).ip(), ip);
            assert_ne!(local(&writer).port(), 0);
            writer.write("hello\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
        }
    });
}

#[test]
fn c1_a_local_port_is_the_one_that_was_asked_for() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let (free, socket) = refusing();
        drop(socket);
        let (_reader, writer) = open_connection(server.local_addrs()[0]).local_addr(free).await.unwrap();
        assert_eq!(local(&writer), free);
    });
}

/// The first cannot be bound, the second is of the other family.
#[test]
fn c1_of_the_local_addresses_the_first_of_the_family_that_binds_is_taken() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let resolver = |query: Query| async move {
            assert_eq!(query.host(), "us.internal");
            Ok(["203.0.113.1:0", "[::1]:0", "127.0.0.1:0", "203.0.113.2:0"].map(address).to_vec())
        };
        let connecting = open_connection(server.local_addrs()[0]).resolver(resolver);
        let (_reader, writer) = connecting.local_addr(("us.internal", 0)).await.unwrap();
        assert_eq!(local(&writer).ip(), IpAddr::from([127, 0, 0, 1]));
    });
}

#[test]
fn c1_without_a_local_address_of_the_family_the_address_fails_and_names_it() {
    on_one_thread(|| async {
        let (to, _socket) = refusing();
        let error = open_connection(to).local_addr(("::1", 0)).await.unwrap_err();
        let (tried, error) = only(error);
        assert_eq!(tried, to);
        assert_eq!(error.to_string(), "the local address [::1]:0 is not IPv4");
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn c1_local_addresses_that_cannot_be_bound_are_named() {
    on_one_thread(|| async {
        let (to, _socket) = refusing();
        let resolver = |_| async { Ok(["203.0.113.1:0", "203.0.113.2:7"].map(address).to_vec()) };
        let error = open_connection(to).resolver(resolver).local_addr(("us", 0)).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error:?}") };
        let cause = attempts[0].error();
        assert_eq!(cause.kind(), ErrorKind::AddrNotAvailable);
        let text = cause.to_string();
        assert!(text.starts_with("cannot connect from 203.0.113.1:0: "), "{text}");
        assert!(text.contains("; 203.0.113.2:7: "), "{text}");
        let bind = cause.get_ref().unwrap().source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert!(bind.raw_os_error().is_some(), "the system's own error is kept");
    });
}

#[test]
fn c1_each_address_is_connected_from_a_local_one_of_its_family() {
    if !has_ipv6("c1_each_address_is_connected_from_a_local_one_of_its_family") {
        return;
    }
    on_one_thread(|| async {
        let server = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let six = server.local_addr().unwrap();
        let (four, _socket) = refusing();
        let resolver = move |query: Query| async move {
            Ok(match query.host() {
                "them" => vec![four, six],
                _ => vec![address("[::1]:0"), address("127.0.0.1:0")],
            })
        };
        let connecting = open_connection(("them", 1)).resolver(resolver).local_addr(("us", 0));
        let (_reader, writer) = connecting.await.unwrap();
        assert_eq!(local(&writer).ip(), IpAddr::from(Ipv6Addr::LOCALHOST));
    });
}

#[test]
fn c1_a_local_address_that_does_not_resolve_is_an_error_of_its_own() {
    on_one_thread(|| async {
        let (to, _socket) = refusing();
        let error = open_connection(to).local_addr("127.0.0.1").await.unwrap_err();
        assert!(matches!(error, ConnectError::LocalAddr { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the local address 127.0.0.1 did not resolve: it names no port");
        assert!(error.source().is_some());
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
    });
}

/// Two sockets cannot have one port at once: the second address has to wait for the first to end.
#[test]
fn c2_with_a_local_port_addresses_are_tried_in_turn() {
    run_paused(|| async {
        let silent = Silent::new();
        let server = TcpListener::bind(LOOPBACK).unwrap();
        let to = server.local_addr().unwrap();
        let (free, socket) = refusing();
        drop(socket);
        let resolver = move |_| async move { Ok(vec![silent.address, to]) };
        let connecting = open_connection(("them", 1)).resolver(resolver).local_addr(free);
        let started = tokio::time::Instant::now();
        let (_reader, writer) = connecting.attempt_timeout(Duration::from_secs(2)).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        assert_eq!(local(&writer), free);
    });
}

#[test]
fn c1_keep_alive_with_its_times() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let to = server.local_addrs()[0];
        let keeps = |writer: &StreamWriter| on_socket(writer, |socket| socket.keepalive());

        let (_reader, writer) = open_connection(to).await.unwrap();
        assert!(!keeps(&writer), "off unless said otherwise");
        let (_reader, writer) = open_connection(to).keep_alive(true).await.unwrap();
        assert!(keeps(&writer));
        let (_reader, writer) = open_connection(to).keep_alive(false).await.unwrap();
        assert!(!keeps(&writer));

        let probes = KeepAlive::from(false).idle(Duration::from_secs(61));
        let probes = probes.interval(Duration::from_secs(11)).retries(3);
        let (_reader, writer) = open_connection(to).keep_alive(probes).await.unwrap();
        assert!(keeps(&writer), "who says a time wants it");
        assert_eq!(on_socket(&writer, |s| s.tcp_keepalive_time()), Duration::from_secs(61));
        assert_eq!(on_socket(&writer, |s| s.tcp_keepalive_interval()), Duration::from_secs(11));
        assert_eq!(on_socket(&writer, |s| s.tcp_keepalive_retries()), 3);
    });
}

#[test]
fn c1_an_option_that_the_system_refuses_is_named() {
    on_one_thread(|| async {
        let (to, _socket) = refusing();
        let probes = KeepAlive::new().idle(Duration::from_millis(999));
        let error = open_connection(to).keep_alive(probes).await.unwrap_err();
        let (_, error) = only(error);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("keep-alive could not be set: "), "{error}");
    });
}

#[test]
fn c1_buffer_sizes_are_set_before_connecting() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let at_hook = Arc::clone(&seen);
        let connecting = open_connection(server.local_addrs()[0])
            .send_buffer_size(40_000)
            .recv_buffer_size(50_000)
            .on_socket(move |socket| {
                assert!(socket.peer_addr().is_err(), "not connected yet");
                at_hook.store(socket.recv_buffer_size()?, Ordering::SeqCst);
                Ok(())
            });
        let (_reader, writer) = connecting.await.unwrap();
        let near = |size: usize, asked: usize| (asked..=2 * asked).contains(&size);
        assert!(near(on_socket(&writer, |socket| socket.send_buffer_size()), 40_000));
        assert!(near(on_socket(&writer, |socket| socket.recv_buffer_size()), 50_000));
        assert!(near(seen.load(Ordering::SeqCst), 50_000));
    });
}

#[test]
fn c1_the_hook_sees_each_socket_before_it_is_bound() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let connecting = open_connection(server.local_addrs()[0]).local_addr(("127.0.0.1", 0));
        let connecting = connecting.keep_alive(true).on_socket(|socket| {
            let bound = socket.local_addr()?.as_socket().unwrap();
            assert_eq!(bound.port(), 0, "not bound yet");
            assert!(socket.nonblocking()?);
            socket.set_keepalive(false)
        });
        let (_reader, writer) = connecting.await.unwrap();
        assert!(!on_socket(&writer, |socket| socket.keepalive()), "it has the last word");
    });
}

#[test]
fn c1_an_error_of_the_hook_is_that_of_the_address_and_the_next_is_tried() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let to = server.local_addrs()[0];
        let calls = Arc::new(AtomicUsize::new(0));
        let called = Arc::clone(&calls);
        let resolver = move |_| async move { Ok(vec![to, to]) };
        let connecting = open_connection(("them", 1)).resolver(resolver).on_socket(move |_| {
            match called.fetch_add(1, Ordering::SeqCst) {
                0 => Err(ErrorKind::PermissionDenied.into()),
                _ => Ok(()),
            }
        });
        connecting.await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2);

        let denied = open_connection(to).on_socket(|_| Err(ErrorKind::PermissionDenied.into()));
        let error = denied.await.unwrap_err();
        assert_eq!(error.to_string(), format!("could not connect to {to}: permission denied"));
        assert_eq!(io::Error::from(error).kind(), ErrorKind::PermissionDenied);
    });
}

#[test]
fn c1_a_family_contradicts_an_address_of_the_other() {
    on_one_thread(|| async {
        for (connecting, expected) in [
            (
                open_connection(("::1", 80)).family(Family::V4),
                "the family is to be IPv4, and [::1]:80 is IPv6",
            ),
            (
                open_connection("[::1]:http").family(Family::V4),
                "the family is to be IPv4, and [::1]:http is IPv6",
            ),
            (
                open_connection(("::1%lo", 80)).family(Family::V4),
                "the family is to be IPv4, and [::1%lo]:80 is IPv6",
            ),
            (open_connection(address("127.0.0.1:80")).family(Family::V6), "and 127.0.0.1:80 is IPv4"),
        ] {
            let error = connecting.await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(matches!(error, ConnectError::Conflict(Conflict::Family { .. })), "{error:?}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        }
    });
}

/// A connector makes what it connects: an option of the socket would be lost.
#[test]
fn c1_an_option_of_the_socket_contradicts_a_connector() {
    on_one_thread(|| async {
        let to = || {
            let nobody = |query: Query| async move { panic!("{query} is resolved") };
            open_connection(("localhost", 80)).resolver(nobody)
        };
        let nothing = |_| async { Ok(tokio::io::duplex(1).0) };
        for (option, connecting) in [
            ("local_addr", to().local_addr(("127.0.0.1", 0)).connector(nothing)),
            ("keep_alive", to().connector(nothing).keep_alive(true)),
            ("send_buffer_size", to().connector(nothing).send_buffer_size(4096)),
            ("recv_buffer_size", to().recv_buffer_size(4096).connector(nothing)),
            ("on_socket", to().connector(nothing).on_socket(|_| Ok(()))),
        ] {
            let error = connecting.await.unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("{option} is for a socket of the system's")),
                "{error}"
            );
            let ConnectError::Conflict(conflict) = &error else { panic!("{error:?}") };
            assert_eq!(*conflict, Conflict::Connector { option });
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        }
    });
}

/// Nothing is resolved before that is known.
#[test]
fn c1_a_family_contradicts_a_local_address_of_the_other() {
    on_one_thread(|| async {
        let nobody = |query: Query| async move { panic!("{query} is resolved") };
        let connecting = open_connection(("localhost", 80)).resolver(nobody).family(Family::V4);
        let error = connecting.local_addr(("::1", 0)).await.unwrap_err();
        assert_eq!(error.to_string(), "the family is to be IPv4, and the local address [::1]:0 is IPv6");
        let ConnectError::Conflict(Conflict::LocalAddr { family, .. }) = error else { panic!("{error:?}") };
        assert_eq!(family, Family::V4);

        // A family that fits contradicts nothing.
        let (to, _socket) = refusing();
        let connecting = open_connection(to).family(Family::V4).local_addr(("127.0.0.1", 0));
        assert_eq!(only(connecting.await.unwrap_err()).1.kind(), ErrorKind::ConnectionRefused);
    });
}
