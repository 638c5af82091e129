//! TLS from the first byte, as the one who connects: which name is verified, and what is told when it fails.

use highwater_net::rustls::CertificateError;
use highwater_net::{
    ConnectError, Server, ServerTls, StreamOptions, TlsError, open_connection, start_server,
};
#[cfg(unix)]
use highwater_net::{open_unix_connection, start_unix_server};
use highwater_tests::counted::{on_each_runtime, on_one_thread, run_paused};
use highwater_tests::net::{Halves, LOOPBACK, Silent, echo};
use highwater_tests::tls::{AUTHORITY, Authority, client, server};
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

async fn echoing(tls: ServerTls) -> Server {
    start_server(echo, LOOPBACK).tls(tls).on_error(|_| {}).await.unwrap()
}

async fn ends(server: Server) {
    server.close();
    server.wait_closed().await;
}

async fn converses((mut reader, writer): Halves) {
    writer.write("in private\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "in private\n");
    writer.close();
    writer.wait_closed().await.unwrap();
}

/// What went wrong with a handshake, and the whole sentence.
fn handshake(outcome: Result<Halves, ConnectError>) -> (TlsError, String) {
    let error = outcome.expect_err("the handshake fails");
    let sentence = error.to_string();
    match error {
        ConnectError::Tls { error, .. } => (error, sentence),
        other => panic!("{other:?}"),
    }
}

#[test]
fn c1_the_host_is_the_name_that_is_verified() {
    on_each_runtime(|| async {
        let server = echoing(server()).await;
        let port = server.local_addrs()[0].port();
        converses(open_connection(("127.0.0.1", port)).tls(client()).await.unwrap()).await;
        converses(open_connection(format!("127.0.0.1:{port}")).tls(client()).await.unwrap()).await;
        let tls = client();
        converses(open_connection(server.local_addrs()[0]).tls(&tls).await.unwrap()).await;
        converses(open_connection(server.local_addrs()[0]).tls(tls).await.unwrap()).await;
        let named = client().server_name("localhost");
        converses(open_connection(("127.0.0.1", port)).tls(named).await.unwrap()).await;
        ends(server).await;
    });
}

#[test]
fn c1_a_host_with_the_dot_of_the_root_is_the_same_host() {
    on_one_thread(|| async {
        let server = echoing(server()).await;
        let connecting = open_connection(server.local_addrs()[0]).tls(client().server_name("localhost."));
        converses(connecting.await.unwrap()).await;
        ends(server).await;
    });
}

#[test]
fn c1_a_connected_socket_and_a_unix_socket_name_their_server() {
    on_each_runtime(|| async {
        let tcp = echoing(server()).await;
        let socket = tokio::net::TcpStream::connect(tcp.local_addrs()[0]).await.unwrap();
        converses(open_connection(socket).tls(client().server_name("localhost")).await.unwrap()).await;
        ends(tcp).await;

        #[cfg(unix)]
        {
            let directory = highwater_tests::scratch::Scratch::new();
            let path = directory.path().join("echo");
            let unix = start_unix_server(echo, &path).tls(server()).await.unwrap();
            let connecting = open_unix_connection(&path).tls(client().server_name("localhost"));
            converses(connecting.await.unwrap()).await;
            ends(unix).await;
        }
    });
}

#[test]
fn c1_the_options_of_the_streams_hold_inside_tls() {
    on_one_thread(|| async {
        let server = echoing(server()).await;
        let options = StreamOptions::new().limit(7).max_buffered(Some(10));
        let connecting = open_connection(server.local_addrs()[0]).streams(options).tls(client());
        let (reader, writer) = connecting.await.unwrap();
        assert_eq!(reader.limit(), 7);
        writer.write("eleven bytes").unwrap_err();
        writer.write("ten bytes!").unwrap();
        drop((reader, writer));
        ends(server).await;
    });
}

#[test]
fn t1_a_certificate_for_another_name_is_refused_in_a_sentence() {
    on_one_thread(|| async {
        let other = AUTHORITY.issue(&["example.org"]);
        let server = echoing(ServerTls::new(other.identity()).unwrap()).await;
        let address = server.local_addrs()[0];
        let outcome = open_connection(address).tls(client().server_name("example.net")).await;
        let (error, sentence) = handshake(outcome);
        let TlsError::Certificate { server_name, error } = error else { panic!("{error:?}") };
        assert_eq!(server_name.as_deref(), Some("example.net"));
        assert!(matches!(error, CertificateError::NotValidForNameContext { .. }), "{error:?}");
        let start = format!("no TLS with {address}: the certificate of example.net is not to be trusted: ");
        assert!(sentence.starts_with(&start), "{sentence}");
        ends(server).await;
    });
}

#[test]
fn t1_an_expired_certificate_and_an_unknown_authority_are_refused_in_a_sentence() {
    on_one_thread(|| async {
        let expired = AUTHORITY.issue_expired(&["127.0.0.1"]);
        let server = echoing(ServerTls::new(expired.identity()).unwrap()).await;
        let (error, sentence) = handshake(open_connection(server.local_addrs()[0]).tls(client()).await);
        let TlsError::Certificate { error, .. } = error else { panic!("{error:?}") };
        assert!(matches!(error, CertificateError::ExpiredContext { .. }), "{error:?}");
        assert!(sentence.contains("expired"), "{sentence}");
        ends(server).await;

        let unknown = Authority::new("another authority").issue(&["127.0.0.1"]);
        let server = echoing(ServerTls::new(unknown.identity()).unwrap()).await;
        let (error, sentence) = handshake(open_connection(server.local_addrs()[0]).tls(client()).await);
        let TlsError::Certificate { error, .. } = error else { panic!("{error:?}") };
        assert_eq!(error, CertificateError::UnknownIssuer);
        assert!(
            sentence.ends_with(": no authority that is trusted has signed it: UnknownIssuer"),
            "{sentence}"
        );
        ends(server).await;
    });
}

#[test]
fn t1_what_is_no_name_is_refused_and_the_socket_closed() {
    on_one_thread(|| async {
        let server = echoing(server()).await;
        let connecting = open_connection(server.local_addrs()[0]).tls(client().server_name("no name"));
        let (error, sentence) = handshake(connecting.await);
        assert!(matches!(error, TlsError::InvalidServerName(name) if name == "no name"));
        assert!(sentence.ends_with("\"no name\" is neither a DNS name nor an IP address"), "{sentence}");
        ends(server).await;
    });
}

#[test]
fn t1_a_server_that_does_not_speak_tls_is_told() {
    on_one_thread(|| async {
        let plain = start_server(
            |_, writer: highwater_net::StreamWriter| async move { writer.write("220 ready\r\n") },
            LOOPBACK,
        );
        let plain = plain.await.unwrap();
        let (error, _) = handshake(open_connection(plain.local_addrs()[0]).tls(client()).await);
        assert!(matches!(error, TlsError::Protocol(_)), "{error:?}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidData);
        ends(plain).await;
    });
}

/// The address is told as one that could not be reached, long before any handshake.
#[test]
fn t1_a_refused_port_is_not_a_failed_handshake() {
    on_one_thread(|| async {
        let (address, _socket) = highwater_tests::net::refusing();
        let refused = open_connection(address).tls(client()).await;
        assert!(matches!(refused, Err(ConnectError::Unreachable { .. })), "{refused:?}");
    });
}

#[test]
fn t3_the_connect_timeout_bounds_the_handshake_too() {
    run_paused(|| async {
        let silent = TcpListener::bind(LOOPBACK).await.unwrap();
        let after = Duration::from_secs(5);
        let connecting = open_connection(silent.local_addr().unwrap()).connect_timeout(after).tls(client());
        let begun = tokio::time::Instant::now();
        let (error, _) = handshake(connecting.await);
        assert!(matches!(error, TlsError::TimedOut { after: told } if told == after), "{error:?}");
        assert!(begun.elapsed() >= after && begun.elapsed() < 2 * after);
    });
}

#[test]
fn t3_the_handshake_has_a_timeout_of_its_own() {
    run_paused(|| async {
        let silent = TcpListener::bind(LOOPBACK).await.unwrap();
        let begun = tokio::time::Instant::now();
        let (error, sentence) = handshake(open_connection(silent.local_addr().unwrap()).tls(client()).await);
        assert!(matches!(error, TlsError::TimedOut { .. }), "{error:?}");
        assert!(sentence.ends_with("the TLS handshake took longer than 60s"), "{sentence}");
        assert!(begun.elapsed() >= Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(61));
    });
}

/// Also with a peer that is as quick as can be.
#[test]
fn t3_no_time_at_all_is_a_timeout_however_quick_the_peer_is() {
    on_one_thread(|| async {
        let server = echoing(server()).await;
        for _ in 0..5 {
            let tls = client().handshake_timeout(Duration::ZERO);
            let (error, _) = handshake(open_connection(server.local_addrs()[0]).tls(tls).await);
            assert!(matches!(error, TlsError::TimedOut { after: Duration::ZERO }), "{error:?}");
        }
        ends(server).await;
    });
}

/// The time that is left does not begin anew with the handshake, and an address that never answers has used
/// it up before one begins.
#[test]
fn t3_no_handshake_begins_when_the_time_is_over() {
    run_paused(|| async {
        let silent = Silent::new();
        let after = Duration::from_secs(1);
        let outcome = open_connection(silent.address).connect_timeout(after).tls(client()).await;
        assert!(matches!(outcome, Err(ConnectError::TimedOut { .. })), "{outcome:?}");
    });
}

#[test]
fn t3_a_peer_that_leaves_in_the_middle_is_told() {
    on_one_thread(|| async {
        let leaving = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = leaving.local_addr().unwrap();
        let leave = tokio::spawn(async move {
            let (mut socket, _) = leaving.accept().await.unwrap();
            // All of the ClientHello, so that the end is no reset.
            let mut hello = [0; 64 * 1024];
            tokio::io::AsyncReadExt::read(&mut socket, &mut hello).await.unwrap();
        });
        let (error, sentence) = handshake(open_connection(address).tls(client()).await);
        leave.await.unwrap();
        assert!(matches!(error, TlsError::PeerLeft), "{error:?}");
        assert!(sentence.ends_with("ended the connection in the middle of the TLS handshake"), "{sentence}");
    });
}

#[test]
fn t3_a_connect_that_is_dropped_at_any_poll_leaves_nothing() {
    on_one_thread(|| async {
        let server = echoing(server()).await;
        let address = server.local_addrs()[0];
        for polls in 0.. {
            let mut connecting =
                tokio_test::task::spawn(open_connection(address).tls(client()).into_future());
            let mut done = false;
            for _ in 0..polls {
                if connecting.poll().is_ready() {
                    done = true;
                    break;
                }
                while !connecting.is_woken() {
                    tokio::task::yield_now().await;
                }
            }
            drop(connecting);
            if done {
                break;
            }
        }
        ends(server).await;
    });
}

#[cfg(unix)]
#[test]
fn t3_the_connect_timeout_bounds_the_handshake_over_a_unix_socket_too() {
    run_paused(|| async {
        let directory = highwater_tests::scratch::Scratch::new();
        let path = directory.path().join("silent");
        let _silent = tokio::net::UnixListener::bind(&path).unwrap();
        let after = Duration::from_secs(5);
        let tls = client().server_name("localhost");
        let begun = tokio::time::Instant::now();
        let (error, _) = handshake(open_unix_connection(&path).connect_timeout(after).tls(tls).await);
        assert!(matches!(error, TlsError::TimedOut { after: told } if told == after), "{error:?}");
        assert!(begun.elapsed() < 2 * after);
    });
}
