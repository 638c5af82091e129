//! What one hostile peer can make a connection hold, and for how long: the rows of `docs/security.md` that
//! need no crowd. Memory is counted at the allocator; a formula is asserted, and what was measured reported.

use highwater_buffer::{DEFAULT_LIMIT, LARGEST_FILL, Separators};
use highwater_stream::{
    Bytes, LimitedReadError, Pair, ReadExactlyError, ReadUntilError, SkipUntilError, StreamReader,
    StreamWriter, WriteError,
};
use highwater_testing::at_every_cut;
use highwater_tests::bounded::{bounded, settle};
use highwater_tests::report;
use highwater_tests::tls::{ByHand, ONLY_12, ONLY_13, client, our_client, server};
use highwater_tests::transport::{scripted, stalled_after};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::Builder;
use tokio::time::{Instant, Sleep, sleep, timeout};

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);

// A block that grows is counted twice at that moment, the old one and the new one: hence twice what a read may
// hold. A queue doubles its block, and is counted three times.

/// What a test itself allocates beside what it attacks: futures, errors, a timer.
const BESIDE: usize = 8 * KIB;

/// Runs `test` with the clock paused, and counts the most bytes that were allocated at once meanwhile.
fn measured<V: Send + 'static>(test: impl Future<Output = V> + Send + 'static) -> (V, usize) {
    bounded(|| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let mut value = None;
        let counted = allocation_counter::measure(|| value = Some(runtime.block_on(test)));
        (value.unwrap(), usize::try_from(counted.bytes_max).unwrap())
    })
}

/// A peer that repeats itself as fast as it is read. The end comes after 64 MiB, so that a read without a
/// bound fails a test, and not the machine.
struct Endless {
    pattern: &'static [u8],
    sent: usize,
}

const MOST: usize = 64 * MIB;

fn endless(pattern: &'static [u8]) -> Endless {
    Endless { pattern, sent: 0 }
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.remaining().min(MOST - self.sent);
        let from = self.sent % self.pattern.len();
        let pattern = self.pattern.iter().cycle().skip(from).take(room);
        for byte in pattern {
            into.put_slice(&[*byte]);
        }
        self.sent += room;
        Poll::Ready(Ok(()))
    }
}

/// A peer that sends a byte a second.
struct Trickle(Pin<Box<Sleep>>);

fn trickle() -> Trickle {
    Trickle(Box::pin(sleep(SECOND)))
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.0.as_mut().poll(cx));
        let next = self.0.deadline() + SECOND;
        self.0.as_mut().reset(next);
        into.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

// ---- what arrives --------------------------------------------------------------------------------

#[test]
fn r5_a_line_that_never_ends_is_refused_at_the_limit() {
    for limit in [KIB, DEFAULT_LIMIT, MIB] {
        let (sent, held) = measured(async move {
            let mut reader = StreamReader::with_limit(endless(b"x"), limit);
            match reader.read_line().await.unwrap_err() {
                LimitedReadError::LimitOverrun(error) => assert_eq!(error.consumed(), limit + 1),
                other => panic!("{other:?}"),
            }
            reader.get_ref().sent
        });
        let most = limit + 1 + LARGEST_FILL;
        assert!(sent <= most, "{sent} bytes were taken from the peer, more than {most}");
        assert!(held <= 2 * most + BESIDE, "{held} bytes are held, more than twice {most}");
        report(&format!(
            "attack: a line that never ends, limit {limit}: {held} bytes held, {sent} read of {most} allowed"
        ));
    }
}

#[test]
fn r1_a_line_that_never_ends_is_skipped_in_constant_memory() {
    let (skipped, held) = measured(async {
        match StreamReader::new(endless(b"x")).skip_until(b"\n").await.unwrap_err() {
            SkipUntilError::Incomplete(error) => error.skipped(),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(skipped, MOST as u64);
    assert!(held <= LARGEST_FILL + BESIDE, "{held} bytes are held");
    report(&format!("attack: a line that never ends, skipped: {held} bytes held for {skipped}"));
}

#[test]
fn r1_a_length_prefix_of_4_gib_costs_a_mebibyte_and_ends_with_the_time_out() {
    let (waited, held) = measured(async {
        let (transport, script) = scripted();
        let pair = Pair::new(transport).read_timeout(Some(30 * SECOND));
        let (mut reader, _writer) = pair.split();
        script.arrive(u32::MAX.to_be_bytes());
        script.arrive("ten bytes!");
        let prefix = reader.read_exactly(4).await.unwrap();
        let claimed = u32::from_be_bytes(prefix[..].try_into().unwrap());
        let begun = Instant::now();
        let error = reader.read_exactly(claimed as usize).await.unwrap_err();
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
        let waited = begun.elapsed();
        assert_eq!(reader.buffered(), 10, "they may be read with another method");

        script.arrive_end();
        match reader.read_exactly(claimed as usize).await.unwrap_err() {
            ReadExactlyError::Incomplete(error) => assert_eq!(error.partial(), "ten bytes!"),
            other => panic!("{other:?}"),
        }
        waited
    });
    assert_eq!(waited.as_secs(), 30);
    assert!(held <= MIB + LARGEST_FILL + BESIDE, "{held} bytes are held for ten");
    report(&format!("attack: a length prefix of 4 GiB: {held} bytes held, ended after {waited:?}"));
}

/// Bytes that may each be the beginning of the end: nothing is decided, and nothing is searched twice.
#[test]
fn r6_a_separator_prefix_sent_for_ever_is_refused_at_the_limit() {
    let attacks: [(&'static [u8], &'static [u8]); 4] = [
        (b"\r", b"\r\n"),
        (b"\r\n.\r", b"\r\n.\r\n"),
        (b"-", b"--boundary--"),
        (b"--boundary-.", b"--boundary--"),
    ];
    for (pattern, separator) in attacks {
        let (sent, held) = measured(async move {
            let mut reader = StreamReader::new(endless(pattern));
            match reader.read_until(separator).await.unwrap_err() {
                ReadUntilError::LimitOverrun(error) => assert_eq!(error.consumed(), DEFAULT_LIMIT + 1),
                other => panic!("{other:?}"),
            }
            let (source, buffer) = reader.into_parts();
            let searched = buffer.bytes_searched();
            // One fill brings 64 KiB at most, and there were as many as doublings from 4 KiB, and two.
            let allowed = source.sent + 8 * (separator.len() - 1);
            assert!(searched <= allowed as u64, "{searched} bytes searched of {}", source.sent);
            source.sent
        });
        let most = DEFAULT_LIMIT + separator.len() + LARGEST_FILL;
        assert!(sent <= most && held <= 2 * most + BESIDE, "{sent} bytes read, {held} held, {most} allowed");
        let name = pattern.escape_ascii();
        report(&format!("attack: {name} sent for ever: {held} bytes held, {sent} read of {most} allowed"));
    }
}

#[test]
fn w11_one_byte_a_second_ends_with_the_idle_time_out_the_deadline_or_the_limit() {
    let (limit_after, held) = measured(async {
        // A pause longer than the idle time-out ends it.
        let mut reader = StreamReader::new(trickle());
        reader.set_read_timeout(Some(SECOND / 2));
        let begun = Instant::now();
        let error = io::Error::from(reader.read_line().await.unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), SECOND / 2);

        // A shorter one does not, whatever the line takes: a deadline for the line does, and loses nothing.
        let mut reader = StreamReader::new(trickle());
        reader.set_read_timeout(Some(30 * SECOND));
        let begun = Instant::now();
        timeout(60 * SECOND + SECOND / 2, reader.read_line()).await.unwrap_err();
        assert_eq!((begun.elapsed().as_secs(), reader.buffered()), (60, 60));

        // With neither, the limit is what ends it.
        let begun = Instant::now();
        let mut reader = StreamReader::new(trickle());
        assert!(matches!(reader.read_line().await, Err(LimitedReadError::LimitOverrun(_))));
        begun.elapsed()
    });
    assert_eq!(limit_after.as_secs(), DEFAULT_LIMIT as u64 + 1);
    let most = DEFAULT_LIMIT + 1 + LARGEST_FILL;
    assert!(held <= 2 * most + BESIDE, "{held} bytes are held, more than twice {most}");
    report(&format!("attack: one byte a second: {held} bytes held, by the limit alone {limit_after:?}"));
}

/// What another program may take for the end of the message is data here, wherever the network cuts it.
#[test]
fn r7_what_resembles_a_separator_smuggles_nothing() {
    let end: &[u8] = b"\r\n.\r\n";
    let fakes: [&[u8]; 9] = [
        b"\n.\n",
        b"\r.\r",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\r\n\0.\r\n",
        b"\r\r\n.\r\r\n",
        b"\r\n.\r\r\n",
    ];
    let whole = Separators::new([end]).unwrap();
    let separators = Separators::new(["\r\n", "\n"]).unwrap();
    let mut cuts = 0;
    for fake in fakes {
        let message = [b"body", fake, b"MAIL FROM:<mallory@example.org>", end].concat();
        let wire = [&message[..], b"QUIT\r\n"].concat();
        let parsed = at_every_cut(wire.clone(), |parts| {
            cuts += 1;
            parts.parse(|buffer| buffer.read_until(&whole))
        });
        assert_eq!(parsed.messages, [message], "{}", fake.escape_ascii());
        assert_eq!(parsed.rest.len(), 0, "the rest is the partial frame of the error");

        // Several separators: the same lines wherever they are cut, and never one of them half.
        let lines = at_every_cut(wire.clone(), |parts| {
            cuts += 1;
            parts.parse(|buffer| buffer.read_until(&separators))
        });
        let expected: Vec<_> = wire.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.messages, expected, "{}", fake.escape_ascii());
    }
    report(&format!("attack: smuggling: {} sequences, {cuts} cuts, 0 messages too many", fakes.len()));
}

// ---- what is not taken ---------------------------------------------------------------------------

#[test]
fn w4_a_peer_that_never_reads_holds_the_high_mark_and_a_write() {
    for write in [100, 1000, 20_000] {
        let (queued, held) = measured(async move {
            let (transport, _script) = stalled_after(0);
            let (_reader, writer) = Pair::new(transport).write_timeout(Some(20 * SECOND)).split();
            let mut most_queued = 0;
            let begun = Instant::now();
            let error = loop {
                writer.write(&vec![b'x'; write][..]).unwrap();
                most_queued = most_queued.max(writer.queued());
                assert!(most_queued <= MIB, "it is not held back");
                if let Err(error) = writer.drain().await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed().as_secs(), 20);
            most_queued
        });
        let most = 64 * KIB + write;
        assert!(queued <= most, "{queued} bytes are queued, more than {most}");
        assert!(held <= 3 * most + BESIDE, "{held} bytes are held, more than three times {most}");
        report(&format!(
            "attack: never reads, writes of {write}: {queued} queued of {most}, {held} held, ended by 20s"
        ));
    }
}

/// Without a time-out of its own the wait ends when the program closes, or lets go.
#[test]
fn w11_a_peer_that_never_reads_is_given_up_30_s_after_close() {
    let (waited, _) = measured(async {
        let (transport, _script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        writer.write(vec![0; MIB]).unwrap();
        timeout(3600 * SECOND, writer.drain()).await.unwrap_err();
        writer.close();
        let begun = Instant::now();
        assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), MIB as u64);
        begun.elapsed()
    });
    assert_eq!(waited.as_secs(), 30);
    report(&format!("attack: never reads, after close: given up after {waited:?}"));
}

#[test]
fn w10_a_broadcast_to_slow_readers_holds_the_cap_for_each() {
    const READERS: usize = 1000;
    for (payload, cap) in [(64, 4 * KIB), (256, 4 * KIB), (64 * KIB, 128 * KIB)] {
        let (nobody, held_by_nobody) = broadcast(READERS, 0, payload, cap);
        assert_eq!(nobody, READERS);
        let (dropped, held) = broadcast(READERS, 2 * cap / payload, payload, cap);
        assert_eq!(dropped, READERS, "all were too slow");
        let each = (held - held_by_nobody) / READERS;
        assert!(each <= 2 * cap + BESIDE, "{each} bytes each, with a cap of {cap}");
        report(&format!(
            "attack: broadcast of {payload} to {READERS} slow readers, cap {cap}: {each} bytes each"
        ));
    }
}

/// How many were dropped, or, without a message, were there; and what was held.
fn broadcast(readers: usize, messages: usize, payload: usize, cap: usize) -> (usize, usize) {
    measured(async move {
        let slow = || {
            let (transport, _script) = stalled_after(0);
            Pair::new(transport).max_buffered(Some(cap)).split().1
        };
        let mut clients: Vec<_> = (0..readers).map(|_| slow()).collect();
        for _ in 0..messages {
            let message = Bytes::from(vec![b'x'; payload]);
            for client in &clients {
                match client.write(message.clone()) {
                    Ok(()) => assert!(client.queued() <= cap, "{} bytes are queued", client.queued()),
                    Err(WriteError::Full { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            settle().await;
        }
        if messages == 0 {
            return clients.len();
        }
        clients.retain(|client| {
            let is_slow = matches!(client.write("more"), Err(WriteError::Full { .. }));
            client.abort();
            !is_slow
        });
        readers - clients.len()
    })
}

// ---- inside TLS ----------------------------------------------------------------------------------

/// How far a handshake gets before it stalls.
#[derive(Clone, Copy, Debug)]
enum Stalls {
    Silent,
    /// The header of a record of 16 KiB, and all of it but the last byte.
    InTheRecord,
    /// The whole ClientHello: the server has answered, and keeps what it has agreed to.
    AfterTheHello,
}

#[test]
fn t3_a_handshake_that_stalls_holds_little_and_is_over_in_60_s() {
    const HANDSHAKES: usize = 64;
    for stalls in [Stalls::Silent, Stalls::InTheRecord, Stalls::AfterTheHello] {
        let tls = server();
        let bytes = match stalls {
            Stalls::Silent => Vec::new(),
            Stalls::InTheRecord => [&b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc"[..], &[0; 16_379]].concat(),
            Stalls::AfterTheHello => ByHand::client((), ONLY_13).records(),
        };
        let sent = bytes.len();
        let (waited, held) = measured(async move {
            let mut handshakes = Vec::new();
            for _ in 0..HANDSHAKES {
                let (transport, script) = scripted();
                if !bytes.is_empty() {
                    script.arrive(&bytes[..]);
                }
                let (reader, writer) = highwater_net::pair(transport);
                handshakes
                    .push(tokio::spawn(highwater_net::start_tls(reader, writer, tls.clone()).into_future()));
            }
            let begun = Instant::now();
            for handshake in handshakes {
                let error = io::Error::from(handshake.await.unwrap().unwrap_err());
                assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{stalls:?}: {error}");
            }
            begun.elapsed()
        });
        assert_eq!(waited.as_secs(), 60);
        // The script keeps what was not read yet, and what was answered.
        let each = held / HANDSHAKES;
        assert!(each <= 64 * KIB, "{stalls:?}: {each} bytes each");
        report(&format!(
            "attack: a handshake that stalls, {stalls:?}: {each} bytes each ({sent} sent), ended by {waited:?}"
        ));
    }
}

/// A session of a few records, cut at every byte of it.
#[test]
fn t4_truncation_at_every_byte_is_never_a_clean_end() {
    let cuts = bounded(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut cuts = 0;
            for versions in [ONLY_12, ONLY_13] {
                for cut in 0.. {
                    let ((mut reader, _writer), mut peer) = our_client(client(), versions, 4096).await;
                    let session =
                        [peer.encrypt(b"pay 100\n"), peer.encrypt(b"and no more\n"), peer.close_notify()]
                            .concat();
                    peer.send_raw(&session[..cut]).await.unwrap();
                    drop(peer);
                    let ended = reader.read_to_end(KIB).await;
                    if cut == session.len() {
                        assert_eq!(ended.unwrap(), "pay 100\nand no more\n");
                        break;
                    }
                    let kind = io::Error::from(ended.unwrap_err()).kind();
                    assert_eq!(kind, io::ErrorKind::UnexpectedEof, "cut at {cut} of {}", session.len());
                    assert!("pay 100\nand no more\n".as_bytes().starts_with(reader.unread_bytes()));
                    cuts += 1;
                }
            }
            cuts
        })
    });
    report(&format!("attack: truncation: cut at {cuts} places, 0 clean ends"));
}
