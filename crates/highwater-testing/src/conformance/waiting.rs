//! W4, W5, W10: `drain` and `flush`, and the cap for those who do not wait.

use super::check::{Check, checks};
use super::maker::{Facts, PairOptions, Pairs, Transport};
use super::sending::is_alone;
use super::stream::{all, clog, expect, expect_end, in_a_while, once, payload};
use highwater_stream::WriteError;
use std::io;
use std::pin::pin;
use tokio::task::yield_now;

pub(super) fn checks<T: Transport, F: Facts>() -> Vec<Check<Pairs<T, F>>> {
    let checks = checks!["w4":
        drain_holds_above_the_high_mark_until_the_low_one,
        drain_below_the_mark_returns_at_once_and_sends_nothing,
        drain_fails_for_bytes_that_were_dropped,
        a_drain_given_up_loses_nothing,
    ];
    let checks = checks.into_iter().chain(checks!["w5":
        flush_returns_when_the_transport_has_it,
        flush_waits_for_a_peer_that_does_not_read,
        a_flush_given_up_loses_nothing,
    ]);
    checks.chain(checks!["w10": the_cap_refuses_whole]).collect()
}

// ---- W4 -------------------------------------------------------------------------------------------

async fn drain_holds_above_the_high_mark_until_the_low_one<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    let mut drains = pin!(all((0..3).map(|_| writer.drain())));
    assert!(in_a_while(&mut drains).await.is_none(), "with {} bytes queued", writer.queued());
    let mut seen = 0;
    let drained = loop {
        if let Some(drained) = once(&mut drains) {
            break drained;
        }
        assert!(seen < written, "the peer has read everything");
        let next = written.min(seen + 16 * 1024);
        expect(&mut far, seen, next).await;
        seen = next;
    };
    assert!(writer.queued() <= writer.watermarks().low(), "{} bytes are queued", writer.queued());
    assert!(drained.iter().all(Result::is_ok), "{drained:?}");
    expect(&mut far, seen, written).await;
    drop((reader, reply));
}

async fn drain_below_the_mark_returns_at_once_and_sends_nothing<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    let length = writer.watermarks().high();
    writer.write(payload(0, length)).expect("the connection is open");
    once(writer.drain()).expect("it is not above the mark").expect("the connection is open");
    if is_alone() {
        assert_eq!(writer.queued(), length);
    }
    expect(&mut far, 0, length).await;
    drop((reader, writer, reply));
}

async fn drain_fails_for_bytes_that_were_dropped<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), far) = on.clogged().await;
    clog(&mut reader, &writer, &far.1).await;
    let other = writer.clone();
    let waiting = tokio::spawn(async move { other.drain().await });
    let mut drain = pin!(writer.drain());
    assert!(in_a_while(&mut drain).await.is_none());
    writer.abort();
    for drained in [drain.await, waiting.await.expect("it returns"), writer.drain().await] {
        let error = drained.expect_err("its bytes were dropped");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
    drop((reader, far));
}

async fn a_drain_given_up_loses_nothing<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    assert!(once(writer.drain()).is_none());
    let mut seen = 0;
    while seen < written {
        let next = written.min(seen + 16 * 1024);
        expect(&mut far, seen, next).await;
        seen = next;
        let _polled_once = once(writer.drain());
    }
    writer.drain().await.expect("the connection is open");
    writer.write(payload(written, 9)).expect("the connection is open");
    drop((reader, writer, reply));
    expect(&mut far, written, written + 9).await;
    expect_end(&mut far).await;
}

// ---- W5 -------------------------------------------------------------------------------------------

/// What was flushed is no longer ours to drop: an abort right behind it takes none of it back.
async fn flush_returns_when_the_transport_has_it<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const LENGTH: usize = 2000;
    let ((reader, writer), (mut far, reply)) = on.pairs().await;
    writer.write(payload(0, LENGTH)).expect("the connection is open");
    let reading = tokio::spawn(async move { expect(&mut far, 0, LENGTH).await });
    writer.flush().await.expect("the peer reads");
    assert_eq!(writer.queued(), 0);
    writer.abort();
    reading.await.expect("all of it comes");
    drop((reader, reply));
}

async fn flush_waits_for_a_peer_that_does_not_read<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    let flushing = writer.clone();
    let mut flush = tokio::spawn(async move { flushing.flush().await });
    assert!(in_a_while(&mut flush).await.is_none(), "with {} bytes queued", writer.queued());
    expect(&mut far, 0, written).await;
    flush.await.expect("it returns").expect("the connection is open");
    assert_eq!(writer.queued(), 0);
    drop((reader, reply));
}

async fn a_flush_given_up_loses_nothing<T: Transport, F: Facts>(on: Pairs<T, F>) {
    let ((mut reader, writer), (mut far, reply)) = on.clogged().await;
    let written = clog(&mut reader, &writer, &reply).await;
    assert!(once(writer.flush()).is_none());
    let mut seen = 0;
    while seen < written {
        let next = written.min(seen + 16 * 1024);
        expect(&mut far, seen, next).await;
        seen = next;
        let _polled_once = once(writer.flush());
    }
    writer.flush().await.expect("the connection is open");
    assert_eq!(writer.queued(), 0);
    drop((reader, writer, reply));
    expect_end(&mut far).await;
}

// ---- W10 ------------------------------------------------------------------------------------------

async fn the_cap_refuses_whole<T: Transport, F: Facts>(on: Pairs<T, F>) {
    const CAP: usize = 100_000;
    const LENGTH: usize = 7_001;
    let options = PairOptions { max_buffered: Some(CAP), ..PairOptions::default() };
    let ((reader, writer), (mut far, reply)) = on.clogged_with(options).await;
    let refused = writer.write(payload(0, CAP + 1)).expect_err("it does not fit into an empty queue");
    assert!(
        matches!(refused, WriteError::Full { queued: 0, payload, max_buffered: CAP } if payload == CAP + 1)
    );
    assert_eq!(writer.queued(), 0);

    // The peer does not read: in the end every write is refused.
    let mut written = 0;
    let mut refused = 0;
    while refused < 64 {
        match writer.write(payload(written, LENGTH)) {
            Ok(()) => (written, refused) = (written + LENGTH, 0),
            Err(WriteError::Full { queued, payload: LENGTH, max_buffered: CAP }) => {
                assert!(queued + LENGTH > CAP && queued <= CAP, "{queued}");
                refused += 1;
                assert!(once(writer.flush()).is_none_or(|flushed| flushed.is_ok()));
                yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(writer.queued() <= CAP);
    }

    // It reads, and there is room again. What was refused is nowhere.
    expect(&mut far, 0, written).await;
    writer.flush().await.expect("the connection is open");
    writer.write(payload(written, CAP)).expect("the queue is empty");
    drop((reader, writer, reply));
    expect(&mut far, written, written + CAP).await;
    expect_end(&mut far).await;
}
