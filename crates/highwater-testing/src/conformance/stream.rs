//! Bytes that are known by their position, and what both sides do with them.

use super::report::not_applicable;
use bytes::Bytes;
use highwater_stream::{Source, StreamReader, StreamWriter};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::yield_now;

/// Prime, so that no buffer holds a whole number of rounds, and a piece that is lost or doubled shows.
const ROUND: usize = 251;

/// The longest payload that [`payload`] gives.
pub(super) const LONGEST: usize = 1024 * 1024;

/// How much a clogged writer has queued above its high mark: whatever a kernel may still take of its own
/// accord leaves it above.
const RESERVE: usize = 1024 * 1024;

/// The queue stays when it has not moved in so many looks.
pub(super) const STAYS: usize = 20;

/// What takes so much from a peer that does not read cannot be clogged.
pub(super) const ENDLESS: usize = 64 * 1024 * 1024;

/// What does not happen in so many turns of the runtime is taken not to happen.
const A_WHILE: usize = 64;

/// The bytes at `offset` of the endless stream that all checks send.
pub(super) fn payload(offset: usize, length: usize) -> Bytes {
    static ROUNDS: LazyLock<Bytes> =
        LazyLock::new(|| (0..LONGEST + ROUND).map(|index| (index % ROUND) as u8).collect());
    let start = offset % ROUND;
    ROUNDS.slice(start..start + length)
}

/// Reads the bytes from `offset` to `end`, which come next.
pub(super) async fn expect<R: Source>(reader: &mut StreamReader<R>, mut offset: usize, end: usize) {
    while offset < end {
        let got = reader.read((end - offset).min(64 * 1024)).await.expect("more is on its way");
        assert!(!got.is_empty(), "an end after {offset} of {end} bytes");
        assert!(got == payload(offset, got.len()), "other bytes than those sent, within {}", got.len());
        offset += got.len();
    }
}

/// Nothing comes but a clean end.
pub(super) async fn expect_end<R: Source>(reader: &mut StreamReader<R>) {
    assert_eq!(reader.read(1).await.expect("a clean end"), "");
    assert!(reader.at_eof());
}

/// Writes until the queue stays above the high mark, for a peer that does not read. How many bytes.
///
/// Between two looks a byte comes from the peer: that takes the news of all that the kernel still took along,
/// with any runtime.
pub(super) async fn clog<R, T, F>(
    reader: &mut StreamReader<R>,
    writer: &StreamWriter<T, F>,
    peer: &StreamWriter<T, F>,
) -> usize
where
    R: Source,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    const PAYLOAD: usize = 64 * 1024;
    let mut written = 0;
    let mut stayed = 0;
    while stayed < STAYS {
        let queued = writer.queued();
        if queued <= writer.watermarks().high() + RESERVE {
            writer.write(payload(written, PAYLOAD)).expect("the connection is open");
            written += PAYLOAD;
            stayed = 0;
            if written > ENDLESS {
                not_applicable("it takes 64 MiB from a peer that does not read");
            }
            continue;
        }
        // Polled once, it pushes what the transport takes.
        let _pushed = once(writer.flush());
        peer.write(".").expect("the connection is open");
        assert_eq!(reader.read_exactly(1).await.expect("the connection is open"), ".");
        stayed = if writer.queued() == queued { stayed + 1 } else { 0 };
    }
    written
}

/// Polls `future` once, and drops it. What it gave, if it did.
pub(super) fn once<V>(future: impl Future<Output = V>) -> Option<V> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Lets all tasks go on for a while, and polls `future` on the way. What it gave, if it did.
pub(super) async fn in_a_while<V>(mut future: impl Future<Output = V> + Unpin) -> Option<V> {
    for _ in 0..A_WHILE {
        if let Some(output) = once(&mut future) {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// What all of these give, in the order in which they end.
pub(super) async fn all<V>(waits: impl Iterator<Item: Future<Output = V>>) -> Vec<V> {
    let mut waits: Vec<_> = waits.map(Box::pin).collect();
    let mut outputs = Vec::new();
    poll_fn(|cx| {
        waits.retain_mut(|wait| match wait.as_mut().poll(cx) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if waits.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs
}
