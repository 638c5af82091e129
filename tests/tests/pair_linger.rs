//! W7: the linger reads and discards what the peer still sends, for a bounded time and amount.

use highwater_stream::{Linger, Pair, StreamReader, StreamWriter};
use highwater_tests::bounded::{run, run_paused, settle};
use highwater_tests::transport::{Script, Scripted, scripted};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A closed connection, with all that it had to send delivered.
fn closed(pair: Pair<Scripted>) -> (impl Sized, StreamWriter<Scripted>) {
    let (reader, writer) = pair.split();
    writer.write("the reply").unwrap();
    writer.close();
    (reader, writer)
}

fn plain() -> (Pair<Scripted>, Script) {
    let (transport, script) = scripted();
    (Pair::new(transport), script)
}

async fn time_until_closed(writer: &StreamWriter<Scripted>) -> Duration {
    let start = Instant::now();
    writer.wait_closed().await.unwrap();
    start.elapsed()
}

/// The clock counts in milliseconds, and rounds up.
#[track_caller]
fn assert_about(time: Duration, expected: Duration) {
    assert!(time >= expected && time <= expected + Duration::from_millis(2), "{time:?}, not {expected:?}");
}

#[test]
fn w7_the_linger_ends_after_two_seconds_of_silence() {
    run_paused(async {
        let (pair, script) = plain();
        let (_reader, writer) = closed(pair);
        assert_about(time_until_closed(&writer).await, Duration::from_secs(2));
        assert_eq!((script.delivered(), script.is_gone()), (b"the reply".to_vec(), true));
    });
}

#[test]
fn w7_each_byte_begins_the_silence_anew() {
    run_paused(async {
        let (pair, script) = plain();
        let (_reader, writer) = closed(pair);
        let start = Instant::now();
        for _ in 0..3 {
            sleep(Duration::from_millis(1900)).await;
            script.arrive("x");
        }
        writer.wait_closed().await.unwrap();
        assert_about(start.elapsed(), Duration::from_millis(3 * 1900 + 2000));
        assert_eq!(script.bytes_read(), 3);
    });
}

#[test]
fn w7_the_linger_ends_after_thirty_seconds_of_a_trickle() {
    run_paused(async {
        let (pair, script) = plain();
        let (_reader, writer) = closed(pair);
        let peer = tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(700)).await;
                script.arrive("x");
            }
        });
        assert_about(time_until_closed(&writer).await, Duration::from_secs(30));
        peer.abort();
    });
}

#[test]
fn w7_the_linger_ends_after_a_mebibyte() {
    run_paused(async {
        for (sent, has_ended) in [((1 << 20) - 1, false), (1 << 20, true)] {
            let (pair, script) = plain();
            let (_reader, writer) = closed(pair);
            for chunk in vec![b'x'; sent].chunks(60_000) {
                script.arrive(chunk);
            }
            settle().await;
            assert_eq!((script.bytes_read(), script.is_gone()), (sent, has_ended));
            drop(writer);
        }
    });
}

#[test]
fn w7_the_linger_ends_with_the_peers_end_or_its_reset() {
    run_paused(async {
        for resets in [false, true] {
            let (pair, script) = plain();
            let (_reader, writer) = closed(pair);
            script.arrive("unread");
            settle().await;
            assert!(!script.is_gone());
            if resets {
                script.arrive_error(io::Error::from_raw_os_error(104));
            } else {
                script.arrive_end();
            }
            assert_about(time_until_closed(&writer).await, Duration::ZERO);
            assert_eq!(script.bytes_read(), 6);
        }
    });
}

#[test]
fn w7_there_is_no_linger_once_the_peers_end_was_seen() {
    run_paused(async {
        let (pair, script) = plain();
        let (mut reader, writer): (StreamReader<_>, _) = pair.split();
        script.arrive_end();
        assert_eq!(reader.read(1).await.unwrap(), "");
        writer.write("the reply").unwrap();
        let calls = script.calls();
        writer.close();
        assert!(script.is_gone(), "there and then");
        assert_eq!(script.calls().shutdowns, calls.shutdowns + 1);
        assert_about(time_until_closed(&writer).await, Duration::ZERO);
    });
}

#[test]
fn w7_the_linger_can_be_set() {
    run_paused(async {
        let (pair, script) = plain();
        let (_reader, writer) = closed(pair.linger(Linger::NONE));
        assert!(script.is_gone());
        assert_about(time_until_closed(&writer).await, Duration::ZERO);

        let (pair, script) = plain();
        let linger = Linger { silence: Duration::from_secs(5), total: Duration::from_secs(7), bytes: 10 };
        let (_reader, writer) = closed(pair.linger(linger));
        assert_about(time_until_closed(&writer).await, Duration::from_secs(5));
        assert!(script.is_gone());

        let (pair, script) = plain();
        let (_reader, writer) = closed(pair.linger(linger));
        sleep(Duration::from_secs(4)).await;
        script.arrive("x");
        assert_about(time_until_closed(&writer).await, Duration::from_secs(3));

        let (pair, script) = plain();
        let (_reader, writer) = closed(pair.linger(linger));
        script.arrive("0123456789");
        assert_about(time_until_closed(&writer).await, Duration::ZERO);
        assert!(script.is_gone());
    });
}

/// Dropped halves linger the same way.
#[test]
fn w7_dropped_halves_linger_too() {
    run_paused(async {
        let (pair, script) = plain();
        let (reader, writer) = pair.split();
        let weak = writer.downgrade();
        writer.write("the reply").unwrap();
        drop((reader, writer));
        let start = Instant::now();
        sleep(Duration::from_secs(1)).await;
        script.arrive("unread");
        weak.wait_gone().await;
        assert_about(start.elapsed(), Duration::from_secs(3));
        assert_eq!(script.bytes_read(), 6);
    });
}

#[test]
fn w7_a_transport_that_cannot_be_read_does_not_linger() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        writer.write("the log line").unwrap();
        writer.close();
        assert_eq!((script.delivered(), script.is_gone()), (b"the log line".to_vec(), true));
        assert_eq!(script.bytes_read(), 0);
    });
}
