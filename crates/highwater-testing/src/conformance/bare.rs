//! The transport by itself: `AsyncRead` and `AsyncWrite`, as everything above them takes them to be.

use super::check::{Check, Needs, checks};
use super::maker::{End, Ends};
use super::report::not_applicable;
use super::stream::{ENDLESS, LONGEST, STAYS, in_a_while, once, payload};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::task::JoinHandle;

pub(super) fn checks() -> Vec<Check<Ends>> {
    let checks = checks!["bare":
        bytes_arrive_in_order,
        a_vectored_write_keeps_the_order,
        what_was_flushed_arrives_without_more,
        a_large_transfer_arrives_whole,
        both_directions_go_at_once,
        a_read_given_up_loses_nothing,
        a_waiting_read_is_woken_by_bytes,
        a_waiting_read_is_woken_by_the_end,
        a_waiting_read_is_woken_when_the_peer_is_dropped,
        the_end_comes_after_the_bytes_and_stays,
        a_write_after_shutdown_fails,
        what_was_sent_before_a_drop_arrives,
        writes_to_a_dropped_peer_fail_in_the_end,
        a_clogged_write_waits_and_is_woken,
        a_clogged_write_is_woken_when_the_peer_is_dropped,
        a_write_given_up_loses_nothing,
        a_clogged_direction_leaves_the_other_alone,
        a_read_and_a_write_wait_at_once,
    ];
    let half_close = checks!["bare": a_shutdown_ends_one_direction_alone];
    checks.into_iter().chain(half_close.map(|check| check.needs(Needs::HalfClose))).collect()
}

/// What every transport holds although nobody reads it.
const LITTLE: usize = 50;

/// Sizes of reads, in turn.
const READS: [usize; 6] = [1, 100, 3, 5000, 64 * 1024, 17];

/// Reads the bytes from `offset` to `end`, which come next, in pieces of several sizes.
async fn expect(from: &mut (impl AsyncRead + Unpin), mut offset: usize, end: usize) {
    let mut into = vec![0; 64 * 1024];
    for most in READS.into_iter().cycle() {
        if offset == end {
            return;
        }
        let got = from.read(&mut into[..most.min(end - offset)]).await.expect("more is on its way");
        assert!(got > 0, "an end after {offset} of {end} bytes");
        assert!(into[..got] == payload(offset, got), "other bytes than those sent, within {got} at {offset}");
        offset += got;
    }
}

/// Writes the bytes from `offset` to `end`.
async fn send(into: &mut (impl AsyncWrite + Unpin), mut offset: usize, end: usize) {
    while offset < end {
        let length = (end - offset).min(LONGEST);
        into.write_all(&payload(offset, length)).await.expect("the connection is open");
        offset += length;
    }
    into.flush().await.expect("the connection is open");
}

/// A read in a task of its own, which has to wait.
async fn waiting_read(mut from: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<io::Result<Vec<u8>>> {
    let mut waiting = tokio::spawn(async move {
        let mut into = [0; 100];
        let count = from.read(&mut into).await?;
        Ok(into[..count].to_vec())
    });
    assert!(in_a_while(&mut waiting).await.is_none(), "nothing was sent, and a read returned");
    waiting
}

/// Whether a read says that no more comes: an end, or an error because the peer is gone.
fn is_over(read: &io::Result<Vec<u8>>) -> bool {
    read.as_ref().map_or(true, Vec::is_empty)
}

/// Writes until the transport takes no more from a peer that does not read. How many bytes.
///
/// Between two looks a byte comes from the peer: that takes the news of all that a kernel still took along.
async fn clog(near: &mut End, far: &mut End) -> usize {
    let mut written = 0;
    let mut stayed = 0;
    while stayed < STAYS {
        match once(near.write(&payload(written, 64 * 1024))) {
            Some(taken) => {
                let taken = taken.expect("the connection is open");
                assert!(taken > 0, "a write of something that took nothing");
                written += taken;
                stayed = 0;
            }
            None => {
                // A transport that holds bytes back holds fewer now.
                once(near.flush()).transpose().expect("the connection is open");
                stayed += 1;
                far.write_all(b".").await.expect("the connection is open");
                far.flush().await.expect("the connection is open");
                assert_eq!(near.read_u8().await.expect("the connection is open"), b'.');
            }
        }
        if written > ENDLESS {
            not_applicable("it takes 64 MiB from a peer that does not read");
        }
    }
    written
}

// ---- bytes ----------------------------------------------------------------------------------------

async fn bytes_arrive_in_order(on: Ends) {
    let (mut near, mut far) = on.connected().await;
    let lengths = [1, 2, 7, 300, 4096, 5000, 65_536, 3];
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        for length in lengths {
            send(&mut near, sent, sent + length).await;
            sent += length;
        }
        near
    });
    expect(&mut far, 0, lengths.iter().sum()).await;
    drop(sending.await.expect("it has sent all"));
}

async fn a_vectored_write_keeps_the_order(on: Ends) {
    const LENGTH: usize = 50_000;
    let (mut near, mut far) = on.connected().await;
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        while sent < LENGTH {
            let parts =
                [payload(sent, 10), payload(sent + 10, 0), payload(sent + 10, 300), payload(sent + 310, 7)];
            let slices = parts.each_ref().map(|part| IoSlice::new(part));
            let taken = near.write_vectored(&slices).await.expect("the connection is open");
            assert!((1..=317).contains(&taken), "it took {taken} of 317 bytes");
            sent += taken;
        }
        near.flush().await.expect("the connection is open");
        (near, sent)
    });
    expect(&mut far, 0, LENGTH).await;
    let (_near, sent) = sending.await.expect("it has sent all");
    expect(&mut far, LENGTH, sent).await;
}

async fn what_was_flushed_arrives_without_more(on: Ends) {
    let (mut near, mut far) = on.connected().await;
    for round in 0..3 {
        send(&mut near, round * 10, round * 10 + 10).await;
        expect(&mut far, round * 10, round * 10 + 10).await;
    }
}

async fn a_large_transfer_arrives_whole(on: Ends) {
    const LENGTH: usize = 4 * 1024 * 1024;
    let (mut near, mut far) = on.connected().await;
    let sending = tokio::spawn(async move {
        send(&mut near, 0, LENGTH).await;
        near
    });
    expect(&mut far, 0, LENGTH).await;
    drop(sending.await.expect("it has sent all"));
}

async fn both_directions_go_at_once(on: Ends) {
    const LENGTH: usize = 1024 * 1024;
    let (near, far) = on.connected().await;
    let tasks: Vec<_> = [near, far]
        .into_iter()
        .flat_map(|end| {
            let (mut from, mut into) = split(end);
            let sending = tokio::spawn(async move { send(&mut into, 0, LENGTH).await });
            [sending, tokio::spawn(async move { expect(&mut from, 0, LENGTH).await })]
        })
        .collect();
    for task in tasks {
        task.await.expect("both ends send and receive all");
    }
}

// ---- reads ----------------------------------------------------------------------------------------

async fn a_read_given_up_loses_nothing(on: Ends) {
    let (mut near, mut far) = on.connected().await;
    for offset in 0..100 {
        assert!(once(far.read_u8()).is_none(), "nothing was sent, and a read returned");
        send(&mut near, offset, offset + 1).await;
        expect(&mut far, offset, offset + 1).await;
    }
}

async fn a_waiting_read_is_woken_by_bytes(on: Ends) {
    let (mut near, far) = on.connected().await;
    let waiting = waiting_read(far).await;
    send(&mut near, 0, 5).await;
    let read = waiting.await.expect("it returns").expect("the connection is open");
    assert!(!read.is_empty() && payload(0, 5).starts_with(&read), "{read:?}");
}

async fn a_waiting_read_is_woken_by_the_end(on: Ends) {
    let (mut near, far) = on.connected().await;
    let waiting = waiting_read(far).await;
    near.shutdown().await.expect("the connection is open");
    assert_eq!(waiting.await.expect("it returns").expect("a clean end"), b"");
}

async fn a_waiting_read_is_woken_when_the_peer_is_dropped(on: Ends) {
    let (near, far) = on.connected().await;
    let waiting = waiting_read(far).await;
    drop(near);
    let read = waiting.await.expect("it returns");
    assert!(is_over(&read), "nothing was sent, and a read gave {read:?}");
}

// ---- the end --------------------------------------------------------------------------------------

async fn the_end_comes_after_the_bytes_and_stays(on: Ends) {
    const LENGTH: usize = 100_000;
    let (mut near, mut far) = on.connected().await;
    let sending = tokio::spawn(async move {
        send(&mut near, 0, LENGTH).await;
        near.shutdown().await.expect("the connection is open");
        near
    });
    expect(&mut far, 0, LENGTH).await;
    for _ in 0..3 {
        assert_eq!(far.read(&mut [0; 10]).await.expect("a clean end"), 0, "bytes after the end");
    }
    drop(sending.await.expect("it has sent all"));
}

async fn a_shutdown_ends_one_direction_alone(on: Ends) {
    let (mut near, mut far) = on.connected().await;
    send(&mut near, 0, LITTLE).await;
    near.shutdown().await.expect("the connection is open");
    expect(&mut far, 0, LITTLE).await;
    assert_eq!(far.read(&mut [0; 10]).await.expect("a clean end"), 0, "bytes after the end");
    let replying = tokio::spawn(async move {
        send(&mut far, 0, 100_000).await;
        far.shutdown().await.expect("this direction is open");
        far
    });
    expect(&mut near, 0, 100_000).await;
    assert_eq!(near.read(&mut [0; 10]).await.expect("a clean end"), 0, "bytes after the end");
    drop(replying.await.expect("it has sent all"));
}

async fn a_write_after_shutdown_fails(on: Ends) {
    let (mut near, _far) = on.connected().await;
    near.shutdown().await.expect("the connection is open");
    let written = match near.write(b"more").await {
        Ok(_) => near.flush().await,
        Err(error) => Err(error),
    };
    assert!(written.is_err(), "a write after the end was taken");
}

async fn what_was_sent_before_a_drop_arrives(on: Ends) {
    let (mut near, mut far) = on.connected().await;
    send(&mut near, 0, LITTLE).await;
    drop(near);
    expect(&mut far, 0, LITTLE).await;
    let mut rest = Vec::new();
    let end = far.read_to_end(&mut rest).await.map(|_| rest);
    assert!(is_over(&end), "nothing more was sent, and a read gave {end:?}");
}

async fn writes_to_a_dropped_peer_fail_in_the_end(on: Ends) {
    let (mut near, far) = on.connected().await;
    drop(far);
    fails_in_the_end(&mut near, 0).await;
}

/// Writes on until the transport says that nobody is there.
async fn fails_in_the_end(near: &mut (impl AsyncWrite + Unpin), mut written: usize) {
    while let Ok(taken) = near.write(&payload(written, 1000)).await {
        written += taken;
        assert!(taken > 0 && written < ENDLESS, "{written} bytes were taken, and nobody is there");
        tokio::task::yield_now().await;
    }
}

// ---- backpressure ---------------------------------------------------------------------------------

async fn a_clogged_write_waits_and_is_woken(on: Ends) {
    let (mut near, mut far) = on.clogged().await;
    let written = clog(&mut near, &mut far).await;
    let mut writing = tokio::spawn(async move {
        send(&mut near, written, written + 1000).await;
        near
    });
    assert!(in_a_while(&mut writing).await.is_none(), "the transport is full, and a write returned");
    expect(&mut far, 0, written + 1000).await;
    drop(writing.await.expect("it has sent all"));
}

async fn a_clogged_write_is_woken_when_the_peer_is_dropped(on: Ends) {
    let (mut near, mut far) = on.clogged().await;
    let written = clog(&mut near, &mut far).await;
    let mut writing = tokio::spawn(async move { fails_in_the_end(&mut near, written).await });
    assert!(in_a_while(&mut writing).await.is_none(), "the transport is full, and a write returned");
    drop(far);
    writing.await.expect("it fails");
}

/// A write that waits has taken nothing: its bytes are written again, and arrive once.
async fn a_write_given_up_loses_nothing(on: Ends) {
    let (mut near, mut far) = on.clogged().await;
    let mut written = clog(&mut near, &mut far).await;
    let mut seen = 0;
    for _ in 0..100 {
        // What goes out meanwhile is counted, and what waits is given up and is to leave nothing behind.
        if let Some(taken) = once(near.write(&payload(written, 5000))) {
            written += taken.expect("the connection is open");
        }
        if seen < written {
            expect(&mut far, seen, (seen + 300).min(written)).await;
            seen = (seen + 300).min(written);
        }
    }
    let sending = tokio::spawn(async move {
        send(&mut near, written, written + 1000).await;
        near
    });
    expect(&mut far, seen, written + 1000).await;
    drop(sending.await.expect("it has sent all"));
}

async fn a_clogged_direction_leaves_the_other_alone(on: Ends) {
    let (mut near, mut far) = on.clogged().await;
    clog(&mut near, &mut far).await;
    for offset in (0..10 * LITTLE).step_by(LITTLE) {
        send(&mut far, offset, offset + LITTLE).await;
        expect(&mut near, offset, offset + LITTLE).await;
    }
}

/// Each direction keeps a waker of its own.
async fn a_read_and_a_write_wait_at_once(on: Ends) {
    let (mut near, mut far) = on.clogged().await;
    let written = clog(&mut near, &mut far).await;
    let (from, mut into) = split(near);
    let reading = waiting_read(from).await;
    let mut writing = tokio::spawn(async move {
        send(&mut into, written, written + 1000).await;
        into
    });
    assert!(in_a_while(&mut writing).await.is_none(), "the transport is full, and a write returned");
    send(&mut far, 0, 5).await;
    let read = reading.await.expect("it returns").expect("the connection is open");
    assert!(!read.is_empty() && payload(0, 5).starts_with(&read), "{read:?}");
    expect(&mut far, 0, written + 1000).await;
    drop(writing.await.expect("it has sent all"));
}
