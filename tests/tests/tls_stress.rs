//! W2, W7 and R2 over TLS under stress: both directions at once, through little room and a transport that does
//! everything late and in bits.

use highwater_net::start_tls;
use highwater_net::{StreamReader, StreamWriter, pair};
use highwater_testing::{Chaos, at_every_poll};
use highwater_tests::bounded::{one_thread, two_workers};
use highwater_tests::net::Halves;
use highwater_tests::tls::{
    ByHand, ONLY_12, ONLY_13, Over, Provider, both, client, our_client, our_server, server,
};
use highwater_tests::{bounded, report};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, duplex};

/// What both ends send each other: no two blocks are the same.
fn block(index: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (i ^ (i >> 8) ^ index) as u8).collect()
}

async fn send(writer: StreamWriter, blocks: usize, length: usize) {
    for index in 0..blocks {
        writer.write(block(index, length)).unwrap();
        writer.drain().await.unwrap();
    }
    writer.write_eof().unwrap();
}

async fn receive(mut reader: StreamReader, blocks: usize, length: usize) {
    for index in 0..blocks {
        assert!(reader.read_exactly(length).await.unwrap() == block(index, length), "block {index}");
    }
    assert_eq!(reader.read(1).await.unwrap(), "");
}

async fn each_way((near, far): (Halves, Halves), blocks: usize, length: usize) {
    let tasks = [
        tokio::spawn(send(near.1, blocks, length)),
        tokio::spawn(receive(near.0, blocks, length)),
        tokio::spawn(send(far.1, blocks, length)),
        tokio::spawn(receive(far.0, blocks, length)),
    ];
    for task in tasks {
        task.await.unwrap();
    }
}

/// Not bounded by half a minute: unoptimized cryptography is slow, and a hang ends with the whole suite.
#[test]
fn w2_64_mib_each_way_at_once() {
    // An eighth of it where nothing is optimized.
    let blocks = if cfg!(debug_assertions) { 128 } else { 1024 };
    let runtimes = [one_thread(), two_workers()].map(|runtime| {
        thread::spawn(move || {
            runtime.block_on(async {
                each_way(Over::Memory(1024).tls().await, blocks, 64 * 1024).await;
            });
        })
    });
    for runtime in runtimes {
        runtime.join().unwrap();
    }
}

async fn through_chaos(provider: Provider, seed: u64, most: usize) {
    // A server says a little more behind its handshake, for which there has to be room.
    let (near, far) = duplex(2048);
    let near = pair(Chaos::new(near, seed).most(most).interrupts(8));
    let far = pair(Chaos::new(far, !seed).most(most).interrupts(8));
    let client = provider.client().server_name("localhost");
    let halves = both(near, client, far, provider.server()).await.unwrap();
    each_way(halves, 8, most * 100).await;
}

#[test]
fn r2_however_the_transport_cuts_delays_and_interrupts() {
    bounded::bounded(|| {
        for runtime in [one_thread(), two_workers()] {
            runtime.block_on(async {
                for (provider, seed) in Provider::ALL.into_iter().zip([7, 1234]) {
                    through_chaos(provider, seed, 300).await;
                    through_chaos(provider, seed, 1).await;
                }
            });
        }
    });
}

#[test]
fn r3_a_read_given_up_at_every_poll_loses_nothing() {
    for versions in [ONLY_12, ONLY_13] {
        let cuts = at_every_poll(|polls| {
            bounded::run(async move {
                let ((mut reader, _writer), mut peer) = our_client(client(), versions, 4096).await;
                let records =
                    [peer.encrypt(b"in three "), peer.encrypt(b"records\n"), peer.encrypt(b"next\n")];
                let sending = tokio::spawn(async move {
                    for record in records {
                        for byte in record.chunks(7) {
                            peer.send_raw(byte).await.unwrap();
                            tokio::task::yield_now().await;
                        }
                    }
                    peer
                });
                let first = match polls.run_beside(reader.read_line(), tokio::task::yield_now).await {
                    Some(line) => line.unwrap(),
                    None => reader.read_line().await.unwrap(),
                };
                assert_eq!(first.unwrap(), "in three records\n");
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "next\n");
                drop(sending.await.unwrap());
            });
        });
        assert!(cuts >= 3, "{cuts}");
    }
}

#[test]
fn w4_a_drain_or_a_flush_given_up_at_every_poll_loses_nothing() {
    for drain in [true, false] {
        let cuts = at_every_poll(|polls| {
            bounded::run(async move {
                let ((_reader, writer), mut peer) = our_server(server(), ONLY_13, 16 * 1024).await;
                let all = block(1, 300_000);
                writer.write(all.clone()).unwrap();
                let receiving = tokio::spawn(async move {
                    peer.receive_at_least(300_004).await.unwrap();
                    peer.received
                });
                let waiting = async { if drain { writer.drain().await } else { writer.flush().await } };
                polls.run_beside(waiting, bounded::settle).await;
                writer.write("more").unwrap();
                let received = receiving.await.unwrap();
                assert!(received.starts_with(&all) && received.ends_with(b"more"));
            });
        });
        assert!(cuts >= 1, "{cuts}");
        report(&format!("tls: a {} given up at {cuts} polls", if drain { "drain" } else { "flush" }));
    }
}

/// A transport that takes so many bytes, and then nothing at all without saying that it waits.
struct Full {
    transport: tokio::io::DuplexStream,
    room: usize,
}

impl AsyncRead for Full {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(cx, into)
    }
}

impl AsyncWrite for Full {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = bytes.len().min(self.room);
        if most == 0 {
            return Poll::Ready(Ok(0));
        }
        let count = ready!(Pin::new(&mut self.transport).poll_write(cx, &bytes[..most]))?;
        self.room -= count;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn w9_a_transport_that_takes_nothing_is_a_loss_and_no_wait() {
    bounded::run(async {
        for room in [0, 100, 5_000, 100_000] {
            let (near, far) = duplex(1 << 20);
            let mut peer = ByHand::server(far, ONLY_13);
            let (reader, writer) = pair(Full { transport: near, room });
            let upgrade = start_tls(reader, writer, client().server_name("localhost")).into_future();
            let shaking = async {
                let _ = peer.shake_hands().await;
                peer
            };
            let (ours, peer) = futures::join!(upgrade, shaking);
            if let Ok((_reader, writer)) = ours {
                writer.write(vec![7; 1 << 20]).unwrap();
                assert_eq!(writer.flush().await.unwrap_err().kind(), io::ErrorKind::WriteZero);
            } else {
                assert!(room < 5_000);
            }
            drop(peer);
        }
    });
}
