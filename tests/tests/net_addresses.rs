//! T5: the addresses of a connection, on both halves, and after its end.

use highwater_net::{Address, Facts, open_connection, start_server};
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::net::{LOOPBACK, give_away, has_ipv6, pair_of_tcp, reset};
use std::net::SocketAddr;
use tokio::net::TcpStream;

fn is(facts: &Facts, local: SocketAddr, peer: SocketAddr) {
    assert_eq!(facts.local_addr().socket_addr(), Some(local));
    assert_eq!(facts.peer_addr().socket_addr(), Some(peer));
    assert_eq!(facts.peer_addr().to_string(), peer.to_string());
}

#[test]
fn t5_both_halves_of_both_ends_know_both_addresses_also_after_the_end() {
    on_each_runtime(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        let (reader, writer) = open_connection(address).await.unwrap();
        let (served, reply) = take.recv().await.unwrap();
        let client = writer.facts().local_addr().socket_addr().unwrap();
        let all_know = || {
            is(reader.facts(), client, address);
            is(writer.facts(), client, address);
            is(served.facts(), address, client);
            is(reply.facts(), address, client);
        };
        all_know();
        reply.abort();
        all_know();
        writer.close();
        writer.wait_closed().await.ok();
        assert!(writer.with_transport(|_| ()).is_none(), "the socket is gone");
        all_know();
        drop(server);
        all_know();
        let kept = writer.facts().clone();
        drop(writer);
        is(&kept, client, address);
    });
}

#[test]
fn t5_an_accepted_socket_whose_peer_has_gone_knows_the_peer() {
    on_one_thread(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, LOOPBACK).await.unwrap();
        let address = server.local_addrs()[0];
        // It comes and goes before the server's task runs: nothing here yields until it is reset.
        let client = std::net::TcpStream::connect(address).unwrap();
        let peer = client.local_addr().unwrap();
        client.set_nonblocking(true).unwrap();
        reset(TcpStream::from_std(client).unwrap());
        let (mut reader, writer) = take.recv().await.unwrap();
        is(writer.facts(), address, peer);
        is(reader.facts(), address, peer);
        let error = std::io::Error::from(reader.read_line().await.unwrap_err());
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(writer.facts().peer_addr().to_string(), peer.to_string());
    });
}

#[test]
fn t5_of_ipv6() {
    if !has_ipv6("t5_of_ipv6") {
        return;
    }
    on_each_runtime(|| async {
        let (give, mut take) = give_away();
        let server = start_server(give, ("::1", 0)).await.unwrap();
        let (_reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
        let (_served, reply) = take.recv().await.unwrap();
        let client = writer.facts().local_addr().socket_addr().unwrap();
        assert!(client.is_ipv6());
        is(reply.facts(), server.local_addrs()[0], client);
    });
}

#[test]
fn t5_of_a_socket_that_was_handed_in() {
    on_each_runtime(|| async {
        let (near, far) = pair_of_tcp();
        let (local, peer) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
        let (reader, writer) = open_connection(near).await.unwrap();
        is(reader.facts(), local, peer);
        drop(far);
        writer.close();
        writer.wait_closed().await.unwrap();
        is(writer.facts(), local, peer);
    });
}

#[cfg(unix)]
#[test]
fn t5_of_a_unix_pair_and_of_memory() {
    on_each_runtime(|| async {
        let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
        let (_reader, writer) = open_connection(near).await.unwrap();
        assert!(matches!(writer.facts().peer_addr(), Address::Unix(address) if address.is_unnamed()));
        assert_eq!(writer.facts().peer_addr().to_string(), "an unnamed Unix socket");
        assert_eq!(writer.facts().peer_addr().socket_addr(), None);

        let ((reader, _writer), _peer) = highwater_net::duplex(10);
        assert!(matches!(reader.facts().peer_addr(), Address::Unknown));
        assert_eq!(reader.facts().local_addr().to_string(), "an unknown address");
    });
}
