//! N1: one handler, without generics, over TCP, a Unix socket, memory and whatever else reads and writes.

use highwater_net::{StreamReader, StreamWriter, Transport, duplex, open_connection, pair, start_server};
#[cfg(unix)]
use highwater_net::{open_unix_connection, start_unix_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::{Halves, LOOPBACK, echo, pair_of_tcp};
use highwater_tests::scratch::Scratch;
use highwater_tests::tls::{Over, Provider, both, client, server};
use std::io;

/// Names what it runs over, then echoes.
async fn handler(reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let name = writer.with_transport(|transport| match transport {
        Transport::Tcp(_) => "tcp\n",
        #[cfg(unix)]
        Transport::Unix(_) => "unix\n",
        Transport::Tls(_) => "tls\n",
        Transport::Other(_) => "other\n",
        _ => "new\n",
    });
    writer.write(name.unwrap())?;
    echo(reader, writer).await
}

/// A conversation with the handler, and its clean end.
async fn converses(name: &str, (mut reader, writer): Halves) {
    assert_eq!(reader.read_line().await.unwrap().unwrap(), name);
    for line in ["one\n", "\n", "three\n"] {
        writer.write(line).unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), line);
    }
    writer.write("the last").unwrap();
    writer.write_eof().unwrap();
    assert_eq!(reader.read_to_end(100).await.unwrap(), "the last");
}

#[test]
fn n1_over_tcp() {
    on_each_runtime(|| async {
        let server = start_server(handler, LOOPBACK).await.unwrap();
        converses("tcp\n", open_connection(server.local_addrs()[0]).await.unwrap()).await;
    });
}

#[cfg(unix)]
#[test]
fn n1_over_a_unix_pair() {
    on_each_runtime(|| async {
        let (near, far) = tokio::net::UnixStream::pair().unwrap();
        let (reader, writer) = open_connection(near).await.unwrap();
        let serving = tokio::spawn(handler(reader, writer));
        converses("unix\n", open_connection(far).await.unwrap()).await;
        serving.await.unwrap().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn n1_a_pair_takes_a_socket_for_what_it_is() {
    on_each_runtime(|| async {
        let (near, far) = tokio::net::UnixStream::pair().unwrap();
        let (reader, writer) = pair(near);
        let serving = tokio::spawn(handler(reader, writer));
        converses("unix\n", pair(far)).await;
        serving.await.unwrap().unwrap();

        let (near, far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        let (peer, local) = (near.peer_addr().unwrap(), near.local_addr().unwrap());
        let (reader, writer) = pair(tokio::net::TcpStream::from_std(near).unwrap());
        assert_eq!(reader.facts().peer_addr().socket_addr(), Some(peer));
        assert_eq!(writer.facts().local_addr().socket_addr(), Some(local));
        let serving = tokio::spawn(handler(reader, writer));
        converses("tcp\n", open_connection(far).await.unwrap()).await;
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn n1_over_tls_by_either_provider() {
    on_each_runtime(|| async {
        for provider in Provider::ALL {
            let server = start_server(handler, LOOPBACK).tls(provider.server()).await.unwrap();
            let connecting = open_connection(server.local_addrs()[0]).tls(provider.client());
            converses("tls\n", connecting.await.unwrap()).await;
        }
    });
}

#[test]
fn n1_over_tls_in_memory_and_inside_tls() {
    on_each_runtime(|| async {
        let (near, far) = Over::Memory(1024).tls().await;
        let inner = both(near, client().server_name("localhost"), far, server()).await.unwrap();
        let ((reader, writer), theirs) = inner;
        let serving = tokio::spawn(handler(reader, writer));
        converses("tls\n", theirs).await;
        serving.await.unwrap().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn n1_over_a_unix_server_in_plain_and_inside_tls() {
    on_each_runtime(|| async {
        let directory = Scratch::new();
        let (plain, secret) = (directory.path().join("plain"), directory.path().join("secret"));
        let _plain = start_unix_server(handler, &plain).await.unwrap();
        let _secret = start_unix_server(handler, &secret).tls(server()).await.unwrap();
        converses("unix\n", open_unix_connection(&plain).await.unwrap()).await;
        let connecting = open_unix_connection(&secret).tls(client().server_name("localhost"));
        converses("tls\n", connecting.await.unwrap()).await;
    });
}

#[test]
fn n1_over_memory() {
    on_each_runtime(|| async {
        for capacity in [1, 7, 4096] {
            let ((reader, writer), client) = duplex(capacity);
            let serving = tokio::spawn(handler(reader, writer));
            converses("other\n", client).await;
            serving.await.unwrap().unwrap();
        }
    });
}

/// Two pipes in one, as of a child process.
#[test]
fn n1_over_anything_that_reads_and_writes() {
    on_each_runtime(|| async {
        let (to_server, from_client) = tokio::io::simplex(16);
        let (to_client, from_server) = tokio::io::simplex(16);
        let (reader, writer) = pair(tokio::io::join(to_server, from_server));
        let serving = tokio::spawn(handler(reader, writer));
        converses("other\n", pair(tokio::io::join(to_client, from_client))).await;
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn n1_the_kinds_live_in_one_list() {
    on_each_runtime(|| async {
        let server = start_server(handler, LOOPBACK).await.unwrap();
        let mut clients: Vec<Halves> = vec![open_connection(server.local_addrs()[0]).await.unwrap()];
        let ((reader, writer), client) = duplex(100);
        let in_memory = tokio::spawn(handler(reader, writer));
        clients.push(client);
        for (reader, writer) in &mut clients {
            reader.read_line().await.unwrap();
            writer.write("to all\n").unwrap();
        }
        for (reader, _) in &mut clients {
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "to all\n");
        }
        drop(clients);
        in_memory.await.unwrap().unwrap();
    });
}
