//! S2: which addresses are bound, with which port, in which order.

use highwater_net::{BindError, Server, StreamReader, StreamWriter, start_server};
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{echo, has_ipv6, hook, is_echoed};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

/// Of TEST-NET-3: no host has it.
const LACKING: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

fn ips(server: &Server) -> Vec<String> {
    server.local_addrs().iter().map(|address| address.ip().to_string()).collect()
}

/// The one port of all addresses.
fn port(server: &Server) -> u16 {
    let ports: HashSet<u16> = server.local_addrs().iter().map(SocketAddr::port).collect();
    assert_eq!(ports.len(), 1, "{server:?}");
    let port = server.local_addrs()[0].port();
    assert_ne!(port, 0);
    port
}

async fn serves_all(server: &Server) {
    for &address in server.local_addrs() {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        is_echoed((ip, address.port()).into()).await.unwrap();
    }
}

#[test]
fn s2_every_address_of_localhost_is_bound_with_one_port() {
    on_each_runtime(|| async {
        let server = start_server(echo, ("localhost", 0)).await.unwrap();
        let mut resolved = Vec::new();
        for address in ("localhost", port(&server)).to_socket_addrs().unwrap() {
            if !resolved.contains(&address) && TcpListener::bind((address.ip(), 0)).is_ok() {
                resolved.push(address);
            }
        }
        assert_eq!(server.local_addrs(), resolved, "in the order of the resolver");
        serves_all(&server).await;
    });
}

#[test]
fn s2_several_hosts_have_one_port_in_the_order_given() {
    if !has_ipv6("s2_several_hosts_have_one_port_in_the_order_given") {
        return;
    }
    on_each_runtime(|| async {
        for hosts in [["127.0.0.1", "::1"], ["::1", "127.0.0.1"]] {
            let server = start_server(echo, (hosts, 0)).await.unwrap();
            assert_eq!(ips(&server), hosts);
            port(&server);
            serves_all(&server).await;
            let addresses = server.local_addrs().to_vec();
            server.close();
            assert_eq!(server.local_addrs(), addresses, "also after the end");
        }
    });
}

/// Linux gives every host a whole network of loopback addresses.
#[cfg(target_os = "linux")]
#[test]
fn s2_several_ipv4_addresses_have_one_port() {
    on_each_runtime(|| async {
        let hosts = ["127.0.0.3", "127.0.0.1", "127.0.0.2"];
        let server = start_server(echo, (hosts, 0)).await.unwrap();
        assert_eq!(ips(&server), hosts);
        port(&server);
        serves_all(&server).await;
    });
}

/// Somebody has the port that the kernel picked for the first address on the second: start over. To make it
/// likely, somebody has very many.
#[cfg(target_os = "linux")]
#[test]
fn s2_a_picked_port_that_is_taken_elsewhere_is_picked_anew() {
    on_one_thread(|| async {
        let taken: Vec<_> = (0..100).map(|_| TcpListener::bind("127.0.0.2:0").unwrap()).collect();
        for _ in 0..200 {
            let server = start_server(echo, (["127.0.0.1", "127.0.0.2"], 0)).await.unwrap();
            assert_eq!(server.local_addrs().len(), 2);
            port(&server);
        }
        drop(taken);
    });
}

#[test]
fn s2_duplicates_are_bound_once() {
    on_each_runtime(|| async {
        let server = start_server(echo, (["127.0.0.1", "localhost", "127.0.0.1"], 0)).await.unwrap();
        let mut once = ips(&server);
        once.sort();
        once.dedup();
        assert_eq!(once.len(), server.local_addrs().len());
        assert_eq!(ips(&server)[0], "127.0.0.1");

        let port = port(&server);
        drop(server);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = start_server(echo, vec![address, address]).await.unwrap();
        assert_eq!(server.local_addrs(), [address]);
    });
}

#[test]
fn s2_an_ipv6_address_is_bound_for_ipv6_only() {
    if !has_ipv6("s2_an_ipv6_address_is_bound_for_ipv6_only") {
        return;
    }
    on_one_thread(|| async {
        // Another test may have the port on IPv4. Not each time.
        for tries_left in (0..20).rev() {
            let server = start_server(echo, ("::", 0)).await.unwrap();
            let port = port(&server);
            is_echoed((Ipv6Addr::LOCALHOST, port).into()).await.unwrap();
            let Ok(other) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) else {
                assert!(tries_left > 0, "IPv4 is mapped into it");
                continue;
            };
            // Who comes by IPv4 comes to the other.
            let client = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            assert_eq!(other.accept().unwrap().1, client.local_addr().unwrap());
            break;
        }
    });
}

#[test]
fn s2_no_host_is_all_interfaces_of_both_families() {
    let ipv6 = has_ipv6("s2_no_host_is_all_interfaces_of_both_families (its IPv6 part)");
    on_each_runtime(move || async move {
        for server in [
            start_server(echo, ("", 0)).on_error(|_| ()).await.unwrap(),
            start_server(echo, (None, 0)).on_error(|_| ()).await.unwrap(),
        ] {
            let expected: &[&str] = if ipv6 { &["0.0.0.0", "::"] } else { &["0.0.0.0"] };
            assert_eq!(ips(&server), expected);
            port(&server);
            serves_all(&server).await;
        }
    });
}

#[test]
fn s2_an_address_that_the_system_lacks_is_skipped_and_told() {
    on_each_runtime(|| async {
        for hosts in [["203.0.113.1", "127.0.0.1"], ["127.0.0.1", "203.0.113.1"]] {
            let (tell, mut told) = hook();
            let server = start_server(echo, (hosts, 0)).on_error(tell).await.unwrap();
            assert_eq!(ips(&server), ["127.0.0.1"]);
            serves_all(&server).await;
            let event = told.recv().await.unwrap();
            assert!(event.starts_with("an address was skipped: 203.0.113.1:"), "{event}");
            assert!(told.try_recv().is_err());
        }
    });
}

#[test]
fn s2_when_nothing_binds_every_address_is_listed() {
    on_each_runtime(|| async {
        let other = IpAddr::from([203, 0, 113, 2]);
        let addresses = vec![SocketAddr::new(LACKING, 0), SocketAddr::new(other, 0)];
        let (tell, mut told) = hook();
        let error = start_server(echo, addresses.clone()).on_error(tell).await.unwrap_err();
        let BindError::Bind { attempts } = &error else { panic!("{error:?}") };
        assert_eq!(attempts.iter().map(|attempt| attempt.address()).collect::<Vec<_>>(), addresses);
        for attempt in attempts {
            assert_eq!(attempt.error().kind(), std::io::ErrorKind::AddrNotAvailable);
            assert!(error.to_string().contains(&attempt.to_string()), "{error}");
        }
        assert!(told.try_recv().is_err(), "the caller knows");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn s2_no_address_at_all_is_an_error() {
    on_one_thread(|| async {
        let error = start_server(echo, Vec::<SocketAddr>::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "no address was given to bind");
    });
}

#[test]
fn s2_a_host_that_does_not_resolve_is_an_error_and_nothing_stays_bound() {
    on_one_thread(|| async {
        let error = start_server(echo, "no port").await.unwrap_err();
        assert!(matches!(error, BindError::Resolve { .. }), "{error:?}");
        assert!(error.to_string().starts_with("no port did not resolve: "), "{error}");
    });
}

#[test]
fn s2_an_address_in_use_closes_all() {
    on_each_runtime(|| async {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap();
        let _listener = TcpListener::bind(taken);
        // Bound before the one that is taken, and after it.
        for at in [0, 1] {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut addresses = vec![free];
            addresses.insert(at, taken);
            let error = start_server(echo, addresses).await.unwrap_err();
            let BindError::Bind { attempts } = &error else { panic!("{error:?}") };
            assert_eq!(attempts.len(), 1);
            assert_eq!(attempts[0].address(), taken);
            assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&taken.to_string()), "{error}");
            // std sets SO_REUSEADDR too, so a socket that was bound and does not listen would not be noticed.
            let again = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            again.bind(&free.into()).unwrap();
        }
    });
}

#[test]
fn s2_every_form_of_addresses() {
    on_one_thread(|| async {
        let host = String::from("127.0.0.1");
        let text = String::from("127.0.0.1:0");
        let hosts: &[&str] = &["127.0.0.1"];
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses: &[SocketAddr] = &[address];
        let handler = |_: StreamReader, _: StreamWriter| async {};
        let servers = [
            start_server(handler, ("127.0.0.1", 0)).await,
            start_server(handler, (&host, 0)).await,
            start_server(handler, (host.clone(), 0)).await,
            start_server(handler, (Some("127.0.0.1"), 0)).await,
            start_server(handler, (IpAddr::from(Ipv4Addr::LOCALHOST), 0)).await,
            start_server(handler, (["127.0.0.1"], 0)).await,
            start_server(handler, (hosts, 0)).await,
            start_server(handler, (vec![host], 0)).await,
            start_server(handler, address).await,
            start_server(handler, addresses).await,
            start_server(handler, vec![address]).await,
            start_server(handler, "127.0.0.1:0").await,
            start_server(handler, text.clone()).await,
            start_server(handler, &text).await,
        ];
        for server in servers {
            let server = server.unwrap();
            assert_eq!(ips(&server), ["127.0.0.1"]);
            port(&server);
        }
    });
}
