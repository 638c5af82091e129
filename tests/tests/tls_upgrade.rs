//! T2: `start_tls`: what was queued, what was read ahead, what an attacker put in between, and giving up.

use highwater_net::{ReadAhead, StartTlsError, TlsError, Transport, TransportError, pair, start_tls};
use highwater_testing::at_every_poll;
use highwater_tests::bounded::{run, settle};
use highwater_tests::counted::{on_one_thread, run_paused};
use highwater_tests::net::Halves;
use highwater_tests::tls::{ByHand, ONLY_12, ONLY_13, Over, Provider, both, client, server};
use highwater_tests::transport::scripted;
use std::error::Error;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_test::{assert_pending, task};

async fn talk((near, far): (Halves, Halves)) {
    let ((mut reader, writer), (mut peer_reads, peer_writes)) = (near, far);
    writer.write("ping\n").unwrap();
    assert_eq!(peer_reads.read_line().await.unwrap().unwrap(), "ping\n");
    peer_writes.write("pong\n").unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "pong\n");
}

#[test]
fn t2_both_ends_upgrade_over_every_transport_with_every_provider() {
    on_one_thread(|| async {
        for over in Over::ALL {
            for provider in Provider::ALL {
                for other in Provider::ALL {
                    let (near, far) = over.pairs();
                    let client = provider.client().server_name("localhost");
                    talk(both(near, client, far, other.server()).await.unwrap()).await;
                }
            }
        }
    });
}

#[test]
fn t2_tls_inside_tls_three_deep() {
    on_one_thread(|| async {
        for over in Over::ALL {
            let (mut near, mut far) = over.pairs();
            for _ in 0..3 {
                (near, far) = both(near, client().server_name("localhost"), far, server()).await.unwrap();
            }
            talk((near, far)).await;
        }
    });
}

#[test]
fn t2_what_is_queued_goes_out_in_plain_first() {
    on_one_thread(|| async {
        let ((mut reader, writer), (peer_reads, peer_writes)) = highwater_net::duplex(4096);
        peer_writes.write("220 ready\n").unwrap();
        let serving = tokio::spawn(start_tls(peer_reads, peer_writes, server()).into_future());
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "220 ready\n");
        writer.write("").unwrap();
        let near = start_tls(reader, writer, client().server_name("localhost")).await.unwrap();
        talk((near, serving.await.unwrap().unwrap())).await;
    });
}

/// A reader that has read `command`, and whatever came with it.
async fn upgrading(arrived: &[u8]) -> (Halves, DuplexStream) {
    let (near, mut far) = duplex(64 * 1024);
    let (mut reader, writer) = pair(near);
    far.write_all(arrived).await.unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "STARTTLS\r\n");
    ((reader, writer), far)
}

const INJECTED: &[u8] = b"STARTTLS\r\nMAIL FROM:<mallory@example.org>\r\n";

#[test]
fn t2_a_server_never_reads_what_was_injected_with_the_command() {
    run_paused(|| async {
        let ((reader, writer), far) = upgrading(INJECTED).await;
        assert_eq!(reader.buffered(), 33);
        let mut peer = ByHand::client(far, ONLY_13);
        let (ours, theirs) =
            futures::join!(start_tls(reader, writer, server()).into_future(), peer.shake_hands());
        let error = ours.unwrap_err();
        assert!(matches!(error, StartTlsError::Handshake(TlsError::Protocol(_))), "{error:?}");
        assert!(error.into_halves().is_none() && theirs.is_err());
    });
}

#[test]
fn t2_a_server_never_reads_what_was_injected_later() {
    run_paused(|| async {
        let ((reader, writer), mut far) = upgrading(b"STARTTLS\r\n").await;
        far.write_all(b"MAIL FROM:<mallory@example.org>\r\n").await.unwrap();
        let mut peer = ByHand::client(far, ONLY_12);
        let (ours, theirs) =
            futures::join!(start_tls(reader, writer, server()).into_future(), peer.shake_hands());
        assert!(matches!(ours, Err(StartTlsError::Handshake(TlsError::Protocol(_)))), "{ours:?}");
        assert!(theirs.is_err());
    });
}

#[test]
fn t2_a_server_told_to_refuses_and_gives_the_halves_back() {
    on_one_thread(|| async {
        let ((reader, writer), mut far) = upgrading(INJECTED).await;
        let refused = start_tls(reader, writer, server()).read_ahead(ReadAhead::Refuse).await.unwrap_err();
        assert_eq!(refused.to_string(), "33 bytes in plain had been read ahead of the TLS handshake");
        let (mut reader, writer) = refused.into_halves().unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "MAIL FROM:<mallory@example.org>\r\n");
        writer.write("554 no\r\n").unwrap();
        let mut told = [0; 8];
        far.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"554 no\r\n");
    });
}

#[test]
fn t2_a_client_refuses_what_was_injected_with_the_answer() {
    on_one_thread(|| async {
        let ((reader, writer), far) = upgrading(b"STARTTLS\r\n250 believe me\r\n").await;
        let tls = client().server_name("localhost");
        let refused = start_tls(reader, writer, tls.clone()).await.unwrap_err();
        assert!(matches!(refused, StartTlsError::ReadAhead { buffered: 16, .. }));
        let (mut reader, writer) = refused.into_halves().unwrap();
        // Its own way on: once that is read, the handshake may begin.
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "250 believe me\r\n");
        let mut peer = ByHand::server(far, ONLY_13);
        let (ours, theirs) = futures::join!(start_tls(reader, writer, tls).into_future(), peer.shake_hands());
        theirs.unwrap();
        ours.unwrap();
    });
}

#[test]
fn t2_a_client_never_reads_what_was_injected_later_or_passed_on() {
    on_one_thread(|| async {
        let tls = client().server_name("localhost");
        let ((reader, writer), mut far) = upgrading(b"STARTTLS\r\n").await;
        far.write_all(b"250 believe me\r\n").await.unwrap();
        let mut peer = ByHand::server(far, ONLY_13);
        let upgrade = start_tls(reader, writer, tls.clone()).into_future();
        let (ours, theirs) = futures::join!(upgrade, peer.shake_hands());
        assert!(matches!(ours, Err(StartTlsError::Handshake(TlsError::Protocol(_)))), "{ours:?}");
        assert!(theirs.is_err());

        let ((reader, writer), far) = upgrading(b"STARTTLS\r\n250 believe me\r\n").await;
        let mut peer = ByHand::server(far, ONLY_13);
        let upgrade = start_tls(reader, writer, tls).read_ahead(ReadAhead::Handshake).into_future();
        let (ours, theirs) = futures::join!(upgrade, peer.shake_hands());
        assert!(matches!(ours, Err(StartTlsError::Handshake(TlsError::Protocol(_)))), "{ours:?}");
        assert!(theirs.is_err());
    });
}

/// However much of it came with the command.
#[test]
fn t2_a_client_hello_behind_the_command_completes_wherever_it_is_cut() {
    on_one_thread(|| async {
        for versions in [ONLY_12, ONLY_13] {
            for cut in [1, 4, 5, 6, 100, usize::MAX] {
                let (near, far) = duplex(64 * 1024);
                let (mut reader, writer) = pair(near);
                let mut peer = ByHand::client(far, versions);
                let hello = peer.records();
                let (first, later) = hello.split_at(cut.min(hello.len()));
                peer.send_raw(&[b"STARTTLS\r\n", first].concat()).await.unwrap();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "STARTTLS\r\n");
                assert_eq!(reader.buffered(), first.len());
                peer.send_raw(later).await.unwrap();
                let upgrade = start_tls(reader, writer, server()).read_ahead(ReadAhead::Handshake);
                let (ours, theirs) = futures::join!(upgrade.into_future(), peer.shake_hands());
                theirs.unwrap();
                let (mut reader, _writer) = ours.unwrap();
                assert_eq!(reader.buffered(), 0);
                peer.send(b"in private\n").await.unwrap();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "in private\n");
            }
        }
    });
}

/// Its last words of the handshake and its first words of the application in one segment.
#[test]
fn t2_data_in_the_segment_of_the_finished_is_read_afterwards() {
    on_one_thread(|| async {
        for versions in [ONLY_12, ONLY_13] {
            let (near, far) = duplex(64 * 1024);
            let (reader, writer) = pair(near);
            let mut peer = ByHand::client(far, versions);
            let serving = tokio::spawn(start_tls(reader, writer, server()).into_future());
            loop {
                let mut records = peer.records();
                if !peer.session.is_handshaking() {
                    records.extend(peer.encrypt(b"hasty\n"));
                    peer.send_raw(&records).await.unwrap();
                    break;
                }
                peer.send_raw(&records).await.unwrap();
                peer.receive().await.unwrap();
            }
            let (mut reader, _writer) = serving.await.unwrap().unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "hasty\n");
        }
    });
}

#[test]
fn t2_halves_that_are_not_free_are_refused_unharmed() {
    on_one_thread(|| async {
        let ((reader, writer), far) = highwater_net::duplex(4096);
        let clone = writer.clone();
        let refused = start_tls(reader, writer, client().server_name("localhost")).await.unwrap_err();
        assert!(matches!(refused, StartTlsError::Refused(_)));
        let text = "the connection cannot be upgraded to TLS: a clone of the writer is left";
        assert_eq!(refused.to_string(), text);
        let (reader, writer) = refused.into_halves().unwrap();
        drop(clone);
        let (other, _peer) = highwater_net::duplex(64);
        let refused = start_tls(reader, other.1, client().server_name("localhost")).await.unwrap_err();
        let (mut reader, _other) = refused.into_halves().unwrap();
        {
            let mut skip = task::spawn(reader.skip_until(b"\n"));
            assert_pending!(skip.poll());
        }
        let refused = start_tls(reader, writer, client().server_name("localhost")).await.unwrap_err();
        let (mut reader, writer) = refused.into_halves().unwrap();
        far.1.write("skipped\n").unwrap();
        far.1.flush().await.unwrap();
        reader.skip_until(b"\n").await.unwrap_or_default();
        talk(both((reader, writer), client().server_name("localhost"), far, server()).await.unwrap()).await;

        let ((reader, writer), _far) = highwater_net::duplex(64);
        writer.close();
        let refused = start_tls(reader, writer, server()).await.unwrap_err();
        let error = io::Error::from(refused);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn w9_an_upgrade_of_a_lost_connection_tells_the_loss() {
    run(async {
        let (transport, script) = scripted();
        script.fail_writes(io::Error::from_raw_os_error(104));
        let (reader, writer) = pair(transport);
        writer.write("220 go ahead\r\n").unwrap();
        let refused = start_tls(reader, writer, server()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionReset);
        let cause = refused.source().unwrap().downcast_ref::<TransportError>().unwrap();
        assert_eq!(cause.raw_os_error(), Some(104));
        let error = io::Error::from(refused);
        assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::ConnectionReset, Some(104)));

        let ((reader, writer), _far) = highwater_net::duplex(64);
        writer.abort();
        let refused = start_tls(reader, writer, server()).await.unwrap_err();
        assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::ConnectionAborted);
    });
}

#[test]
fn t2_given_up_at_every_poll_on_either_side_nobody_hangs() {
    for client_gives_up in [true, false] {
        for over in Over::ALL {
            let cuts = at_every_poll(move |polls| {
                run(async move {
                    let (near, far) = over.pairs();
                    let weak = [near.1.downgrade(), far.1.downgrade()];
                    let near = start_tls(near.0, near.1, client().server_name("localhost")).into_future();
                    let far = start_tls(far.0, far.1, server()).into_future();
                    let (gives_up, goes_on) = if client_gives_up { (near, far) } else { (far, near) };
                    let other = tokio::spawn(goes_on);
                    if let Some(halves) = polls.run_beside(gives_up, settle).await {
                        let ours = halves.unwrap();
                        let theirs = other.await.unwrap().unwrap();
                        talk((ours, theirs)).await;
                    } else {
                        // The end is seen, in the handshake or, by a client that was through, behind it.
                        if let Ok((mut reader, _writer)) = other.await.unwrap() {
                            assert!(reader.read_to_end(1).await.is_err());
                        }
                    }
                    for weak in weak {
                        weak.wait_gone().await;
                    }
                });
            });
            assert!(cuts >= 2, "{over:?}: {cuts}");
        }
    }
}

#[test]
fn t2_a_close_or_an_abort_during_the_handshake_is_told() {
    for abort in [true, false] {
        run(async move {
            let (near, _silent) = duplex(4096);
            let (reader, writer) = pair(near);
            let weak = writer.downgrade();
            let upgrade = tokio::spawn(start_tls(reader, writer, server()).into_future());
            settle().await;
            if abort {
                weak.abort();
            } else {
                weak.close();
            }
            let error = upgrade.await.unwrap().unwrap_err();
            assert!(matches!(error, StartTlsError::Closed(_)), "{error:?}");
            assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionAborted);
            weak.wait_gone().await;
        });
    }
}

#[test]
fn t2_the_transport_is_told_apart() {
    on_one_thread(|| async {
        let ((reader, writer), _far) = Over::Unix.tls().await;
        let over_unix = |transport: &Transport| match transport {
            Transport::Tls(tls) => matches!(tls.get_ref(), Transport::Unix(_)),
            _ => false,
        };
        assert_eq!(writer.with_transport(over_unix), Some(true));
        assert_eq!(reader.with_transport(over_unix), Some(true));
    });
}
