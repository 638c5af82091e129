//! T4, W6 and W7 over TLS: a clean end, a cut, our end, and what a close delivers.

use highwater_net::stream::Linger;
use highwater_net::{Bytes, ClientTls, StreamReader, pair, start_tls};
use highwater_tests::bounded::settle;
use highwater_tests::counted::{on_one_thread, run_paused};
use highwater_tests::net::pair_of_tcp;
use highwater_tests::tls::{
    ByHand, ONLY_12, ONLY_13, Over, Versions, both, cause, client, our_client, our_server, server,
};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BOTH: [Versions; 2] = [ONLY_12, ONLY_13];

async fn is_cut(reader: &mut StreamReader) {
    for _ in 0..3 {
        let error = reader.read(1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("without close_notify"), "{error}");
    }
    let error: io::Error = reader.read_line().await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn t4_an_end_without_close_notify_is_an_error_behind_the_data_every_time() {
    on_one_thread(|| async {
        for versions in BOTH {
            let ((mut reader, _writer), mut peer) = our_client(client(), versions, 4096).await;
            peer.send(b"all of it\n").await.unwrap();
            peer.io.shutdown().await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "all of it\n");
            is_cut(&mut reader).await;

            let ((mut reader, _writer), mut peer) = our_server(server(), versions, 4096).await;
            peer.send(b"all of it\n").await.unwrap();
            drop(peer);
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "all of it\n");
            is_cut(&mut reader).await;
        }
    });
}

#[test]
fn t4_a_cut_in_the_middle_of_a_message_or_of_a_record_is_told_as_one() {
    on_one_thread(|| async {
        let ((mut reader, _writer), mut peer) = our_client(client(), ONLY_13, 4096).await;
        peer.send(b"half a li").await.unwrap();
        drop(peer);
        let error: io::Error = reader.read_line().await.unwrap_err().into();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(reader.unread_bytes(), b"half a li");
        is_cut_of_raw(&mut reader).await;

        let ((mut reader, _writer), mut peer) = our_client(client(), ONLY_13, 4096).await;
        peer.send(b"whole\n").await.unwrap();
        let record = peer.encrypt(b"never seen");
        peer.send_raw(&record[..record.len() - 1]).await.unwrap();
        drop(peer);
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "whole\n");
        is_cut(&mut reader).await;
    });
}

async fn is_cut_of_raw(reader: &mut StreamReader) {
    assert_eq!(reader.read(64).await.unwrap(), "half a li");
    is_cut(reader).await;
}

#[test]
fn t4_close_notify_is_a_clean_end() {
    on_one_thread(|| async {
        for versions in BOTH {
            let ((mut reader, _writer), mut peer) = our_client(client(), versions, 4096).await;
            let records = [peer.encrypt(b"all of it\nand no more"), peer.close_notify()].concat();
            peer.send_raw(&records).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "all of it\n");
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "and no more");
            for _ in 0..3 {
                assert_eq!(reader.read_line().await.unwrap(), None);
            }
        }
    });
}

#[test]
fn t4_truncation_is_a_clean_end_where_it_is_allowed() {
    on_one_thread(|| async {
        let lenient = client().allow_truncation(true);
        let ((mut reader, writer), mut peer) = our_client(lenient, ONLY_13, 4096).await;
        peer.send(b"all of it\n").await.unwrap();
        peer.io.shutdown().await.unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "all of it\n");
        for _ in 0..3 {
            assert_eq!(reader.read_line().await.unwrap(), None);
        }
        // The other direction goes on.
        writer.write("and the reply").unwrap();
        writer.flush().await.unwrap();
        peer.receive_at_least(13).await.unwrap();
        assert_eq!(peer.received, b"and the reply");

        let lenient = server().allow_truncation(true);
        let ((mut reader, _writer), mut peer) = our_server(lenient, ONLY_12, 4096).await;
        let record = peer.encrypt(b"cut in the middle");
        peer.send_raw(&record[..record.len() - 1]).await.unwrap();
        drop(peer);
        assert_eq!(reader.read_line().await.unwrap(), None);
    });
}

#[test]
fn t4_garbage_after_the_handshake_is_an_error_of_the_read() {
    on_one_thread(|| async {
        for versions in BOTH {
            let ((mut reader, writer), mut peer) = our_client(client(), versions, 4096).await;
            peer.send(b"before\n").await.unwrap();
            peer.send_raw(b"\x17\x03\x03\x00\x20garbage garbage garbage garbage!").await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "before\n");
            for _ in 0..2 {
                let error = reader.read(1).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            }
            // The halves share their loss, and the peer is told.
            assert!(writer.write("more").is_err());
            assert!(peer.receive_to_end().await.is_err());
        }
    });
}

#[test]
fn w6_write_eof_sends_close_notify_and_reading_goes_on() {
    on_one_thread(|| async {
        for over in Over::ALL {
            let (near, far) = over.tls().await;
            for ((mut reader, writer), (mut peer_reads, peer_writes)) in [(near, far)] {
                assert!(writer.can_write_eof());
                writer.write("the end\n").unwrap();
                writer.write_eof().unwrap();
                assert_eq!(peer_reads.read_line().await.unwrap().unwrap(), "the end\n");
                assert_eq!(peer_reads.read_line().await.unwrap(), None, "{over:?}");
                peer_writes.write("and you?\n").unwrap();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "and you?\n");
                peer_writes.write_eof().unwrap();
                assert_eq!(reader.read_line().await.unwrap(), None);
                writer.close();
                writer.wait_closed().await.unwrap();
            }
            // The server goes first.
            let ((mut reader, writer), (mut peer_reads, peer_writes)) = over.tls().await;
            peer_writes.write_eof().unwrap();
            assert_eq!(reader.read_line().await.unwrap(), None);
            writer.write("all the same\n").unwrap();
            assert_eq!(peer_reads.read_line().await.unwrap().unwrap(), "all the same\n");
        }
    });
}

#[test]
fn w6_write_eof_is_close_notify_on_the_wire() {
    on_one_thread(|| async {
        for versions in BOTH {
            let ((mut reader, writer), mut peer) = our_server(server(), versions, 4096).await;
            writer.write("the end").unwrap();
            writer.write_eof().unwrap();
            assert!(peer.receive_to_end().await.unwrap());
            assert_eq!(peer.received, b"the end");
            peer.send(b"still here\n").await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "still here\n");
        }
    });
}

#[test]
fn w7_a_close_delivers_all_of_it_and_a_clean_end() {
    on_one_thread(|| async {
        for over in Over::ALL {
            let ((_reader, writer), (mut peer_reads, peer_writes)) = over.tls().await;
            // Input that nobody reads must not turn into a reset.
            peer_writes.write(vec![b'?'; 512]).unwrap();
            peer_writes.flush().await.unwrap();
            let all = Bytes::from((0..4 << 20).map(|i| (i / 7) as u8).collect::<Vec<_>>());
            writer.write(all.clone()).unwrap();
            writer.close();
            let got = peer_reads.read_to_end(usize::MAX).await.unwrap();
            assert!(got == all, "{over:?}: {} bytes", got.len());
            peer_writes.close();
            writer.wait_closed().await.unwrap();
        }
    });
}

#[test]
fn w2_what_is_queued_is_delivered_when_the_last_half_goes() {
    on_one_thread(|| async {
        for over in Over::ALL {
            let ((reader, writer), (mut peer_reads, peer_writes)) = over.tls().await;
            writer.write(vec![7; 1 << 20]).unwrap();
            drop((reader, writer));
            assert_eq!(peer_reads.read_to_end(usize::MAX).await.unwrap().len(), 1 << 20);
            drop(peer_writes);
        }
    });
}

#[test]
fn t4_an_abort_is_no_clean_end() {
    on_one_thread(|| async {
        for over in Over::ALL {
            let ((reader, writer), (mut peer_reads, _peer_writes)) = over.tls().await;
            writer.write(vec![7; 1 << 20]).unwrap();
            writer.abort();
            let error: io::Error = peer_reads.read_to_end(usize::MAX).await.unwrap_err().into();
            let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
            assert!(kinds.contains(&error.kind()), "{over:?}: {error}");
            drop(reader);
        }
    });
}

#[test]
fn w8_an_abort_resets_the_socket_however_deep_it_is() {
    on_one_thread(|| async {
        for depth in [1, 2] {
            let (near, far) = pair_of_tcp();
            near.set_nonblocking(true).unwrap();
            far.set_nonblocking(true).unwrap();
            let mut near = pair(tokio::net::TcpStream::from_std(near).unwrap());
            let mut far = pair(tokio::net::TcpStream::from_std(far).unwrap());
            for _ in 0..depth {
                (near, far) = both(near, client().server_name("localhost"), far, server()).await.unwrap();
            }
            // Nothing is unread: a reset that unread input causes would prove nothing.
            far.1.write("read this\n").unwrap();
            near.0.read_line().await.unwrap();
            near.1.abort();
            assert_eq!(far.0.read(1).await.unwrap_err().kind(), ErrorKind::ConnectionReset, "{depth}");
        }
    });
}

#[test]
fn w7_what_comes_after_our_close_is_drained_and_ignored() {
    on_one_thread(|| async {
        let ((mut reader, writer), mut peer) = our_client(client(), ONLY_13, 1024).await;
        writer.close();
        for _ in 0..64 {
            peer.send(&[b'.'; 1000]).await.unwrap();
        }
        let end = peer.close_notify();
        peer.send_raw(&end).await.unwrap();
        writer.wait_closed().await.unwrap();
        assert!(peer.receive_to_end().await.unwrap());
        assert_eq!(reader.read(1).await.unwrap(), "");
    });
}

#[test]
fn w7_garbage_while_lingering_ends_it() {
    on_one_thread(|| async {
        let ((_reader, writer), mut peer) = our_client(client(), ONLY_13, 1024).await;
        writer.close();
        settle().await;
        peer.send_raw(b"\x17\x03\x03\x00\x20garbage garbage garbage garbage!").await.unwrap();
        writer.wait_closed().await.unwrap();
    });
}

#[test]
fn w7_a_backlog_is_delivered_although_the_peer_has_ended() {
    on_one_thread(|| async {
        for versions in BOTH {
            let ((mut reader, writer), mut peer) = our_server(server(), versions, 1024).await;
            writer.write(vec![7; 1 << 20]).unwrap();
            let end = peer.close_notify();
            peer.send_raw(&end).await.unwrap();
            assert_eq!(reader.read(1).await.unwrap(), "");
            writer.close();
            let (delivered, closed) = futures::join!(peer.receive_to_end(), writer.wait_closed());
            assert!(delivered.unwrap());
            closed.unwrap();
            assert_eq!(peer.received.len(), 1 << 20);
        }
    });
}

/// A peer may change its keys at any time, and may ask us to change ours: the answer goes out with what we
/// send next.
#[test]
fn t4_a_change_of_keys_disturbs_nobody() {
    on_one_thread(|| async {
        let ((mut reader, writer), mut peer) = our_client(client(), ONLY_13, 4096).await;
        // While we only read.
        for round in 0..20 {
            peer.session.refresh_traffic_keys().unwrap();
            peer.send(format!("round {round}\n").as_bytes()).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), format!("round {round}\n"));
        }
        writer.write("the answer\n").unwrap();
        peer.receive_at_least(11).await.unwrap();
        // While we only write: nobody asks the reader.
        peer.session.refresh_traffic_keys().unwrap();
        let update = peer.records();
        peer.send_raw(&update).await.unwrap();
        writer.write(vec![7; 1 << 20]).unwrap();
        peer.receive_at_least(11 + (1 << 20)).await.unwrap();
        peer.send(b"and on\n").await.unwrap();
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "and on\n");
        writer.write("to the end").unwrap();
        writer.close();
        let end = peer.close_notify();
        peer.send_raw(&end).await.unwrap();
        assert!(peer.receive_to_end().await.unwrap());
        assert!(peer.received.ends_with(b"to the end"));
    });
}

#[test]
fn t3_the_peers_close_notify_is_waited_for_only_on_request() {
    run_paused(|| async {
        // It sends on and on, and neither silence nor a count of bytes ends the wait.
        let waiting = client().wait_for_close_notify(true).shutdown_timeout(Duration::from_secs(300));
        let ((_reader, writer), mut peer) = our_client(waiting, ONLY_13, 4096).await;
        writer.close();
        let mut closed = Box::pin(writer.wait_closed());
        for _ in 0..1200 {
            peer.send(&[b'.'; 1000]).await.unwrap();
            assert!(futures::poll!(&mut closed).is_pending());
        }
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(futures::poll!(&mut closed).is_pending());
        let end = peer.close_notify();
        peer.send_raw(&end).await.unwrap();
        closed.await.unwrap();

        // It never comes: the shutdown time-out.
        let waiting = server().wait_for_close_notify(true).shutdown_timeout(Duration::from_secs(7));
        let ((_reader, writer), _peer) = our_server(waiting, ONLY_13, 4096).await;
        let start = tokio::time::Instant::now();
        writer.close();
        writer.wait_closed().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 7);

        // Unless said otherwise, half a minute.
        let ((_reader, writer), _peer) =
            our_client(client().wait_for_close_notify(true), ONLY_13, 4096).await;
        let start = tokio::time::Instant::now();
        writer.close();
        writer.wait_closed().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 30);

        // Unless asked, it is the linger of every connection.
        let ((_reader, writer), _peer) = our_client(client(), ONLY_13, 4096).await;
        let start = tokio::time::Instant::now();
        writer.close();
        writer.wait_closed().await.unwrap();
        assert_eq!(start.elapsed(), Linger::default().silence);
    });
}

#[test]
fn t3_the_shutdown_time_out_bounds_a_peer_that_takes_nothing() {
    run_paused(|| async {
        for (tls, seconds) in [(client(), 30), (client().shutdown_timeout(Duration::from_secs(5)), 5)] {
            let ((_reader, writer), _peer) = our_client(tls, ONLY_13, 4096).await;
            writer.write(vec![7; 1 << 20]).unwrap();
            let start = tokio::time::Instant::now();
            writer.close();
            let error = writer.wait_closed().await.unwrap_err();
            assert_eq!(start.elapsed().as_secs(), seconds);
            assert!(error.unsent() > 0);
        }
    });
}

/// Of a slow peer that takes something now and then the delivery does not stand still.
#[test]
fn w11_a_slow_peer_gets_all_of_it_through_tls_too() {
    run_paused(|| async {
        let ((_reader, writer), mut peer) = our_client(client(), ONLY_13, 1024).await;
        writer.write(vec![7; 200_000]).unwrap();
        writer.close();
        while peer.received.len() < 200_000 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            if peer.receive().await.unwrap() == 0 {
                break;
            }
        }
        assert_eq!(peer.received.len(), 200_000);
        drop(peer);
        writer.wait_closed().await.unwrap();
    });
}

/// Also where what the inner session has passed on is held back by the outer one.
#[test]
fn w11_a_slow_wire_delivers_all_of_it_through_tls_inside_tls() {
    run_paused(|| async {
        // A wire that takes its time for what goes one way.
        let (near, mut from_near) = tokio::io::duplex(1024);
        let (mut to_far, far) = tokio::io::duplex(1024);
        let is_slow = Arc::new(AtomicBool::new(false));
        let slows = Arc::clone(&is_slow);
        let wire = tokio::spawn(async move {
            let (mut near, mut far) = ([0; 1024], [0; 1024]);
            loop {
                tokio::select! {
                    count = from_near.read(&mut near) => {
                        let count = count.unwrap();
                        if slows.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_secs(5)).await;
                        }
                        if count == 0 {
                            break;
                        }
                        to_far.write_all(&near[..count]).await.unwrap();
                    }
                    count = to_far.read(&mut far) => {
                        from_near.write_all(&far[..count.unwrap()]).await.unwrap();
                    }
                }
            }
        });
        let halves = (pair(near), pair(far));
        let name = || client().server_name("localhost");
        let (near, far) = both(halves.0, name(), halves.1, server()).await.unwrap();
        let ((_reader, writer), (mut peer, _writer)) = both(near, name(), far, server()).await.unwrap();
        is_slow.store(true, Ordering::Relaxed);
        writer.write(vec![7; 100_000]).unwrap();
        writer.close();
        assert_eq!(peer.read_to_end(usize::MAX).await.unwrap().len(), 100_000);
        drop((peer, _writer));
        writer.wait_closed().await.unwrap();
        wire.await.unwrap();
    });
}

/// RFC 8446 §6.1: each direction ends by itself, also where one ends in a cut.
#[test]
fn t4_a_cut_takes_nothing_back_that_was_written() {
    on_one_thread(|| async {
        for in_one_segment in [true, false] {
            let ((mut reader, writer), mut peer) = our_server(server(), ONLY_13, 64 * 1024).await;
            peer.send(b"a request\n").await.unwrap();
            if !in_one_segment {
                assert_eq!(reader.peek(1).await.unwrap(), b"a");
            }
            tokio::io::AsyncWriteExt::shutdown(&mut peer.io).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "a request\n");
            writer.write("an answer\n").unwrap();
            let cut = io::Error::from(reader.read_line().await.unwrap_err());
            assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
            writer.write("and more\n").unwrap();
            drop((reader, writer));
            assert!(peer.receive_to_end().await.unwrap(), "close_notify came");
            assert_eq!(peer.received, b"an answer\nand more\n");
        }
    });
}

#[test]
fn t4_tls_inside_tls_ends_cleanly_too() {
    on_one_thread(|| async {
        let (near, far) = Over::Tcp.tls().await;
        let inside = both(near, client().server_name("localhost"), far, server()).await.unwrap();
        let ((mut reader, writer), (mut peer_reads, peer_writes)) = inside;
        writer.write("twice\n").unwrap();
        writer.write_eof().unwrap();
        assert_eq!(peer_reads.read_line().await.unwrap().unwrap(), "twice\n");
        assert_eq!(peer_reads.read_line().await.unwrap(), None);
        peer_writes.write(vec![7; 1 << 20]).unwrap();
        peer_writes.close();
        assert_eq!(reader.read_to_end(usize::MAX).await.unwrap().len(), 1 << 20);
        writer.close();
        writer.wait_closed().await.unwrap();
        peer_writes.wait_closed().await.unwrap();
    });
}

#[test]
fn t4_what_rustls_says_stays_reachable() {
    on_one_thread(|| async {
        let (near, far) = tokio::io::duplex(4096);
        let (reader, writer) = highwater_net::pair(near);
        let mut peer = ByHand::client(far, ONLY_13);
        let (ours, _) = futures::join!(start_tls(reader, writer, server()).into_future(), peer.shake_hands());
        let (mut reader, _writer) = ours.unwrap();
        peer.send_raw(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let error: io::Error = reader.read(1).await.unwrap_err().into();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(format!("{error}").contains("corrupt") || cause(&error).is_some(), "{error}");
        let mut left = Vec::new();
        peer.io.read_to_end(&mut left).await.unwrap();
        let _: ClientTls = client();
    });
}
