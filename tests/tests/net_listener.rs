//! N1: a server of any source of connections; S2: sockets that were made elsewhere.

use highwater_net::{
    Address, BindError, Handler, Incoming, IntoBind, Listener, Server, StreamReader, StreamWriter, Transport,
    open_connection, pair, start_server,
};
use highwater_tests::bounded::{run_paused, settle};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::memory::memory;
use highwater_tests::net::{Halves, LOOPBACK, echo, give_away, hook};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// Names what it runs over, then echoes.
async fn handler(reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let name = writer.with_transport(|transport| match transport {
        Transport::Tcp(_) => "tcp\n",
        #[cfg(unix)]
        Transport::Unix(_) => "unix\n",
        _ => "other\n",
    });
    writer.write(name.unwrap())?;
    echo(reader, writer).await
}

async fn converses(name: &str, (mut reader, writer): Halves) {
    assert_eq!(reader.read_line().await.unwrap().unwrap(), name);
    writer.write("one\ntwo").unwrap();
    writer.write_eof().unwrap();
    assert_eq!(reader.read_to_end(100).await.unwrap(), "one\ntwo");
}

#[test]
fn n1_one_handler_on_a_tcp_a_unix_and_a_memory_listener_of_one_server() {
    on_each_runtime(|| async {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let (in_memory, connector) = memory();
        #[allow(unused_mut)]
        let mut listeners: Vec<Box<dyn Listener>> = vec![Box::new(tcp), in_memory];
        #[cfg(unix)]
        let scratch = highwater_tests::scratch::Scratch::new();
        #[cfg(unix)]
        listeners.push(Box::new(tokio::net::UnixListener::bind(scratch.file("s")).unwrap()));

        let server = start_server(handler, listeners).await.unwrap();
        converses("tcp\n", open_connection(address).await.unwrap()).await;
        converses("other\n", connector.connect()).await;
        #[cfg(unix)]
        converses("unix\n", highwater_net::open_unix_connection(scratch.file("s")).await.unwrap()).await;

        assert_eq!(server.local_addrs(), [address]);
        assert_eq!(server.endpoints()[0].socket_addr(), Some(address));
        assert!(matches!(server.endpoints()[1], Address::Unknown));
        server.close();
        assert!(connector.is_closed());
        assert!(open_connection(address).await.is_err());
        server.wait_closed().await;
        assert_eq!(server.counts().accepted, 2 + u64::from(cfg!(unix)));
    });
}

#[test]
fn n1_what_comes_may_be_any_transport_with_an_address_of_its_own() {
    on_each_runtime(|| async {
        let (tcp, _peer) = highwater_tests::net::pair_of_tcp();
        tcp.set_nonblocking(true).unwrap();
        let peer = tcp.peer_addr().unwrap();
        let incoming = Incoming::from(tokio::net::TcpStream::from_std(tcp).unwrap());
        assert_eq!(incoming.facts().peer_addr().socket_addr(), Some(peer));
        let told = SocketAddr::from(([192, 0, 2, 1], 4711));
        let incoming = incoming.peer_addr(told.into());
        assert_eq!(incoming.facts().peer_addr().socket_addr(), Some(told));

        let one = One(Some(incoming));
        let (give, mut take) = give_away();
        let server = start_server(give, Box::new(one)).await.unwrap();
        let (reader, writer) = take.recv().await.unwrap();
        assert_eq!(reader.facts().peer_addr().socket_addr(), Some(told));
        assert_eq!(writer.with_transport(|transport| matches!(transport, Transport::Tcp(_))), Some(true));
        drop(server);
    });
}

/// Brings one connection.
struct One(Option<Incoming>);

impl Listener for One {
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        self.0.take().map_or(Poll::Pending, |incoming| Poll::Ready(Ok(incoming)))
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }
}

/// Panics twice, then brings one connection.
struct Panics(u32, Option<Incoming>);

impl Listener for Panics {
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        self.0 += 1;
        assert!(self.0 > 2, "not yet");
        self.1.take().map_or(Poll::Pending, |incoming| Poll::Ready(Ok(incoming)))
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }
}

#[test]
fn s4_a_listener_that_panics_is_told_and_asked_again() {
    run_paused(async {
        let (near, far) = tokio::io::duplex(64);
        let (tell, mut told) = hook();
        let listener: Box<dyn Listener> = Box::new(Panics(0, Some(Incoming::new(far))));
        let server = start_server(handler, listener).on_error(tell).await.unwrap();
        converses("other\n", pair(near)).await;
        for _ in 0..2 {
            let text = told.recv().await.unwrap();
            assert!(text.ends_with("could not be accepted: the listener panicked: not yet"), "{text}");
        }
        assert!(server.is_serving());
        server.close();
        server.wait_closed().await;
    });
}

/// 5 ms, doubling to 1 s, and from the start again once a connection has come; no question in between.
#[test]
fn s4_accepting_that_fails_pauses_and_does_not_ask_meanwhile() {
    run_paused(async {
        let (tell, mut told) = hook();
        let (listener, connector) = memory();
        let server = start_server(echo, listener).on_error(tell).await.unwrap();
        settle().await;
        for _ in 0..2 {
            let asked = connector.asked();
            let begin = Instant::now();
            for _ in 0..12 {
                connector.fail(io::Error::other("lacking"));
            }
            let client = connector.connect();
            for _ in 0..12 {
                told.recv().await.unwrap();
            }
            let (mut reader, writer) = client;
            writer.write("at last\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "at last\n");
            // 5 + 10 + ... + 640 ms, and four times 1 s; each up to a tick of the clock later.
            let (took, least) = (begin.elapsed(), Duration::from_millis(1275 + 4000));
            assert!(least <= took && took <= least + Duration::from_millis(24), "{took:?}");
            assert!(connector.asked() - asked <= 16, "{} times", connector.asked() - asked);
        }
        // What concerns one connection pauses nothing.
        let begin = Instant::now();
        for _ in 0..100 {
            connector.fail(ErrorKind::ConnectionAborted.into());
        }
        for _ in 0..100 {
            told.recv().await.unwrap();
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        server.close();
    });
}

async fn is_taken<M, B>(what: &str, handler: impl Handler<M>, listeners: B, address: SocketAddr) -> Server
where
    B: IntoBind<Kind = highwater_net::BindListeners>,
{
    // Who comes before the server waits.
    let early = std::net::TcpStream::connect(address).unwrap();
    let server = start_server(handler, listeners).keep_alive(true).await.unwrap();
    assert_eq!(server.local_addrs(), [address], "{what}");
    converses("tcp\n", open_connection(early).await.unwrap()).await;
    server
}

#[test]
fn s2_a_tcp_listener_of_any_make_is_taken() {
    on_each_runtime(|| async {
        for is_nonblocking in [true, false] {
            let std = || {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                listener.set_nonblocking(is_nonblocking).unwrap();
                let address = listener.local_addr().unwrap();
                (listener, address)
            };
            let (listener, address) = std();
            is_taken("std", handler, listener, address).await;
            let (listener, address) = std();
            is_taken("a Vec", handler, vec![listener], address).await;
            let (listener, address) = std();
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            is_taken("tokio", handler, listener, address).await;
            #[cfg(unix)]
            {
                let (listener, address) = std();
                is_taken("a descriptor", handler, std::os::fd::OwnedFd::from(listener), address).await;
            }
        }
    });
}

#[cfg(unix)]
#[test]
fn s2_a_unix_listener_of_any_make_is_taken() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixListener;
    on_each_runtime(|| async {
        let scratch = highwater_tests::scratch::Scratch::new();
        let path = scratch.file("s");
        for make in 0..3 {
            let listener = UnixListener::bind(&path).unwrap();
            let server = match make {
                0 => start_server(handler, listener).await,
                1 => start_server(handler, OwnedFd::from(listener)).await,
                _ => {
                    listener.set_nonblocking(true).unwrap();
                    start_server(handler, tokio::net::UnixListener::from_std(listener).unwrap()).await
                }
            };
            let server = server.unwrap();
            assert_eq!(server.endpoints()[0].to_string(), path.display().to_string());
            converses("unix\n", highwater_net::open_unix_connection(&path).await.unwrap()).await;
            server.close();
            std::fs::remove_file(&path).expect("it is left where it is");
        }
    });
}

#[cfg(unix)]
#[test]
fn s2_several_descriptors_of_both_kinds_are_one_server() {
    use std::os::fd::OwnedFd;
    on_each_runtime(|| async {
        let scratch = highwater_tests::scratch::Scratch::new();
        let path = scratch.file("s");
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let listeners: Vec<OwnedFd> = vec![tcp.into(), unix.into()];
        let server = start_server(handler, listeners).await.unwrap();
        assert_eq!((server.local_addrs(), server.endpoints().len()), (&[address][..], 2));
        converses("tcp\n", open_connection(address).await.unwrap()).await;
        converses("unix\n", highwater_net::open_unix_connection(&path).await.unwrap()).await;
    });
}

#[cfg(unix)]
#[test]
fn s2_what_does_not_listen_is_refused() {
    use std::os::fd::OwnedFd;
    const ENOTSOCK: i32 = if cfg!(target_os = "linux") { 88 } else { 38 };
    on_each_runtime(|| async {
        let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let cases: [(OwnedFd, &str); 3] = [
            (datagram.into(), "the socket is not a stream socket"),
            (near.into(), "the socket does not listen"),
            (bound.into(), "the socket does not listen"),
        ];
        for (fd, says) in cases {
            let error = start_server(handler, fd).await.unwrap_err();
            assert!(matches!(error, BindError::Socket(_)), "{error:?}");
            let text = error.to_string();
            assert!(text.starts_with("the socket could not be taken: "), "{text}");
            assert!(text.contains(says), "{text}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        }
        let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let error = start_server(handler, file).await.unwrap_err();
        let BindError::Socket(error) = error else { panic!("{error:?}") };
        assert_eq!(error.raw_os_error(), Some(ENOTSOCK));
        let none = start_server(handler, Vec::<OwnedFd>::new()).await.unwrap_err();
        assert!(matches!(none, BindError::Bind { .. }), "{none:?}");
        // One that is refused closes the others.
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = good.local_addr().unwrap();
        let bad = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(start_server(handler, vec![OwnedFd::from(good), bad.into()]).await.is_err());
        drop(TcpListener::bind(address).unwrap());
    });
}

#[test]
fn s2_handed_in_and_started_later_connections_wait() {
    on_each_runtime(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = start_server(handler, listener).start_serving(false).await.unwrap();
        let waits = open_connection(address).await.unwrap();
        assert_eq!(server.counts().accepted, 0);
        server.start_serving().unwrap();
        converses("tcp\n", waits).await;
    });
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn s2_keep_alive_takes_times() {
    use highwater_net::KeepAlive;
    on_each_runtime(|| async {
        let times =
            KeepAlive::new().idle(Duration::from_secs(70)).interval(Duration::from_secs(11)).retries(4);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for handed_in in [Some(listener), None] {
            let (give, mut take) = give_away();
            let server = match handed_in {
                Some(listener) => start_server(give, listener).keep_alive(times.clone()).await.unwrap(),
                None => start_server(give, LOOPBACK).keep_alive(times.clone()).await.unwrap(),
            };
            let _client = open_connection(server.local_addrs()[0]).await.unwrap();
            let (_reader, writer) = take.recv().await.unwrap();
            let set = writer.with_transport(|transport| match transport {
                Transport::Tcp(socket) => {
                    let socket = SockRef::from(socket);
                    let retries = socket.tcp_keepalive_retries().unwrap();
                    (socket.tcp_keepalive_time().unwrap(), socket.tcp_keepalive_interval().unwrap(), retries)
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(set, Some((Duration::from_secs(70), Duration::from_secs(11), 4)));
        }
    });
}

/// On each connection it would be refused again, and nobody would hear of it.
#[cfg(target_os = "linux")]
#[test]
fn s2_keep_alive_that_the_system_refuses_is_an_error() {
    use highwater_net::KeepAlive;
    on_each_runtime(|| async {
        for idle in [Duration::from_millis(999), Duration::from_secs(32_768)] {
            let times = KeepAlive::new().idle(idle);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            for error in [
                start_server(echo, listener).keep_alive(times.clone()).await.unwrap_err(),
                start_server(echo, LOOPBACK).keep_alive(times).await.unwrap_err(),
            ] {
                assert!(matches!(error, BindError::KeepAlive(_)), "{error:?}");
                assert!(error.to_string().starts_with("keep-alive could not be set: "), "{error}");
                assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
            }
            drop(TcpListener::bind(address).unwrap());
        }
    });
}

#[test]
fn s2_family_keeps_to_one() {
    use highwater_net::Family;
    on_each_runtime(|| async {
        let server = start_server(echo, ("", 0)).family(Family::V4).await.unwrap();
        assert_eq!(server.local_addrs().len(), 1);
        assert!(server.local_addrs()[0].is_ipv4());
        let server = start_server(echo, ("localhost", 0)).family(Family::V4).await.unwrap();
        assert!(server.local_addrs().iter().all(SocketAddr::is_ipv4));
        let error = start_server(echo, (["127.0.0.1", "::1"], 0)).family(Family::V4).await.unwrap_err();
        let BindError::Family { family: Family::V4, .. } = &error else { panic!("{error:?}") };
        assert_eq!(error.to_string(), "[::1]:0 has no IPv4 address");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        // All interfaces of IPv4 are not what somebody has who gave no host.
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        for error in [
            start_server(echo, ("0.0.0.0", 0)).family(Family::V6).await.unwrap_err(),
            start_server(echo, any).family(Family::V6).await.unwrap_err(),
            start_server(echo, vec![SocketAddr::from(([0; 16], 0)), any])
                .family(Family::V6)
                .await
                .unwrap_err(),
        ] {
            assert!(matches!(error, BindError::Family { family: Family::V6, .. }), "{error:?}");
            assert_eq!(error.to_string(), "0.0.0.0:0 has no IPv6 address");
        }
        let error = start_server(echo, (["", "::"], 0)).family(Family::V4).await.unwrap_err();
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
    });
}

/// Somebody is connected from an address that is bound again without `SO_REUSEADDR`.
#[cfg(unix)]
#[test]
fn s2_reuse_address_is_on_and_can_be_declined() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let _client = highwater_tests::net::is_echoed(address).await.unwrap();
        server.close();
        let error = start_server(echo, address).reuse_address(false).await.unwrap_err();
        assert_eq!(io::Error::from(error).kind(), ErrorKind::AddrInUse);
        start_server(echo, address).await.unwrap();
    });
}
