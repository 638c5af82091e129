//! Faults that need a kernel: black holes, networks that are not there, links that go away, connections that are
//! killed, a system without IPv6. Each test has a network namespace of its own, or says why there is none.
#![cfg(target_os = "linux")]

use highwater_net::{
    ConnectError, KeepAlive, Name, OpenConnection, Query, StreamOptions, StreamReader, StreamWriter,
    open_connection, start_server,
};
use highwater_tests::namespace::{in_a_namespace, ip, tool};
use highwater_tests::net::{LOOPBACK, echo, give_away, hook, is_echoed};
use highwater_tests::skip;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::time::Duration;

/// Behind a link whose other end takes what comes, and answers nothing.
const BLACK_HOLE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

const A_WHILE: Duration = Duration::from_millis(300);

fn at(ip: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddrV4::new(ip, port).into()
}

/// Packets to [`BLACK_HOLE`] leave, and come to a link that they are not for.
fn dig_a_black_hole() -> Result<(), String> {
    ip("link add near type veth peer name far")?;
    ip("addr add 192.0.2.2/24 dev near")?;
    ip("link set near up")?;
    ip("link set far up")?;
    ip("neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev near")
}

fn listening() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind(LOOPBACK).unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// A name with these addresses.
fn named(addresses: Vec<SocketAddr>) -> OpenConnection<Name> {
    let resolved = move |_: Query| {
        let addresses = addresses.clone();
        async move { Ok(addresses) }
    };
    open_connection(("named.internal", 1)).resolver(resolved)
}

#[test]
fn c2_an_address_in_a_black_hole_loses_the_race() {
    in_a_namespace(|| async {
        if let Err(error) = dig_a_black_hole() {
            return skip("net_namespaces::c2_an_address_in_a_black_hole_loses_the_race", &error);
        }
        let (address, _listener) = listening();
        let (_reader, writer) = named(vec![at(BLACK_HOLE, 80), address]).await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
    });
}

#[test]
fn c1_a_black_hole_costs_the_time_out_that_was_set() {
    in_a_namespace(|| async {
        if let Err(error) = dig_a_black_hole() {
            return skip("net_namespaces::c1_a_black_hole_costs_the_time_out_that_was_set", &error);
        }
        let hole = at(BLACK_HOLE, 80);
        let failed = open_connection(hole).connect_timeout(A_WHILE).await.unwrap_err();
        let ConnectError::TimedOut { attempts, after, .. } = &failed else { panic!("{failed:?}") };
        assert_eq!((attempts.len(), attempts[0].address(), *after), (1, hole, A_WHILE));

        let failed = named(vec![hole, hole]).attempt_timeout(A_WHILE).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &failed else { panic!("{failed:?}") };
        let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.error().kind()).collect();
        assert_eq!(kinds, [ErrorKind::TimedOut; 2]);
    });
}

#[test]
fn c2_what_no_route_leads_to_is_told_apart_and_delays_nobody() {
    in_a_namespace(|| async {
        ip("route add unreachable 198.51.100.0/24").unwrap();
        ip("route add prohibit 203.0.113.0/24").unwrap();
        // Of no network that is here, of one that cannot be reached, and of one that must not be.
        let expected = [
            (Ipv4Addr::new(192, 0, 2, 1), ErrorKind::NetworkUnreachable),
            (Ipv4Addr::new(198, 51, 100, 1), ErrorKind::HostUnreachable),
            (Ipv4Addr::new(203, 0, 113, 1), ErrorKind::PermissionDenied),
        ];
        let lost: Vec<_> = expected.iter().map(|(ip, _)| at(*ip, 80)).collect();
        // Long past the test's patience: nobody waits for it.
        let delay = Duration::from_secs(3_600);

        let failed = named(lost.clone()).happy_eyeballs_delay(delay).await.unwrap_err();
        let ConnectError::Unreachable { attempts, .. } = &failed else { panic!("{failed:?}") };
        for (attempt, (ip, kind)) in attempts.iter().zip(expected) {
            assert_eq!((attempt.address(), attempt.error().kind()), (at(ip, 80), kind));
            assert!(attempt.error().raw_os_error().is_some(), "the cause is kept: {attempt}");
        }
        assert_eq!(attempts.len(), 3);

        let (address, _listener) = listening();
        let (_reader, writer) =
            named([lost, vec![address]].concat()).happy_eyeballs_delay(delay).await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
    });
}

/// More than two sockets take.
const TOO_MUCH: usize = 64 << 20;

#[test]
fn w11_a_link_that_goes_away_in_the_middle_of_a_write_is_given_up() {
    in_a_namespace(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let options = StreamOptions::new().write_timeout(Some(A_WHILE));
        let (mut open_reader, open) = open_connection(address).streams(options).await.unwrap();
        let options = StreamOptions::new().delivery_timeout(A_WHILE);
        let (_reader, closing) = open_connection(address).streams(options).await.unwrap();
        let mut served = [take.recv().await.unwrap(), take.recv().await.unwrap()];
        for writer in [&open, &closing] {
            writer.write(vec![b'x'; TOO_MUCH]).unwrap();
        }
        for (reader, _) in &mut served {
            reader.read_exactly(1_000_000).await.unwrap();
        }
        ip("link set lo down").unwrap();
        closing.close();

        let failed = open.flush().await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::TimedOut);
        assert_eq!(open_reader.read(1).await.unwrap_err().kind(), ErrorKind::TimedOut);
        let lost = closing.wait_closed().await.unwrap_err();
        assert_eq!(lost.cause().kind(), ErrorKind::TimedOut);
        assert!((1..TOO_MUCH as u64).contains(&lost.unsent()), "{lost}");
    });
}

#[test]
fn c1_keep_alive_finds_out_that_a_link_went_away() {
    in_a_namespace(|| async {
        let (give, mut take) = give_away();
        let second = Duration::from_secs(1);
        let probes = KeepAlive::new().idle(second).interval(second).retries(1);
        let server = start_server(give, LOOPBACK).keep_alive(probes.clone()).await.unwrap();
        let client = open_connection(server.local_addrs()[0]).keep_alive(probes);
        let (mut reader, _writer) = client.await.unwrap();
        let (mut served, _reply) = take.recv().await.unwrap();
        ip("link set lo down").unwrap();
        let (near, far) = tokio::join!(reader.read(1), served.read(1));
        for failed in [near.unwrap_err(), far.unwrap_err()] {
            assert_eq!(failed.kind(), ErrorKind::TimedOut);
            assert!(failed.raw_os_error().is_some(), "it is the system's: {failed}");
        }
    });
}

#[test]
fn r4_a_connection_that_is_killed_gives_what_had_come_and_then_the_error() {
    in_a_namespace(|| async {
        let (give, mut take) = give_away();
        let (hook, _told) = hook();
        let server = start_server(give, LOOPBACK).on_error(hook).await.unwrap();
        let address = server.local_addrs()[0];
        let (mut reader, writer) = open_connection(address).await.unwrap();
        let (mut served, reply) = take.recv().await.unwrap();
        reply.write("a line\nand half of o").unwrap();
        writer.write("a question\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "a line\n");
        assert_eq!(served.read_line().await.unwrap().unwrap(), "a question\n");

        // The client's socket, by its port: the server's gets a reset.
        let port = writer.facts().local_addr().socket_addr().unwrap().port();
        if let Err(error) = tool("ss", &format!("--kill --tcp --no-header sport = :{port}")) {
            let name =
                "net_namespaces::r4_a_connection_that_is_killed_gives_what_had_come_and_then_the_error";
            return skip(name, &error);
        }
        let lost = |kind| matches!(kind, ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted);
        let failed = reader.read_line().await.unwrap_err();
        assert!(lost(io::Error::from(failed).kind()));
        assert_eq!(reader.read(100).await.unwrap(), "and half of o");
        assert!(lost(reader.read(1).await.unwrap_err().kind()));
        assert!(writer.write("more").is_err_and(|error| lost(io::Error::from(error).kind())));

        assert_eq!(
            served.read_line().await.map_err(|error| io::Error::from(error).kind()),
            Err(ErrorKind::ConnectionReset)
        );
        assert!(reply.flush().await.is_err_and(|error| lost(error.kind())));
        still_serves(&server).await;
    });
}

/// The server goes on: the next connection is one.
async fn still_serves(server: &highwater_net::Server) {
    assert!(server.is_serving());
    open_connection(server.local_addrs()[0]).await.unwrap();
}

#[test]
fn s2_a_system_without_ipv6_binds_the_rest_and_tells() {
    in_a_namespace(|| async {
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        let (tell, mut told) = hook();
        let both: Vec<SocketAddr> = vec!["[::1]:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
        let server = start_server(echo, both).on_error(tell).await.unwrap();
        let [address] = server.local_addrs() else { panic!("{server:?}") };
        is_echoed(*address).await.unwrap();
        assert!(told.recv().await.unwrap().starts_with("an address was skipped: [::1]:"));

        let failed = start_server(echo, ("::1", 0)).await.unwrap_err();
        assert_eq!(io::Error::from(failed).kind(), ErrorKind::AddrNotAvailable);

        // And the race goes on to the address that is left.
        let lacking = SocketAddr::new("::1".parse().unwrap(), address.port());
        let (_reader, writer) = named(vec![lacking, *address]).await.unwrap();
        assert_eq!(writer.facts().peer_addr().socket_addr(), Some(*address));
    });
}

#[test]
fn s2_all_interfaces_of_a_system_without_ipv6_are_served() {
    in_a_namespace(|| async {
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        let quiet = |_: StreamReader, writer: StreamWriter| async move { writer.write("hello\n") };
        let (tell, _told) = hook();
        let server = start_server(quiet, (None, 0)).on_error(tell).await.unwrap();
        let port = server.local_addrs()[0].port();
        let (mut reader, _writer) = open_connection(at(Ipv4Addr::LOCALHOST, port)).await.unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
    });
}
