//! C1: the forms of a host and a port, and who resolves them.

use highwater_net::{
    Attempt, ConnectError, ConnectTo, Family, Name, OpenConnection, Port, Query, Resolver, SystemResolver,
    open_connection, start_server,
};
use highwater_tests::bounded::bounded;
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{LOOPBACK, echo, has_ipv6, is_echoed};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use tokio::runtime::Builder;

/// The addresses that would be connected: each socket is refused before it is.
async fn addresses(connecting: OpenConnection<Name>) -> Vec<SocketAddr> {
    let error = connecting.on_socket(|_| Err(io::Error::other("seen"))).await.unwrap_err();
    let ConnectError::Unreachable { attempts, .. } = &error else { panic!("{error}") };
    assert!(attempts.iter().all(|attempt| attempt.error().to_string() == "seen"), "{error}");
    attempts.iter().map(Attempt::address).collect()
}

fn v4(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn v6(ip: &str, port: u16, zone: u32) -> SocketAddr {
    SocketAddrV6::new(ip.parse().unwrap(), port, 0, zone).into()
}

async fn nobody(query: Query) -> io::Result<Vec<SocketAddr>> {
    panic!("{query} needs no resolver")
}

#[test]
fn c1_a_port_by_its_number_or_its_service() {
    on_each_runtime(|| async {
        let host = String::from("127.0.0.1");
        let http = String::from("http");
        for connecting in [
            open_connection(("127.0.0.1", "80")),
            open_connection(("127.0.0.1", "http")),
            open_connection(("127.0.0.1", http.clone())),
            open_connection((host.clone(), "http")),
            open_connection((host.clone(), http.clone())),
            open_connection((&host, "http")),
            open_connection((&host, &http)),
            open_connection("127.0.0.1:http"),
            open_connection((IpAddr::from(Ipv4Addr::LOCALHOST), "http")),
            open_connection(("localhost", "http")).family(Family::V4),
            open_connection("localhost:http").family(Family::V4),
        ] {
            let found = addresses(connecting).await;
            assert!(!found.is_empty() && found.iter().all(|address| *address == v4(80)), "{found:?}");
        }
        for connecting in [
            open_connection(("::1", "http")),
            open_connection("[::1]:http"),
            open_connection("[::1]:80"),
            open_connection((IpAddr::from(Ipv6Addr::LOCALHOST), "http")),
        ] {
            assert_eq!(addresses(connecting).await, [v6("::1", 80, 0)]);
        }
    });
}

#[cfg(target_os = "linux")]
fn number_of_loopback() -> u32 {
    std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap().trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn c1_an_ipv6_address_may_have_a_zone_by_name_or_number() {
    on_one_thread(|| async {
        let lo = number_of_loopback();
        for (connecting, ip, port, zone) in [
            (open_connection(("fe80::1%lo", 80)), "fe80::1", 80, lo),
            (open_connection("[fe80::1%lo]:80"), "fe80::1", 80, lo),
            (open_connection(("fe80::1%lo", "http")), "fe80::1", 80, lo),
            (open_connection("[fe80::1%7]:http"), "fe80::1", 80, 7),
            (open_connection(("fe80::1%7", 81)), "fe80::1", 81, 7),
            (open_connection(v6("fe80::1", 80, 7)), "fe80::1", 80, 7),
            // Not one of the link, which the system's resolver would refuse.
            (open_connection(("::1%lo", 80)), "::1", 80, lo),
        ] {
            assert_eq!(addresses(connecting.resolver(nobody)).await, [v6(ip, port, zone)]);
        }
        let flowing = SocketAddr::from(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 5, lo));
        assert_eq!(addresses(open_connection(flowing)).await, [flowing], "an address stays as it is");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn c1_a_zone_is_connected_through_and_listened_in() {
    if !has_ipv6("c1_a_zone_is_connected_through_and_listened_in") {
        return;
    }
    on_one_thread(|| async {
        let server = start_server(echo, "[::1%lo]:0").await.unwrap();
        let port = server.local_addrs()[0].port();
        for connecting in [open_connection(("::1%lo", port)), open_connection(format!("[::1%lo]:{port}"))] {
            let (mut reader, writer) = connecting.await.unwrap();
            writer.write("hello\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
        }
    });
}

#[test]
fn c1_an_address_does_not_go_to_the_resolver() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        for connecting in [
            open_connection(address),
            open_connection(("127.0.0.1", address.port())),
            open_connection(("127.0.0.1", address.port().to_string())),
            open_connection(address.to_string()),
        ] {
            connecting.resolver(nobody).await.unwrap();
        }
        assert_eq!(addresses(open_connection(("127.0.0.1", "http")).resolver(nobody)).await, [v4(80)]);
    });
}

#[test]
fn c1_the_resolver_is_told_host_port_and_family() {
    on_one_thread(|| async {
        for (connecting, host, port, family) in [
            (open_connection(("db.internal", 5432)), "db.internal", Port::Number(5432), None),
            (open_connection("db.internal:5432"), "db.internal", Port::Number(5432), None),
            (open_connection(("db", "postgresql")), "db", Port::Service("postgresql".into()), None),
            (
                open_connection("db:http").family(Family::V4),
                "db",
                Port::Service("http".into()),
                Some(Family::V4),
            ),
            (open_connection(("db", 1)).family(Family::V6), "db", Port::Number(1), Some(Family::V6)),
        ] {
            let asked = move |query: Query| {
                assert_eq!((query.host(), query.port(), query.family()), (host, &port, family));
                async { Ok(vec![v4(1), v6("::1", 2, 0)]) }
            };
            let expected = match family {
                None => vec![v4(1), v6("::1", 2, 0)],
                Some(Family::V4) => vec![v4(1)],
                Some(Family::V6) => vec![v6("::1", 2, 0)],
            };
            assert_eq!(addresses(connecting.resolver(asked)).await, expected, "the family is kept to");
        }
    });
}

struct Pinned(SocketAddr);

impl Resolver for Pinned {
    async fn resolve(&self, _: Query) -> io::Result<Vec<SocketAddr>> {
        tokio::task::yield_now().await;
        Ok(vec![self.0])
    }
}

#[test]
fn c1_a_resolver_is_a_type_a_closure_or_shared() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let shared = Arc::new(Pinned(address));
        for connecting in [
            open_connection(("db", 1)).resolver(Pinned(address)),
            open_connection(("db", 1)).resolver(shared.clone()),
            open_connection(("db", 1)).resolver(shared),
            open_connection(("db", 1)).resolver(move |_| async move { Ok(vec![address]) }),
            open_connection(("127.0.0.1", address.port())).resolver(SystemResolver),
        ] {
            let (_reader, writer) = connecting.await.unwrap();
            assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
        }
    });
}

#[test]
fn c1_the_family_bounds_what_the_system_resolves() {
    on_one_thread(|| async {
        let found = addresses(open_connection(("localhost", 80)).family(Family::V4)).await;
        assert!(!found.is_empty() && found.iter().all(SocketAddr::is_ipv4), "{found:?}");
    });
}

/// In an old form, which is the system's to read: were it asked for both, it would find `127.0.0.1`, to be
/// left out here.
#[cfg(target_os = "linux")]
#[test]
fn c1_the_system_is_asked_for_the_family_alone() {
    on_one_thread(|| async {
        assert_eq!(addresses(open_connection(("127.1", 80)).family(Family::V4)).await, [v4(80)]);
        let error = open_connection(("127.1", 80)).family(Family::V6).await.unwrap_err();
        assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
        assert!(!error.to_string().ends_with("it has no IPv6 address"), "{error}");
    });
}

#[test]
fn c1_a_name_that_is_wrong_says_how() {
    on_one_thread(|| async {
        for (connecting, complaint) in [
            (open_connection("example.org"), "example.org did not resolve: it names no port"),
            (open_connection(""), "it names no port"),
            (open_connection(":80"), "it names no host"),
            (open_connection(("", 80)), ":80 did not resolve: it names no host"),
            (open_connection("example.org:"), "the port is neither a number nor the name of a service"),
            (open_connection(("127.0.0.1", "-1")), "the port is neither a number nor the name of a service"),
            (open_connection(("127.0.0.1", "+80")), "the port is neither a number nor the name of a service"),
            (open_connection(("127.0.0.1", " 80")), "the port is neither a number nor the name of a service"),
            (open_connection("127.0.0.1:65536"), "127.0.0.1:65536 did not resolve: a port is at most 65535"),
            (open_connection(("127.0.0.1", "70000")), "a port is at most 65535"),
            (open_connection("::1:80"), "an IPv6 address needs brackets in front of a port"),
            (
                open_connection("http://localhost:80"),
                "it is a URL, of which the host and the port are wanted",
            ),
            (open_connection("[::1]80"), "brackets hold an IPv6 address, and a port follows them"),
            (open_connection("[127.0.0.1]:80"), "brackets hold an IPv6 address, and a port follows them"),
            (open_connection(("::12345", 80)), "a host with colons is an IPv6 address, and this is none"),
            (open_connection(("http://example.org", 80)), "a host with colons is an IPv6 address"),
            (open_connection(("fe80::1%", 80)), "the name of the zone is empty"),
        ] {
            let error = connecting.resolver(nobody).await.unwrap_err();
            assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
            assert!(error.to_string().contains(complaint), "{error}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn c1_an_unknown_host_service_or_zone_is_told() {
    on_one_thread(|| async {
        // No label of a name is as long, and so nobody is asked.
        let host = "x".repeat(70);
        for (connecting, complaint) in [
            (open_connection((&host, "80")), format!("{host}:80 did not resolve: ")),
            (open_connection("127.0.0.1:no-such-service"), "there is no service no-such-service".into()),
            (open_connection("[fe80::1%no-such-zone]:80"), "there is no zone no-such-zone".into()),
            (open_connection("[fe80::1%no-such-zone]:80").family(Family::V6), "there is no zone".into()),
        ] {
            let error = connecting.await.unwrap_err();
            assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
            assert!(error.to_string().contains(&complaint), "{error}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::NotFound);
        }
    });
}

#[test]
fn c1_a_resolver_that_fails_or_finds_nothing_is_told() {
    on_one_thread(|| async {
        let down = |_| async { Err(ErrorKind::ConnectionReset.into()) };
        let error = open_connection(("db", 1)).resolver(down).await.unwrap_err();
        assert_eq!(error.to_string(), "db:1 did not resolve: connection reset");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::ConnectionReset);

        let empty = |_| async { Ok(vec![]) };
        let error = open_connection(("db", 1)).resolver(empty).await.unwrap_err();
        assert_eq!(error.to_string(), "db:1 did not resolve: it has no address");

        let only_v4 = |_| async { Ok(vec![v4(1)]) };
        let error = open_connection(("db", 1)).resolver(only_v4).family(Family::V6).await.unwrap_err();
        assert_eq!(error.to_string(), "db:1 did not resolve: it has no IPv6 address");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::NotFound);
    });
}

/// While it waits for its thread, which somebody else has; and the next lookup is not held up by it.
#[test]
fn c1_a_lookup_by_the_system_can_be_cancelled() {
    bounded(|| {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let server = start_server(echo, LOOPBACK).await.unwrap();
            let port = server.local_addrs()[0].port();
            let (free, taken) = std::sync::mpsc::channel::<()>();
            let holds_the_thread = tokio::task::spawn_blocking(move || taken.recv().is_err());
            for _ in 0..5 {
                let mut connecting = Box::pin(open_connection(("localhost", port)).into_future());
                assert!(futures::poll!(&mut connecting).is_pending());
                drop(connecting);
            }
            drop(free);
            assert!(holds_the_thread.await.unwrap());
            let connecting = open_connection(("localhost", port)).family(Family::V4);
            let (_reader, writer) = connecting.await.unwrap();
            is_echoed(writer.facts().peer_addr().socket_addr().unwrap()).await.unwrap();
        });
    });
}

#[test]
fn c1_names_are_displayed_as_they_were_given() {
    let text = |name: Name| name.to_string();
    assert_eq!(text(("example.org", "http").into_target()), "example.org:http");
    assert_eq!(text(("::1", "http").into_target()), "[::1]:http");
    assert_eq!(text(("fe80::1%lo", 80).into_target()), "[fe80::1%lo]:80");
    assert_eq!(text("[fe80::1%lo]:80".into_target()), "[fe80::1%lo]:80");
}
