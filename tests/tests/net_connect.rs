//! C1: what `open_connection` takes as a host and a port, its options, and its time-out.

use highwater_net::{
    ConnectError, LimitedReadError, StreamOptions, Watermarks, open_connection, start_server,
};
use highwater_tests::counted::{on_each_runtime, on_one_thread, run_paused};
use highwater_tests::net::{LOOPBACK, Silent, echo, has_ipv6, is_echoed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

#[test]
fn c1_a_host_and_a_port_in_every_form() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let port = address.port();
        let host = String::from("127.0.0.1");
        let text = format!("127.0.0.1:{port}");
        let connections = [
            open_connection(("127.0.0.1", port)).await,
            open_connection(("localhost", port)).await,
            open_connection((&host, port)).await,
            open_connection((host, port)).await,
            open_connection((IpAddr::from(Ipv4Addr::LOCALHOST), port)).await,
            open_connection(address).await,
            open_connection(text.as_str()).await,
            open_connection(&text).await,
            open_connection(text).await,
            open_connection(format!("localhost:{port}")).await,
        ];
        for connection in connections {
            let (mut reader, writer) = connection.unwrap();
            assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
            writer.write("hello\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
        }
    });
}

#[test]
fn c1_an_ipv6_host_with_and_without_brackets() {
    if !has_ipv6("c1_an_ipv6_host_with_and_without_brackets") {
        return;
    }
    on_one_thread(|| async {
        let server = start_server(echo, ("::1", 0)).await.unwrap();
        let address = server.local_addrs()[0];
        let connections = [
            open_connection(("::1", address.port())).await,
            open_connection((IpAddr::from(Ipv6Addr::LOCALHOST), address.port())).await,
            open_connection(format!("[::1]:{}", address.port())).await,
            open_connection(address).await,
        ];
        for connection in connections {
            let (_reader, writer) = connection.unwrap();
            assert_eq!(writer.facts().peer_addr().socket_addr(), Some(address));
        }
    });
}

#[test]
fn c1_the_limit_is_the_readers() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let (mut reader, writer) = open_connection(server.local_addrs()[0]).limit(5).await.unwrap();
        assert_eq!(reader.limit(), 5);
        writer.write("12345\n123456\n").unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "12345\n");
        let overrun = reader.read_line().await.unwrap_err();
        assert!(matches!(overrun, LimitedReadError::LimitOverrun(_)), "{overrun:?}");
    });
}

#[test]
fn c1_without_options_the_limit_is_64_kib() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let (reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        assert_eq!(reader.limit(), 65_536);
        assert_eq!(writer.watermarks(), Watermarks::default());
    });
}

#[test]
fn c1_all_options_of_the_streams_are_carried() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let options = StreamOptions::new()
            .limit(7)
            .watermarks(Watermarks::with_high(1000))
            .max_buffered(Some(10))
            .read_timeout(Some(Duration::from_millis(1)));
        let connecting = open_connection(server.local_addrs()[0]).streams(options);
        let (mut reader, writer) = connecting.await.unwrap();
        assert_eq!((reader.limit(), writer.watermarks().high()), (7, 1000));
        assert!(writer.write("eleven byte").is_err());
        let error = reader.read_line().await.unwrap_err();
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
    });
}

#[test]
fn c1_the_connect_timeout_bounds_an_address_that_never_answers() {
    run_paused(|| async {
        let silent = Silent::new();
        let after = Duration::from_secs(3);
        let started = tokio::time::Instant::now();
        let error = open_connection(silent.address).connect_timeout(after).await.unwrap_err();
        assert_eq!(started.elapsed(), after);
        assert!(error.to_string().contains(&format!("{} was not connected within 3s", silent.address)));
        assert!(matches!(&error, ConnectError::TimedOut { after, .. } if *after == Duration::from_secs(3)));
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::TimedOut);
    });
}

#[test]
fn c1_a_connection_in_time_is_not_held_to_the_timeout_after() {
    on_one_thread(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        for after in [Duration::from_secs(20), Duration::MAX] {
            let connecting = open_connection(server.local_addrs()[0]).connect_timeout(after);
            let (mut reader, writer) = connecting.await.unwrap();
            writer.write("hello\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
        }
    });
}

#[test]
fn c1_nothing_is_connected_until_it_is_awaited() {
    on_one_thread(|| async {
        let (give, mut take) = highwater_tests::net::give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        drop(open_connection(server.local_addrs()[0]));
        let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let (_, served) = take.recv().await.unwrap();
        assert_eq!(
            served.facts().peer_addr().socket_addr(),
            writer.facts().local_addr().socket_addr(),
            "the first that was served is the one that was awaited"
        );
    });
}

#[test]
fn c1_a_connect_future_is_send_and_many_run_at_once() {
    on_each_runtime(|| async {
        let server = start_server(echo, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let clients: Vec<_> = (0..50).map(|_| tokio::spawn(is_echoed(address))).collect();
        for client in clients {
            client.await.unwrap().unwrap();
        }
    });
}
