//! T3: handshakes end: in their time, in their number, and whatever the peer does instead.

use highwater_net::{ServerTls, StartTlsError, StreamReader, StreamWriter, TlsError, pair, start_tls};
use highwater_tests::bounded::settle;
use highwater_tests::counted::{on_one_thread, run_paused};
use highwater_tests::net::{pair_of_tcp, reset};
use highwater_tests::tls::{ByHand, LOCALHOST, ONLY_12, ONLY_13, client, server};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

fn halves() -> ((StreamReader, StreamWriter), DuplexStream) {
    let (near, far) = duplex(64 * 1024);
    (pair(near), far)
}

fn handshake_error(result: Result<(StreamReader, StreamWriter), StartTlsError>) -> TlsError {
    match result {
        Err(StartTlsError::Handshake(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn t3_a_handshake_takes_60_s_at_most_on_both_sides() {
    run_paused(|| async {
        for seconds in [60, 5] {
            let timeout = Duration::from_secs(seconds);
            for is_client in [true, false] {
                let ((reader, writer), mut silent) = halves();
                let weak = writer.downgrade();
                let start = Instant::now();
                let upgraded = if is_client {
                    let mut tls = client();
                    if seconds != 60 {
                        tls = tls.handshake_timeout(timeout);
                    }
                    start_tls(reader, writer, tls.server_name("localhost")).await
                } else {
                    let mut tls = server();
                    if seconds != 60 {
                        tls = tls.handshake_timeout(timeout);
                    }
                    start_tls(reader, writer, tls).await
                };
                let error = handshake_error(upgraded);
                assert_eq!(start.elapsed().as_secs(), seconds);
                assert!(matches!(error, TlsError::TimedOut { after } if after == timeout));
                assert_eq!(error.to_string(), format!("the TLS handshake took longer than {seconds}s"));
                assert_eq!(io::Error::from(error).kind(), ErrorKind::TimedOut);
                assert!(weak.is_gone());
                silent.read_to_end(&mut Vec::new()).await.unwrap();
            }
        }
    });
}

/// What is to go out in plain first is part of it: a peer that takes nothing must not hold it up.
#[test]
fn t3_the_time_for_what_was_queued_counts() {
    run_paused(|| async {
        let (near, _takes_nothing) = duplex(64);
        let (reader, writer) = pair(near);
        let weak = writer.downgrade();
        writer.write(vec![b'.'; 4096]).unwrap();
        let start = Instant::now();
        let error = handshake_error(start_tls(reader, writer, server()).await);
        assert!(matches!(error, TlsError::TimedOut { .. }), "{error:?}");
        assert_eq!(start.elapsed().as_secs(), 60);
        weak.wait_gone().await;
    });
}

#[test]
fn t3_a_peer_that_stops_after_half_a_hello_is_given_up() {
    run_paused(|| async {
        let ((reader, writer), far) = halves();
        let mut peer = ByHand::client(far, ONLY_13);
        let hello = peer.records();
        peer.send_raw(&hello[..hello.len() / 2]).await.unwrap();
        let error = handshake_error(start_tls(reader, writer, server()).await);
        assert!(matches!(error, TlsError::TimedOut { .. }));
        assert_eq!(peer.receive().await.unwrap(), 0);
    });
}

#[test]
fn t3_a_peer_that_leaves_is_told_as_such() {
    on_one_thread(|| async {
        for sent in [0, 1, 5, 100] {
            let ((reader, writer), far) = halves();
            let mut peer = ByHand::client(far, ONLY_12);
            let hello = peer.records();
            peer.send_raw(&hello[..sent]).await.unwrap();
            drop(peer);
            let error = handshake_error(start_tls(reader, writer, server()).await);
            assert!(matches!(error, TlsError::PeerLeft), "{sent}: {error:?}");
            assert_eq!(error.to_string(), "the peer ended the connection in the middle of the TLS handshake");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::UnexpectedEof);
        }
        let ((reader, writer), far) = halves();
        let upgrade =
            tokio::spawn(start_tls(reader, writer, client().server_name("localhost")).into_future());
        settle().await;
        drop(far);
        let error = handshake_error(upgrade.await.unwrap());
        assert!(matches!(error, TlsError::PeerLeft), "{error:?}");
    });
}

#[test]
fn t3_a_reset_is_an_error_of_the_transport() {
    on_one_thread(|| async {
        let (near, far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        let (reader, writer) = pair(tokio::net::TcpStream::from_std(near).unwrap());
        let upgrade = tokio::spawn(start_tls(reader, writer, server()).into_future());
        settle().await;
        reset(tokio::net::TcpStream::from_std(far).unwrap());
        let error = handshake_error(upgrade.await.unwrap());
        assert!(matches!(&error, TlsError::Transport(error) if error.kind() == ErrorKind::ConnectionReset));
        assert_eq!(io::Error::from(error).kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn t3_garbage_and_http_in_plain_are_told_and_answered_with_an_alert() {
    run_paused(|| async {
        let said: [&[u8]; 3] =
            [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &[0xff; 300], b"\x16\x03\x01\x00\x00"];
        for bytes in said {
            let ((reader, writer), mut far) = halves();
            far.write_all(bytes).await.unwrap();
            let error = handshake_error(start_tls(reader, writer, server()).await);
            assert!(matches!(error, TlsError::Protocol(_)), "{error:?}");
            assert!(error.to_string().starts_with("the TLS handshake failed: "), "{error}");
            assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidData);
            let mut answer = Vec::new();
            far.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer.first(), Some(&21), "an alert: {answer:?}");

            let ((reader, writer), mut far) = halves();
            far.write_all(bytes).await.unwrap();
            let upgraded = start_tls(reader, writer, client().server_name("localhost")).await;
            assert!(matches!(handshake_error(upgraded), TlsError::Protocol(_)));
        }
    });
}

fn one_at_a_time(timeout: Duration) -> ServerTls {
    let tls = ServerTls::builder(LOCALHOST.identity()).max_handshakes(1).build().unwrap();
    tls.handshake_timeout(timeout)
}

#[test]
fn t3_a_handshake_too_many_waits_for_its_turn() {
    run_paused(|| async {
        let tls = one_at_a_time(Duration::from_secs(60));
        let ((reader, writer), mut stops) = halves();
        let first = tokio::spawn(start_tls(reader, writer, tls.clone()).into_future());
        settle().await;
        let ((reader, writer), far) = halves();
        let second = tokio::spawn(start_tls(reader, writer, &tls).into_future());
        let mut peer = ByHand::client(far, ONLY_13);
        let shaking = tokio::spawn(async move {
            let start = Instant::now();
            peer.shake_hands().await.unwrap();
            (peer, start.elapsed())
        });
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!second.is_finished() && !shaking.is_finished());
        stops.shutdown().await.unwrap();
        assert!(matches!(handshake_error(first.await.unwrap()), TlsError::PeerLeft));
        let (mut reader, _writer) = second.await.unwrap().unwrap();
        let (mut peer, waited) = shaking.await.unwrap();
        assert_eq!(waited.as_secs(), 10);
        peer.send(b"served\n").await.unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "served\n");
    });
}

#[test]
fn t3_a_turn_is_waited_for_within_the_own_time_out_and_one_given_up_leaves_no_hole() {
    run_paused(|| async {
        let tls = one_at_a_time(Duration::from_secs(60));
        let ((reader, writer), _stops) = halves();
        let first = tokio::spawn(start_tls(reader, writer, tls.clone()).into_future());
        settle().await;
        // Gives up by itself.
        let ((reader, writer), _peer) = halves();
        let hasty = tls.clone().handshake_timeout(Duration::from_secs(3));
        let start = Instant::now();
        let error = handshake_error(start_tls(reader, writer, hasty).await);
        assert!(matches!(error, TlsError::TimedOut { .. }));
        assert_eq!(start.elapsed().as_secs(), 3);
        // Is given up, in the line and with its turn.
        let cancelled: Vec<_> = (0..3)
            .map(|_| {
                let ((reader, writer), peer) = halves();
                (tokio::spawn(start_tls(reader, writer, tls.clone()).into_future()), peer)
            })
            .collect();
        settle().await;
        for (waiting, _) in &cancelled {
            waiting.abort();
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        // Those that came later are served, one after the other.
        for versions in [ONLY_12, ONLY_13] {
            let ((reader, writer), far) = halves();
            let mut peer = ByHand::client(far, versions);
            let start = Instant::now();
            let serving = start_tls(reader, writer, tls.clone()).into_future();
            let (ours, theirs) = futures::join!(serving, peer.shake_hands());
            theirs.unwrap();
            ours.unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO);
        }
    });
}

/// The turn is over with the handshake, not with the connection.
#[test]
fn t3_an_open_connection_holds_no_turn() {
    run_paused(|| async {
        let tls = one_at_a_time(Duration::from_secs(60));
        let mut open = Vec::new();
        for _ in 0..3 {
            let ((reader, writer), far) = halves();
            let mut peer = ByHand::client(far, ONLY_13);
            let serving = start_tls(reader, writer, &tls).into_future();
            let (ours, theirs) = futures::join!(serving, peer.shake_hands());
            theirs.unwrap();
            open.push((ours.unwrap(), peer));
        }
        assert_eq!(open.len(), 3);
    });
}

/// 16 MiB of one handshake message: refused long before it is there.
#[test]
fn t3_a_huge_handshake_message_is_refused_early() {
    on_one_thread(|| async {
        for is_client in [false, true] {
            let (near, mut far) = duplex(16 * 1024);
            let (reader, writer) = pair(near);
            let flood = tokio::spawn(async move {
                // ClientHello or ServerHello, of 0xff_ffff bytes.
                let kind = if is_client { 2 } else { 1 };
                let mut sent = 0;
                let mut start = vec![kind, 0xff, 0xff, 0xff];
                start.resize(16 * 1024, 0);
                let mut record = [&[22, 3, 3, 0x40, 0x00][..], &start].concat();
                while sent < 16 << 20 {
                    if far.write_all(&record).await.is_err() {
                        break;
                    }
                    sent += record.len();
                    record[5..].fill(0);
                }
                sent
            });
            let upgraded = if is_client {
                start_tls(reader, writer, client().server_name("localhost")).await
            } else {
                start_tls(reader, writer, server()).await
            };
            assert!(matches!(handshake_error(upgraded), TlsError::Protocol(_)));
            let sent = flood.await.unwrap();
            // A server reads on for a moment, and throws away what it reads.
            assert!(sent < 2 << 20, "{sent} bytes were taken");
        }
    });
}

/// Words that nobody reads any more must not destroy the alert that says why.
#[test]
fn t3_the_alert_arrives_although_there_is_more_to_read() {
    on_one_thread(|| async {
        let (near, far) = pair_of_tcp();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        let (reader, writer) = pair(tokio::net::TcpStream::from_std(near).unwrap());
        let mut far = tokio::net::TcpStream::from_std(far).unwrap();
        far.write_all(&[b'?'; 64 * 1024]).await.unwrap();
        let serving = tokio::spawn(start_tls(reader, writer, server()).into_future());
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.first(), Some(&21), "an alert: {answer:?}");
        drop(far);
        assert!(matches!(handshake_error(serving.await.unwrap()), TlsError::Protocol(_)));
    });
}

/// It waits for the peer to take the alert, but neither longer than a linger nor than a handshake, and what it
/// tells is why it failed.
#[test]
fn t3_a_peer_that_stays_after_the_alert_is_let_go() {
    run_paused(|| async {
        let tls = one_at_a_time(Duration::from_secs(60));
        for (timeout, seconds) in [(60, 2), (1, 1)] {
            let ((reader, writer), mut stays) = halves();
            stays.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let start = Instant::now();
            let hasty = tls.clone().handshake_timeout(Duration::from_secs(timeout));
            let failing = tokio::spawn(start_tls(reader, writer, hasty).into_future());
            settle().await;
            // Its turn is over.
            let ((reader, writer), far) = halves();
            let mut peer = ByHand::client(far, ONLY_13);
            let serving = start_tls(reader, writer, &tls).into_future();
            let (ours, theirs) = futures::join!(serving, peer.shake_hands());
            theirs.unwrap();
            ours.unwrap();
            assert_eq!(start.elapsed(), Duration::ZERO);
            let error = handshake_error(failing.await.unwrap());
            assert!(matches!(error, TlsError::Protocol(_)), "{error:?}");
            assert_eq!(start.elapsed().as_secs(), seconds);
        }
    });
}

/// What is still queued in plain does not keep a connection open whose handshake has run out of time.
#[test]
fn t3_when_the_time_is_over_the_connection_is_gone_with_all_that_was_queued() {
    run_paused(|| async {
        let ((reader, writer), _peer_that_never_reads) = highwater_net::duplex(64);
        let weak = writer.downgrade();
        writer.write(vec![7; 1000]).unwrap();
        let tls = client().handshake_timeout(Duration::from_secs(3)).server_name("localhost");
        let error = start_tls(reader, writer, tls).await.unwrap_err();
        assert_eq!(error.to_string(), "the TLS handshake took longer than 3s");
        assert!(weak.is_gone());
    });
}
